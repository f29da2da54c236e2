"""People, not clicks: the events of a log that count as what people did.

Reads ``Events``; produces the same log as every stage of training counts it, and who was left out of it. The rules, by
which the service counts too (``recsys.events.visitors``):

- a click on an article by the same reader within ``REPEAT_MS`` of one that counted is a ``REPEAT_CLICK``: it labels the
  list in which it was made, and is neither popularity nor a co-visit;
- without a reader a click is its session's; without either it is that of whoever said the same context within
  ``ANONYMOUS_REPEAT_MS``, so that a site that names nobody still has popular articles, and a flood counts once a
  minute;
- of undated clicks each reader's first on an article counts;
- a reader who clicks at a rate that no person reads at is *odd*: nothing that they did counts, before or after. The
  limits lie above what any of G1's 270,000 readers does, and few of these come near them. So is one to whom the same
  article is shown again and again, which would sink it;
- what came by the open door counts by its proof, see ``recsys.events.vouching``.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.compiled import compiled
from recsys.events.arrays import KINDS, Events
from recsys.events.outcomes import outcome_bits
from recsys.events.vouching import doubtful
from recsys.store import Evidence, Kind
from recsys.store.events import ANONYMOUS_REPEAT_MS
from recsys.units import HOUR_MS, UNDATED
from recsys.workspace import write_table

Array = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

REPEAT_MS = 24 * HOUR_MS  # a reader who comes back to an article on another day reads it again; a reload does not
# The limits of one person. Hours are the clock's; a day is the 24 of them that end with the one that is judged.
MAX_CLICKS_AN_HOUR = 60  # one a minute without a pause; the busiest of G1's 270,000 readers made 46
MAX_CLICKS_A_DAY = 150  # the busiest of G1's readers made 141
SLEEPLESS_HOURS = 20  # hours with a click: nobody is awake so long; G1's most tireless reader had 16
MAX_SHOWN_AN_HOUR = 60  # times that one article is shown to one reader: a page a minute, each with it
DAY_HOURS = 24

_ODD_READERS = pa.schema(
    [
        *((name, pa.string()) for name in ("reader", "session", "reason")),
        *((name, pa.int64()) for name in ("clicks", "first", "last")),
    ]
)

CLICK, IMPRESSION = KINDS.index(Kind.CLICK), KINDS.index(Kind.IMPRESSION)
REPEAT_CLICK = len(KINDS)  # the kind of a click that repeats one that counted
UNPROVEN = REPEAT_CLICK + 1  # the kind of an event that nobody vouches for: it is its reader's alone


class OddReason(enum.IntEnum):
    """Reason for which a reader is odd."""

    NONE = 0
    HOUR = 1
    DAY = 2
    SLEEPLESS = 3
    SHOWN = 4

    def __str__(self) -> str:
        return ODD_REASON_TEXTS[self]


ODD_REASON_TEXTS = {
    OddReason.NONE: "nothing odd",
    OddReason.HOUR: f"more than {MAX_CLICKS_AN_HOUR} clicks within an hour",
    OddReason.DAY: f"more than {MAX_CLICKS_A_DAY} clicks within a day",
    OddReason.SLEEPLESS: f"clicks in {SLEEPLESS_HOURS} hours of one day",
    OddReason.SHOWN: f"one article shown more than {MAX_SHOWN_AN_HOUR} times within an hour",
}


class OddReader(NamedTuple):
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
    reason: OddReason
    clicks: int
    first: int
    last: int


def visitor_keys(events: Events) -> Longs:
    """Visitor of each event, int64 (E,): the reader's row, else a session's beyond these, else -1."""
    sessions = np.where(events.session >= 0, events.session.astype(np.int64) + len(events.reader_ids), -1)
    return np.where(events.reader >= 0, events.reader.astype(np.int64), sessions)


def of_people(events: Events, newest: int | None = None) -> Events:
    """The log as it counts.

    Args:
        events: the log.
        newest: ms; what is dated after it lies ahead of the clock and is held back. None: nothing is.

    Returns:
        Without what is held back, what odd readers did and what nobody vouches for; clicks that repeat one, or are one
        too many of an address, are of the kind ``REPEAT_CLICK``.
    """
    dated = events if newest is None else events.before(newest + 1)
    kept, kind, outcome = counted_kinds(dated)
    counted = replace(dated, kind=kind, dwell=np.empty(0, np.int32), outcome=outcome)
    return counted if kept.all() else counted.where(kept)


def counted_kinds(events: Events) -> tuple[Mask, npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Kinds that events count as.

    Returns:
        bool (E,), those that count or label a list; int8 (E,), the kind of each, see ``of_people``; int8 (E,), the
        outcomes that each adds, see ``recsys.events.outcomes``, empty where there are none.
    """
    keys = visitor_keys(events)
    doubts = doubtful(events, keys)
    kept = ~(doubts.left_out | np.isin(keys, _odd_keys(events, keys)[0]))
    kind = events.kind.copy()
    kind[doubts.labels] = REPEAT_CLICK
    clicks = np.flatnonzero(kept & (kind == CLICK))
    kind[clicks[repeats(events.where(clicks))]] = REPEAT_CLICK
    return kept, kind, outcome_bits(events, keys, ~kept | doubts.silent)


def unproven(events: Events) -> int:
    """Number of the clicks of a log that do not count because nobody vouches for whoever sent them."""
    return int((doubtful(events, visitor_keys(events)).left_out & (events.kind == CLICK)).sum())


