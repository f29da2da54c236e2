"""Guessing the next click: every list first ranked by what was known then, and then learned from.

Reads events and item vectors; produces the rank of each article that was clicked next, among others drawn from the last
clicks of everyone. A list is shown when the reader's click before was made in the same visit, else when they click, and
knows nothing of that moment or later.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events import UNDATED, Events
from recsys.items import Vectors
from recsys.items.next_item import next_item_score, session_vectors
from recsys.items.online import OnlineItems, Rows, learn_click
from recsys.items.training import CLICK, Longs, clicks_of

OTHERS = 50  # articles that the one clicked next stands against
RECENT_CLICKS = 1_000  # they are drawn from so many last clicks
MAX_LISTS = 20_000  # ranked; of a larger log every n-th
LAST = 10  # clicks that say what a reader wants
HISTORY = 1_000  # last clicks of a reader that their lists do not show again; bounds the work for the most faithful
VISIT_HOURS = 0.5
FOREVER_HOURS = 1e9


class Targets(NamedTuple):
    """L lists, in the order in which they were shown.

    Attributes:
        known: int64 (L,), how many clicks of the log were known.
        click: int64 (L,), the click that is to be guessed.
        before: int64 (L,), the same reader's click before, -1 for none.
        others: int32 (L, OTHERS), rows that it stands against, none of this reader's ``HISTORY`` clicks before it.
    """

    known: Longs
    click: Longs
    before: Longs
    others: Rows


def targets_of(events: Events, learned_share: float, *, seed: int) -> Targets:
    """The lists that the last part of a log's clicks are guessed from; a repeated click is none.

    Args:
        events: the log.
        learned_share: share of the clicks, first in time, that are only learned from.
        seed: of the draws.
    """
    rows, previous = clicks_of(events, FOREVER_HOURS)
    time = events.time[events.kind == CLICK]
    _, same_visit = clicks_of(events, VISIT_HOURS)
    shown = np.where((same_visit >= 0) & (time != UNDATED), time[same_visit] + 1, time)
    known = np.minimum(np.searchsorted(time, shown), np.arange(len(rows)))
    asked = np.flatnonzero((previous >= 0) & (time != UNDATED) & (known >= learned_share * len(rows)))
    asked = asked[np.argsort(known[asked], kind="stable")]
    asked = asked[:: max(1, -(-len(asked) // MAX_LISTS))]
    others = np.full((len(asked), OTHERS), -1, np.int32)
    draws = np.random.default_rng(seed).random((len(asked), 10 * OTHERS))
    _draw_others(rows, previous, known[asked], asked, draws, others)
    full = others[:, -1] >= 0
    return Targets(known[asked][full], asked[full], previous[asked][full], others[full])


@compiled
def _draw_others(
    rows: Rows, previous: Longs, known: Longs, clicks: Longs, draws: npt.NDArray[np.float64], others: Rows
) -> None:
    """Fill ``others``; a row stays unfinished where too few articles can be drawn, or the click is a repeated one."""
    taken = np.full(rows.max() + 1 if len(rows) else 1, -1, np.int64)  # the last list that cannot hold a row
    for number in range(len(clicks)):
        before, target, steps = previous[clicks[number]], rows[clicks[number]], 0
        while before >= 0 and steps < HISTORY:
            taken[rows[before]] = number
            before, steps = previous[before], steps + 1
        if taken[target] == number:
            continue  # a repeated click
        taken[target] = number
        first, found = max(0, known[number] - RECENT_CLICKS), 0
        for draw in draws[number]:
            row = rows[first + int(draw * (known[number] - first))]
            if taken[row] != number:
                taken[row] = number
                others[number, found] = row
                found += 1
                if found == OTHERS:
                    break


@compiled
def walk(
    items: OnlineItems,
    rows: Rows,
    previous: Longs,
    history: Longs,
    targets: Targets,
    first: int,
    window: int,
    half_life: float,
    ranks: npt.NDArray[np.float64],
) -> None:
    """Rank every list, by cosine and by next-item score, and learn from every click from ``first`` on.

    Args:
        items: changed in place.
        rows: int32 (C,), clicked rows in time order.
        previous: int64 (C,), the click before each that counts as its context, see ``clicks_of``.
        history: int64 (C,), the same reader's click before each, however long ago.
        targets: the lists.
        first: the first click that is not yet learned from.
        window: clicks before an article that count as its context.
        half_life: clicks after which an older click of a reader counts half.
        ranks: float64 (L, 2), zeros; filled with how many of the others stand before the target, ties counting half.
    """
    done, buffer, last = first, np.empty(window, np.int32), np.empty(LAST, np.int32)
    for number in range(len(targets.click)):
        while done < targets.known[number]:
            n = _chain(rows, previous, previous[done], buffer)
            learn_click(items, buffer[window - n :], rows[done])
            done += 1
        n = _chain(rows, history, targets.before[number], last)
        _rank(items, last[LAST - n :], rows[targets.click[number]], targets.others[number], half_life, ranks[number])


@compiled
def _chain(rows: Rows, previous: Longs, place: int, out: Rows) -> int:
    """Write a click's row and those before it at the end of ``out``, oldest first; returns how many."""
    n = 0
    while place >= 0 and n < len(out):
        n += 1
        out[len(out) - n] = rows[place]
        place = previous[place]
    return n


@compiled
def _rank(
    items: OnlineItems, clicked: Rows, target: int, others: Rows, half_life: float, ranks: npt.NDArray[np.float64]
) -> None:
    """Add how many of the others stand before the target: by cosine, then by next-item score."""
    session = session_vectors(items, clicked, half_life)
    wanted = np.zeros(items.vectors.shape[1], np.float32)
    for back in range(len(clicked)):
        vector = items.vectors[clicked[len(clicked) - 1 - back]]
        if not np.isnan(vector[0]):
            wanted += np.float32(0.5 ** (back / half_life)) * vector
    own = _scores(items, wanted, session, target)
    for other in others:
        scores = _scores(items, wanted, session, other)
        for by in range(2):
            ranks[by] += 1.0 if scores[by] > own[by] else 0.5 if scores[by] == own[by] else 0.0


@compiled
def _scores(items: OnlineItems, wanted: Vectors, session: Vectors, row: int) -> tuple[float, float]:
    """Cosine (unscaled, which does not change the order) and next-item score; 0 for what is unknown."""
    vector = items.vectors[row]
    cosine = 0.0
    for d in range(len(wanted)):
        cosine += vector[d] * wanted[d]
    near = next_item_score(items, session, row)
    return (0.0 if np.isnan(cosine) else cosine), (0.0 if np.isnan(near) else near)
