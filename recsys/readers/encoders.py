"""Encoders: a reader's last clicks -> the directions in which they will look next.

One form for all: a table of vectors and the clicks, oldest first, with their times, give K ≥ 1 interests with shares.
What holds for all: clicks on articles without a vector, or outside the table, say nothing; an article clicked twice
counts twice; times may be UNDATED; of a long history only the last clicks count. A reader of whom nothing is known, and
one whose clicks cancel out, has a single interest, which is NaN and not zero. A reader without an id is the clicks of
their visit, by the same code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events import UNDATED
from recsys.units import MINUTE_MS

Vectors = npt.NDArray[np.float32]
Rows = Sequence[int] | npt.NDArray[np.int32]
Times = Sequence[int] | npt.NDArray[np.int64]

CONCENTRATION = 5.0  # how closely clicks lie around an interest; 5 to 20 rank alike on G1


class Interests(NamedTuple):
    """Interests of one reader: directions in which they will look next, with shares.

    Attributes:
        vectors: float32 (K, D), unit rows, the greatest share first; one row of NaN where nothing is known.
        shares: float32 (K,), positive, falling, sums to 1.
    """

    vectors: Vectors
    shares: Vectors

    @property
    def known(self) -> bool:
        """True where any click of the reader has a vector."""
        return bool(np.isfinite(self.vectors).all()) and self.vectors.shape[1] > 0

    def nearness(self, candidates: Vectors) -> Vectors:
        """Nearness of each candidate to the interests: the cosine, where there is one interest.

        With several it is the log of a mixture, in units of a cosine: nearly the cosine to the nearest interest, a
        little less where that interest's share is small.

        Args:
            candidates: float32 (B, D), unit or NaN rows.

        Returns:
            float32 (B,), 0 where the candidate or the reader is unknown.

        Source: a mixture of von Mises-Fisher densities, Banerjee et al. 2005.
        """
        if not self.known:
            return np.zeros(len(candidates), np.float32)
        cosine = candidates @ self.vectors.T  # (B, K)
        if len(self.shares) == 1:
            return np.asarray(np.nan_to_num(cosine[:, 0]), np.float32)
        dense = np.log(np.exp(CONCENTRATION * cosine) @ self.shares) / CONCENTRATION
        return np.asarray(np.nan_to_num(dense), np.float32)

    def quotas(self, n: int) -> npt.NDArray[np.int64]:
        """Share out ``n`` places: int64 (K,), at least one each while there are enough, sums to ``n``.

        By the largest remainders; the greater share first where they are equal.
        """
        if len(self.shares) == 1:
            return np.array([max(n, 0)])
        exact = self.shares.astype(np.float64) * n
        seats = np.floor(exact).astype(np.int64)
        seats[: max(0, n)] = np.maximum(seats[: max(0, n)], 1)
        order = np.lexsort((np.arange(len(seats)), -(exact - seats)))
        for place in range(max(0, n - int(seats.sum()))):
            seats[order[place % len(order)]] += 1
        while seats.sum() > n:
            seats[np.flatnonzero(seats == seats.max())[-1]] -= 1
        return seats


class ReaderEncoder(Protocol):
    """Contract of an encoder of clicks into interests."""

    def encode(self, vectors: Vectors, rows: Rows, times: Times) -> Interests:
        """Find the interests behind some clicks.

        Args:
            vectors: float32 (A, D), unit or NaN rows.
            rows: article rows clicked, oldest first.
            times: ms since the epoch of each, UNDATED where unknown.
        """


def weights(n: int, half_life_clicks: float) -> Vectors:
    """Weights of the last ``n`` clicks: half as much every ``half_life_clicks`` clicks back.

    Args:
        n: number of clicks, oldest first.
        half_life_clicks: in clicks.

    Returns:
        float32 (n,), rising, sums to 1; empty for n = 0.
    """
    back = np.arange(n - 1, -1, -1, dtype=np.float32)
    raw = np.exp2(-back / np.float32(half_life_clicks))
    return np.asarray(raw / raw.sum() if n else raw, np.float32)


def reader_vector(vectors: Vectors, rows: Sequence[int] | npt.NDArray[np.int32], half_life_clicks: float) -> Vectors:
    """The direction in which a reader's last clicks lie.

    Args:
        vectors: float32 (A, D), unit or NaN rows.
        rows: article rows clicked, oldest first; rows without a vector or outside the table are skipped.
        half_life_clicks: see ``weights``.

    Returns:
        float32 (D,), unit length; NaN when no clicked article has a vector, or when they cancel out.
    """
    return _faded_mean(vectors, np.asarray(rows, np.int64), half_life_clicks)


@compiled
def _faded_mean(vectors: Vectors, rows: npt.NDArray[np.int64], half_life_clicks: float) -> Vectors:
    D = vectors.shape[1]
    mean, weight, fade = np.zeros(D, np.float32), np.float32(1), np.float32(0.5 ** (1.0 / half_life_clicks))
    total = np.float32(0)
    for p in range(len(rows) - 1, -1, -1):
        row = rows[p]
        if D and 0 <= row < len(vectors) and not np.isnan(vectors[row, 0]):
            for d in range(D):
                mean[d] += weight * vectors[row, d]
            total += weight
            weight *= fade
    length = np.float32(0)
    for d in range(D):
        length += mean[d] * mean[d]
    length = np.sqrt(length)
    if total <= 0 or length <= total * np.float32(1e-6):
        mean[:] = np.nan
        return mean
    for d in range(D):
        mean[d] /= length
    return mean


class MeanEncoder:
    """One interest: the decayed mean of the last clicks."""

    def __init__(self, half_life_clicks: float) -> None:
        self.half_life_clicks = half_life_clicks

    def encode(self, vectors: Vectors, rows: Rows, times: Times) -> Interests:
        """See ``ReaderEncoder``."""
        return one_interest(reader_vector(vectors, rows, self.half_life_clicks))


def known_clicks(vectors: Vectors, rows: Rows) -> Vectors:
    """The vectors of the clicks that have one: float32 (n, D), oldest first."""
    return vectors[known_rows(vectors, rows)[0]]


def known_rows(vectors: Vectors, rows: Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Clicks that have a vector: int64 (n,) their rows, and int64 (n,) their places among the clicks."""
    clicked = np.asarray(rows, np.int64)
    if not vectors.shape[1]:
        return clicked[:0], clicked[:0]
    places = np.flatnonzero((clicked >= 0) & (clicked < len(vectors)))
    places = places[~np.isnan(vectors[clicked[places], 0])]
    return clicked[places], places


