"""What is clicked together: co-visits of articles and lifts of contexts, in bounded memory and constant time.

Only live articles have company: each has a slot with room for so many neighbours. A new neighbour takes the place of
the weakest one, as in a space-saving sketch; a new article takes the slot of one that is hardly clicked any more.

Source: Linden, Smith and York 2003 (item-to-item); Metwally, Agrawal and El Abbadi 2005 (space-saving); Ludewig and
Jannach 2018 (what is clicked next).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.trends import NEVER
from recsys.trends.decay import faded, settle_slot
from recsys.trends.state import ALL, HAND, LANDMARK, NEXT, TOGETHER, TOGETHER_LONG, USED, State

Array = npt.NDArray[Any]

LOOKS = 8  # slots that are compared before one is taken back
MAX_COMPANY = 10  # clicks of a visit that a new click keeps company with, the newest


@compiled
def slot(state: State, row: int, spared: int) -> int:
    """The slot of an article, written at the stream's landmark.

    When all are used one is taken back, but not ``spared``: NEVER if it is the only one.
    """
    if state.slot_of[row] != NEVER:
        settle_slot(state, state.slot_of[row])
        return int(state.slot_of[row])
    S = len(state.article_of)
    if S == 1 and spared == 0:
        return NEVER
    if state.room[USED] < S:
        found = int(state.room[USED])
        state.room[USED] += 1
    else:
        found, least = NEVER, np.inf
        for step in range(min(LOOKS, S)):
            other = (state.room[HAND] + step) % S
            there = state.article_of[other]
            fade = faded(state.row_landmark[there], state.clock[LANDMARK], state.per_ms[-1])
            strength = state.decayed[there, 1, -1] * fade
            if other != spared and (found == NEVER or strength < least):
                found, least = int(other), strength
        state.room[HAND] = (state.room[HAND] + LOOKS) % S
        state.slot_of[state.article_of[found]] = NEVER
        state.neighbour[found] = NEVER
        state.pairs[found] = np.float32(0)
        state.lifts[found] = np.float32(0)
    state.slot_landmark[found] = state.clock[LANDMARK]
    state.slot_of[row] = found
    state.article_of[found] = row
    return found


@compiled
def meet(state: State, at: int, row: int, column: int, weight: float) -> None:
    """Add to one column of a neighbour in a slot."""
    neighbours, pairs = state.neighbour[at], state.pairs[at]
    weakest, least = 0, np.float32(np.inf)
    for m in range(len(neighbours)):
        if neighbours[m] == row:
            pairs[m, column] += np.float32(weight)
            return
        if neighbours[m] == NEVER:
            weakest = m
            break
        if pairs[m, TOGETHER_LONG] < least:
            weakest, least = m, pairs[m, TOGETHER_LONG]
    neighbours[weakest] = row
    pairs[weakest] = np.float32(0)
    pairs[weakest, column] = np.float32(weight)


@compiled
def keep_company(state: State, company: Array, row: int, codes: Array, time: int) -> None:
    """One click on ``row`` after the visit's clicks ``company``.

    Args:
        state: the stream; ``count`` has counted the click.
        company: int32 (n,), article rows, newest last.
        row: the article.
        codes: int (C,), values of the context attributes; 0 for unknown.
        time: ms.
    """
    since = float(time) - float(state.clock[LANDMARK])
    here = slot(state, row, NEVER)
    one = 2.0 ** (since * state.slow_per_ms[0])
    for c in range(len(codes)):
        if codes[c] > 0:
            state.lifts[here, c, codes[c]] += np.float32(one)
            state.lifts[here, c, ALL] += np.float32(one)
            state.all_lifts[c, codes[c]] += one
            state.all_lifts[c, ALL] += one
    n = len(company)
    if not n:
        return
    short = 2.0 ** (since * state.pair_per_ms[TOGETHER])
    long = 2.0 ** (since * state.pair_per_ms[TOGETHER_LONG])
    for p in range(max(0, n - MAX_COMPANY), n):
        other = int(company[p])
        if other == row or again(company, p, n):
            continue
        there = slot(state, other, here)
        if there == NEVER:
            continue
        meet(state, there, row, TOGETHER_LONG, long)
        meet(state, there, row, TOGETHER, short)
        meet(state, here, other, TOGETHER_LONG, long)
        meet(state, here, other, TOGETHER, short)
    last = company[n - 1]
    if last != row and state.slot_of[last] != NEVER:
        settle_slot(state, state.slot_of[last])
        meet(state, int(state.slot_of[last]), row, NEXT, 2.0 ** (since * state.pair_per_ms[NEXT]))


@compiled
def again(company: Array, place: int, n: int) -> bool:
    """Whether the click at ``place`` comes once more after it: then only the later one keeps company."""
    for later in range(place + 1, n):  # noqa: SIM110 - a generator does not compile
        if company[later] == company[place]:
            return True
    return False
