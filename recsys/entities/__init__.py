"""Entities and parts of speech: sentences -> labels per token, by a tagger that is trained on a site's own label file.

Reads label files and sentences; produces a tagger and the spans that it finds. No model comes with the project: what
may be trained on which file is the site's to know, and without any the names of a text are found by rules
(docs/entities.md). The files, from the text to the label:

    labels       labels of tokens and the spans that they mark
    characters   characters as classes
    attributes   a token and the text around it -> hashes
    features     attributes of neighbours -> features, and which of them a model knows
    chain        scores -> best paths and marginals
    tagger       the model, saved and loaded
    training     labelled sentences -> a tagger
    label_files  files -> labelled sentences
    kinds        names and their types
    capitals     names by capitals and what stands beside them
    dictionary   names that editors list
    finding      a text -> its names, with a tagger or without labels
    site_names   what a site knows of its names, in a release; of an article the names that its tags are called by
"""

from recsys.entities.dictionary import DICTIONARY, NameDictionary, read_dictionary
from recsys.entities.finding import EntityFinder, LanguageTagger
from recsys.entities.kinds import NamedEntity
from recsys.entities.label_files import LabelledSentences, read_labelled
from recsys.entities.labels import Span, spans_of
from recsys.entities.site_names import ArticleNames, SiteNames, save_site_names
from recsys.entities.tagger import Tagger, load_tagger
from recsys.entities.training import train

__all__ = [
    "DICTIONARY",
    "ArticleNames",
    "EntityFinder",
    "LabelledSentences",
    "LanguageTagger",
    "NameDictionary",
    "NamedEntity",
    "SiteNames",
    "Span",
    "Tagger",
    "load_tagger",
    "read_dictionary",
    "read_labelled",
    "save_site_names",
    "spans_of",
    "train",
]