def one_interest(vector: Vectors) -> Interests:
    """A vector, float32 (D,), as the only interest."""
    return Interests(vector[None], np.ones(1, np.float32))


@dataclass(frozen=True)
class TrainingLists:
    """Training set of an encoder: N lists in the order in which they were shown, each as known at its moment.

    An article without a vector at that moment is NaN, or left out.

    Attributes:
        clicks: float32 (M, D), vectors of the clicks before each list, list by list, oldest first.
        minutes: float32 (M,), when they happened, as ``minutes_of`` gives it.
        offsets: int64 (N + 1,), where each list's clicks begin; each has at least one.
        candidates: float32 (N, 1 + negatives, D): the article clicked next, then different articles drawn from
            the last clicks, none that the reader clicked before; NaN where one is unknown or there were no more.
    """

    clicks: Vectors
    minutes: Vectors
    offsets: npt.NDArray[np.int64]
    candidates: Vectors

    def __len__(self) -> int:
        """N."""
        return len(self.candidates)


def minutes_of(times: npt.NDArray[np.int64]) -> Vectors:
    """Minutes of clicks, for a network.

    Args:
        times: int64 (T,), ms or UNDATED, not falling.

    Returns:
        float32 (T,), minutes since the first dated click; an undated one counts as made at the same moment.
    """
    dated = times[times != UNDATED]
    first = dated[0] if len(dated) else 0
    return np.asarray(np.maximum(np.where(times == UNDATED, first, times) - first, 0) / MINUTE_MS, np.float32)
