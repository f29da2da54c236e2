"""Walks: a log's clicks by reader and visit, and item vectors that learn them one by one.

Reads ``Events`` in time order; produces ``Walkable``, and moves ``OnlineItems``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events import Events
from recsys.items.online import OnlineItems, learn_click
from recsys.readers.state import CLICK
from recsys.units import MINUTE_MS, UNKNOWN_ROW

Longs = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]


class Walkable(NamedTuple):
    """C clicks of a log in time order, and the same clicks reader by reader. Clicks of nobody come first.

    Attributes:
        time: int64 (C,), ms or UNDATED.
        row: int32 (C,), article rows.
        place: int64 (C,), where each stands in the arrays by reader.
        by_row: int32 (C,), article rows, reader by reader.
        by_time: int64 (C,), ms, reader by reader.
        reader: int64 (C,), where the clicks of a place's reader begin.
        visit: int64 (C,), where the clicks of a place's visit begin.
        end: int64 (C,), where they end.
    """

    time: Longs
    row: Rows
    place: Longs
    by_row: Rows
    by_time: Longs
    reader: Longs
    visit: Longs
    end: Longs


def walkable(events: Events, session_gap_minutes: int) -> Walkable:
    """Lay out a log's clicks.

    A visit is a reader's clicks with the same session, and without one those with no pause longer than the gap. A
    session without a reader is a reader of its own; a click with neither is alone.
    """
    click = np.flatnonzero(events.kind == CLICK)
    time, session = events.time[click], events.session[click].astype(np.int64)
    key = np.where(session >= 0, session + len(events.reader_ids), UNKNOWN_ROW - np.arange(len(click)))
    key = np.where(events.reader[click] >= 0, events.reader[click], key)
    order = np.argsort(key, kind="stable")
    key, by_time, session = key[order], time[order], session[order]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    other = np.diff(key) != 0
    apart = np.where((session[1:] >= 0) & (session[:-1] >= 0), np.diff(session) != 0, True)
    unnamed = (session[1:] < 0) & (session[:-1] < 0)
    apart &= ~unnamed | (np.diff(by_time) > session_gap_minutes * MINUTE_MS)
    begins = [np.flatnonzero(np.append(True, new)[: len(order)]) for new in (other, other | apart)]
    reader, visit = (np.repeat(begin, np.diff(np.append(begin, len(order)))) for begin in begins)
    end = np.append(begins[1], len(order))[np.searchsorted(begins[1], visit, side="right")]
    row = events.article[click].astype(np.int32)
    return Walkable(time, row, place, row[order], by_time, reader, visit, end)


@compiled
def walk(items: OnlineItems, log: Walkable, first: int, stop: int) -> None:
    """Learn the clicks first:stop of a log, each with the clicks of its visit before it; ``items`` moves."""
    for click in range(first, stop):
        place = log.place[click]
        learn_click(items, log.by_row[log.visit[place] : place], log.row[click])
