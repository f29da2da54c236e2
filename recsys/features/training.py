"""The training rows: a log -> the matrix that was knowable at each impression, with its labels.

Reads ``Events`` in time order; produces ``TrainingSet``. Honest by construction: the log is walked once, and a list is
described by what was known strictly before it was shown: counts and readers from the events before its time, vectors
that were learned at the start of its block of time. ``leaks`` shows it on any log, by cutting the future off.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.errors import StaleArtefact
from recsys.events import UNDATED, Events
from recsys.features import NAMES, FeaturesConfig, Matrix, Tables, matrix
from recsys.readers import ReadersConfig, ReaderState
from recsys.trends import CLICK, HOUR_MS, IMPRESSION, Trends, TrendsConfig
from recsys.workspace import load_arrays, save_arrays

Longs = npt.NDArray[np.int64]
TablesAt = Callable[[Events, int], Tables]

FIT, VALIDATION, HOLDOUT = 0, 1, 2
NEVER = np.iinfo(np.int64).max
RECENT_CLICKS = 1_000  # pseudo-impressions draw what the reader left from so many last clicks of everyone


@dataclass(frozen=True)
class Lists:
    """I lists that were shown, in time order, with N candidates in all.

    Attributes:
        time: int64 (I,), ms: when the list was shown.
        reader: int64 (I,), key of the reader's state, see ``reader_keys``; -1 for nobody.
        offsets: int64 (I + 1,): list i holds the candidates offsets[i]:offsets[i + 1].
        article: int32 (N,), article rows.
        clicked_at: int64 (N,), ms of the first click on the candidate, NEVER for none.
        part: int8 (I,), FIT, VALIDATION or HOLDOUT.
        refits: int64 (R,), ms: when vectors are learned anew, the first at or before the first list.
        limits: int64 (3,), ms: clicks at or after it do not label the lists of that part.
    """

    time: Longs
    reader: Longs
    offsets: Longs
    article: npt.NDArray[np.int32]
    clicked_at: Longs
    part: npt.NDArray[np.int8]
    refits: Longs
    limits: Longs

    def __len__(self) -> int:
        return len(self.time)

    def cut(self, start: int, stop: int) -> "Lists":
        """The lists start:stop, with the same parts and refits."""
        first, last = self.offsets[start], self.offsets[stop]
        return replace(
            self,
            time=self.time[start:stop],
            reader=self.reader[start:stop],
            offsets=self.offsets[start : stop + 1] - first,
            article=self.article[first:last],
            clicked_at=self.clicked_at[first:last],
            part=self.part[start:stop],
        )


@dataclass(frozen=True)
class TrainingSet:
    """N rows of features with their labels, in the order of ``Lists``.

    Attributes:
        matrix: float32 (N, F), columns as ``NAMES``.
        label: int8 (N,), 1 = clicked.
        impression: int32 (N,), number of the row's list, from 0.
        time: int64 (N,), ms.
        part: int8 (N,), FIT, VALIDATION or HOLDOUT.
    """

    matrix: Matrix
    label: npt.NDArray[np.int8]
    impression: npt.NDArray[np.int32]
    time: Longs
    part: npt.NDArray[np.int8]


def reader_keys(events: Events) -> Longs:
    """Whose state an event belongs to: the reader, else the session of an unknown reader, else -1: int64 (E,)."""
    sessions = np.where(events.session >= 0, events.session.astype(np.int64) + len(events.reader_ids), -1)
    return np.where(events.reader >= 0, events.reader.astype(np.int64), sessions)


def lists_of(
    events: Events,
    config: FeaturesConfig,
    *,
    holdout: float,
    validation: float,
    session_gap_minutes: int,
    rng: np.random.Generator,
) -> Lists:
    """Find the lists in a log and lay out their timeline.

    Of the newest ``config.max_impressions`` lists the first ``config.warmup`` share only fills the counts, the last
    ``holdout`` share is held out, and the ``validation`` share before it stops the training. A log without impressions
    gets pseudo-impressions, see ``pseudo_impressions``.

    Returns:
        The lists after the warm-up; none when the log holds none.
    """
    lists = impressions(events)
    if not len(lists):
        lists = pseudo_impressions(events, config, session_gap_minutes, rng)
    lists = lists.cut(max(0, len(lists) - config.max_impressions), len(lists))
    n = len(lists)
    if not n:
        return lists
    starts = [int(n * share) for share in (config.warmup, 1 - holdout - validation, 1 - holdout)]
    warm, held, out = np.maximum.accumulate(np.clip(starts, 0, n - 1)).tolist()
    blocks = np.linspace(warm, out, config.refits + 1).astype(np.int64)
    validation_start, holdout_start = lists.time[held], lists.time[out]
    return replace(
        lists,
        part=(lists.time >= validation_start).astype(np.int8) + (lists.time >= holdout_start).astype(np.int8),
        refits=np.unique(lists.time[blocks]),
        limits=np.array([validation_start, holdout_start, NEVER], np.int64),
    ).cut(warm, n)


def impressions(events: Events) -> Lists:
    """The lists that a log recorded: impression events that share an impression number.

    A list counts as shown at the first of its events, clicks included: a click that claims to come before its own list
    must not describe it.
    """
    dated = (events.impression >= 0) & (events.time != UNDATED)
    shown = np.flatnonzero(dated & (events.kind == IMPRESSION))
    clicks = np.flatnonzero(dated & (events.kind == CLICK))
    A = len(events.article_ids)
    pair = events.impression.astype(np.int64) * A + events.article
    pairs, first = np.unique(pair[shown], return_index=True)  # a card shown twice in one list counts once
    shown = shown[first]
    clicked_at = np.full(len(shown), NEVER, np.int64)
    place = np.searchsorted(pairs, pair[clicks])
    hit = np.append(pairs, -1)[place] == pair[clicks]  # other clicks are on what the list did not hold
    clicks, place = clicks[hit], place[hit]
    np.minimum.at(clicked_at, place, events.time[clicks])
    _, number = np.unique(events.impression[shown], return_inverse=True)
    started = np.full(number.max(initial=-1) + 1, NEVER, np.int64)
    np.minimum.at(started, number, np.minimum(events.time[shown], clicked_at))
    order = np.lexsort((shown, number, started[number]))
    return _lists(started[number], reader_keys(events)[shown], number, events.article[shown], clicked_at, order)


def pseudo_impressions(
    events: Events, config: FeaturesConfig, session_gap_minutes: int, rng: np.random.Generator
) -> Lists:
    """Lists for a log of clicks alone: each click against articles that others clicked shortly before.

    A reader's list is shown when they made their previous click (within ``session_gap_minutes``), else when they click.
    """
    keys = reader_keys(events)
    clicks = np.flatnonzero((events.kind == CLICK) & (events.time != UNDATED) & (keys >= 0))
    time, key = events.time[clicks], keys[clicks]
    by_reader = np.lexsort((np.arange(len(clicks)), key))
    shown = time.copy()
    gap = np.diff(time[by_reader])
    follows = (np.diff(key[by_reader]) == 0) & (gap > 0) & (gap <= session_gap_minutes * HOUR_MS // 60)
    shown[by_reader[1:][follows]] = time[by_reader[:-1][follows]] + 1  # + 1: the previous click is known by then
    known = np.searchsorted(time, shown)  # clicks strictly before the list was shown
    kept = np.flatnonzero(known > 0)
    kept = kept[np.argsort(shown[kept], kind="stable")][-config.max_impressions :]
    low = np.maximum(known[kept] - RECENT_CLICKS, 0)
    draws = rng.integers(low[:, None], known[kept][:, None], (len(kept), config.negatives))  # (I, N)
    article = events.article[clicks]
    candidates = np.column_stack([article[kept], article[draws]])  # (I, 1 + N), the clicked one first
    number = np.repeat(np.arange(len(kept)), candidates.shape[1])
    clicked_at = np.full(candidates.shape, NEVER, np.int64)
    clicked_at[:, 0] = time[kept]
    pair = number * max(1, len(events.article_ids)) + candidates.ravel()
    order = np.sort(np.unique(pair, return_index=True)[1])  # a candidate drawn twice counts once, the clicked one stays
    return _lists(shown[kept][number], key[kept][number], number, candidates.ravel(), clicked_at.ravel(), order)


def _lists(
    time: Longs, reader: Longs, number: Longs, article: npt.NDArray[np.int32], clicked_at: Longs, order: Longs
) -> Lists:
    """Candidates, sorted by ``order``, as lists."""
    number = number[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1) != 0)
    first = order[starts]
    return Lists(
        time=time[first],
        reader=reader[first],
        offsets=np.append(starts, len(order)).astype(np.int64),
        article=article[order].astype(np.int32),
        clicked_at=clicked_at[order],
        part=np.zeros(len(starts), np.int8),
        refits=np.empty(0, np.int64),
        limits=np.full(3, NEVER, np.int64),
    )


def build(
    events: Events,
    lists: Lists,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> TrainingSet:
    """Walk the log and describe every list by what was known before it.

    Args:
        events: the log; article rows as in the tables.
        lists: see ``lists_of``.
        tables_at: gives the tables as they were known strictly before a time, from a log.
        trends_config: half-lives.
        readers_config: history.
        track: wraps the loop over lists, to show progress.
    """
    walk = _Walk(events, lists, trends_config, readers_config)
    block = np.searchsorted(lists.refits, lists.time, side="right") - 1
    out = np.empty((len(lists.article), len(NAMES)), np.float32)
    tables, at = None, -1
    for i in track(range(len(lists))):
        if tables is None or block[i] != at:
            at = int(block[i])
            tables = tables_at(events, int(lists.refits[at]))
        now = int(lists.time[i])
        walk.advance(now)
        rows = lists.article[lists.offsets[i] : lists.offsets[i + 1]]
        out[lists.offsets[i] : lists.offsets[i + 1]] = matrix(
            tables, walk.reader(int(lists.reader[i])), rows, now, walk.trends, readers_config
        )
    return _labelled(lists, out)


def _labelled(lists: Lists, out: Matrix) -> TrainingSet:
    number = np.repeat(np.arange(len(lists), dtype=np.int32), np.diff(lists.offsets))
    part = lists.part[number]
    label = (lists.clicked_at < lists.limits[part]).astype(np.int8)
    return TrainingSet(out, label, number, lists.time[number], part)


class _Walk:
    """Counts and readers as of a moment that only moves forward."""

    def __init__(self, events: Events, lists: Lists, trends: TrendsConfig, readers: ReadersConfig) -> None:
        self.trends = Trends(len(events.article_ids), trends)
        self._config = readers
        self._nobody = ReaderState.empty(readers)
        self._readers = {key: ReaderState.empty(readers) for key in np.unique(lists.reader).tolist() if key >= 0}
        self._events = events
        self._keys = reader_keys(events)
        self._next = 0

    def reader(self, key: int) -> ReaderState:
        return self._readers.get(key, self._nobody)

    def advance(self, now: int) -> None:
        """Apply every event strictly before ``now``."""
        stop = int(np.searchsorted(self._events.time, now))
        span = slice(self._next, stop)
        columns = (self._events.kind, self._events.article, self._keys, self._events.time)
        for kind, row, key, time in zip(*(column[span].tolist() for column in columns), strict=True):
            self.trends.observe(kind, row, time)
            if (reader := self._readers.get(key)) is not None:
                reader.observe(kind, row, time)
        self._next = max(self._next, stop)


def leaks(
    events: Events,
    lists: Lists,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    made: TrainingSet,
    time: int,
) -> list[str]:
    """Rebuild the rows of all lists up to ``time`` from the log strictly before it; they must not change.

    Args:
        made: what ``build`` gave for the whole log.
        time: ms since the epoch; a list's own time also shows whether that list saw its own clicks.

    Returns:
        Names of the columns that knew something from ``time`` or after; empty when nothing leaked.
    """
    n = int(np.searchsorted(lists.time, time, side="right"))
    past = build(events.before(time), lists.cut(0, n), tables_at, trends_config, readers_config)
    differs = (past.matrix != made.matrix[: len(past.matrix)]).any(axis=0)
    return [name for name, leaked in zip(NAMES, differs, strict=True) if leaked]


def save_rows(rows: TrainingSet, file: Path) -> None:
    """Write the rows as safetensors."""
    save_arrays(file, {field.name: getattr(rows, field.name) for field in fields(rows)})


def load_rows(file: Path) -> TrainingSet:
    """Read what ``save_rows`` wrote.

    Raises:
        StaleArtefact: the rows have other columns than this version's features.
    """
    arrays = load_arrays(file)
    if arrays["matrix"].shape[1:] != (len(NAMES),):
        got = f"shape {arrays['matrix'].shape}"
        raise StaleArtefact(f"rows of {len(NAMES)} features", got, "Run: python -m jobs features --fresh")
    return TrainingSet(**arrays)
