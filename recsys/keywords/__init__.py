"""Rank each article's phrases by the votes that they give each other: TextRank on word vectors.

Reads tokens and word vectors; produces ranked keywords, and how many articles each word stands in. The files, from the
text to the keyword:

    settings     every lever
    pieces       joined words taken apart
    lookup       what is known of each word: vector, rarity, whether it can be part of a keyword
    page         a batch of articles with all of that
    candidates   which phrases could be keywords
    graph        the votes of a few articles
    votes        the votes of a batch
    ranking      what a phrase is worth by itself, and the whole way
    show         keywords as readers see them
    stored       the word counts on disk
    batch        a catalogue -> keywords.parquet
"""

from recsys.keywords.ranking import Frequencies, Keywords, Ranker
from recsys.keywords.stored import load_frequencies, save_frequencies

__all__ = ["Frequencies", "Keywords", "Ranker", "load_frequencies", "save_frequencies"]
