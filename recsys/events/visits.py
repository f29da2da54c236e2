"""Visits: the clicks of a log, visitor by visitor, cut where the pause between two of them was too long.

The one definition of a visit: a visitor's clicks without a pause longer than the gap. A visitor is a reader, or a
session without one; an undated click is a visit of its own. The service moves the same visits click by click
(``recsys.trends.covisits``, ``recsys.readers.state``).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events.arrays import Events
from recsys.events.people import CLICK, visitor_keys
from recsys.units import MINUTE_MS, UNDATED, UNKNOWN_ROW

Longs = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]


class ClickTable(NamedTuple):
    """C clicks of known visitors, visitor by visitor, each visitor's in the order of the log.

    Attributes:
        event: int64 (C,), their places in the log.
        article: int32 (C,), article rows.
        time: int64 (C,), ms, or UNDATED.
        visitor: int64 (C,), see ``visitor_keys``; does not fall.
        visit_start: int64 (C,), the row of this table at which the click's visit begins.
        order: int64 (C,), the rows of this table in the order of the log.
    """

    event: Longs
    article: Rows
    time: Longs
    visitor: Longs
    visit_start: Longs
    order: Longs


@compiled
def same_visit(earlier: Any, later: Any, gap_ms: int) -> Any:
    """Test of two consecutive clicks of one visitor: bool, of the shape of the times.

    Args:
        earlier: int or int64 (n,), ms, or UNDATED.
        later: not before it; undated clicks come first.
        gap_ms: the longest pause inside a visit.
    """
    return (earlier != UNDATED) & (later - earlier <= gap_ms)


def table_rows(clicks: ClickTable, n_events: int) -> Longs:
    """The row of the table of each event of its log: int64 (E,), UNKNOWN_ROW for what is no click of its."""
    row = np.full(n_events, UNKNOWN_ROW, np.int64)
    row[clicks.event] = np.arange(len(clicks.event))
    return row


def visit_ends(clicks: ClickTable) -> Longs:
    """The row after the last click of each click's visit: int64 (C,)."""
    starts = np.flatnonzero(clicks.visit_start == np.arange(len(clicks.visit_start)))
    ends = np.append(starts[1:], len(clicks.visit_start)).astype(np.int64)
    return ends[np.searchsorted(starts, clicks.visit_start)] if len(starts) else ends[:0]


def window_starts(clicks: ClickTable, window_ms: int) -> Longs:
    """The row at which the clicks begin that follow each other closely up to each click: int64 (C,).

    A window may hold several visits; an undated click belongs to the window of the next.

    Args:
        clicks: the table.
        window_ms: the longest pause between two clicks of one window.
    """
    begins = np.ones(len(clicks.time), np.bool_)
    near = (clicks.time[:-1] == UNDATED) | (np.diff(clicks.time) <= window_ms)
    begins[1:] = (np.diff(clicks.visitor) != 0) | ~near
    return np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0)).astype(np.int64)


def visits_of(events: Events, gap_minutes: int) -> ClickTable:
    """The clicks of a log with their visits; clicks of nobody known are left out.

    Args:
        events: E events in time order.
        gap_minutes: the longest pause inside a visit.
    """
    keys = visitor_keys(events)
    event = np.flatnonzero((events.kind == CLICK) & (keys >= 0))
    event = event[np.argsort(keys[event], kind="stable")]
    visitor, time = keys[event], events.time[event]
    begins = np.ones(len(event), np.bool_)
    begins[1:] = (np.diff(visitor) != 0) | ~same_visit(time[:-1], time[1:], gap_minutes * MINUTE_MS)
    visit_start = np.maximum.accumulate(np.where(begins, np.arange(len(event)), 0)).astype(np.int64)
    return ClickTable(event, events.article[event], time, visitor, visit_start, np.argsort(event, kind="stable"))


@compiled
def clicks_before(article: Rows, start: Longs, row: int, most: int) -> Rows:
    """The clicks of a visit or window before one of its own: int32 (n,), article rows, newest last.

    Args:
        article: int32 (C,), see ``ClickTable``.
        start: int64 (C,), ``visit_start`` of the table, or its ``window_starts``.
        row: of the table; UNKNOWN_ROW, a click of nobody, has none before it.
        most: of more only the last so many.
    """
    if row < 0:
        return article[0:0]
    return article[max(start[row], row - most) : row]
