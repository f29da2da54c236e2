"""Similarity of candidates to what a reader clicked: cosines of vectors, next-item scores, likeness of readers.

Reads vectors and clicks; writes the columns of the groups "items", "content", "words" and "audience" for each of B
candidates.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.features import COLUMN
from recsys.items.next_item import next_item_score, session_vectors
from recsys.items.online import OnlineItems
from recsys.trends.state import TrendState
from recsys.units import UNKNOWN_ROW

Array = npt.NDArray[Any]

MAX_COMPARED = 10  # clicks whose single vectors are compared with a candidate
SESSION_HALF_LIFE = 1.0  # half-life, in clicks, of the session vectors
ITEM_COSINE = COLUMN["item_cosine"]
EARLIER_ITEM = COLUMN["earlier_item"]
ITEM_AFFINITY = COLUMN["next_item_score"]
AUDIENCE_PRIOR = 2.0  # clicks of everyone that an audience is mixed with: one reader is no audience yet
READER_STEPS = 4095  # of a reader's quantised direction: a product with an article's fits four bytes


@compiled
def cosines(vectors: Array, half_life: float, clicks: Array, visit: int, rows: Array, column: int, out: Array) -> None:
    """Write the cosines of the candidates with what the reader clicked.

    Args:
        vectors: float32 (A, D), unit or NaN rows.
        half_life: clicks.
        clicks: int32 (n,), rows clicked, oldest first.
        visit: where in ``clicks`` this visit begins.
        rows: int32 (B,), candidates.
        column: the first one of these vectors' group; item vectors have more columns than article vectors.
        out: float32 (B, F), filled where both are known.
    """
    D, n = vectors.shape[1], len(clicks)
    if not D or not n:
        return
    wanted = np.zeros((3, D), np.float32)
    if not mean_direction(vectors, clicks, as_int64(0), half_life, wanted[0]):
        return
    visiting = mean_direction(vectors, clicks, visit, SESSION_HALF_LIFE, wanted[1])
    earlier = mean_direction(vectors, clicks[:visit], as_int64(0), half_life, wanted[2])
    last = np.empty(min(n, MAX_COMPARED), np.int64)
    kept = 0
    for p in range(n - 1, max(0, n - MAX_COMPARED) - 1, -1):
        if not np.isnan(vectors[clicks[p], 0]):
            last[kept] = clicks[p]
            kept += 1
    newest = not np.isnan(vectors[clicks[n - 1], 0])
    table = np.empty((kept + 3, D), np.float32)  # the clicks' vectors, then the means
    for m in range(kept):
        for d in range(D):
            table[m, d] = vectors[last[m], d]
    for m in range(3):
        for d in range(D):
            table[kept + m, d] = wanted[m, d]
    dots = _products(table, vectors, rows)
    for b in range(len(rows)):
        if np.isnan(vectors[rows[b], 0]):
            continue
        most = -1.0 if kept else float(dots[kept, b])
        for m in range(kept):
            most = max(most, float(dots[m, b]))
        out[b, column] = dots[kept, b]
        if column == ITEM_COSINE:
            if newest:
                out[b, column + 1] = dots[0, b]
            if visiting:
                out[b, column + 2] = dots[kept + 1, b]
            if earlier:
                out[b, EARLIER_ITEM] = dots[kept + 2, b]
            out[b, column + 3] = most
            out[b, column + 5] = 1.0
        else:
            out[b, column + 1] = most
            out[b, column + 2] = 1.0


def quantised(vectors: Array) -> npt.NDArray[np.int8]:
    """Directions in a quarter of the memory: each number by 127 over the largest of its row, rounded.

    Args:
        vectors: float32 (A, D), unit or NaN rows.

    Returns:
        int8 (A, D), rows of any length; 0 for a row that is NaN.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    scale = np.divide(127, largest, out=np.zeros_like(largest), where=largest > 0)
    rounded: npt.NDArray[np.int8] = np.rint(np.nan_to_num(vectors) * scale).astype(np.int8)
    return rounded


@compiled
def mean_cosines(directions: Array, half_life: float, clicks: Array, rows: Array, column: int, out: Array) -> None:
    """Write the cosine of each candidate with the mean of what the reader clicked.

    Args:
        directions: int8 (A, D), see ``quantised``; 0 rows are not known.
        half_life: clicks.
        clicks: int32 (n,), rows clicked, oldest first.
        rows: int32 (B,), candidates.
        column: where.
        out: float32 (B, F), filled where both are known.
    """
    D = directions.shape[1]
    mean, reader = np.zeros(D, np.float32), np.zeros(D, np.int32)
    weight, fade = 1.0, 0.5 ** (1.0 / half_life)
    for p in range(len(clicks) - 1, -1, -1):
        direction = directions[clicks[p]]
        length = np.sqrt(float(_product(direction, direction)))
        if length > 0:
            for d in range(D):
                mean[d] += np.float32(weight / length) * direction[d]
            weight *= fade
    norm = np.sqrt(_dot(mean, mean))
    if norm <= 1e-6:
        return
    for d in range(D):
        reader[d] = np.int32(np.rint(mean[d] / norm * READER_STEPS))
    own = np.sqrt(float(_product(reader, reader)))
    for b in range(len(rows)):
        direction = directions[rows[b]]
        length = np.sqrt(float(_product(direction, direction)))
        if length > 0:
            out[b, column] = _product(direction, reader) / (length * own)


