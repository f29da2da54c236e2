"""People, not clicks: which events of a log count as what people did.

Reads ``Events``; produces the same log as every stage of training counts it, and who was left out of it. The rules, by
which the service counts too (``recsys.events.visitors``):

- a click on an article by the same reader within ``REPEAT_MS`` of one that counted is ``AGAIN``: it labels the list in
  which it was made, and is neither popularity nor company;
- without a reader a click is its session's; without either it is that of whoever said the same context within
  ``NOBODY_MS``, so that a site that names nobody still has popular articles, and a flood counts once a minute;
- of undated clicks each reader's first on an article counts;
- a reader who clicks at a rate that no person reads at is *odd*: nothing that they did counts, before or after. The
  limits lie above what any of G1's 270,000 readers does, and few of these come near them. So is one to whom the same
  article is shown again and again, which would sink it.
"""

import enum
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events.arrays import KINDS, UNDATED, Events
from recsys.store import Kind

Array = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HOUR_MS = 3_600_000
REPEAT_MS = 24 * HOUR_MS  # a reader who comes back to an article on another day reads it again; a reload does not
NOBODY_MS = 60_000  # clicks of nobody known from one context: a person takes so long for an article
HOUR_CLICKS = 60  # clicks within one hour of the clock: one a minute without a pause; G1's busiest reader made 46
DAY_CLICKS = 150  # clicks within 24 hours; the busiest of G1's 270,000 readers made 141
DAY_HOURS = 20  # hours out of 24 with a click: nobody is awake so long; G1's most tireless reader had 16
DAY = 24  # hours
HOUR_SHOWN = (
    60  # times that one article is shown to one reader within an hour of the clock: a page a minute, each with it
)

CLICK, IMPRESSION = KINDS.index(Kind.CLICK), KINDS.index(Kind.IMPRESSION)
AGAIN = len(KINDS)  # the kind of a click that repeats one that counted


class Reason(enum.IntEnum):
    """Why a reader is odd."""

    NONE = 0
    HOUR = 1
    DAY = 2
    SLEEPLESS = 3
    SHOWN = 4

    def __str__(self) -> str:
        return REASONS[self]


REASONS = {
    Reason.NONE: "nothing odd",
    Reason.HOUR: f"more than {HOUR_CLICKS} clicks within an hour",
    Reason.DAY: f"more than {DAY_CLICKS} clicks within a day",
    Reason.SLEEPLESS: f"clicks in {DAY_HOURS} hours of one day",
    Reason.SHOWN: f"one article shown more than {HOUR_SHOWN} times within an hour",
}


class Odd(NamedTuple):
    """A reader, or a session of nobody known, whom no person could be.

    Attributes:
        event: place of their first click in the log; of what was first shown to who never clicked.
        reader: identifier, None for a session.
        reason: why.
        clicks: how many.
        first: ms, of these clicks, else of what was shown.
        last: ms.
    """

    event: int
    reader: str | None
    reason: Reason
    clicks: int
    first: int
    last: int


def visitor_keys(events: Events) -> Longs:
    """Whose an event is: the reader's row, else a session's beyond these, else -1: int64 (E,)."""
    sessions = np.where(events.session >= 0, events.session.astype(np.int64) + len(events.reader_ids), -1)
    return np.where(events.reader >= 0, events.reader.astype(np.int64), sessions)


def of_people(events: Events, newest: int | None = None) -> Events:
    """The log as it counts.

    Args:
        events: the log.
        newest: ms; what is dated after it lies ahead of the clock and is held back. None: nothing is.

    Returns:
        Without what is held back and what odd readers did; clicks that repeat one are of the kind ``AGAIN``.
    """
    held = events if newest is None else events.before(newest + 1)
    keys = visitor_keys(held)
    odd, _ = _odd_keys(held, keys)
    kept = held if not len(odd) else held.where(~np.isin(keys, odd))
    kind = kept.kind.copy()
    kind[repeats(kept)] = AGAIN
    return replace(kept, kind=kind)


def odd_readers(events: Events) -> list[Odd]:
    """Who is left out of the counts, most clicks first."""
    keys = visitor_keys(events)
    odd, reasons = _odd_keys(events, keys)
    did = np.flatnonzero(np.isin(keys, odd) & np.isin(events.kind, (CLICK, IMPRESSION)) & (events.time != UNDATED))
    did = did[np.argsort(keys[did], kind="stable")]
    starts, ends = (np.searchsorted(keys[did], odd, side=side).tolist() for side in ("left", "right"))
    found = []
    for key, reason, start, end in zip(odd.tolist(), reasons.tolist(), starts, ends, strict=True):
        own, clicked = did[start:end], did[start:end][events.kind[did[start:end]] == CLICK]
        own = clicked if len(clicked) else own
        reader = events.reader_ids[key] if key < len(events.reader_ids) else None
        first, last = events.time[own[[0, -1]]].tolist()
        found.append(Odd(int(own[0]), reader, Reason(reason), len(clicked), first, last))
    return sorted(found, key=lambda one: (-one.clicks, one.event))


