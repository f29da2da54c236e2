"""Co-visits of articles and lifts of contexts, in bounded memory and constant time.

Two articles clicked in one visit are a co-visit. Only live articles have them: each has a slot with room for so many
neighbours. A new neighbour takes the place of the weakest one, as in a space-saving sketch; a new article takes the
slot of one that is hardly clicked any more.

Source: Linden, Smith and York 2003 (item-to-item); Metwally, Agrawal and El Abbadi 2005 (space-saving); Ludewig and
Jannach 2018 (what is clicked next).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.events.visits import same_visit
from recsys.trends.audiences import clear_audience
from recsys.trends.decay import faded, settle_slot
from recsys.trends.state import (
    ALL,
    HAND,
    LANDMARK,
    LONG_COVISITS,
    NEWEST,
    NEXT_CLICKS,
    SHORT_COVISITS,
    USED,
    TrendState,
)
from recsys.units import UNKNOWN_ROW

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int32]

COMPARED_SLOTS = 8  # before one is taken back
MAX_COVISITS = 10  # clicks of a visit, the newest, with which a new click is a co-visit


class RunningVisits:
    """At most ``size`` visits; the one without a click for longest goes first.

    A visit is that of ``recsys.events.visits``. A late click takes the place that
    its time gives it and moves no clock back.
    """

    def __init__(self, size: int, gap_ms: int) -> None:
        self.size, self.gap_ms = size, gap_ms
        self._visits: OrderedDict[str, list[tuple[int, int]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def click(self, visitor: str, row: int, time: int) -> Rows:
        """Add a click of ``time`` (ms).

        Returns:
            int32 (n,): the rows clicked before it in the same visit, newest last, n ≤ ``MAX_COVISITS``.
        """
        visit = self._visits.pop(visitor, [])
        if visit and not same_visit(visit[-1][0], time, self.gap_ms):
            visit = []
        if visit and not same_visit(time, visit[0][0], self.gap_ms):  # so late that it was a visit of its own
            self._visits[visitor] = visit
            return np.empty(0, np.int32)
        earlier = [click for click in visit if click[0] <= time]
        before = np.array([clicked for _, clicked in earlier[-MAX_COVISITS:]], np.int32)
        self._visits[visitor] = [*earlier, (time, row), *visit[len(earlier) :]][-MAX_COVISITS:]
        if len(self._visits) > self.size:
            self._visits.popitem(last=False)
        return before

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Drop the visits of some visitors.

        Args:
            gone: says of a visitor whether they are one of them.
        """
        for visitor in list(filter(gone, self._visits)):
            del self._visits[visitor]


@compiled
def claim_slot(state: TrendState, row: int, spared: int) -> int:
    """The slot of an article, written at the stream's landmark; when all are used one is taken back.

    Args:
        state: the stream.
        row: the article.
        spared: a slot that is not taken back, UNKNOWN_ROW for none.

    Returns:
        The slot; UNKNOWN_ROW if ``spared`` is the only one there is.
    """
    if state.slot_of[row] != UNKNOWN_ROW:
        settle_slot(state, as_int64(state.slot_of[row]))
        return int(state.slot_of[row])
    S = len(state.article_of)
    if S == 1 and spared == 0:
        return UNKNOWN_ROW
    if state.room[USED] < S:
        slot = int(state.room[USED])
        state.room[USED] += 1
    else:  # a few slots are compared, on from where the hand stood: all have their turn, at constant cost
        slot, least = UNKNOWN_ROW, np.inf
        for step in range(min(COMPARED_SLOTS, S)):
            other = (state.room[HAND] + step) % S
            there = state.article_of[other]
            fade = faded(state.row_landmark[there], state.clock[LANDMARK], state.per_ms[-1])
            strength = state.decayed[there, 1, -1] * fade
            if other != spared and (slot == UNKNOWN_ROW or strength < least):
                slot, least = int(other), strength
        state.room[HAND] = (state.room[HAND] + COMPARED_SLOTS) % S
        state.slot_of[state.article_of[slot]] = UNKNOWN_ROW
        for m in range(state.neighbour.shape[1]):
            state.neighbour[slot, m] = UNKNOWN_ROW
            for k in range(state.pairs.shape[2]):
                state.pairs[slot, m, k] = 0
        for c in range(state.lifts.shape[1]):
            for v in range(state.lifts.shape[2]):
                state.lifts[slot, c, v] = 0
        clear_audience(state, slot)
    state.slot_landmark[slot] = state.clock[LANDMARK]
    state.slot_of[row] = slot
    state.article_of[slot] = row
    return slot


