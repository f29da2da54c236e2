"""The walk through a log: counts, item vectors and readers as of a moment that only moves forward.

What the service does event by event, compiled: the same functions count, keep company, teach item vectors and describe
candidates.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.dataset.impressions import Impressions, click_histories, exposures_of
from recsys.events import UNDATED, Events
from recsys.features.describe import KernelTables, describe
from recsys.features.matrix import ArticleTables, kernel_tables
from recsys.features.rows import Matrix
from recsys.items.online import OnlineItems, learn_click
from recsys.readers.config import ReadersConfig
from recsys.readers.state import CLICK_POSITION
from recsys.trends import CLICK, IMPRESSION
from recsys.trends.config import TrendsConfig
from recsys.trends.counting import count, fill_codes
from recsys.trends.covisits import MAX_COVISITS, count_covisits
from recsys.trends.state import LATE, NEWEST, TrendState
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, NEVER_MS, UNKNOWN_ROW

Array = npt.NDArray[Any]

SHELF_MS = HOUR_MS  # shelf lives are read anew so often


class LogArrays(NamedTuple):
    """E events for compiled code, and the table of clicks reader by reader.

    Attributes:
        time: int64 (E,); kind: int8 (E,); article: int32 (E,); position: int16 (E,).
        context: int32 (E,), row of ``codes``.
        codes: int16 (n, C).
        place: int64 (E,), where the click stands in the table; -1 for other events and for clicks of nobody.
        rows: int32 (T,), the table: article rows; times: int64 (T,).
        began: int64 (T,), where the click's visit begins in the table.
        event: int64 (T,), the clicks' places in the log.
        looks: int64 (L,), see ``recsys.dataset.impressions.Exposures``.
    """

    time: Array
    kind: Array
    article: Array
    position: Array
    context: Array
    codes: Array
    place: Array
    rows: Array
    times: Array
    began: Array
    event: Array
    looks: Array


class ImpressionArrays(NamedTuple):
    """I lists for compiled code: when, what, and the slices of the tables, see ``Histories`` and ``Looks``."""

    time: Array
    offsets: Array
    article: Array
    first: Array
    visit: Array
    last: Array
    first_look: Array
    last_look: Array


class LogReplay:
    """TrendState that moves forward through a log.

    Attributes:
        trends: the counts as of the last list described.
        histories: what the reader of each list had clicked before it.
    """

    def __init__(
        self,
        events: Events,
        lists: Impressions,
        trends_config: TrendsConfig,
        readers_config: ReadersConfig,
        session_gap_minutes: int = 30,
        stale_ms: int = 0,
    ) -> None:
        """Lay out a log.

        Args:
            events: the log.
            lists: in time order.
            trends_config: half-lives.
            readers_config: history.
            session_gap_minutes: the longest pause inside a visit.
            stale_ms: counts and vectors move only so often, to measure what freshness is worth; 0: with every event.
        """
        if (np.diff(lists.time) < 0).any():
            raise ValueError("lists must come in time order")
        self.trends = Trends(len(events.article_ids), trends_config, session_gap_minutes)
        self._readers, self._next, self._shelf_at = readers_config, 0, NEVER_MS
        self.histories = known = click_histories(events, lists, session_gap_minutes)
        looks = exposures_of(events, lists)
        slices = (known.first, known.visit, known.last, looks.first, looks.last)
        self._asked = ImpressionArrays(lists.time, lists.offsets, lists.article, *slices)
        place = np.full(len(events), UNKNOWN_ROW, np.int64)
        place[known.click] = np.arange(len(known.click))
        context, codes = event_codes(self.trends, events)
        self._log = LogArrays(
            time=events.time,
            kind=events.kind,
            article=events.article,
            position=events.position,
            context=context,
            codes=codes,
            place=place,
            rows=known.rows,
            times=known.times,
            began=known.began,
            event=known.click,
            looks=looks.event,
        )
        self._late = int(trends_config.late_minutes * HOUR_MS / 60)
        self._stale = stale_ms
        self._items: OnlineItems | None = None
        self._known: KernelTables | None = None

    def use_tables(self, tables: ArticleTables) -> None:
        """Describe by these tables from now on; item vectors that can learn are taught every click."""
        self.trends.describe_articles(tables.category, tables.published)
        self._items = tables.items
        self._known = kernel_tables(tables, self.trends, self._readers)

    def apply_until(self, now: int) -> None:
        """Apply every event strictly before ``now`` (ms)."""
        stop = int(np.searchsorted(self._log.time, now))
        self._next = max(self._next, _apply(self.trends.state, self._taught(), self._log, self._next, stop, self._late))

    def describe(self, start: int, stop: int, out: Matrix) -> None:
        """Describe the lists start:stop, each by what was known strictly before it.

        Args:
            start: not before the lists described already.
            stop: after the last one.
            out: float32 (n, F), one row per candidate, filled.

        Raises:
            ValueError: events of a list's own time or after it are already counted.
        """
        if self._known is None:
            raise ValueError("call stand_on first")
        if start < stop and self._next and self._log.time[self._next - 1] >= self._asked.time[start]:
            raise ValueError("the walk has passed this list already")
        kept = (self._readers.history, self._readers.max_impressions)
        while start < stop:
            now = int(self._asked.time[start])
            if self._shelf_at == NEVER_MS or now - self._shelf_at >= SHELF_MS:
                self.apply_until(now - now % self._stale if self._stale else now)
                self._known = self._known._replace(shelf=self.trends.shelf())
                self._shelf_at = now
            same = int(np.searchsorted(self._asked.time, self._shelf_at + SHELF_MS))
            end = min(stop, max(same, start + 1))
            here = self._asked.offsets[[start, end]] - self._asked.offsets[start]
            part, out = out[: here[1]], out[here[1] :]
            self._next = _describe(
                self.trends.state,
                self._taught(),
                self._known,
                self._log,
                self._asked,
                np.array([self._next, start, end, *kept, self._late, self._stale], np.int64),
                part,
            )
            start = end

    def _taught(self) -> OnlineItems:
        return self._items if self._items is not None else NO_ITEMS


NO_IMPRESSIONS = Impressions.unclicked(
    np.empty(0, np.int64), np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0, np.int32)
)
NO_ITEMS = OnlineItems(
    *(np.zeros((0, 0), np.float32),) * 2,
    np.zeros(0, np.float32),
    *(np.zeros((0, 0), np.float32),) * 2,
    *(np.zeros(0, np.int32),) * 2,
    np.zeros(4, np.int64),
    np.zeros(7, np.float32),
)


def count_log(
    events: Events,
    config: TrendsConfig,
    category: npt.NDArray[np.int16],
    published: npt.NDArray[np.int64],
    session_gap_minutes: int = 30,
) -> Trends:
    """Count a whole log.

    Args:
        events: the log.
        config: half-lives.
        category: int16 (A,), codes by the log's article rows; -1 for none.
        published: int64 (A,), ms; -1 for unknown.
        session_gap_minutes: the longest pause inside a visit.
    """
    walk = LogReplay(events, NO_IMPRESSIONS, config, ReadersConfig(), session_gap_minutes)
    walk.trends.describe_articles(category, published)
    walk.apply_until(int(events.time[-1]) + 1 if len(events) else 0)
    return walk.trends


def event_codes(trends: Trends, events: Events) -> tuple[Array, Array]:
    """The context of every event as small numbers; values are numbered in the order in which they come.

    Returns:
        int32 (E,) rows of int16 (n, C) codes; the last row is unknown.
    """
    texts = list(events.contexts)
    context = events.context if len(events.context) else np.full(len(events), UNKNOWN_ROW, np.int32)
    first = np.full(len(texts), len(context), np.int64)
    counted = np.flatnonzero((context >= 0) & (events.kind == CLICK) & (events.time != UNDATED))
    np.minimum.at(first, context[counted], counted)
    codes = np.zeros((len(texts) + 1, len(trends.moment(trends.codes(None), UNKNOWN_ROW, 0))), np.int16)
    for at in np.argsort(first, kind="stable").tolist():
        codes[at] = trends.codes(texts[at], learn=bool(first[at] < len(context)))
    return np.where(context < 0, len(texts), context).astype(np.int32), codes


@compiled
def _apply(state: TrendState, items: OnlineItems, log: LogArrays, start: int, stop: int, late: int) -> int:
    """Count, and teach with, the events start:stop. Returns ``stop``."""
    codes = np.zeros(log.codes.shape[1], np.int16)
    for e in range(start, stop):
        time, kind, row = log.time[e], log.kind[e], int(log.article[e])  # int: the machine code that the service runs
        if time == UNDATED and kind == CLICK:
            state.undated[row] += 1
        if time == UNDATED or (kind != CLICK and kind != IMPRESSION):
            continue
        if state.clock[NEWEST] - time > late:
            state.clock[LATE] += 1
        count(state, row, 1 if kind == CLICK else 0, int(log.position[e]), time)
        if kind != CLICK:
            continue
        p = log.place[e]
        company = log.rows[0:0]
        if p >= 0:
            company = log.rows[max(log.began[p], p - MAX_COVISITS) : p]
        codes[:] = log.codes[log.context[e]]
        before = UNKNOWN_ROW
        if len(company):
            before = int(company[len(company) - 1])
        fill_codes(state, before, time, codes)
        count_covisits(state, company, row, codes, time)
        if len(items.pair_counts):
            learn_click(items, company, row)
    return stop


@compiled
def _describe(
    state: TrendState,
    items: OnlineItems,
    known: KernelTables,
    log: LogArrays,
    asked: ImpressionArrays,
    cursor: Array,
    out: Array,
) -> int:
    """Describe lists, return the next event; cursor: next event, first, last list, clicks, looks kept, late, stale."""
    nxt, start, stop, history, window, late, stale = cursor
    looked, places = np.empty(window, np.int32), np.empty(window, np.int16)
    codes = np.zeros(log.codes.shape[1], np.int16)
    base = asked.offsets[start]
    for i in range(start, stop):
        now, end = asked.time[i], nxt
        horizon = now - now % stale if stale else now
        while end < len(log.time) and log.time[end] < horizon:
            end += 1
        nxt = _apply(state, items, log, nxt, end, late)
        a, b = asked.first[i], asked.last[i]
        codes[:] = 0
        before = UNKNOWN_ROW
        if b > a:
            codes[:] = log.codes[log.context[log.event[b - 1]]]
            before = log.rows[b - 1]
        fill_codes(state, before, now, codes)
        a = max(a, b - history)
        rows = asked.article[asked.offsets[i] : asked.offsets[i + 1]]
        part = out[asked.offsets[i] - base : asked.offsets[i + 1] - base]
        visit = max(asked.visit[i], a) - a
        n = min(asked.last_look[i] - asked.first_look[i], window)
        for p in range(n):
            e = log.looks[asked.last_look[i] - n + p]
            looked[p], places[p] = log.article[e], CLICK_POSITION if log.kind[e] == CLICK else log.position[e]
        clicks, times = log.rows[a:b], log.times[a:b]
        describe(state, known, clicks, times, visit, looked[:n], places[:n], codes, rows, now, part)
    return int(nxt)