def odd_readers(events: Events) -> list[OddReader]:
    """Readers who are left out of the counts, most clicks first."""
    keys = visitor_keys(events)
    odd, reasons = _odd_keys(events, keys)
    did = np.flatnonzero(np.isin(keys, odd) & np.isin(events.kind, (CLICK, IMPRESSION)) & (events.time != UNDATED))
    did = did[np.argsort(keys[did], kind="stable")]
    starts, ends = (np.searchsorted(keys[did], odd, side=side).tolist() for side in ("left", "right"))
    readers = []
    for key, reason, start, end in zip(odd.tolist(), reasons.tolist(), starts, ends, strict=True):
        own, clicked = did[start:end], did[start:end][events.kind[did[start:end]] == CLICK]
        own = clicked if len(clicked) else own
        reader = events.reader_ids[key] if key < len(events.reader_ids) else None
        first, last = events.time[own[[0, -1]]].tolist()
        readers.append(OddReader(int(own[0]), reader, OddReason(reason), len(clicked), first, last))
    return sorted(readers, key=lambda odd: (-odd.clicks, odd.event))


def write_odd_readers(odd: Sequence[OddReader], sessions: Mapping[int, str], file: Path) -> None:
    """Write odd readers as Parquet: the id of a reader or of a session, the reason, clicks, first and last ms.

    Args:
        odd: who.
        sessions: ``OddReader.event`` -> identifier of its session, of sessions without a reader.
        file: where to.
    """
    rows = [
        {
            "reader": reader.reader,
            "session": None if reader.reader is not None else sessions.get(reader.event),
            "reason": str(reader.reason),
            "clicks": reader.clicks,
            "first": reader.first,
            "last": reader.last,
        }
        for reader in odd
    ]
    write_table(file, pa.Table.from_pylist(rows, _ODD_READERS))


def oddity(clicks: Mapping[int, int]) -> OddReason:
    """Reason why a visitor is odd by clicks an hour: hour -> clicks, all within 24 hours."""
    if max(clicks.values(), default=0) > MAX_CLICKS_AN_HOUR:
        return OddReason.HOUR
    if sum(clicks.values()) > MAX_CLICKS_A_DAY:
        return OddReason.DAY
    return OddReason.SLEEPLESS if len(clicks) >= SLEEPLESS_HOURS else OddReason.NONE


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
    odd_keys = np.concatenate([key[reason > 0], shown])
    visitors, first = np.unique(odd_keys, return_index=True)
    return visitors, np.append(reason[reason > 0], np.full(len(shown), OddReason.SHOWN))[first]


def _shown_too_often(events: Events, keys: Longs) -> Longs:
    """The visitors to whom one article was shown too often within an hour, some of them repeatedly."""
    shown = np.flatnonzero((events.kind == IMPRESSION) & (events.time != UNDATED) & (keys >= 0))
    often = np.bincount(keys[shown]) > MAX_SHOWN_AN_HOUR  # hardly anybody, so that the rest costs nothing
    shown = shown[often[keys[shown]]]
    columns = keys[shown], events.time[shown] // HOUR_MS, events.article[shown]
    order = np.lexsort(columns)
    changes = np.logical_or.reduce([np.diff(column[order]) != 0 for column in columns])
    start = np.flatnonzero(np.append(True, changes)[: len(order)])
    return keys[shown][order][start[np.diff(np.append(start, len(order))) > MAX_SHOWN_AN_HOUR]]


@compiled
def _find_odd(key: Array, hour: Array, count: Array, reason: Array) -> None:
    """Write why each hour of a visitor is odd, by the 24 hours that end with it."""
    low, within = 0, 0
    for n in range(len(key)):
        within += count[n]
        while key[low] != key[n] or hour[low] <= hour[n] - DAY_HOURS:
            within -= count[low]
            low += 1
        if count[n] > MAX_CLICKS_AN_HOUR:
            reason[n] = 1
        elif within > MAX_CLICKS_A_DAY:
            reason[n] = 2
        elif n - low + 1 >= SLEEPLESS_HOURS:
            reason[n] = 3


def repeats(events: Events) -> Mask:
    """Mask of the clicks that repeat one that counted: bool (E,)."""
    keys, repeated = visitor_keys(events), np.zeros(len(events), np.bool_)
    clicks = np.flatnonzero(events.kind == CLICK)
    if len(events.proof):  # a list of nobody known is somebody's, who clicks an article of it once
        clicks = clicks[(keys[clicks] >= 0) | (events.proof[clicks] != Evidence.SIGNED)]
    is_known = keys[clicks] >= 0
    contexts = events.context[clicks] if len(events.context) else np.full(len(clicks), -1)
    beyond = np.int64(len(events.reader_ids) + events.session.max(initial=-1) + 2)
    key = np.where(is_known, keys[clicks], beyond + contexts)  # -1, no context, is beyond the last session, too
    pair = key * max(1, len(events.article_ids)) + events.article[clicks]
    order = np.argsort(pair, kind="stable")
    again = np.zeros(len(clicks), np.bool_)
    _find_again(pair[order], events.time[clicks][order], is_known[order], again)
    repeated[clicks[order[again]]] = True
    return repeated


@compiled
def _find_again(pair: Array, time: Array, is_known: Array, again: Array) -> None:
    """Mark what comes too soon after the last one of its pair that counted."""
    last = np.int64(0)
    for n in range(len(pair)):
        if n and pair[n] == pair[n - 1] and time[n] - last < (REPEAT_MS if is_known[n] else ANONYMOUS_REPEAT_MS):
            again[n] = True
        else:
            last = time[n]
