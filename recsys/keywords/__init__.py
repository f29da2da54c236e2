"""Ranked keywords of articles: TextRank, in which phrases vote for each other by the cosine of their word vectors.

Reads tokens and word vectors; produces ranked keywords, and the document frequencies of words. The files, from the text
to the keyword:

    frequencies     document frequencies, word forms, and stop words learned from the texts
    word_features   vector row, form, document frequency and eligibility of each word
    token_batch     a batch of articles as arrays, and keywords named as readers see them
    candidates      the phrases that could be keywords
    graph           the votes between phrases
    editors_tags    tags that editors gave, in the place of ranked ones
    ranking         the weight of a phrase by itself, and the whole way
"""

from recsys.keywords.editors_tags import TagRanks, editors_tags, load_editors_tags, save_editors_tags
from recsys.keywords.frequencies import DocumentFrequencies, count_articles, load_frequencies, save_frequencies
from recsys.keywords.ranking import KeywordRanker, Keywords, ranking, write_keywords

__all__ = [
    "DocumentFrequencies",
    "KeywordRanker",
    "Keywords",
    "TagRanks",
    "count_articles",
    "editors_tags",
    "load_editors_tags",
    "load_frequencies",
    "ranking",
    "save_editors_tags",
    "save_frequencies",
    "write_keywords",
]
