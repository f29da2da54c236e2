"""List ids: what is known of a list by name: who asks, from where, when, where on the page, after which articles.

Reads a log's lists, or one request; produces hashed ids, by one function for training and for serving. The context is
that of the reader's last click before the list, as it is for the lifts: what a log says of a click may be made up
after it, and the list's own is not known when it is made. Hour and weekday are UTC, of the time at which it is shown.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.events import Events
from recsys.features import HISTORY, LIST_FIELDS
from recsys.features.ids import NONE, hashed
from recsys.features.lists import Histories, Lists
from recsys.trends.contexts import values_of
from recsys.units import HOUR_MS

Ids = npt.NDArray[np.int64]

READER, CONTEXT, MOMENT, SLOT = slice(0, 1), slice(1, 5), slice(5, 7), slice(7, 8)  # of LIST_FIELDS
PLACES = CONTEXT.stop - CONTEXT.start  # attributes of the site's own
FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday, and the week begins on Monday


def list_ids(reader: str | None, context: str | None, names: Sequence[str], now: int, slot: str | None) -> Ids:
    """The ids of one list.

    Args:
        reader: id of the reader; None for a session without one.
        context: of the reader's last click, the text of a JSON object; None where unknown.
        names: of the site's own attributes, at most four; the first is the field "region", whatever it is called.
        now: ms since the epoch.
        slot: name of the place on the page; None where unknown.

    Returns:
        int64 (C,), fields as ``LIST_FIELDS``; 0 for what is unknown.
    """
    hours = now // HOUR_MS
    moment = (str(hours % 24), str((hours // 24 + FIRST_WEEKDAY) % 7))
    said = values_of(context, names[:PLACES])
    values = (reader, *said, *(None,) * (PLACES - len(said)), *moment, slot)
    return np.array(
        [NONE if value is None else hashed(field, value) for field, value in zip(LIST_FIELDS, values, strict=True)],
        np.int64,
    )


def history_ids(clicked: Ids) -> Ids:
    """The last clicks of a reader.

    Args:
        clicked: int64 (n,), hashed ids of the field "article", oldest first.

    Returns:
        int64 (T,), newest first, 0 after the oldest.
    """
    out = np.zeros(HISTORY, np.int64)
    last = clicked[: -HISTORY - 1 : -1]
    out[: len(last)] = last
    return out


def all_list_ids(events: Events, lists: Lists, known: Histories, names: Sequence[str]) -> Ids:
    """``list_ids`` of every list in a log: int64 (I, C).

    Args:
        events: the log.
        lists: I lists of it.
        known: what their readers had clicked.
        names: see ``list_ids``.
    """
    reader = np.where(lists.reader < len(events.reader_ids), lists.reader, -1)
    context = np.full(len(lists), -1, np.int64)
    clicked = known.last > known.first
    if len(events.context):
        context[clicked] = events.context[known.click[known.last[clicked] - 1]]
    hour = lists.time // HOUR_MS % (24 * 7)
    slot = lists.slot if len(lists.slot) else np.full(len(lists), -1, np.int32)
    parts: tuple[tuple[slice, npt.NDArray[Any], Callable[[int], Ids]], ...] = (
        (READER, reader, lambda row: list_ids(events.reader_ids[row], None, (), 0, None)),
        (CONTEXT, context, lambda row: list_ids(None, events.contexts[row], names, 0, None)),
        (MOMENT, hour, lambda row: list_ids(None, None, (), row * HOUR_MS, None)),
        (SLOT, slot, lambda row: list_ids(None, None, (), 0, events.slots[row])),
    )
    out = np.zeros((len(lists), len(LIST_FIELDS)), np.int64)
    for fields, rows, ids_of in parts:
        values, where = np.unique(rows, return_inverse=True)  # each text is hashed once
        found = np.zeros((len(values), len(LIST_FIELDS)), np.int64)
        for place, row in enumerate(values.tolist()):
            if row >= 0:
                found[place] = ids_of(row)
        out[:, fields] = found[where, fields]
    return out


def all_history_ids(articles: Ids, known: Histories, kept: int) -> Ids:
    """``history_ids`` of every list in a log: int64 (I, T).

    Args:
        articles: int64 (A,), hashed ids of the field "article".
        known: what the readers of I lists had clicked.
        kept: clicks that are remembered of a reader, see ``readers.history``.
    """
    places = known.last[:, None] - 1 - np.arange(min(HISTORY, kept))  # (I, T')
    there = places >= known.first[:, None]
    out = np.zeros((len(known.last), HISTORY), np.int64)
    if len(known.rows):
        out[:, : places.shape[1]] = np.where(there, articles[known.rows[np.maximum(places, 0)]], NONE)
    return out
