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
from collections.abc import Collection, Mapping, Sequence, Set
from typing import NamedTuple, Protocol

from recsys.stories.common_words import COMMON_TERMS
from recsys.stories.postings import TermPostings
from recsys.units import DAY_MS

_SEEN = 0.2  # stories in which a term is taken to have stood before it was seen
_STORIES = 30  # stories that are taken to have been before the first: no term of a young index is rare yet
_COMMON = 0.06  # share of all stories that have a common word, before the index knows better
_MOST = 0.5  # share of the stories at which a term says nothing worth mentioning
_SMOOTHING = 0.5  # headlines' worth of background in a story's own shares
_LENGTH = 0.8  # exponent of the number of terms: neighbouring words are partly the same evidence
_CHOICE = 0.3  # weight of the prior: among more articles one is alike by chance, most likely one of a large story
_ARTICLES = 50  # articles that are taken to have been before the first
MAX_COUNTED = 512  # headlines that a story counts; then every count is halved, and the story moves on with the news
_LONG_LIST = 500  # stories of a term; where more have it, only those are looked at that share a rarer one
_ROUNDING = 1e-9  # of sums in other orders
_LARGEST = _CHOICE * math.log(MAX_COUNTED)  # evidence that the largest story has before any term
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
    postings: TermPostings,
    stories: Mapping[int, StoryCounts],
    articles: int,
    n: int,
    forbidden: Collection[int] = (),
    least: float = 0.0,
) -> list[BestStory]:
    """Stories with the highest scores, the best first; of equal ones the earlier row.

    Args:
        words: different terms of a headline, and the weight of each as evidence.
        time: of the article, ms; None where nobody knows it.
        postings: which stories have a term.
        stories: by row.
        articles: placed so far.
        n: at most so many.
        forbidden: rows that it must not join.
        least: score below which a story need not be named.
    """
    terms = _of_terms(words, postings, len(stories))
    surprise, length = sum(word.surprise for word in terms), len(words) ** _LENGTH
    if not surprise:
        return []
    prior = _CHOICE * math.log(articles + _ARTICLES)
    needed = math.sqrt(least * length * surprise) * (1 - _ROUNDING)  # of evidence, beyond what chance would bring
    scored: list[tuple[float, int]] = []
    for row, evidence in (_of_single(terms, prior + needed) | _of_larger(terms, stories, prior, needed)).items():
        story = stories[row]
        beyond = evidence - (prior - _CHOICE * math.log(story.size))
        if beyond <= 0 or row in forbidden:
            continue
        score = beyond / length * beyond / surprise
        if time is not None and story.first <= story.last and not story.first <= time <= story.last:
            away = max(story.first - time, time - story.last) / _DECAY_MS
            score *= math.exp(-away * away / 2)
        if score > 0 and score >= least:
            scored.append((-score, row))
    return [BestStory(row, -score) for score, row in heapq.nsmallest(n, scored)]


class _TermEvidence(NamedTuple):
    """Evidence of one term.

    Attributes:
        stories: that have it.
        single: rows of those of one headline.
        counts: row of each larger one -> headlines of it that have the term.
        weight: as evidence.
        background: share of all stories that have it.
        surprise: of meeting it by chance, times the weight.
    """

    stories: int
    single: Set[int]
    counts: Mapping[int, int]
    weight: float
    background: float
    surprise: float

    def of(self, count: int, size: int) -> float:
        """Evidence of a story with so many headlines that have the term; 0 where it speaks against the story."""
        share = (count + _SMOOTHING * self.background) / (size + _SMOOTHING)
        return self.weight * math.log(share / self.background) if share > self.background else 0.0


def _of_terms(words: Mapping[str, float], postings: TermPostings, stories: int) -> list[_TermEvidence]:
    """Evidence of each term of a headline, the rarest first."""
    terms = []
    for word in sorted(words, key=postings.length):  # of long lists less is looked at
        having = postings.length(word)
        background = (having + _SEEN) / (stories + _STORIES)
        if word in COMMON_TERMS:
            background = min(_MOST, background + _COMMON)
        surprise = -words[word] * math.log(background)
        terms.append(
            _TermEvidence(having, postings.single(word), postings.counts(word), words[word], background, surprise)
        )
    return terms


def _of_single(terms: Sequence[_TermEvidence], needed: float) -> dict[int, float]:
    """Log-likelihood ratio over the background of the stories of one headline, but of those that cannot have enough.

    A term says the same for each of them, so that who can have enough shares one of few terms, or of few pairs.
    """
    parts = [term.of(1, 1) for term in terms]
    left = [sum(parts[place:]) + _ROUNDING for place in range(len(parts))]  # of whom shares no term before
    rows: set[int] = set()
    for place, term in enumerate(terms):
        if term.stories > _LONG_LIST or left[place] < needed:
            break
        if parts[place] + _ROUNDING >= needed:
            rows |= term.single
            continue
        for other in range(place + 1, len(terms)):
            if parts[place] + left[other] < needed:
                break
            rows |= term.single & terms[other].single
    return {row: sum(part for part, term in zip(parts, terms, strict=True) if row in term.single) for row in rows}


def _of_larger(
    terms: Sequence[_TermEvidence], stories: Mapping[int, StoryCounts], prior: float, needed: float
) -> dict[int, float]:
    """The same of the stories of several headlines.

    A story has at most the surprise of the terms that it shares: one that has none of the rare ones is not looked at.
    """
    evidence: dict[int, float] = {}
    left = sum(term.surprise for term in terms)
    for term in terms:
        lacking = needed + prior - left - _ROUNDING  # of a story of one headline that has this term and all after it
        left -= term.surprise
        if lacking > 0:
            evidence = {row: so_far for row, so_far in evidence.items() if so_far + _LARGEST >= lacking}
        if term.stories <= _LONG_LIST and lacking <= _LARGEST:
            size = math.exp(lacking / _CHOICE)
            shared = [row for row in term.counts if row in evidence or stories[row].size >= size]
        else:
            shared = [row for row in evidence if row in term.counts]
        for row in shared:
            if part := term.of(term.counts[row], stories[row].size):
                evidence[row] = evidence.get(row, 0.0) + part
    return evidence
