"""Recommend: a reader -> a list of articles with reasons.

Reads the catalogue, the vectors, the live counts and the click model; produces a ``Recommendation``: retrieve, rank,
re-rank, explain.

    config.py        the settings
    tags.py          what an article or a reader is about: the bar and the stem of a T
    entries.py       what the catalogue keeps of one article
    tag_index.py     which articles bear a tag
    catalogue.py     what may be shown now, as columns and masks
    tagged.py        a tag's articles and relatives
    profile.py       a reader's tags
    reasons.py       why an article is in the list, decided by numbers, said in Chinese or English
    lists.py         what is answered
    company.py       what is opened beside the last clicks
    taste.py         what one answer knows of its reader
    facts.py         what many answers share
    variety.py       few of each category
    similar.py       the articles to show beside one
    recommender.py   the four steps
"""
