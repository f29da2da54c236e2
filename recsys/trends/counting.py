"""One event: the codes of its context, and its counts in constant time: popularity, click rates, shelf life.

Reads the text of a JSON object; produces codes by which lifts are counted. Values are numbered from 1 in the order in
which they come; 0 is unknown, and what comes when there are no numbers left is one of the others.

A reader looks at the first card more than at the eighth, so an impression counts as much as its position is clicked
compared with all positions (clicks over expected clicks). Shelf life is read from a histogram of the ages at which a
category's articles are clicked.

Source: Craswell et al. 2008 (position bias); Zhang and Jones 2007 (clicks over expected clicks).
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.trends.decay import FARTHEST, GONE, faded, row_fade, settle_row, start_clock
from recsys.trends.state import (
    AGES,
    BUILT_IN,
    CATEGORIES,
    CONTEXT_VALUES,
    EXAMINED,
    LANDMARK,
    LIST_POSITIONS,
    NEWEST,
    TrendState,
)
from recsys.units import HOUR_MS, NEVER_MS

Array = npt.NDArray[Any]
Codes = npt.NDArray[np.int16]

PRIOR_POSITION_IMPRESSIONS = 20.0  # that move a position's click rate half-way from that of all positions
BINS_PER_DOUBLING = 4.0  # of an article's age in quarters of an hour
SHORTEST = 1 / 60  # hours: no shelf life is shorter, however early all clicks came
FAINTEST = 1e-290  # of clicks at the landmark: below it a float holds too few digits for shares
OTHER_VALUES = CONTEXT_VALUES - 1  # the code of all that have no number of their own


def codes_of(context: str | None, names: Sequence[str], values: Sequence[dict[str, int]], *, learn: bool) -> Codes:
    """The values of an event's context as small numbers.

    Args:
        context: text of a JSON object; anything else says nothing.
        names: of the site's own attributes.
        values: value -> code of each.
        learn: see ``Trends.codes``.

    Returns:
        int16 (C,), 0 for unknown; the last two, hour and category before, are left 0.
    """
    out = np.zeros(len(values) + BUILT_IN, np.int16)
    for place, value in enumerate(values_of(context, names)):
        if value is not None:
            out[place] = _code(values[place], value, learn)
    return out


def values_of(context: str | None, names: Sequence[str]) -> list[str | None]:
    """Values of some attributes in an event's context: a text for each name, None where it says nothing."""
    attributes = _parsed(context) if context else {}
    return [None if attributes.get(name) is None else str(attributes[name]) for name in names]


