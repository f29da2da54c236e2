"""The clicks of a log, laid out for baselines: reader by reader, with the visit of each and the order in time.

Reads ``Events`` and ``ClickHistories``; produces a ``Stream`` and the company of every list. Undated clicks count as
made just before the first dated one, each a visit of its own.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import UNDATED, Events
from recsys.events.people import visitor_keys

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]

HOUR_MS = 3_600_000
MAX_FITS = 500  # of one model along a log: an hour each for three weeks


class Stream(NamedTuple):
    """C clicks of readers or sessions; those of neither have no company and are left out.

    Attributes:
        article: int32 (C,), article rows, reader by reader, each reader's in time order.
        reader: int32 (C,), number of the reader, from 0.
        visit: int32 (C,), number of the visit, from 0.
        start: int64 (V + 1,): visit v holds the clicks start[v]:start[v + 1].
        order: int64 (C,): the same clicks in time order.
        time: int64 (C,), ms, in time order.
    """

    article: Rows
    reader: Rows
    visit: Rows
    start: Longs
    order: Longs
    time: Longs


class Shown(NamedTuple):
    """I lists in time order with N candidates, and the company that each is scored by.

    Attributes:
        time: int64 (I,), ms.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        low: int64 (I,): the company of list i is the clicks low[i]:high[i] of the stream, oldest first.
        high: int64 (I,).
    """

    time: Longs
    offsets: Longs
    article: Rows
    low: Longs
    high: Longs


def stream_of(events: Events, histories: ClickHistories) -> Stream:
    """Lay the clicks out.

    Args:
        events: E events in time order.
        histories: of the same events.
    """
    new_reader = np.diff(visitor_keys(events)[histories.click], prepend=-1) != 0
    new_visit = histories.began == np.arange(len(histories.began))
    first_dated = events.time[np.searchsorted(events.time, UNDATED, side="right") :][:1]
    order = np.argsort(histories.click, kind="stable")
    time = histories.times[order]
    return Stream(
        article=histories.rows,
        reader=(np.cumsum(new_reader) - 1).astype(np.int32),
        visit=(np.cumsum(new_visit) - 1).astype(np.int32),
        start=np.append(np.flatnonzero(new_visit), len(new_visit)).astype(np.int64),
        order=order,
        time=np.maximum(time, first_dated[0] - 1) if len(first_dated) else time,
    )


def shown_of(lists: Impressions, histories: ClickHistories, most: int) -> Shown:
    """The lists with their company: the visit's clicks, before its first click the reader's last ones before it.

    Args:
        lists: I lists.
        histories: of the same lists.
        most: clicks of company at most, the newest.
    """
    visiting = histories.visit < histories.last
    low = np.maximum(np.where(visiting, histories.visit, histories.first), histories.last - most)
    return Shown(lists.time, lists.offsets, lists.article, low, histories.last)


def blocks(time: Longs, hours: float) -> Iterator[tuple[int, int, int]]:
    """Cut lists into blocks of log time, at whose beginnings a model is fitted anew, at most ``MAX_FITS`` times.

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


def window(stream: Stream, until: int, days: float, most: int) -> Longs:
    """The clicks of the last days strictly before a time: places in the stream, int64 (W,), sorted.

    Args:
        stream: the clicks.
        until: ms.
        days: how far back.
        most: clicks at most, the newest; bounds memory.
    """
    first, last = np.searchsorted(stream.time, [until - int(days * 24 * HOUR_MS), until]).tolist()
    return np.sort(stream.order[max(first, last - most) : last])
