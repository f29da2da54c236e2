"""Clicks of a log and lists as baselines read them: by visitor and visit, in the order of time.

Reads ``ClickHistories``; produces the clicks with a clock that runs from the first to the last of them, the clicks that
each list is scored by, and the moments at which a model is fitted anew.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import UNDATED, Events
from recsys.events.visits import ClickTable
from recsys.units import DAY_MS, HOUR_MS

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]

MAX_FITS = 500  # of one model along a log: an hour each for three weeks


class ListsToScore(NamedTuple):
    """I lists in time order with N candidates, and the clicks that each is scored by.

    Attributes:
        time: int64 (I,), ms.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        low: int64 (I,): list i is scored by the clicks low[i]:high[i] of the table, oldest first.
        high: int64 (I,).
    """

    time: Longs
    offsets: Longs
    article: Rows
    low: Longs
    high: Longs


def dated_clicks(events: Events, histories: ClickHistories) -> ClickTable:
    """The clicks by visitor and visit; undated ones count as made just before the first dated event of the log."""
    clicks, dated = histories.clicks, int(np.searchsorted(events.time, UNDATED, side="right"))
    return clicks._replace(time=np.maximum(clicks.time, events.time[dated] - 1)) if dated < len(events) else clicks


def lists_to_score(impressions: Impressions, histories: ClickHistories, most: int) -> ListsToScore:
    """Lists with the clicks of the running visit, and before its first click with the reader's last ones.

    Args:
        impressions: I lists.
        histories: of the same lists.
        most: clicks per list at most, the newest.
    """
    visiting = histories.visit < histories.last
    low = np.maximum(np.where(visiting, histories.visit, histories.first), histories.last - most)
    return ListsToScore(impressions.time, impressions.offsets, impressions.article, low, histories.last)


def refit_blocks(time: Longs, hours: float) -> Iterator[tuple[int, int, int]]:
    """Blocks of log time, at whose beginnings a model is fitted anew, at most ``MAX_FITS`` times.

    Args:
        time: int64 (I,), ms, sorted.
        hours: length of a block; doubled on a log of years until there are few enough.

    Yields:
        (ms at which the block begins, its first list, the list after its last), blocks without a list left out.
    """
    length = int(hours * HOUR_MS)
    while len(np.unique(time // length)) > MAX_FITS:
        length *= 2
    number = time // length
    starts = np.flatnonzero(np.diff(number, prepend=-1) != 0)
    ends = np.append(starts, len(time))[1:]
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        yield int(number[first]) * length, first, last


def window(clicks: ClickTable, until: int, days: float, most: int) -> Longs:
    """Rows of the clicks of the last days strictly before a time: int64 (W,), sorted.

    Args:
        clicks: see ``dated_clicks``.
        until: ms.
        days: length of the window.
        most: clicks at most, the newest; bounds memory.
    """
    first, last = np.searchsorted(clicks.time[clicks.order], [until - int(days * DAY_MS), until]).tolist()
    return np.sort(clicks.order[max(first, last - most) : last])
