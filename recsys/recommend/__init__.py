"""Recommend: a reader -> a list of articles with reasons.

Reads the catalogue, the vectors, the live counts and the click model; produces a ``Recommendation``: retrieve, rank,
re-rank, explain. This file holds the configuration only, so that reading it loads no numpy code.

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

from pydantic import Field

from recsys.config import Section


class RecommendConfig(Section):
    """How many candidates, how varied a list, and what may be claimed as a reason."""

    k: int = Field(10, ge=1, le=1000)
    max_k: int = Field(50, ge=1, le=1000)
    trending: int = Field(60, ge=0, le=10_000)
    fresh: int = Field(60, ge=0, le=10_000)
    fresh_hours: float = Field(48.0, gt=0, le=87_600)
    company: int = Field(60, ge=0, le=10_000)
    company_visits: float = Field(3.0, gt=0)
    company_lift: float = Field(2.0, ge=1)
    max_per_category: int = Field(3, ge=1)
    max_category_share: float = Field(0.8, gt=0, le=1)
    read_share: float = Field(0.15, ge=0, le=1)
    read_cosine: float = Field(0.3, ge=-1, le=1)
    liked_share: float = Field(0.25, gt=0, le=1)
    reason_keywords: int = Field(3, ge=0, le=20)
