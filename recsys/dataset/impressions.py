"""Impressions of a log: lists of articles that were shown together, to whom, where and when, and which were clicked.

Reads ``Events``; produces ``Impressions``, the clicks that the reader of each had made before it, and the articles that
they had been shown.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.events import REPEAT_CLICK, UNDATED, Events
from recsys.events.people import visitor_keys
from recsys.events.visits import ClickTable, same_visit, visits_of
from recsys.trends import CLICK, IMPRESSION
from recsys.units import FOREVER_MS, MINUTE_MS

Array = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]
Articles = npt.NDArray[np.int32]  # rows of articles

FIT, VALIDATION, HOLDOUT = 0, 1, 2


@dataclass(frozen=True)
class Impressions:
    """I lists that were shown, in time order, with N candidates in all.

    Attributes:
        time: int64 (I,), ms: when the list was shown.
        reader: int64 (I,), key of the reader's state, see ``visitor_keys``; -1 for nobody.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        clicked: int64 (C,), places of the candidates that were clicked, rising.
        clicked_at: int64 (C,), ms of the first click on each.
        part: int8 (I,), FIT, VALIDATION or HOLDOUT.
        refits: int64 (R,), ms: when vectors are learned anew, the first at or before the first list; on a log that
            hardly grows from one to the next fewer than were asked for.
        fences: int64 (3,), ms, one per part: clicks at or after it do not label the lists of that part.
        position: int16 (N,), place of each candidate on the page, from 0; -1 for unknown; empty where none is known.
        slot: int32 (I,), row of ``Events.slots``, -1 for unknown; empty where none is known.
    """

    time: Longs
    reader: Longs
    offsets: Longs
    article: Articles
    clicked: Longs
    clicked_at: Longs
    part: npt.NDArray[np.int8]
    refits: Longs
    fences: Longs
    position: npt.NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    slot: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def unclicked(cls, time: Longs, reader: Longs, offsets: Longs, article: Articles) -> "Impressions":
        """Lists nobody has clicked in, of one part."""
        none = np.empty(0, np.int64)
        part, fences = np.full(len(time), FIT, np.int8), np.full(3, FOREVER_MS, np.int64)
        return cls(time, reader, offsets, article, none, none, part, none, fences)

    def cut(self, start: int, stop: int) -> "Impressions":
        """The lists start:stop, with the same parts and refits."""
        first, last = self.offsets[start], self.offsets[stop]
        low, high = np.searchsorted(self.clicked, [first, last])
        return replace(
            self,
            time=self.time[start:stop],
            reader=self.reader[start:stop],
            offsets=self.offsets[start : stop + 1] - first,
            article=self.article[first:last],
            clicked=self.clicked[low:high] - first,
            clicked_at=self.clicked_at[low:high],
            part=self.part[start:stop],
            position=self.position[first:last],
            slot=self.slot[start:stop],
        )

    @property
    def label(self) -> npt.NDArray[np.int8]:
        """Labels that a model may learn: int8 (N,), 1 for candidates clicked before the fence of their list's part."""
        out = np.zeros(len(self.article), np.int8)
        part = self.part[np.searchsorted(self.offsets, self.clicked, side="right") - 1]
        out[self.clicked[self.clicked_at < self.fences[part]]] = 1
        return out


@dataclass(frozen=True)
class ClickHistories:
    """Clicks that the reader of each list had made before it was shown: slices of one table.

    Attributes:
        clicks: all clicks of the log by visitor and visit.
        first: int64 (I,): the reader's clicks before list i are first[i]:last[i].
        visit: int64 (I,): those of the visit during which it was shown are visit[i]:last[i].
        last: int64 (I,).
    """

    clicks: ClickTable
    first: Longs
    visit: Longs
    last: Longs

    def cut(self, start: int, stop: int) -> "ClickHistories":
        """Those of the lists start:stop, of the same table."""
        kept = slice(start, stop)
        return replace(self, first=self.first[kept], visit=self.visit[kept], last=self.last[kept])


def click_histories(events: Events, impressions: Impressions, gap_minutes: int) -> ClickHistories:
    """Histories of clicks strictly before each list, with the visit that goes on when it is shown."""
    clicks = visits_of(events, gap_minutes)
    first, last = _slices_before(events, clicks.visitor, clicks.event, impressions)
    previous = np.maximum(last - 1, 0)
    since = np.append(clicks.time, UNDATED)[previous]
    goes_on = (last > first) & same_visit(since, impressions.time, gap_minutes * MINUTE_MS)
    visit = np.where(goes_on, np.append(clicks.visit_start, 0)[previous], last)
    return ClickHistories(clicks, first, visit, last)


