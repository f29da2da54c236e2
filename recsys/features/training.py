"""The training rows: a log -> the matrix that was knowable at each impression, with its labels.

Reads ``Events`` in time order; produces ``TrainingSet``. Honest by construction: the log is walked once, and a list is
described by what was known strictly before it was shown: counts and readers from the events before its time, vectors
that were learned at the start of its block of time. ``leaks`` shows it on any log, by cutting the future off.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.errors import StaleArtefact
from recsys.events import Events
from recsys.features import NAMES, Matrix, Tables, matrix
from recsys.features.lists import Lists, Longs, reader_keys
from recsys.readers import CLICK, DISMISS, ReadersConfig, ReaderState
from recsys.trends import Trends, TrendsConfig
from recsys.workspace import load_arrays, save_arrays

MANY = 1_000  # events from which on counting them at once is faster than one by one

TablesAt = Callable[[Events, int], Tables]


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
        known = np.isin(self._keys, list(self._readers))
        self._telling = np.flatnonzero(known & np.isin(events.kind, (CLICK, DISMISS)))  # what readers learn from
        self._next, self._told = 0, 0

    def reader(self, key: int) -> ReaderState:
        return self._readers.get(key, self._nobody)

    def advance(self, now: int) -> None:
        """Apply every event strictly before ``now``."""
        stop = int(np.searchsorted(self._events.time, now))
        if stop <= self._next:
            return
        span, log = slice(self._next, stop), self._events
        if stop - self._next > MANY:
            self.trends.observe_many(log.kind[span], log.article[span], log.time[span])
        else:
            columns = (log.kind[span], log.article[span], log.time[span])
            for kind, row, time in zip(*(column.tolist() for column in columns), strict=True):
                self.trends.observe(kind, row, time)
        told = int(np.searchsorted(self._telling, stop))
        new = self._telling[self._told : told]
        learned = (self._keys[new], log.kind[new], log.article[new], log.time[new])
        for key, kind, row, time in zip(*(column.tolist() for column in learned), strict=True):
            self._readers[key].observe(kind, row, time)
        self._next, self._told = stop, told


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
