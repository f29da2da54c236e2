"""Looks: how often a reader opens what they are shown of a category, against how often everyone does.

Reads the reader's window of impressions and clicks and the live counts. An impression is as much of a look as its place
is clicked compared with all places. Of an odd log:

- late: it counts as soon as it is heard of; the order of arrival decides only what the full window forgets;
- dated at or after the moment that is asked for: not yet, so that a list's own impressions say nothing of it;
- undated, or on an article without a row: never;
- again: each event once (the store knows them by their ids); an article shown in two lists is two looks;
- at an unknown place: one look;
- of an article without a category, or of one beyond the number that trends counts apart: nobody's;
- a click without a look: its own look, as in trends; a window of clicks alone says nothing.

Source: Zhang and Jones 2007 (clicks over expected clicks); DuMouchel 1999 (gamma-Poisson shrinkage of such a ratio).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.readers.state import CLICK_POSITION
from recsys.trends.counting import position_propensity
from recsys.trends.decay import faded
from recsys.trends.state import CATEGORIES, LANDMARK, LIST_POSITIONS, TrendState

Array = npt.NDArray[Any]

EVIDENCE = 1.0  # clicks that everyone would have made before a reader's own rate counts half: the same on every site
FIRST_CLICKS, FIRST_LOOKS = 1.0, 10.0  # the click rate that a stream without any event is taken to have


@compiled
def category_click_rates(
    state: TrendState, prior: float, looked: Array, places: Array, rows: Array, now: int, column: int, out: Array
) -> None:
    """Two columns, before their logarithms: a reader's click rate in a category over everyone's, and 1 + looks.

    Args:
        state: the counts, as known before ``now``.
        prior: impressions of evidence that move a category's click rate half-way from the site's own.
        looked: int32 (n,), rows shown to the reader or opened by them before ``now``.
        places: int16 (n,), place in the list, -1 for unknown, CLICK_POSITION for a click.
        rows: int32 (B,), candidates.
        now: ms.
        column: the first of the two.
        out: float32 (B, F), all 1 there; left so without any impression, and where no category is known.
    """
    looks, clicks = np.zeros(CATEGORIES), np.zeros(CATEGORIES)
    worth = np.full(LIST_POSITIONS, -1.0)
    shown = 0
    for p in range(len(looked)):
        place, category = min(int(places[p]), LIST_POSITIONS - 1), state.category[looked[p]]
        shown += place != CLICK_POSITION
        if not 0 <= category < CATEGORIES:
            continue
        if place == CLICK_POSITION:
            clicks[category] += 1.0
        elif place < 0:
            looks[category] += 1.0
        else:
            if worth[place] < 0:
                worth[place] = position_propensity(state, place)
            looks[category] += worth[place]
    if not shown:
        return
    fade = faded(state.clock[LANDMARK], now, state.slow_per_ms[1])
    all_shown, all_clicked = state.by_category[CATEGORIES, 0] * fade, state.by_category[CATEGORIES, 1] * fade
    site = (all_clicked + FIRST_CLICKS) / (max(all_shown, all_clicked) + FIRST_LOOKS)
    for b in range(len(rows)):
        category = state.category[rows[b]]
        if 0 <= category < CATEGORIES:
            seen, opened = state.by_category[category, 0] * fade, state.by_category[category, 1] * fade
            rate = (opened + prior * site) / (max(seen, opened) + prior)
            own = max(looks[category], clicks[category])
            out[b, column] = (clicks[category] + EVIDENCE) / (own * rate + EVIDENCE)
            out[b, column + 1] = 1.0 + own