def oddity(clicks: Mapping[int, int]) -> Reason:
    """What is odd about a visitor's clicks by hour: hour -> clicks, all within 24 hours."""
    if max(clicks.values(), default=0) > HOUR_CLICKS:
        return Reason.HOUR
    if sum(clicks.values()) > DAY_CLICKS:
        return Reason.DAY
    return Reason.SLEEPLESS if len(clicks) >= DAY_HOURS else Reason.NONE


def newest_before(events: Events, limit: int) -> int:
    """The time of the newest event not after ``limit`` (ms): what is dated later is held back; UNDATED for none."""
    return int(events.time[: np.searchsorted(events.time, limit, side="right")].max(initial=UNDATED))


def _odd_keys(events: Events, keys: Longs) -> tuple[Longs, Longs]:
    """The odd visitors, rising, and the reason of each."""
    clicks = np.flatnonzero((events.kind == CLICK) & (events.time != UNDATED) & (keys >= 0))
    hour = events.time[clicks] // HOUR_MS
    order = np.lexsort((hour, keys[clicks]))
    key, hour = keys[clicks][order], hour[order]
    start = np.flatnonzero(np.append(True, (np.diff(key) != 0) | (np.diff(hour) != 0))[: len(key)])
    key, hour, count = key[start], hour[start], np.diff(np.append(start, len(key)))
    reason = np.zeros(len(key), np.int64)
    _find_odd(key, hour, count, reason)
    shown = _shown_too_often(events, keys)
    found = np.concatenate([key[reason > 0], shown])
    named, first = np.unique(found, return_index=True)
    return named, np.append(reason[reason > 0], np.full(len(shown), Reason.SHOWN))[first]


def _shown_too_often(events: Events, keys: Longs) -> Longs:
    """The visitors to whom one article was shown too often within an hour, some of them repeatedly."""
    shown = np.flatnonzero((events.kind == IMPRESSION) & (events.time != UNDATED) & (keys >= 0))
    shown = shown[np.bincount(keys[shown])[keys[shown]] > HOUR_SHOWN]  # hardly anybody, so that the rest costs nothing
    columns = keys[shown], events.time[shown] // HOUR_MS, events.article[shown]
    order = np.lexsort(columns)
    changes = np.logical_or.reduce([np.diff(column[order]) != 0 for column in columns])
    start = np.flatnonzero(np.append(True, changes)[: len(order)])
    return keys[shown][order][start[np.diff(np.append(start, len(order))) > HOUR_SHOWN]]


@compiled
def _find_odd(key: Array, hour: Array, count: Array, reason: Array) -> None:
    """Write why each hour of a visitor is odd, by the 24 hours that end with it."""
    low, within = 0, 0
    for n in range(len(key)):
        within += count[n]
        while key[low] != key[n] or hour[low] <= hour[n] - DAY:
            within -= count[low]
            low += 1
        if count[n] > HOUR_CLICKS:
            reason[n] = 1
        elif within > DAY_CLICKS:
            reason[n] = 2
        elif n - low + 1 >= DAY_HOURS:
            reason[n] = 3


def repeats(events: Events) -> Mask:
    """Which events are clicks that repeat one that counted: bool (E,)."""
    keys, out = visitor_keys(events), np.zeros(len(events), np.bool_)
    clicks = np.flatnonzero(events.kind == CLICK)
    known = keys[clicks] >= 0
    contexts = events.context[clicks] if len(events.context) else np.full(len(clicks), -1)
    beyond = np.int64(len(events.reader_ids) + events.session.max(initial=-1) + 2)
    key = np.where(known, keys[clicks], beyond + contexts)  # -1, no context, is beyond the last session, too
    pair = key * max(1, len(events.article_ids)) + events.article[clicks]
    order = np.argsort(pair, kind="stable")
    again = np.zeros(len(clicks), np.bool_)
    _find_again(pair[order], events.time[clicks][order], known[order], again)
    out[clicks[order[again]]] = True
    return out


@compiled
def _find_again(pair: Array, time: Array, known: Array, again: Array) -> None:
    """Mark what comes too soon after the last one of its pair that counted."""
    last = np.int64(0)
    for n in range(len(pair)):
        if n and pair[n] == pair[n - 1] and time[n] - last < (REPEAT_MS if known[n] else NOBODY_MS):
            again[n] = True
        else:
            last = time[n]
