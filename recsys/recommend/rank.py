"""Ranking: the click model's scores of the candidates, and the shares of several interests.

Reads a reader context, candidates and the click model; produces rows, best first, and scores. Without a click model
the nearest come first.

Source: Steck 2018, "Calibrated recommendations", section 3: the shares of a list are those of the history.
"""

import enum
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.features.matrix import ArticleTables, candidate_rows
from recsys.features.rows import CandidateRows
from recsys.readers.config import ReadersConfig
from recsys.recommend.context import ReaderContext, SharedFeatures
from recsys.tags.index import Rows
from recsys.telemetry import Stage, StageClock
from recsys.trends.outcomes import OutcomeRatios, outcome_ratios
from recsys.trends.state import CATEGORIES
from recsys.trends.stream import Trends

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class ScoreKind(enum.StrEnum):
    """The meaning of an article's score, always in [0, 1]; only scores of one kind can be compared."""

    CLICK = "click"  # the probability of a click if the article stands first
    NEXT_CLICK = "next-click"  # the probability that of all candidates of the list this one is opened next
    SIMILARITY = "similarity"  # the cosine to what the reader likes, or to the article; 0 where it is below
    TAG = "tag"  # the weight of the tag in the article
    NONE = "none"  # the list has another order: clicks, or time; the score is 0


class Scorer(Protocol):
    """The click model as far as it is used here."""

    @property
    def probability(self) -> bool:
        """True where scores are probabilities; otherwise they are log-odds up to one constant."""

    @property
    def reads_ids(self) -> bool:
        """True where it reads hashed ids of candidates, of the list and of the last clicks beside columns."""

    def score(self, candidates: CandidateRows) -> Vectors:
        """The likelihood of a click on each of B candidates: float32 (B,)."""


class OutcomeFactors(NamedTuple):
    """Outcomes of C candidates, and what they make of their scores.

    Attributes:
        factors: float64 (C,).
        ratios: that they are made of.
    """

    factors: Floats
    ratios: OutcomeRatios


class Ranker(NamedTuple):
    """Everything that scores depend on beside the reader."""

    model: Scorer | None
    tables: ArticleTables
    trends: Trends
    readers: ReadersConfig
    shared: SharedFeatures
    clock: StageClock

    def score(self, context: ReaderContext, rows: Rows, now: int) -> Vectors:
        """The click model's score of each row; without one the nearness to the reader, 0 where unknown."""
        if not len(rows):
            return np.empty(0, np.float32)
        if self.model is None:
            return context.interests.nearness(context.table.vectors[rows])
        inputs = candidate_rows(
            self.tables,
            context.state,
            rows,
            now,
            self.trends,
            self.readers,
            self.shared.inputs(),
            context.request.learned_reader,
            context.request.slot,
            with_ids=self.model.reads_ids,
        )
        self.clock.lap(Stage.FEATURES)
        scores = self.model.score(inputs)
        self.clock.lap(Stage.SCORE)
        return scores


def outcome_factors(trends: Trends, rows: Rows, weights: tuple[float, float]) -> OutcomeFactors | None:
    """Multipliers of the chance of a click on some rows, int32 (C,); None where nothing is known or wanted.

    Args:
        trends: live counts.
        rows: int32 (C,).
        weights: of reading and of dismissals, see ``RecommendConfig.outcome_weights``.
    """
    read, hidden = weights
    if not (read or hidden) or not trends.state.category_outcomes[CATEGORIES].any():
        return None
    ratios = outcome_ratios(trends.state, rows)
    return OutcomeFactors(ratios.read**read * ratios.hidden**-hidden, ratios)


def weighed(scores: Vectors, factors: Floats, kind: ScoreKind) -> Vectors:
    """Scores as they rank: the chance of a click times a factor.

    A similarity s is taken for the chance (1 + s) / 2; log-odds up to one constant are of shares of a list, which a
    factor moves by its logarithm.

    Args:
        scores: float32 (C,).
        factors: float64 (C,), above 0.
        kind: what the scores are.

    Returns:
        float32 (C,); no longer probabilities.
    """
    if kind is ScoreKind.NEXT_CLICK:
        return np.asarray(scores + np.log(factors), np.float32)
    if kind is ScoreKind.SIMILARITY:
        return np.asarray((1.0 + scores) * factors - 1.0, np.float32)
    return np.asarray(scores * factors, np.float32)


