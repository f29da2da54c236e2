"""The training rows: a log -> what was knowable at each impression, with its labels.

Reads ``Events`` in time order; produces ``TrainingSet``. Honest by construction: the log is walked once, and a list is
described by what was known strictly before it was shown: counts, item vectors and readers from the events before its
time. ``leaks`` shows it on any log, by cutting the future off.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import StaleArtefact
from recsys.events import Events
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS, NAMES, VERSION
from recsys.features.list_ids import all_history_ids, all_list_ids
from recsys.features.lists import Lists, Longs
from recsys.features.matrix import Tables
from recsys.features.rows import Matrix, Rows
from recsys.features.walk import Walk
from recsys.readers import ReadersConfig
from recsys.trends import TrendsConfig
from recsys.workspace import load_arrays, read_json, save_arrays, write_json

TablesAt = Callable[[Events, int], Tables]
SCHEMA = {
    "version": VERSION,
    "names": list(NAMES),
    "candidate_fields": list(CANDIDATE_FIELDS),
    "list_fields": list(LIST_FIELDS),
    "history": HISTORY,
}


@dataclass(frozen=True)
class TrainingSet(Rows):
    """N rows of features with their labels, in the order of ``Lists``; ``impression`` numbers the lists from 0.

    Attributes:
        time: int64 (N,), ms, when the row's list was shown.
        part: int8 (N,), FIT, VALIDATION or HOLDOUT.
    """

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
    return _labelled(events, lists, walk, tables if len(lists) else None, readers_config, out)


def _labelled(
    events: Events, lists: Lists, walk: Walk, tables: Tables | None, config: ReadersConfig, out: Matrix
) -> TrainingSet:
    """Rows with all that belongs to them; ids do not change, so that any tables will do."""
    number = np.repeat(np.arange(len(lists), dtype=np.int32), np.diff(lists.offsets))
    every = np.arange(len(events.article_ids), dtype=np.int32)
    ids = np.zeros((len(every), len(CANDIDATE_FIELDS)), np.int64) if tables is None else tables.ids_of(every)
    return TrainingSet(
        matrix=out,
        ids=ids[lists.article],
        context=all_list_ids(events, lists, walk.histories, walk.trends.config.context),
        history=all_history_ids(ids[:, 0], walk.histories, config.history),
        impression=number,
        label=lists.label,
        position=lists.position if len(lists.position) else np.full(len(number), -1, np.int16),
        time=lists.time[number],
        part=lists.part[number],
    )


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
        Names of the columns, and of the ids with an ``_id`` behind them, that knew something from ``time`` or after;
        empty when nothing leaked.
    """
    n = int(np.searchsorted(lists.time, time, side="right"))
    cut = lists.cut(0, n)
    past = build(
        events.before(time), cut, tables_at, trends_config, readers_config, session_gap_minutes=session_gap_minutes
    )
    compared = (
        (NAMES, past.matrix, made.matrix),
        ([f"{name}_id" for name in CANDIDATE_FIELDS], past.ids, made.ids),
        ([f"{name}_id" for name in LIST_FIELDS], past.context, made.context),
        (["history_id"] * HISTORY, past.history, made.history),
    )
    found = [
        name
        for names, then, now in compared
        for name, leaked in zip(names, (then != now[: len(then)]).any(axis=0), strict=True)
        if leaked
    ]
    return list(dict.fromkeys(found))


def save_rows(rows: TrainingSet, file: Path, facts: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Write the rows as safetensors, and beside them ``schema.json``, which names their columns.

    Args:
        rows: what ``build`` made.
        file: where to.
        facts: what else the schema should say.
    """
    save_arrays(file, {field.name: getattr(rows, field.name) for field in fields(rows)})
    write_json(file.with_name("schema.json"), SCHEMA | dict(facts))


def load_rows(file: Path) -> TrainingSet:
    """Read what ``save_rows`` wrote.

    Raises:
        StaleArtefact: the rows have other columns, fields or meanings than this version's features; they are named.
        CorruptArtefact: a file cannot be read.
    """
    found = read_json(file.with_name("schema.json"))
    for name, wanted in SCHEMA.items():
        if found.get(name) != wanted:
            got = f"{name} {found.get(name)}"
            if isinstance(wanted, list) and isinstance(found.get(name), list):
                differ = sorted(set(wanted) ^ set(found[name])) or ["their order"]
                got = f"{len(found[name])} {name} that differ in {', '.join(differ)}"
            told = f"{len(wanted)} {name}" if isinstance(wanted, list) else f"{name} {wanted}"
            raise StaleArtefact(f"rows of {told}", got, "Run: python -m jobs features --fresh")
    return TrainingSet(**load_arrays(file))
