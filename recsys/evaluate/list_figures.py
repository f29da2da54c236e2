"""Held-out impressions, ranked and re-ranked -> how varied the first cards are, whom they fit, and what that costs.

Reads held-out rows, the click model's scores of them, article vectors and sources; produces a row of figures per lever
of re-ranking, each alone on the same candidates and scores. The limits per category and source are those of the
service; what it does not do (``MMR``) is beside them, so that it can be seen why.

Source: Carbonell and Goldstein 1998 (maximal marginal relevance); the figures: ``recsys.metrics.diversity``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.eligibility import source_shares
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.training_set import TrainingSet
from recsys.features import CANDIDATE_FIELDS, COLUMN
from recsys.metrics.diversity import coverage, intra_list_diversity, miscalibration, mixtures, topic_entropy
from recsys.recommend.config import RecommendConfig
from recsys.recommend.rerank import MAX_CATEGORY_SHARE, NO_SOURCES, DiversifiedList, SourceLimits, category_limits
from recsys.units import NO_ID, UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

LIST_FIGURES = ("clicks", "of_scores", "diversity", "topic_entropy", "miscalibration", "coverage", "lists")
MMR_WEIGHT = 0.8  # of the score, from 0 to 1 in each list; the rest is the nearness to the nearest card above
_ARTICLE, _CATEGORY = (CANDIDATE_FIELDS.index(name) for name in ("article", "category"))
_MOST_LISTS = 5_000  # judged, the last in time
_LONGEST = 10  # cards that are looked at, of lists of twice as many and more; half of shorter ones


class HeldOutList(NamedTuple):
    """One list of B candidates.

    Attributes:
        scores: float32 (B,).
        category: int16 (B,), codes; -1 for none.
        vectors: float32 (B, D), unit or NaN rows.
        shares: of the reader's clicks, by category code, as far as the list has the category.
        clicks: of the reader before the list.
        by_source: sources by place, and the shares of a list that they may fill.
    """

    scores: Vectors
    category: npt.NDArray[np.int16]
    vectors: Vectors
    shares: dict[int, float]
    clicks: int
    by_source: SourceLimits = NO_SOURCES


def by_score(shown: HeldOutList, k: int, config: RecommendConfig) -> Places:
    """The best ``k``: int64, places in the list."""
    return np.argsort(-shown.scores, kind="stable")[:k]


def by_shares(shown: HeldOutList, k: int, config: RecommendConfig) -> Places:
    """The same within the service's limits per category, which follow what the reader reads."""
    own = category_limits(shown.shares, shown.clicks, k, config.max_per_category, MAX_CATEGORY_SHARE)
    return _limited(shown, k, own, config.max_per_category)


def by_source(shown: HeldOutList, k: int, config: RecommendConfig) -> Places:
    """The same within the service's limits per source."""
    return _limited(shown, k, {}, k, shown.by_source)


def by_fixed_limit(shown: HeldOutList, k: int, config: RecommendConfig) -> Places:
    """The same with one limit for every category and reader."""
    return _limited(shown, k, {}, config.max_per_category)


def _limited(shown: HeldOutList, k: int, own: dict[int, int], limit: int, sources: SourceLimits = NO_SOURCES) -> Places:
    listed = DiversifiedList(k, own, limit, shown.category, sources)
    listed.offer(np.argsort(-shown.scores, kind="stable").astype(np.int32))
    return np.array(listed.filled(), np.int64)


def by_mmr(shown: HeldOutList, k: int, config: RecommendConfig) -> Places:
    """Maximal marginal relevance: one card after the other, high in score and far from those above."""
    low, high = shown.scores.min(), shown.scores.max()
    relevance = MMR_WEIGHT * (shown.scores - low) / max(high - low, np.float32(1e-9))
    vectors = np.nan_to_num(shown.vectors)
    nearest = np.zeros(len(relevance), np.float32)
    places: list[int] = []
    left = np.ones(len(relevance), np.bool_)
    while len(places) < min(k, len(relevance)):
        gain = np.where(left, relevance - (1 - MMR_WEIGHT) * nearest, -np.inf)
        places.append(int(gain.argmax()))
        left[places[-1]] = False
        nearest = np.maximum(nearest, vectors @ vectors[places[-1]])
    return np.array(places, np.int64)


LIST_LEVERS: dict[str, Callable[[HeldOutList, int, RecommendConfig], Places]] = {
    "scores alone": by_score,
    "limits by shares": by_shares,
    "half of a source": by_source,
    "one fixed limit": by_fixed_limit,
    "mmr": by_mmr,
}


