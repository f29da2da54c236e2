"""The log as arrays, and the one loop that applies its events in time order: the service's own step, compiled.

Counts, co-visits and item vectors move by the functions that the service calls. Training rows and evaluation
(``replay.py``), the search of item settings (``item_search.py``) and the lists that encoders of readers learn from
(``encoder_lists.py``) all go through ``apply_events``.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.events import UNDATED, Events
from recsys.events.people import visitor_keys
from recsys.events.visits import ClickTable, clicks_before, table_rows
from recsys.features.similarity import mean_direction
from recsys.items.online import OnlineItems, learn_click
from recsys.readers.config import ReadersConfig
from recsys.trends import CLICK, IMPRESSION
from recsys.trends.audiences import count_audience
from recsys.trends.config import TrendsConfig
from recsys.trends.counting import OTHER_VALUES, count, count_outcome, fill_codes
from recsys.trends.covisits import MAX_COVISITS, count_covisits
from recsys.trends.state import LATE, NEWEST, TrendState, empty_state
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Array = npt.NDArray[Any]


class LogArrays(NamedTuple):
    """E events for compiled code, and their clicks by visitor and visit.

    Attributes:
        time: int64 (E,); kind: int8 (E,); article: int32 (E,); position: int16 (E,).
        context: int32 (E,), row of ``codes``.
        codes: int16 (n, C).
        clicks: C clicks, see ``recsys.events.visits``.
        row: int64 (E,), the click's row of ``clicks``; UNKNOWN_ROW for other events and for clicks of nobody.
        window_start: int64 (C,), the row of ``clicks`` at which the clicks begin that teach item vectors with a click.
        exposures: int64 (L,), see ``recsys.dataset.impressions.Exposures``.
        reader_start: int64 (C,), the row of ``clicks`` at which the clicks of a click's reader begin that are
            remembered; its own row for one of a session without a reader.
        vectors: float32 (A, D), article vectors, from which readers' are made; D = 0 where audiences are not counted.
        half_life: float64 (1,), of the reader vectors, in clicks.
        outcome: int8 (E,), what each event adds, see ``recsys.events.outcomes``; empty where none does.
    """

    time: Array
    kind: Array
    article: Array
    position: Array
    context: Array
    codes: Array
    clicks: ClickTable
    row: Array
    window_start: Array
    exposures: Array
    reader_start: Array
    vectors: Array
    half_life: Array
    outcome: Array


NO_ITEMS = OnlineItems(
    *(np.zeros((0, 0), np.float32),) * 2,
    np.zeros(0, np.float32),
    *(np.zeros((0, 0), np.float32),) * 2,
    *(np.zeros(0, np.int32),) * 2,
    np.zeros(4, np.int64),
    np.zeros(7, np.float32),
)
NO_COUNTS = empty_state(0, TrendsConfig(max_live_articles=1, max_neighbours=1))


def log_arrays(events: Events, clicks: ClickTable, window_start: Array) -> LogArrays:
    """A log for compiled code, without contexts and exposures.

    Args:
        events: E events.
        clicks: their clicks by visitor and visit.
        window_start: int64 (C,), the row of ``clicks`` at which the clicks begin that teach item vectors with a click.
    """
    time, outcome = events.time.view(), events.outcome.view()
    for column in (time, outcome):
        column.flags.writeable = False  # as where the log is read from its files: one type, one machine code
    return LogArrays(
        time=time,
        kind=events.kind,
        article=events.article,
        position=events.position,
        context=np.zeros(len(events), np.int32),
        codes=np.zeros((1, 0), np.int16),
        clicks=clicks,
        row=table_rows(clicks, len(events)),
        window_start=window_start,
        exposures=np.empty(0, np.int64),
        reader_start=np.arange(len(clicks.article)),
        vectors=np.zeros((0, 0), np.float32),
        half_life=np.ones(1),
        outcome=outcome,
    )


def with_audiences(log: LogArrays, vectors: Array, readers: int, config: ReadersConfig) -> LogArrays:
    """The same log with all that audiences are counted by.

    Args:
        log: of A articles.
        vectors: float32 (A, D), unit or NaN rows.
        readers: how many readers the log names; visitors beyond them are sessions, of whom no past is known.
        config: the clicks that are remembered of a reader, and how they fade.
    """
    visitor, row = log.clicks.visitor, np.arange(len(log.clicks.visitor))
    first = np.maximum(np.searchsorted(visitor, visitor), row - config.max_history)
    start = np.where(visitor < readers, first, row)
    known = np.ascontiguousarray(vectors, np.float32)
    return log._replace(reader_start=start, vectors=known, half_life=np.array([config.half_life_clicks]))


def event_codes(trends: Trends, events: Events, first: int = 0) -> tuple[Array, Array]:
    """The context of every event as small numbers; values are numbered in the order in which they come.

    Args:
        trends: learns the numbers.
        events: the log.
        first: the first event that may bring values.

    Returns:
        int32 (E,) rows of int16 (n, C) codes; the last row is unknown.
    """
    texts = list(events.contexts)
    context = events.context if len(events.context) else np.full(len(events), UNKNOWN_ROW, np.int32)
    counted = np.flatnonzero((context >= 0) & (events.kind == CLICK) & (events.time != UNDATED))
    counted = counted[np.searchsorted(counted, first) :]
    keys = visitor_keys(events)[counted]
    pairs = context[counted].astype(np.int64) * (int(keys.max(initial=0)) + 2) + keys + 1
    numbered = set[int]()
    for place in np.sort(np.unique(pairs, return_index=True)[1]).tolist():  # each visitor's first click with a text
        row, key = int(context[counted[place]]), int(keys[place])
        if row not in numbered:
            told = trends.taught_codes(texts[row], None if key < 0 else str(key))
            numbered.update([row] * (OTHER_VALUES not in told))
    codes = np.zeros((len(texts) + 1, len(trends.codes_at(trends.codes(None), UNKNOWN_ROW, 0))), np.int16)
    for at, text in enumerate(texts):
        codes[at] = trends.codes(text)
    return np.where(context < 0, len(texts), context).astype(np.int32), codes


@compiled
def apply_events(state: TrendState, items: OnlineItems, log: LogArrays, start: int, stop: int, late: int) -> int:
    """Count the events start:stop, and teach item vectors with the clicks among them; undated ones teach nothing.

    Args:
        state: moves; ``NO_COUNTS`` where nothing is counted.
        items: moves; ``NO_ITEMS`` where nothing learns.
        log: the events.
        start: the first event that is not applied yet.
        stop: after the last one.
        late: ms behind the newest event from which an event counts as late.

    Returns:
        ``stop``.
    """
    codes, counts = np.zeros(log.codes.shape[1], np.int16), len(state.total) > 0
    reader = np.zeros(log.vectors.shape[1], np.float32)
    for e in range(start, stop):
        time, kind, row = log.time[e], log.kind[e], as_int64(log.article[e])  # the type, and the code, of the service
        if counts and len(log.outcome) and log.outcome[e] and time != UNDATED:
            count_outcome(state, row, as_int64(log.outcome[e]), time)
        if counts and time == UNDATED and kind == CLICK:
            state.undated[row] += 1
        if time == UNDATED or (kind != CLICK and kind != IMPRESSION):
            continue
        if counts:
            if state.clock[NEWEST] - time > late:
                state.clock[LATE] += 1
            count(state, row, 1 if kind == CLICK else 0, as_int64(log.position[e]), time)
        if kind != CLICK:
            continue
        p = log.row[e]
        if counts:
            before = clicks_before(log.clicks.article, log.clicks.visit_start, p, MAX_COVISITS)
            codes[:] = log.codes[log.context[e]]
            last = UNKNOWN_ROW
            if len(before):
                last = int(before[len(before) - 1])
            fill_codes(state, last, time, codes)
            count_covisits(state, before, row, codes, time)
            if p >= 0 and mean_direction(
                log.vectors, log.clicks.article[log.reader_start[p] : p], as_int64(0), log.half_life[0], reader
            ):
                count_audience(state, row, reader)
        if len(items.pair_counts):
            learn_click(items, clicks_before(log.clicks.article, log.window_start, p, MAX_COVISITS), row)
    return stop