@compiled
def fill_codes(state: TrendState, before: int, time: int, codes: Codes) -> None:
    """Write the last two codes: 1 + the hour of ``time`` (ms, UTC), 1 + the category of article row ``before``."""
    C = len(codes)
    codes[C - 2] = 1 + (time // HOUR_MS) % 24
    codes[C - 1] = 0
    if before >= 0 and state.category[before] >= 0:
        codes[C - 1] = min(state.category[before] + 1, OTHER_VALUES)


@lru_cache(maxsize=4096)
def _parsed(context: str) -> dict[str, Any]:
    try:
        attributes = json.loads(context)
    except ValueError:
        return {}
    return attributes if isinstance(attributes, dict) else {}


def _code(codes: dict[str, int], text: str, learn: bool) -> int:
    if learn and text not in codes and len(codes) < OTHER_VALUES - 1:
        codes[text] = len(codes) + 1
    return codes.get(text, OTHER_VALUES)


@compiled
def position_propensity(state: TrendState, position: int) -> float:
    """Position propensity: the click rate of a position over that of all positions, 0.1 to 4; 1 where it is unknown."""
    if position < 0:
        return 1.0
    fade = faded(state.clock[LANDMARK], state.clock[NEWEST], state.slow_per_ms[1])
    shown, clicked = 0.0, 0.0
    for place in range(LIST_POSITIONS):
        shown += state.positions[place, 0]
        clicked += state.positions[place, 1]
    shown, clicked = shown * fade, clicked * fade
    if clicked <= GONE:
        return 1.0
    rate = clicked / max(shown, clicked)
    place, prior = min(position, LIST_POSITIONS - 1), PRIOR_POSITION_IMPRESSIONS
    own_shown, own_clicked = state.positions[place, 0] * fade, state.positions[place, 1] * fade
    own_rate = (own_clicked + prior * rate) / (max(own_shown, own_clicked) + prior)
    return float(min(max(own_rate / rate, 0.1), 4.0))


@compiled
def count(state: TrendState, row: int, column: int, position: int, time: int) -> None:
    """Count an impression (column 0) or a click (column 1) of an article at ``time`` (ms)."""
    start_clock(state, time)
    settle_row(state, row)
    since = float(time) - float(state.clock[LANDMARK])
    propensity = 1.0 if column else position_propensity(state, position)
    for k in range(len(state.per_ms)):
        weight = 2.0 ** (since * state.per_ms[k])  # 1 at the landmark: what is read is faded from there
        state.decayed[row, column, k] += weight * propensity
        state.all_decayed[column, k] += weight
    category, slow = state.category[row], 2.0 ** (since * state.slow_per_ms[1])
    state.by_category[CATEGORIES, column] += slow * propensity
    if 0 <= category < CATEGORIES:
        state.by_category[category, column] += slow * propensity
    if column == 0:
        state.outcomes[row, EXAMINED] += np.float32(propensity)
    if position >= 0:
        state.positions[min(position, LIST_POSITIONS - 1), column] += slow
    state.total[row, column] += 1
    state.all_total[column] += 1
    if state.first[row] == NEVER_MS or time < state.first[row]:
        state.first[row] = time
    state.clock[NEWEST] = max(state.clock[NEWEST], time)
    if column == 1:
        state.last[row] = max(state.last[row], time)
        bin_ = age_bin(time - born(state, row))
        state.ages[CATEGORIES, bin_] += slow
        if 0 <= category < CATEGORIES:
            state.ages[category, bin_] += slow


@compiled
def count_outcome(state: TrendState, row: int, bits: int, time: int) -> None:
    """Count what came of an article at ``time`` (ms), see ``recsys.events.outcomes``; it moves no clock."""
    if state.clock[LANDMARK] == NEVER_MS:
        state.clock[LANDMARK] = time
    since = float(time) - float(state.clock[LANDMARK])
    slow, category = 2.0 ** min(since * state.slow_per_ms[1], FARTHEST), state.category[row]
    for column in range(state.category_outcomes.shape[1]):
        if (bits >> column) & 1:
            state.outcomes[row, column] += np.float32(1.0)
            state.category_outcomes[CATEGORIES, column] += slow
            if 0 <= category < CATEGORIES:
                state.category_outcomes[category, column] += slow


@compiled
def uncount(state: TrendState, row: int, time: int) -> None:
    """Take back a click that no person made; its co-visits fade in their own time."""
    if not state.total[row, 1]:
        return
    start_clock(state, time)
    settle_row(state, row)
    since = float(time) - float(state.clock[LANDMARK])
    for k in range(len(state.per_ms)):
        weight = 2.0 ** (since * state.per_ms[k])
        state.decayed[row, 1, k] = max(state.decayed[row, 1, k] - weight, 0.0)
        state.all_decayed[1, k] = max(state.all_decayed[1, k] - weight, 0.0)
    slow, bin_ = 2.0 ** (since * state.slow_per_ms[1]), age_bin(time - born(state, row))
    _take_back(state, as_int64(CATEGORIES), bin_, slow)
    if 0 <= state.category[row] < CATEGORIES:
        _take_back(state, as_int64(state.category[row]), bin_, slow)
    state.total[row, 1] -= 1
    state.all_total[1] -= 1


@compiled
def _take_back(state: TrendState, category: int, bin_: int, slow: float) -> None:
    state.by_category[category, 1] = max(state.by_category[category, 1] - slow, 0.0)
    state.ages[category, bin_] = max(state.ages[category, bin_] - slow, 0.0)


@compiled
def born(state: TrendState, row: int) -> int:
    """Birth of an article (ms): when it was published, else first seen; NEVER_MS when neither is known."""
    return int(state.published[row] if state.published[row] != NEVER_MS else state.first[row])


@compiled
def age_bin(age: int) -> int:
    """The bin of an age in ms: a quarter of an hour, then four for each doubling."""
    quarters = max(float(age), 0.0) / (HOUR_MS / 4)
    return min(int(BINS_PER_DOUBLING * np.log2(1.0 + quarters)), AGES - 1)


@compiled
def fill_shelf_lives(state: TrendState, share: float, prior: float, out: Array) -> None:
    """Shelf lives: the age by which ``share`` of a category's clicks have come, in hours.

    Args:
        state: the stream.
        share: in (0, 1).
        prior: clicks of all categories that are mixed into each category's own.
        out: float64 (CATEGORIES + 1,), filled; the last one is all categories'. A stream without clicks has two days.
    """
    everything = state.ages[CATEGORIES]
    all_clicks = everything.sum()
    fade = faded(state.clock[LANDMARK], state.clock[NEWEST], state.slow_per_ms[1])
    for c in range(CATEGORIES + 1):
        if all_clicks <= FAINTEST:
            out[c] = 48.0
            continue
        mixed = state.ages[c] * fade + prior * everything / all_clicks
        wanted, younger, b = share * mixed.sum(), 0.0, 0
        while b < AGES - 1 and younger + mixed[b] < wanted:
            younger += mixed[b]
            b += 1
        part = min(max((wanted - younger) / mixed[b], 0.0), 1.0) if mixed[b] > 0 else 1.0  # of the bin, linearly
        out[c] = max((2.0 ** ((b + part) / BINS_PER_DOUBLING) - 1.0) / 4.0, SHORTEST)  # back from bins to hours


@compiled
def counts_at(state: TrendState, rows: Array, now: int, out: Array) -> None:
    """Examined impressions and clicks of some articles, decayed to ``now``.

    Args:
        state: the stream.
        rows: int (B,), article rows.
        now: ms; a clock behind the newest event counted stands at that event.
        out: float64 (B, 2, K), filled.
    """
    now = max(now, state.clock[NEWEST])
    K = len(state.per_ms)
    fades = np.empty(K)
    for k in range(K):
        fades[k] = faded(state.clock[LANDMARK], now, state.per_ms[k])
    for b in range(len(rows)):
        row = rows[b]
        for k in range(K):
            fade = row_fade(state, row, now, k, fades) if state.total[row, 0] + state.total[row, 1] else 0.0
            out[b, 0, k] = state.decayed[row, 0, k] * fade
            out[b, 1, k] = state.decayed[row, 1, k] * fade