@compiled
def _product(a: Array, b: Array) -> int:
    """Product of two vectors of whole numbers, which a processor may sum in any order."""
    total = 0
    for d in range(len(a)):
        total += a[d] * b[d]
    return total


@compiled
def _products(table: Array, vectors: Array, rows: Array) -> Array:
    """Products of M vectors with those of the candidates: float32 (M, B), each summed in the order of its terms.

    The candidates' vectors are laid out by term, so that a processor multiplies many candidates at once.
    """
    M, D, B = len(table), vectors.shape[1], len(rows)
    terms, dots = np.empty((D, B), np.float32), np.zeros((M, B), np.float32)
    for b in range(B):
        for d in range(D):
            terms[d, b] = vectors[rows[b], d]
    for m in range(M):
        for d in range(0, D - 3, 4):  # four at a time: the sums are read and written a quarter as often
            _add_four(dots[m], table[m, d : d + 4], terms[d], terms[d + 1], terms[d + 2], terms[d + 3])
        for d in range(D - D % 4, D):
            for b in range(B):
                dots[m, b] += table[m, d] * terms[d, b]
    return dots


@compiled
def _add_four(sums: Array, by: Array, t0: Array, t1: Array, t2: Array, t3: Array) -> None:
    """Add four products to each sum; in a function of its own, so that the compiler sees that nothing overlaps."""
    b0, b1, b2, b3 = by[0], by[1], by[2], by[3]
    for b in range(len(sums)):
        sums[b] = sums[b] + b0 * t0[b] + b1 * t1[b] + b2 * t2[b] + b3 * t3[b]


@compiled
def audience_likeness(
    state: TrendState, vectors: Array, half_life: float, clicks: Array, rows: Array, column: int, out: Array
) -> None:
    """Write how much more alike the reader is to those who clicked each candidate than to everyone who clicks.

    Args:
        state: the counts, with the candidates' audiences.
        vectors: float32 (A, D), unit or NaN rows.
        half_life: clicks.
        clicks: int32 (n,), rows clicked by the reader, oldest first.
        rows: int32 (B,), candidates.
        column: where; 0 there where a candidate has no audience, or the reader no vector.
        out: float32 (B, F), filled.
    """
    D = state.audience.shape[1]
    reader = np.zeros(vectors.shape[1], np.float32)
    if not D or len(reader) != D or not mean_direction(vectors, clicks, as_int64(0), half_life, reader):
        return
    everyone = 0.0
    for d in range(D):
        everyone += state.all_audience[d] * reader[d]
    everyone /= max(float(state.all_audience[D]), 1.0)
    for b in range(len(rows)):
        slot = state.slot_of[rows[b]]
        if slot != UNKNOWN_ROW and state.audience_clicks[slot] > 0:
            n = state.audience_clicks[slot]
            out[b, column] = (_dot(state.audience[slot], reader) - n * everyone) / (n + AUDIENCE_PRIOR)


@compiled
def next_item_scores(items: OnlineItems, visited: Array, rows: Array, out: Array) -> None:
    """Write how well each candidate follows what this visit has clicked.

    Args:
        items: the item vectors.
        visited: int32 (n,), rows clicked in this visit, oldest first.
        rows: int32 (B,), candidates.
        out: float32 (B, F), filled where it is known.
    """
    if not len(visited) or not items.vectors.shape[1]:
        return
    session = session_vectors(items, visited, SESSION_HALF_LIFE)
    if np.isnan(session[0, 0]):
        return
    for b in range(len(rows)):
        follows = next_item_score(items, session, rows[b])
        if not np.isnan(follows):
            out[b, ITEM_AFFINITY] = follows


@compiled
def mean_direction(vectors: Array, clicks: Array, start: int, half_life: float, out: Array) -> bool:
    """Write the direction of the clicks from ``start`` on, the newest weighing most.

    Args:
        vectors: float32 (A, D), unit or NaN rows.
        clicks: int32 (n,), rows clicked, oldest first.
        start: the first one that counts.
        half_life: clicks.
        out: float32 (D,), filled with a unit vector.

    Returns:
        False when there is none: nothing with a vector was clicked, or the vectors cancel out.
    """
    if not vectors.shape[1]:
        return False
    out[:] = np.float32(0)
    D = vectors.shape[1]
    weight, fade = 1.0, 0.5 ** (1.0 / half_life)
    found = False
    for p in range(len(clicks) - 1, start - 1, -1):
        vector = vectors[clicks[p]]
        if np.isnan(vector[0]):
            continue
        for d in range(D):
            out[d] += np.float32(weight) * vector[d]
        weight *= fade
        found = True
    norm = np.sqrt(_dot(out, out))
    if not found or norm <= 1e-6:
        return False
    for d in range(D):
        out[d] /= norm
    return True


@compiled
def _dot(a: Array, b: Array) -> float:
    total = np.float32(0)
    for d in range(len(a)):
        total += a[d] * b[d]
    return float(total)
