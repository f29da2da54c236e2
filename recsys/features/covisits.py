"""Co-visits of the candidates with the articles that a reader clicked.

Reads the live co-visits; produces, for each of B candidates, the evidence that the columns of co-visits are made of.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.trends.decay import faded, pair_fade
from recsys.trends.state import LANDMARK, TrendState
from recsys.units import UNKNOWN_ROW

Array = npt.NDArray[Any]

COVISITED_CLICKS = 10  # clicks whose co-visits are looked at, of this visit and of the earlier ones
SECOND = 32  # neighbours of the last click whose own neighbours are looked at
VISIT_FADE, EARLIER_FADE = 0.7, 0.9  # weight of a click against the one after it
GAINS = 9
SHORT, LONG, NEXT_, VISIT, VISIT_MAX, SECOND_, EARLIER, EARLIER_MAX, READ = range(GAINS)


@compiled
def gather_covisits(
    state: TrendState, place: Array, prior: float, clicks: Array, visit: int, now: int, gains: Array, sums: Array
) -> None:
    """Evidence of the clicks' neighbours for each candidate.

    Args:
        state: the counts, as known before ``now``.
        place: int32 (A,), where a candidate stands, from 1; 0 for other articles.
        prior: ``prior_covisits``.
        clicks: int32 (n,), rows clicked before ``now``, oldest first.
        visit: where in ``clicks`` this visit begins.
        now: ms.
        gains: float64 (B, GAINS), all 0, filled.
        sums: float64 (GAINS,), all 0, filled with what belongs to no candidate.
    """
    n = len(clicks)
    fades = np.empty(3)
    for k in range(3):
        fades[k] = faded(state.clock[LANDMARK], now, state.pair_per_ms[k])
    for p in range(n):
        if place[clicks[p]]:
            gains[place[clicks[p]] - 1, READ] = 1.0
    weight, total = 1.0, 0.0
    for _ in range(max(visit, n - COVISITED_CLICKS), n):
        total += weight
        weight *= VISIT_FADE
    weight = 1.0
    for p in range(n - 1, max(visit, n - COVISITED_CLICKS) - 1, -1):
        _beside(state, place, prior, clicks[p], weight / total, now, fades, as_int64(VISIT), gains, sums)
        weight *= VISIT_FADE
    weight, total = 1.0, 0.0
    for _ in range(max(0, visit - COVISITED_CLICKS), visit):
        total += weight
        weight *= EARLIER_FADE
    weight = 1.0
    for p in range(visit - 1, max(0, visit - COVISITED_CLICKS) - 1, -1):
        _beside(state, place, prior, clicks[p], weight / total, now, fades, as_int64(EARLIER), gains, sums)
        weight *= EARLIER_FADE
    if visit >= n:
        sums[VISIT] = 1.0
    if not visit:
        sums[EARLIER] = 1.0
    if not n or state.slot_of[clicks[n - 1]] == UNKNOWN_ROW:
        return
    at = state.slot_of[clicks[n - 1]]
    neighbours, pairs = state.neighbour[at], state.pairs[at]
    own = np.empty(3)
    for k in range(3):
        own[k] = pair_fade(state, at, now, k, fades)
    M = len(neighbours)
    for m in range(M):
        if neighbours[m] == UNKNOWN_ROW:
            M = m
            break
        short, long, follows = pairs[m, 0] * own[0], pairs[m, 1] * own[1], pairs[m, 2] * own[2]
        sums[SHORT] += short
        sums[LONG] += long
        sums[NEXT_] += follows
        b = place[neighbours[m]] - 1
        if b >= 0:
            gains[b, SHORT], gains[b, LONG], gains[b, NEXT_] = short, long, follows
    least = 0.0
    if M > SECOND:
        ordered = np.sort(pairs[:M, 1])
        least = ordered[M - SECOND]
    for m in range(M):
        if pairs[m, 1] >= least:
            share = pairs[m, 1] * own[1] / (sums[LONG] + prior)
            _beside(state, place, prior, neighbours[m], share, now, fades, as_int64(SECOND_), gains, sums)


@compiled
def _beside(
    state: TrendState,
    place: Array,
    prior: float,
    row: int,
    weight: float,
    now: int,
    fades: Array,
    column: int,
    gains: Array,
    sums: Array,
) -> None:
    """Add ``weight`` times the share of each candidate among an article's neighbours."""
    at = state.slot_of[row]
    total = 0.0
    if at != UNKNOWN_ROW:
        neighbours, pairs, fade = state.neighbour[at], state.pairs[at], pair_fade(state, at, now, as_int64(1), fades)
        M = len(neighbours)
        for m in range(M):
            if neighbours[m] == UNKNOWN_ROW:
                M = m
                break
            total += pairs[m, 1]
        total = total * fade + prior
        for m in range(M):
            b = place[neighbours[m]] - 1
            if b >= 0:
                share = pairs[m, 1] * fade / total
                gains[b, column] += weight * share
                if column != SECOND_:
                    gains[b, column + 1] = max(gains[b, column + 1], share)
    else:
        total = prior
    sums[column] += weight * prior / total
