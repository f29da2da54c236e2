"""Replay of a log: counts, item vectors and readers as of a moment that only moves forward.

Lists are described by the kernel that describes candidates in the service, after every event before them has been
applied; training rows, baselines and evaluation are made here.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.dataset.impressions import Impressions, click_histories, exposures_of
from recsys.dataset.log_arrays import NO_ITEMS, LogArrays, apply_events, event_codes, log_arrays, with_audiences
from recsys.events import Events
from recsys.features.describe import KernelTables, describe
from recsys.features.matrix import ArticleTables, kernel_tables
from recsys.features.rows import Matrix
from recsys.items.online import OnlineItems
from recsys.readers.config import MAX_IMPRESSIONS, ReadersConfig
from recsys.readers.state import CLICK_POSITION
from recsys.trends import CLICK, LATE_MINUTES
from recsys.trends.config import TrendsConfig
from recsys.trends.counting import fill_codes
from recsys.trends.state import TrendState
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, MINUTE_MS, NEVER_MS, UNKNOWN_ROW

Array = npt.NDArray[Any]

SHELF_MS = HOUR_MS  # shelf lives are read anew so often


class ImpressionArrays(NamedTuple):
    """I lists for compiled code, and the slices of the tables that belong to each.

    Attributes:
        time: int64 (I,), ms; offsets: int64 (I + 1,); article: int32 (N,), see ``Impressions``.
        first: int64 (I,); visit: int64 (I,); last: int64 (I,), see ``ClickHistories``.
        first_exposure: int64 (I,); last_exposure: int64 (I,), see ``Exposures``.
    """

    time: Array
    offsets: Array
    article: Array
    first: Array
    visit: Array
    last: Array
    first_exposure: Array
    last_exposure: Array


class LogReplay:
    """Counts, item vectors and readers that move forward through a log.

    Attributes:
        trends: the counts as of the last list described.
        histories: the clicks of each list's reader before it.
    """

    def __init__(
        self,
        events: Events,
        impressions: Impressions,
        trends_config: TrendsConfig,
        readers_config: ReadersConfig,
        session_gap_minutes: int = 30,
        stale_ms: int = 0,
        article_vectors: Matrix | None = None,
    ) -> None:
        """Lay out a log.

        Args:
            events: the log.
            impressions: in time order.
            trends_config: half-lives.
            readers_config: history.
            session_gap_minutes: the longest pause inside a visit.
            stale_ms: counts and vectors move only so often, to measure what freshness is worth; 0: with every event.
            article_vectors: float32 (A, D), by which audiences are counted; without them they are not.
        """
        if (np.diff(impressions.time) < 0).any():
            raise ValueError("impressions must come in time order")
        reader_dim = 0 if article_vectors is None else article_vectors.shape[1]
        self.trends = Trends(len(events.article_ids), trends_config, session_gap_minutes, reader_dim)
        self._readers, self._next, self._shelf_at = readers_config, 0, NEVER_MS
        self.histories = past = click_histories(events, impressions, session_gap_minutes)
        seen = exposures_of(events, impressions)
        slices = (past.first, past.visit, past.last, seen.first, seen.last)
        self._impressions = ImpressionArrays(impressions.time, impressions.offsets, impressions.article, *slices)
        context, codes = event_codes(self.trends, events)
        self._log = log_arrays(events, past.clicks, past.clicks.visit_start)._replace(
            context=context, codes=codes, exposures=seen.event
        )
        if article_vectors is not None:
            self._log = with_audiences(self._log, article_vectors, len(events.reader_ids), readers_config)
        self._late = int(LATE_MINUTES * MINUTE_MS)
        self._stale = stale_ms
        self._items: OnlineItems | None = None
        self._tables: KernelTables | None = None

    def use_tables(self, tables: ArticleTables) -> None:
        """Describe by these tables from now on; item vectors that can learn are taught every click."""
        self.trends.describe_articles(tables.category, tables.published)
        self._items = tables.items
        self._tables = kernel_tables(tables, self.trends, self._readers)

    def apply_until(self, now: int) -> None:
        """Apply every event strictly before ``now`` (ms)."""
        stop = int(np.searchsorted(self._log.time, now))
        if stop > self._next:
            self._next = apply_events(self.trends.state, self._learning(), self._log, self._next, stop, self._late)

    def describe(self, start: int, stop: int, out: Matrix) -> None:
        """Describe the lists start:stop, each by what was known strictly before it.

        Args:
            start: not before the lists described already.
            stop: after the last one.
            out: float32 (n, F), one row per candidate, filled.

        Raises:
            ValueError: events of a list's own time or after it are already counted.
        """
        if self._tables is None:
            raise ValueError("call use_tables first")
        if start < stop and self._next and self._log.time[self._next - 1] >= self._impressions.time[start]:
            raise ValueError("the replay has passed this list already")
        kept = (self._readers.max_history, MAX_IMPRESSIONS)
        while start < stop:
            now = int(self._impressions.time[start])
            if self._shelf_at == NEVER_MS or now - self._shelf_at >= SHELF_MS:
                self.apply_until(now - now % self._stale if self._stale else now)
                self._tables = self._tables._replace(shelf=self.trends.shelf())
                self._shelf_at = now
            same = int(np.searchsorted(self._impressions.time, self._shelf_at + SHELF_MS))
            end = min(stop, max(same, start + 1))
            here = self._impressions.offsets[[start, end]] - self._impressions.offsets[start]
            part, out = out[: here[1]], out[here[1] :]
            self._next = _describe(
                self.trends.state,
                self._learning(),
                self._tables,
                self._log,
                self._impressions,
                np.array([self._next, start, end, *kept, self._late, self._stale], np.int64),
                part,
            )
            start = end

    def _learning(self) -> OnlineItems:
        return self._items if self._items is not None else NO_ITEMS


NO_IMPRESSIONS = Impressions.unclicked(
    np.empty(0, np.int64), np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0, np.int32)
)


@compiled
def _describe(
    state: TrendState,
    items: OnlineItems,
    tables: KernelTables,
    log: LogArrays,
    impressions: ImpressionArrays,
    cursor: Array,
    out: Array,
) -> int:
    """Describe lists, return the next event; cursor: next event, first, last list, clicks, exposures, late, stale."""
    nxt, start, stop, history, kept, late, stale = cursor
    shown, positions = np.empty(kept, np.int32), np.empty(kept, np.int16)
    codes = np.zeros(log.codes.shape[1], np.int16)
    base = impressions.offsets[start]
    for i in range(start, stop):
        now, end = impressions.time[i], nxt
        horizon = now - now % stale if stale else now
        while end < len(log.time) and log.time[end] < horizon:
            end += 1
        nxt = apply_events(state, items, log, nxt, end, late)
        a, b = impressions.first[i], impressions.last[i]
        codes[:] = 0
        last = UNKNOWN_ROW
        if b > a:
            codes[:] = log.codes[log.context[log.clicks.event[b - 1]]]
            last = log.clicks.article[b - 1]
        fill_codes(state, last, now, codes)
        a = max(a, b - history)
        rows = impressions.article[impressions.offsets[i] : impressions.offsets[i + 1]]
        part = out[impressions.offsets[i] - base : impressions.offsets[i + 1] - base]
        visit = max(impressions.visit[i], a) - a
        n = min(impressions.last_exposure[i] - impressions.first_exposure[i], kept)
        for p in range(n):
            e = log.exposures[impressions.last_exposure[i] - n + p]
            shown[p], positions[p] = log.article[e], CLICK_POSITION if log.kind[e] == CLICK else log.position[e]
        clicks, times = log.clicks.article[a:b], log.clicks.time[a:b]
        describe(state, tables, clicks, times, visit, shown[:n], positions[:n], codes, rows, now, part)
    return int(nxt)
