"""Rank each article's phrases by the votes that they give each other: TextRank on word vectors.

Reads tokens and word vectors; produces ranked keywords, and how many articles each word stands in.

    candidates   which phrases of a text could be keywords
    lookup       what is known of each word: vector, rarity, whether it can be part of one
    ranking      what a phrase is worth by itself, and the whole way of a batch
    graph        the votes
    show         keywords as readers see them
    batch        a catalogue -> keywords.parquet
    stored       the word counts on disk
"""

from recsys.keywords.ranking import Frequencies, Keywords, KeywordsConfig, Ranker
from recsys.keywords.stored import load_frequencies, save_frequencies

__all__ = ["Frequencies", "Keywords", "KeywordsConfig", "Ranker", "load_frequencies", "save_frequencies"]