@compiled
def add_pair(state: TrendState, slot: int, row: int, column: int, weight: float) -> None:
    """Add to one column of a neighbour in a slot; a new neighbour takes a free place, else that of the weakest."""
    neighbours, pairs = state.neighbour[slot], state.pairs[slot]
    weakest, least = 0, np.float32(np.inf)
    for m in range(len(neighbours)):
        if neighbours[m] == row:
            pairs[m, column] += np.float32(weight)
            return
        if neighbours[m] == UNKNOWN_ROW:  # free places stand behind all neighbours
            weakest = m
            break
        if pairs[m, LONG_COVISITS] < least:
            weakest, least = m, pairs[m, LONG_COVISITS]
    neighbours[weakest] = row
    for k in range(pairs.shape[1]):
        pairs[weakest, k] = 0
    pairs[weakest, column] = np.float32(weight)


@compiled
def count_covisits(state: TrendState, before: Array, row: int, codes: Array, time: int) -> None:
    """Count one click on ``row`` after the visit's clicks ``before``.

    Args:
        state: the stream; ``count`` has counted the click.
        before: int32 (n,), article rows, newest last.
        row: the article.
        codes: int (C,), values of the context attributes; 0 for unknown.
        time: ms.
    """
    since = float(time) - float(state.clock[LANDMARK])
    here = claim_slot(state, row, as_int64(UNKNOWN_ROW))
    weight = 2.0 ** (since * state.slow_per_ms[0])
    for c in range(len(codes)):
        if codes[c] > 0:
            state.lifts[here, c, codes[c]] += np.float32(weight)
            state.lifts[here, c, ALL] += np.float32(weight)
            state.all_lifts[c, codes[c]] += weight
            state.all_lifts[c, ALL] += weight
    n = len(before)
    if not n:
        return
    short = 2.0 ** (since * state.pair_per_ms[SHORT_COVISITS])
    long = 2.0 ** (since * state.pair_per_ms[LONG_COVISITS])
    for p in range(max(0, n - MAX_COVISITS), n):
        other = as_int64(before[p])
        if other == row or _repeated_later(before, p, n):
            continue
        there = claim_slot(state, other, here)
        if there == UNKNOWN_ROW:
            continue
        add_pair(state, there, row, as_int64(LONG_COVISITS), long)  # long first: what is weakest is judged by it
        add_pair(state, there, row, as_int64(SHORT_COVISITS), short)
        add_pair(state, here, other, as_int64(LONG_COVISITS), long)
        add_pair(state, here, other, as_int64(SHORT_COVISITS), short)
    last, follows = before[n - 1], 2.0 ** (since * state.pair_per_ms[NEXT_CLICKS])
    if last != row and state.slot_of[last] != UNKNOWN_ROW:
        settle_slot(state, as_int64(state.slot_of[last]))
        add_pair(state, as_int64(state.slot_of[last]), row, as_int64(NEXT_CLICKS), follows)


@compiled
def _repeated_later(before: Array, place: int, n: int) -> bool:
    """True where the click at ``place`` is repeated after it: then only the later one is a co-visit."""
    for later in range(place + 1, n):  # noqa: SIM110 - a generator does not compile
        if before[later] == before[place]:
            return True
    return False


def strongest_covisits(state: TrendState, row: int, now: int, n: int) -> tuple[Rows, npt.NDArray[np.float32]]:
    """Neighbours of an article with most co-visits, see ``Trends.covisits``."""
    slot = int(state.slot_of[row]) if 0 <= row < len(state.slot_of) else UNKNOWN_ROW
    if slot == UNKNOWN_ROW:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    used = state.neighbour[slot] != UNKNOWN_ROW
    now = max(now, int(state.clock[NEWEST]))
    fade = faded(int(state.slot_landmark[slot]), now, float(state.pair_per_ms[LONG_COVISITS]))
    rows, strength = state.neighbour[slot][used], state.pairs[slot][used, LONG_COVISITS] * np.float32(fade)
    order = np.lexsort((rows, -strength))[:n]
    return rows[order], strength[order].astype(np.float32)