def in_order(context: ReaderContext, rows: Rows, scores: Vectors, near: Sequence[Rows]) -> Rows:
    """Candidates, best first, each interest with its share of the places.

    Args:
        context: the reader.
        rows: int32 (C,), rising.
        scores: float32 (C,); equal ones stay in row order.
        near: the nearest of each interest.

    Returns:
        int32 (C,); with several interests some rows stand before better ones.
    """
    return in_shares(context, rows[np.argsort(-scores, kind="stable")], near)


def scores_of(ranker: Ranker, context: ReaderContext, picked: Rows, rows: Rows, scores: Vectors, now: int) -> Vectors:
    """The scores of the rows of a list, int32 (k,); those that were no candidates are scored now.

    Args:
        ranker: scores them.
        context: the reader.
        picked: int32 (k,).
        rows: int32 (C,), the candidates, rising.
        scores: float32 (C,), of the candidates.
        now: ms.

    Returns:
        float32 (k,).
    """
    if not len(rows):
        return ranker.score(context, picked, now)
    places = np.minimum(np.searchsorted(rows, picked), len(rows) - 1)
    late = rows[places] != picked
    found = scores[places]
    if late.any():
        found[late] = ranker.score(context, picked[late], now)
    return found


def score_kind(model: Scorer | None) -> ScoreKind:
    """The meaning of a model's scores."""
    if model is None:
        return ScoreKind.SIMILARITY
    return ScoreKind.CLICK if model.probability else ScoreKind.NEXT_CLICK


def answered_scores(kind: ScoreKind, scores: Vectors, candidates: Vectors) -> Vectors:
    """Scores as they are answered.

    Args:
        kind: their meaning.
        scores: float32 (B,), as they rank: probabilities, log-odds up to one constant, or cosines.
        candidates: float32 (C,), the scores of all candidates.

    Returns:
        float32 (B,), in [0, 1], in the same order.
    """
    if kind is ScoreKind.NEXT_CLICK and len(candidates):
        highest = candidates.max()
        whole = highest + np.log(np.exp((candidates - highest).astype(np.float64)).sum())
        scores = np.exp(np.minimum(scores - whole, 0.0))
    return np.asarray(np.clip(scores, 0.0, 1.0), np.float32)


def in_shares(context: ReaderContext, ranked: Rows, near: Sequence[Rows]) -> Rows:
    """Change a ranking as little as it takes for each interest to get its share.

    An interest that is a whole place short of its share of the places so far is given the next one, as long as there
    are articles of it. An article is of the interest that it is nearest to, provided that the search for that interest
    found it.

    Args:
        context: K interests.
        ranked: int32 (B,), best first.
        near: the nearest of each interest.

    Returns:
        int32 (B,), the same rows.
    """
    if len(near) <= 1:
        return ranked
    cosine = np.nan_to_num(context.table.vectors[ranked] @ context.interests.vectors.T, nan=-1.0)  # (B, K)
    nearest = cosine.argmax(axis=1)
    searched = np.stack([np.isin(ranked, rows) for rows in near])  # (K, B)
    owner = np.where(searched[nearest, np.arange(len(ranked))], nearest, -1)
    return ranked[places_by_share(owner, context.interests.shares)]


@compiled
def places_by_share(owner: npt.NDArray[np.int64], shares: Vectors) -> npt.NDArray[np.int64]:
    """Give every interest its share of the places, see ``in_shares``.

    Args:
        owner: int64 (B,), the interest, 0 to K - 1, of each of B ranked articles, best first; -1 for none.
        shares: float32 (K,), sums to 1.

    Returns:
        int64 (B,): 0 to B - 1 in their new order.
    """
    B, K = len(owner), len(shares)
    order, placed = np.empty(B, np.int64), np.zeros(B, np.bool_)
    taken, first = np.zeros(K, np.int64), np.zeros(K, np.int64)  # first: the best article of each that still waits
    best = 0
    for n in range(B):
        chosen, most = -1, 1.0  # only an interest that is a whole place short goes first
        for k in range(K):
            while first[k] < B and (owner[first[k]] != k or placed[first[k]]):
                first[k] += 1
            short = shares[k] * (n + 1) - taken[k]
            if first[k] < B and short >= most and (chosen < 0 or short > most):
                chosen, most = first[k], short
        while chosen < 0 and placed[best]:
            best += 1
        order[n] = best if chosen < 0 else chosen
        placed[order[n]] = True
        if owner[order[n]] >= 0:
            taken[owner[order[n]]] += 1
    return order