@dataclass(frozen=True)
class Exposures:
    """Articles that the reader of each list had been shown or had opened before it: slices of one table.

    Attributes:
        event: int64 (L,), places in the log of dated impressions and clicks, reader by reader, each in time order.
        first: int64 (I,): the articles that the reader of list i saw before it are first[i]:last[i].
        last: int64 (I,).
    """

    event: Longs
    first: Longs
    last: Longs


def exposures_of(events: Events, impressions: Impressions) -> Exposures:
    """Exposures strictly before each list; none in a log of clicks alone."""
    keys = visitor_keys(events)
    seen = ((events.kind == CLICK) | (events.kind == IMPRESSION)) & (events.time != UNDATED) & (keys >= 0)
    event = np.flatnonzero(seen & (events.kind == IMPRESSION).any())
    event = event[np.argsort(keys[event], kind="stable")]
    return Exposures(event, *_slices_before(events, keys[event], event, impressions))


def _slices_before(events: Events, visitor: Longs, event: Longs, impressions: Impressions) -> tuple[Longs, Longs]:
    """Slices of a table of events, visitor by visitor, that hold those of each list's reader before the list."""
    span = len(events) + 1
    order = visitor * span + event  # rises: a visitor's events stand in the order of the log
    past = np.searchsorted(events.time, impressions.time)  # events strictly before the list
    first = np.searchsorted(order, impressions.reader * span)
    last = np.searchsorted(order, impressions.reader * span + past)
    return first, np.where(impressions.reader >= 0, last, first)


def recorded_impressions(events: Events) -> Impressions:
    """The lists that a log recorded: impression events that share an impression number.

    A list counts as shown at the first of its events, clicks included: a click that claims to come before its own list
    must not describe it. Its slot is that of its first card in the log.
    """
    dated = (events.impression >= 0) & (events.time != UNDATED)
    shown = np.flatnonzero(dated & (events.kind == IMPRESSION))
    clicks = np.flatnonzero(dated & ((events.kind == CLICK) | (events.kind == REPEAT_CLICK)))
    A = len(events.article_ids)
    pair = events.impression.astype(np.int64) * A + events.article
    pairs, first = np.unique(pair[shown], return_index=True)  # a card shown twice in one list counts once
    shown = shown[first]
    clicked_at = np.full(len(shown), FOREVER_MS, np.int64)
    place = np.searchsorted(pairs, pair[clicks])
    hit = np.append(pairs, -1)[place] == pair[clicks]  # other clicks are on what the list did not hold
    clicks, place = clicks[hit], place[hit]
    np.minimum.at(clicked_at, place, events.time[clicks])
    _, number = np.unique(events.impression[shown], return_inverse=True)
    started = np.full(number.max(initial=-1) + 1, FOREVER_MS, np.int64)
    np.minimum.at(started, number, np.minimum(events.time[shown], clicked_at))
    order = np.lexsort((shown, number, started[number]))
    lists = as_impressions(
        started[number], visitor_keys(events)[shown], number, events.article[shown], clicked_at, order
    )
    first = shown[order][lists.offsets[:-1]]
    slot = events.slot[first] if len(events.slot) else lists.slot
    return replace(lists, position=events.position[shown][order], slot=slot)


def as_impressions(
    time: Longs, reader: Longs, number: Longs, article: Articles, clicked_at: Longs, order: Longs
) -> Impressions:
    """Candidates, sorted by ``order``, as lists of one part.

    Args:
        time: int64 (N,), ms, of each candidate's list.
        reader: int64 (N,), keys.
        number: int64 (N,), of the list.
        article: int32 (N,), rows.
        clicked_at: int64 (N,), ms, FOREVER_MS for those without a click.
        order: int64 (N,), which puts the candidates of a list beside each other.
    """
    number, clicked_at = number[order], clicked_at[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1) != 0)
    first = order[starts]
    return Impressions(
        time=time[first],
        reader=reader[first],
        offsets=np.append(starts, len(order)).astype(np.int64),
        article=article[order].astype(np.int32),
        clicked=np.flatnonzero(clicked_at < FOREVER_MS),
        clicked_at=clicked_at[clicked_at < FOREVER_MS],
        part=np.zeros(len(starts), np.int8),
        refits=np.empty(0, np.int64),
        fences=np.full(3, FOREVER_MS, np.int64),
    )
