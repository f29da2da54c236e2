"""The training rows: a log -> the matrix that was knowable at each impression, with its labels.

Reads ``Events`` in time order; produces ``TrainingSet``. Honest by construction: the log is walked once, and a list is
described by what was known strictly before it was shown: counts, item vectors and readers from the events before its
time. ``leaks`` shows it on any log, by cutting the future off.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.errors import StaleArtefact
from recsys.events import Events
from recsys.features import NAMES
from recsys.features.lists import Lists, Longs
from recsys.features.matrix import Matrix, Tables
from recsys.features.walk import Walk
from recsys.readers import ReadersConfig
from recsys.trends import TrendsConfig
from recsys.workspace import load_arrays, save_arrays

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
    session_gap_minutes: int = 30,
) -> TrainingSet:
    """Walk the log and describe every list by what was known before it.

    Args:
        events: the log; article rows as in the tables.
        lists: see ``lists_of``.
        tables_at: gives the tables as they were known strictly before a time, from a log; item vectors that can learn
            are taught every click from then on.
        trends_config: half-lives.
        readers_config: history.
        track: wraps the loop over lists, to show progress.
        session_gap_minutes: the longest pause inside a visit.
    """
    walk = Walk(events, lists, trends_config, readers_config, session_gap_minutes)
    block = np.maximum(np.searchsorted(lists.refits, lists.time, side="right") - 1, 0)
    out = np.empty((len(lists.article), len(NAMES)), np.float32)
    at = -1
    for i in track(range(len(lists))):
        if i == 0 or block[i] != at:
            at = int(block[i])
            tables = tables_at(events, int(lists.refits[at]))
            walk.trends.describe_articles(tables.category, tables.published)  # clicks are counted by category and age
            walk.advance(int(lists.refits[at]))
            walk.stand_on(tables)
        walk.describe(i, i + 1, out[lists.offsets[i] : lists.offsets[i + 1]])
    return _labelled(lists, out)


def _labelled(lists: Lists, out: Matrix) -> TrainingSet:
    number = np.repeat(np.arange(len(lists), dtype=np.int32), np.diff(lists.offsets))
    part = lists.part[number]
    return TrainingSet(out, lists.label, number, lists.time[number], part)


def leaks(
    events: Events,
    lists: Lists,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    made: TrainingSet,
    time: int,
    session_gap_minutes: int = 30,
) -> list[str]:
    """Rebuild the rows of all lists up to ``time`` from the log strictly before it; they must not change.

    Args:
        made: what ``build`` gave for the whole log.
        time: ms since the epoch; a list's own time also shows whether that list saw its own clicks.
        session_gap_minutes: what ``build`` was told.

    Returns:
        Names of the columns that knew something from ``time`` or after; empty when nothing leaked.
    """
    n = int(np.searchsorted(lists.time, time, side="right"))
    cut = lists.cut(0, n)
    past = build(
        events.before(time), cut, tables_at, trends_config, readers_config, session_gap_minutes=session_gap_minutes
    )
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
