"""Counts of a log: a day after the other, in memory that does not grow with the log, and on from where they stood.

Counting a day needs the counts so far and each visitor's last clicks, the *tail*, by which co-visits and audiences go
on. So a count can be put down between two days (``CountedPast``) and taken up again, with the bytes that the whole log
gives. Whether it may be is decided by what it was counted from, see ``counted_past.py``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.log_arrays import NO_ITEMS, apply_events, event_codes, log_arrays, with_audiences
from recsys.events import UNDATED, Events
from recsys.events.people import CLICK, visitor_keys
from recsys.events.visits import ClickTable, visits_of
from recsys.features.rows import Matrix
from recsys.readers.config import ReadersConfig
from recsys.trends import LATE_MINUTES
from recsys.trends.config import TrendsConfig
from recsys.trends.covisits import MAX_COVISITS
from recsys.trends.stream import Trends
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS

Longs = npt.NDArray[np.int64]

STRETCH_EVENTS = 1_000_000  # counted at once: some 200 MB
SETTLED_MS = HOUR_MS  # before the newest event a day is taken to have ended: what comes later is late by an hour


class LogTables(NamedTuple):
    """Facts of the A articles of a log, beside its events.

    Attributes:
        category: int16 (A,), codes; -1 for none.
        published: int64 (A,), ms; -1 for unknown.
        vectors: float32 (A, D), by which audiences are counted; None: they are not.
    """

    category: npt.NDArray[np.int16]
    published: Longs
    vectors: Matrix | None = None


@dataclass
class CountedPast:
    """Counts of the first ``place`` events of a log.

    Attributes:
        trends: the counts; moved by whoever goes on with them.
        place: events that were counted, whole days.
        tail: int64 (T,), rising places of the clicks by which later ones are counted.
        taught: place of a click of each visitor who gave values of contexts their numbers -> how many.
    """

    trends: Trends
    place: int = 0
    tail: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    taught: Mapping[int, int] = field(default_factory=dict)


class LogCounter:
    """A count that moves forward through a log; whole days at a time."""

    def __init__(
        self,
        events: Events,
        tables: LogTables,
        config: TrendsConfig,
        session_gap_minutes: int = 30,
        readers_config: ReadersConfig | None = None,
        past: CountedPast | None = None,
    ) -> None:
        """Begin, or go on.

        Args:
            events: the log, whose first ``past.place`` events are those that were counted.
            tables: of its articles.
            config: of the counts.
            session_gap_minutes: the longest pause inside a visit.
            readers_config: of the reader vectors that audiences are made of; the defaults without it.
            past: what to go on from.
        """
        dim = 0 if tables.vectors is None else tables.vectors.shape[1]
        past = past or CountedPast(Trends(len(events.article_ids), config, session_gap_minutes, dim))
        self.trends, self.place, self._tail = past.trends, past.place, past.tail
        self._events, self._tables, self._gap = events, tables, session_gap_minutes
        self._readers = readers_config or ReadersConfig()
        keys = [self._key_of(place) for place in past.taught]
        self.trends.taught = dict(zip(keys, past.taught.values(), strict=True))
        self.trends.describe_articles(tables.category, tables.published)

    def count(self, stop: int) -> None:
        """Count up to the event at a place; one between two days, or the end."""
        for first, last in days_of(self._events.time[self.place : stop]):
            for start in range(first, last, STRETCH_EVENTS):
                self._count_stretch(self.place + min(last - start, STRETCH_EVENTS))

    def past(self) -> CountedPast:
        """State that another count can go on from; its counts are these."""
        taught = self.trends.taught
        clicks = np.flatnonzero(self._events.kind[: self.place] == CLICK) if taught else np.empty(0, np.int64)
        keys = visitor_keys(self._events.where(clicks)) if taught else clicks
        places = {key: int(clicks[np.argmax(keys == int(key))]) for key in taught}
        return CountedPast(self.trends, self.place, self._tail, {places[key]: taught[key] for key in taught})

    def _count_stretch(self, stop: int) -> None:
        places, visitors = np.arange(self.place, stop), visitor_keys(self._events.where(slice(self.place, stop)))
        here = np.unique(visitors)
        tail_keys = visitor_keys(self._events.where(self._tail))
        before = self._tail[np.isin(tail_keys, here)]
        part = self._events.where(np.concatenate([before, places]))
        clicks = visits_of(part, self._gap)
        context, codes = event_codes(self.trends, part, len(before))
        log = log_arrays(part, clicks, clicks.visit_start)._replace(context=context, codes=codes)
        if self._tables.vectors is not None:
            log = with_audiences(log, self._tables.vectors, len(part.reader_ids), self._readers)
        late = int(LATE_MINUTES * MINUTE_MS)
        apply_events(self.trends.state, NO_ITEMS, log, len(before), len(part), late)
        last = np.concatenate([before, places])[self._last_clicks(clicks, len(part.reader_ids))]
        tail = np.sort(np.concatenate([self._tail[~np.isin(tail_keys, here)], last]))
        over = (
            int(part.time[-1]) - (MAX_COVISITS + 1) * self._gap * MINUTE_MS
        )  # no visit that goes on looks back so far
        self._tail = tail[(self._events.reader[tail] >= 0) | (self._events.time[tail] >= over)]
        self.place = stop

    def _last_clicks(self, clicks: ClickTable, readers: int) -> Longs:
        """The events of a table that later clicks of their visitors may look back to; of a session, of its visit."""
        ends = np.searchsorted(clicks.visitor, clicks.visitor, side="right")
        to_come = ends - np.arange(len(ends))
        named = clicks.visitor < readers
        kept = np.where(named, to_come <= max(self._readers.max_history, MAX_COVISITS), to_come <= MAX_COVISITS)
        goes_on = clicks.visit_start[np.maximum(ends - 1, 0)] <= np.arange(len(ends))  # of the visitor's last visit
        return clicks.event[kept & (named | goes_on)]

    def _key_of(self, place: int) -> str:
        return str(int(visitor_keys(self._events.where(slice(place, place + 1)))[0]))


def count_log(
    events: Events,
    config: TrendsConfig,
    category: npt.NDArray[np.int16],
    published: Longs,
    session_gap_minutes: int = 30,
    article_vectors: Matrix | None = None,
    readers_config: ReadersConfig | None = None,
) -> Trends:
    """Count a whole log; see ``LogCounter``."""
    tables = LogTables(category, published, article_vectors)
    counter = LogCounter(events, tables, config, session_gap_minutes, readers_config)
    counter.count(len(events))
    return counter.trends


def settled_place(events: Events) -> int:
    """Events of the days that had ended ``SETTLED_MS`` before the newest: of later ones more may come."""
    if not len(events) or events.time[-1] == UNDATED:
        return 0
    midnight = (int(events.time[-1]) - SETTLED_MS) // DAY_MS * DAY_MS
    return int(np.searchsorted(events.time, midnight))


def days_of(time: Longs) -> Iterator[tuple[int, int]]:
    """The days of times in order: first and last place of each; what has no time is a day of its own."""
    first = 0
    while first < len(time):
        day = int(time[first]) // DAY_MS
        last = int(np.searchsorted(time, UNDATED if time[first] == UNDATED else (day + 1) * DAY_MS - 1, side="right"))
        yield first, last
        first = last
