"""Evidence: terms of a headline and counts of each story -> the story that explains the headline best.

A story is a distribution of terms. What speaks for a story is how much likelier it makes the headline's terms than the
stories as a whole do; terms are counted in stories, so that a large story does not make its own terms common. What is
absent says nothing: the next headline of an event hardly repeats the last one.

Source: the mixture of Yin et al. 2018, "Model-based clustering of short text streams" (MStream), with the most
probable story in place of a drawn one; the decay in time of Miranda et al. 2018, "Multilingual clustering of streaming
news".
"""

import heapq
import math
from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from recsys.stories.common_words import COMMON_TERMS
from recsys.units import DAY_MS

_SEEN = 0.2  # stories in which a term is taken to have stood before it was seen
_STORIES = 30  # stories that are taken to have been before the first: no term of a young index is rare yet
_COMMON = 0.06  # share of all stories that have a common word, before the index knows better
_MOST = 0.5  # share of the stories at which a term says nothing worth mentioning
_SMOOTHING = 0.5  # headlines' worth of background in a story's own shares
_LENGTH = 0.8  # exponent of the number of terms: neighbouring words are partly the same evidence
_CHOICE = 0.3  # weight of the prior: among more articles one is alike by chance, most likely one of a large story
_ARTICLES = 50  # articles that are taken to have been before the first
_LONG_LIST = 500  # stories of a term; where more have it, only those are looked at that share a rarer one
_DECAY_MS = 3 * DAY_MS  # standard deviation of the time between an article and its story


class StoryCounts(Protocol):
    """Counts of one story: its headlines, and the times of the first and last one (ms)."""

    size: int
    first: int
    last: int


class BestStory(NamedTuple):
    """Story that explains a headline well: its row, and its score; -1 and 0 for none."""

    row: int
    score: float


NOTHING_LIKE_IT = BestStory(-1, 0.0)


def best_stories(
    words: Mapping[str, float],
    time: int | None,
    postings: Mapping[str, Mapping[int, int]],
    stories: Mapping[int, StoryCounts],
    articles: int,
    n: int,
    forbidden: Collection[int] = (),
) -> list[BestStory]:
    """Stories with the highest scores, the best first; of equal ones the earlier row.

    Args:
        words: different terms of a headline, and the weight of each as evidence.
        time: of the article, ms; None where nobody knows it.
        postings: term -> row of a story -> headlines of it that have the term.
        stories: by row.
        articles: placed so far.
        n: at most so many.
        forbidden: rows that it must not join.
    """
    evidence, surprise = _evidence(words, postings, stories)
    if not evidence:
        return []
    prior, length, scored = _CHOICE * math.log(articles + _ARTICLES), len(words) ** _LENGTH, list[tuple[float, int]]()
    for row, told in evidence.items():
        story = stories[row]
        told -= prior - _CHOICE * math.log(story.size)
        if told <= 0 or row in forbidden:
            continue
        score = told / length * told / surprise
        if time is not None and story.first <= story.last and not story.first <= time <= story.last:
            away = max(story.first - time, time - story.last) / _DECAY_MS
            score *= math.exp(-away * away / 2)
        if score > 0:
            scored.append((-score, row))
    return [BestStory(row, -score) for score, row in heapq.nsmallest(n, scored)]


def _evidence(
    words: Mapping[str, float], postings: Mapping[str, Mapping[int, int]], stories: Mapping[int, StoryCounts]
) -> tuple[dict[int, float], float]:
    """Log-likelihood ratio of each story over the background, and how surprising the headline is by itself."""
    evidence: dict[int, float] = {}
    among, surprise = len(stories) + _STORIES, 0.0
    for word in sorted(words, key=lambda word: len(postings.get(word, ()))):  # of long lists less is looked at
        rows, weight = postings.get(word, {}), words[word]
        background = (len(rows) + _SEEN) / among
        if word in COMMON_TERMS:
            background = min(_MOST, background + _COMMON)
        surprise -= weight * math.log(background)
        compared = rows if len(rows) <= _LONG_LIST else [row for row in evidence if row in rows]
        for row in compared:
            share = (rows[row] + _SMOOTHING * background) / (stories[row].size + _SMOOTHING)
            if share > background:
                evidence[row] = evidence.get(row, 0.0) + weight * math.log(share / background)
    return evidence, surprise
