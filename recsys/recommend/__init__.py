"""Recommend: a reader -> a list of articles with reasons.

Reads the catalogue, the vectors, the live counts and the click model; produces a ``Recommendation``.

    config       sizes and thresholds
    context      the reader, the request, and the features that answers share
    candidates   some hundreds of articles that may be worth showing, with their evidence
    rank         the click model's order, each interest with its share
    rerank       few of each category
    reasons      a true claim for each article shown
    wording      a claim in words, Chinese or English
    explore      an article to try, and how probable that choice was
    similar      the list beside one article
    listing      one list being made, from ranking to reasons
    answer       all of that, in this order
"""