def list_figures(
    rows: TrainingSet,
    ctr_scores: Vectors,
    articles: npt.NDArray[np.int64],
    vectors: Vectors,
    sources: npt.NDArray[np.int32],
    config: RecommendConfig,
) -> pd.DataFrame:
    """Figures of the first cards of the held-out lists, re-ranked by each lever alone.

    Args:
        rows: all rows; the ones of part HOLDOUT judge.
        ctr_scores: float32 (H,), the click model's scores of those; empty without a model.
        articles: int64 (A,), hashed ids.
        vectors: float32 (A, D), unit or NaN rows.
        sources: int32 (A,), codes; -1 for the site's own.
        config: the limit per category.

    Returns:
        A row per lever, columns ``LIST_FIGURES``: share of the clicked cards that stand among the first, the same over
        that of the scores alone, share of the pairs' distance 1 - cosine, bits, nats from the reader's own shares
        (of readers with clicks), share of all candidates that stand among any first, lists judged. Empty where no list
        has a click and more than two candidates.
    """
    held = rows.cut(*_judged(rows)) if len(ctr_scores) else TrainingSet.empty()
    if not len(held):
        return pd.DataFrame(columns=LIST_FIGURES)
    k = min(_LONGEST, int(np.median(np.bincount(held.impression))) // 2)
    row_of, category = _rows_of(held, articles), _categories(held)
    own = np.concatenate([vectors, np.full((1, vectors.shape[1]), np.nan, np.float32)])[row_of]  # -1: the last one
    source = np.append(sources, np.int32(UNKNOWN_ROW))[row_of]
    shares = source_shares(source, np.zeros(len(source), np.int16))  # of the candidates, for want of the site's newest
    lists = _lists(held, ctr_scores[len(ctr_scores) - len(held) :], own, category, SourceLimits(source, shares))
    judged = [(start, shown) for start, shown in lists if len(shown.scores) > k > 0 and _clicks(held, start, shown)]
    if not judged:
        return pd.DataFrame(columns=LIST_FIGURES)
    starts = np.array([start for start, _ in judged])
    clicked = sum(_clicks(held, start, shown) for start, shown in judged)
    wanted = _wanted([shown for _, shown in judged], int(category.max()) + 1)
    read = wanted.sum(axis=1) > 0
    _, row = np.unique(held.ids[:, _ARTICLE], return_inverse=True)
    table = {}
    for name, lever in LIST_LEVERS.items():
        first = starts[:, None] + np.stack([lever(shown, k, config) for _, shown in judged])  # (I, k), rows
        shares = mixtures(first, category.astype(np.int64), wanted.shape[1])
        table[name] = {
            "clicks": held.label[first].sum() / clicked,
            "diversity": intra_list_diversity(first, own),
            "topic_entropy": topic_entropy(shares),
            "miscalibration": miscalibration(wanted[read], shares[read]) if read.any() else np.nan,
            "coverage": coverage(row[first], int(row.max()) + 1),
            "lists": len(judged),
        }
    told = pd.DataFrame(table).T
    told["of_scores"] = told["clicks"] / told["clicks"].iloc[0]
    return told[[*LIST_FIGURES]]


def _clicks(held: TrainingSet, start: int, shown: HeldOutList) -> int:
    return int(held.label[start : start + len(shown.scores)].sum())


def _rows_of(held: TrainingSet, articles: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """The candidates' rows among some articles: int32 (N,), -1 for another one."""
    article, order = held.ids[:, _ARTICLE], np.argsort(articles, kind="stable")
    if not len(order):
        return np.full(len(article), UNKNOWN_ROW, np.int32)
    at = order[np.minimum(np.searchsorted(articles[order], article), len(order) - 1)]
    return np.where(articles[at] == article, at, UNKNOWN_ROW).astype(np.int32)


def _wanted(judged: Sequence[HeldOutList], categories: int) -> npt.NDArray[np.float64]:
    """Shares of the categories read: float64 (I, C), rows sum to 1, or are 0 where nothing is known."""
    wanted = np.zeros((len(judged), categories))
    for number, shown in enumerate(judged):
        for code, share in shown.shares.items():
            wanted[number, code] = share
    return np.asarray(wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-12))


def _judged(rows: TrainingSet) -> tuple[int, int]:
    """The rows of the last held-out lists."""
    held = np.flatnonzero(rows.part == HOLDOUT)
    if not len(held):
        return 0, 0
    first = max(int(rows.impression[held[0]]), int(rows.impression[held[-1]]) - _MOST_LISTS + 1)
    return int(np.searchsorted(rows.impression, first)), int(held[-1]) + 1


def _categories(held: TrainingSet) -> npt.NDArray[np.int16]:
    """Codes of the candidates' categories: int16 (N,), -1 for none."""
    names = held.ids[:, _CATEGORY]
    kinds = np.unique(names[names != NO_ID])
    return np.where(names == NO_ID, -1, np.searchsorted(kinds, names)).astype(np.int16)


def _lists(
    held: TrainingSet, scores: Vectors, vectors: Vectors, category: npt.NDArray[np.int16], by_source: SourceLimits
) -> Iterator[tuple[int, HeldOutList]]:
    """First row and candidates of each list."""
    share, n = held.matrix[:, COLUMN["category_share"]], held.matrix[:, COLUMN["history"]]
    bounds = np.flatnonzero(np.diff(held.impression, prepend=-1, append=-1))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        codes, shares = category[start:stop], share[start:stop]
        own = {int(code): float(value) for code, value in zip(codes, shares, strict=True) if code >= 0 and value > 0}
        clicks = int(np.rint(np.expm1(n[start])))
        limits = by_source._replace(sources=by_source.sources[start:stop])
        yield start, HeldOutList(scores[start:stop], codes, vectors[start:stop], own, clicks, limits)
