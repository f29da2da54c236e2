"""Training rows: a log -> the columns and ids of each impression as they were known at its moment, with its labels.

Reads ``Events`` in time order; produces ``TrainingSet``, a chunk of lists at a time. Honest by construction: the log
is replayed once, and a list is described by what was known strictly before it was shown: counts, item vectors and
readers from the events before its time. ``leaking_columns`` shows it on any log, by cutting the future off.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.dataset.chunks import Chunks, chunks_of
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.dataset.replay import LogReplay
from recsys.events import Events
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS, NAMES
from recsys.features.ids import list_ids
from recsys.features.matrix import ArticleTables
from recsys.features.rows import Ids, LabelledRows, Matrix, concatenated
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.units import HOUR_MS, NO_ID

READER, CONTEXT, MOMENT, SLOT = slice(0, 1), slice(1, 5), slice(5, 7), slice(7, 8)  # of LIST_FIELDS
TablesAt = Callable[[Events, int], ArticleTables]
CHUNK_ROWS = 16_384  # rows that are described before they are passed on


@dataclass(frozen=True)
class TrainingSet(LabelledRows):
    """N rows of features with their labels, in the order of ``Impressions``; ``impression`` numbers the lists from 0.

    Attributes:
        time: int64 (N,), ms, when the row's list was shown.
        part: int8 (N,), FIT, VALIDATION or HOLDOUT.
    """

    time: Longs
    part: npt.NDArray[np.int8]

    @classmethod
    def empty(cls) -> "TrainingSet":
        """No row."""
        none = np.zeros((0, HISTORY), np.int64)
        dense = LabelledRows.dense(np.zeros((0, len(NAMES)), np.float32), np.zeros(0, np.int8), np.zeros(0, np.int32))
        made = {field.name: getattr(dense, field.name) for field in fields(dense)}
        made |= {"ids": none[:, : len(CANDIDATE_FIELDS)], "context": none[:, : len(LIST_FIELDS)], "history": none}
        return cls(**made, time=np.zeros(0, np.int64), part=np.zeros(0, np.int8))

    def chunks(self) -> Chunks["TrainingSet"]:
        """The same, a chunk per part."""
        starts = np.flatnonzero(np.diff(self.part, prepend=-1)).tolist()
        pieces = [self.cut(start, stop) for start, stop in zip(starts, [*starts[1:], len(self)], strict=True)]
        statistics = [
            chunks_of(piece)
            .statistics[0]
            ._replace(part=int(piece.part[0]), since=int(piece.time.min()), until=int(piece.time.max()))
            for piece in pieces
        ]
        return Chunks(statistics, pieces.__getitem__)

    def cut(self, start: int, stop: int) -> "TrainingSet":
        """The whole lists from row ``start`` to row ``stop``, numbered from 0."""
        first, last = (int(self.impression[start]), int(self.impression[stop - 1]) + 1) if start < stop else (0, 0)
        per_list = {"context": self.context[first:last], "history": self.history[first:last]}
        made = {field.name: getattr(self, field.name)[start:stop] for field in fields(self)} | per_list
        return TrainingSet(**made | {"impression": made["impression"] - np.int32(first)})


def training_chunks(
    events: Events,
    lists: Impressions,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    session_gap_minutes: int = 30,
) -> Iterator[TrainingSet]:
    """Replay the log and describe every list by what was known before it, a chunk of lists at a time.

    Args:
        events: the log; article rows as in the tables.
        lists: see ``lists_of``.
        tables_at: gives the tables as they were known strictly before a time, from a log; item vectors that can learn
            are taught every click from then on.
        trends_config: half-lives.
        readers_config: history.
        session_gap_minutes: the longest pause inside a visit.

    Yields:
        Whole lists of one part, numbered from 0.
    """
    block = blocks_of(lists)
    configs, at, replay = (trends_config, readers_config), -1, None
    for first, last in _cuts(lists, block):
        if block[first] != at or replay is None:
            at = int(block[first])
            tables = tables_at(events, int(lists.refits[at]))
            replay = replay or LogReplay(
                events, lists, *configs, session_gap_minutes, article_vectors=tables.article_vectors
            )
            replay.trends.describe_articles(tables.category, tables.published)  # clicks are counted by category and age
            replay.apply_until(int(lists.refits[at]))
            replay.use_tables(tables)
        out = np.empty((lists.offsets[last] - lists.offsets[first], len(NAMES)), np.float32)
        replay.describe(first, last, out)
        yield _labelled(events, lists.cut(first, last), replay.histories.cut(first, last), tables, configs, out)


def blocks_of(lists: Impressions) -> Longs:
    """The block of time of each list, int64 (I,), a row of ``lists.refits``; none falls."""
    block: Longs = np.maximum(np.searchsorted(lists.refits, lists.time, side="right") - 1, 0)
    return block


def block_starts(lists: Impressions) -> list[int]:
    """The times, ms, for which ``training_chunks`` asks for tables, in order."""
    starts: list[int] = lists.refits[np.unique(blocks_of(lists))].tolist()
    return starts


def build_training_set(
    events: Events,
    lists: Impressions,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    session_gap_minutes: int = 30,
) -> TrainingSet:
    """All of ``training_chunks`` at once."""
    chunks = list(training_chunks(events, lists, tables_at, trends_config, readers_config, session_gap_minutes))
    return concatenated(chunks) if chunks else TrainingSet.empty()


def _cuts(lists: Impressions, block: Longs) -> Iterator[tuple[int, int]]:
    """Lists first:last of one part and one block, of about ``CHUNK_ROWS`` rows."""
    new = np.flatnonzero((np.diff(block) != 0) | (np.diff(lists.part) != 0)) + 1
    for start, stop in zip([0, *new.tolist()], [*new.tolist(), len(lists)], strict=True):
        first = start
        while first < stop:
            last = int(np.searchsorted(lists.offsets, lists.offsets[first] + CHUNK_ROWS))
            last = min(max(last, first + 1), stop)
            yield first, last
            first = last


def _labelled(
    events: Events,
    lists: Impressions,
    known: ClickHistories,
    tables: ArticleTables,
    configs: tuple[TrendsConfig, ReadersConfig],
    out: Matrix,
) -> TrainingSet:
    """Rows with all that belongs to them."""
    number = np.repeat(np.arange(len(lists), dtype=np.int32), np.diff(lists.offsets))
    every = np.arange(len(events.article_ids), dtype=np.int32)
    ids = tables.ids_of(every)
    return TrainingSet(
        matrix=out,
        ids=ids[lists.article],
        context=all_list_ids(events, lists, known, configs[0].context),
        history=all_history_ids(ids[:, 0], known, configs[1].max_history),
        impression=number,
        label=lists.label,
        position=lists.position if len(lists.position) else np.full(len(number), -1, np.int16),
        time=lists.time[number],
        part=lists.part[number],
    )


def all_list_ids(events: Events, lists: Impressions, known: ClickHistories, names: Sequence[str]) -> Ids:
    """``list_ids`` of every list in a log: int64 (I, C).

    Args:
        events: the log.
        lists: I lists of it.
        known: what their readers had clicked.
        names: see ``list_ids``.
    """
    reader = np.where(lists.reader < len(events.reader_ids), lists.reader, -1)
    context = np.full(len(lists), -1, np.int64)
    clicked = known.last > known.first
    if len(events.context):
        context[clicked] = events.context[known.clicks.event[known.last[clicked] - 1]]
    hour = lists.time // HOUR_MS % (24 * 7)
    slot = lists.slot if len(lists.slot) else np.full(len(lists), -1, np.int32)
    parts: tuple[tuple[slice, npt.NDArray[Any], Callable[[int], Ids]], ...] = (
        (READER, reader, lambda row: list_ids(events.reader_ids[row], None, (), 0, None)),
        (CONTEXT, context, lambda row: list_ids(None, events.contexts[row], names, 0, None)),
        (MOMENT, hour, lambda row: list_ids(None, None, (), row * HOUR_MS, None)),
        (SLOT, slot, lambda row: list_ids(None, None, (), 0, events.slots[row])),
    )
    out = np.zeros((len(lists), len(LIST_FIELDS)), np.int64)
    for columns, rows, ids_of in parts:
        values, where = np.unique(rows, return_inverse=True)  # each text is hashed once
        hashed = np.zeros((len(values), len(LIST_FIELDS)), np.int64)
        for place, row in enumerate(values.tolist()):
            if row >= 0:
                hashed[place] = ids_of(row)
        out[:, columns] = hashed[where, columns]
    return out


def all_history_ids(articles: Ids, known: ClickHistories, kept: int) -> Ids:
    """``history_ids`` of every list in a log: int64 (I, T).

    Args:
        articles: int64 (A,), hashed ids of the field "article".
        known: what the readers of I lists had clicked.
        kept: clicks that are remembered of a reader, see ``readers.max_history``.
    """
    places = known.last[:, None] - 1 - np.arange(min(HISTORY, kept))  # (I, T')
    there = places >= known.first[:, None]
    out = np.zeros((len(known.last), HISTORY), np.int64)
    if len(known.clicks.article):
        out[:, : places.shape[1]] = np.where(there, articles[known.clicks.article[np.maximum(places, 0)]], NO_ID)
    return out


def leaking_columns(
    events: Events,
    lists: Impressions,
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
    past = build_training_set(events.before(time), cut, tables_at, trends_config, readers_config, session_gap_minutes)
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
