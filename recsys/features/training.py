"""The training rows: a log -> what was knowable at each impression, with its labels.

Reads ``Events`` in time order; produces ``TrainingSet``, a stretch of lists at a time. Honest by construction: the log
is walked once, and a list is described by what was known strictly before it was shown: counts, item vectors and readers
from the events before its time. ``leaks`` shows it on any log, by cutting the future off.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from recsys.events import Events
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS, NAMES
from recsys.features.blocks import Block, Blocks, blocks_of
from recsys.features.list_ids import all_history_ids, all_list_ids
from recsys.features.lists import Histories, Lists, Longs
from recsys.features.matrix import Tables
from recsys.features.rows import Matrix, Rows, joined
from recsys.features.walk import Walk
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig

TablesAt = Callable[[Events, int], Tables]
STRETCH = 16_384  # rows that are described before they are passed on


@dataclass(frozen=True)
class TrainingSet(Rows):
    """N rows of features with their labels, in the order of ``Lists``; ``impression`` numbers the lists from 0.

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
        dense = Rows.dense(np.zeros((0, len(NAMES)), np.float32), np.zeros(0, np.int8), np.zeros(0, np.int32))
        made = {field.name: getattr(dense, field.name) for field in fields(dense)}
        made |= {"ids": none[:, : len(CANDIDATE_FIELDS)], "context": none[:, : len(LIST_FIELDS)], "history": none}
        return cls(**made, time=np.zeros(0, np.int64), part=np.zeros(0, np.int8))

    def blocks(self) -> Blocks["TrainingSet"]:
        """The same, a block per part."""
        starts = np.flatnonzero(np.diff(self.part, prepend=-1)).tolist()
        pieces = [self.cut(start, stop) for start, stop in zip(starts, [*starts[1:], len(self)], strict=True)]
        told = [(int(piece.part[0]), int(piece.time.min()), int(piece.time.max())) for piece in pieces]
        facts = [Block(*blocks_of(piece).facts[0][:3], *one) for piece, one in zip(pieces, told, strict=True)]
        return Blocks(facts, pieces.__getitem__)

    def cut(self, start: int, stop: int) -> "TrainingSet":
        """The whole lists from row ``start`` to row ``stop``, numbered from 0."""
        first, last = (int(self.impression[start]), int(self.impression[stop - 1]) + 1) if start < stop else (0, 0)
        per_list = {"context": self.context[first:last], "history": self.history[first:last]}
        made = {field.name: getattr(self, field.name)[start:stop] for field in fields(self)} | per_list
        return TrainingSet(**made | {"impression": made["impression"] - np.int32(first)})


def stretches(
    events: Events,
    lists: Lists,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    session_gap_minutes: int = 30,
) -> Iterator[TrainingSet]:
    """Walk the log and describe every list by what was known before it, a stretch of lists at a time.

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
    walk = Walk(events, lists, trends_config, readers_config, session_gap_minutes)
    block = np.maximum(np.searchsorted(lists.refits, lists.time, side="right") - 1, 0)
    configs, at = (trends_config, readers_config), -1
    for first, last in _cuts(lists, block):
        if block[first] != at:
            at = int(block[first])
            tables = tables_at(events, int(lists.refits[at]))
            walk.trends.describe_articles(tables.category, tables.published)  # clicks are counted by category and age
            walk.advance(int(lists.refits[at]))
            walk.stand_on(tables)
        out = np.empty((lists.offsets[last] - lists.offsets[first], len(NAMES)), np.float32)
        walk.describe(first, last, out)
        yield _labelled(events, lists.cut(first, last), walk.histories.cut(first, last), tables, configs, out)


def build(
    events: Events,
    lists: Lists,
    tables_at: TablesAt,
    trends_config: TrendsConfig,
    readers_config: ReadersConfig,
    session_gap_minutes: int = 30,
) -> TrainingSet:
    """All of ``stretches`` at once."""
    made = list(stretches(events, lists, tables_at, trends_config, readers_config, session_gap_minutes))
    return joined(made) if made else TrainingSet.empty()


def _cuts(lists: Lists, block: Longs) -> Iterator[tuple[int, int]]:
    """Lists first:last of one part and one block, of about ``STRETCH`` rows."""
    new = np.flatnonzero((np.diff(block) != 0) | (np.diff(lists.part) != 0)) + 1
    for start, stop in zip([0, *new.tolist()], [*new.tolist(), len(lists)], strict=True):
        first = start
        while first < stop:
            last = int(np.searchsorted(lists.offsets, lists.offsets[first] + STRETCH))
            last = min(max(last, first + 1), stop)
            yield first, last
            first = last


def _labelled(
    events: Events,
    lists: Lists,
    known: Histories,
    tables: Tables,
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
        history=all_history_ids(ids[:, 0], known, configs[1].history),
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
    past = build(events.before(time), cut, tables_at, trends_config, readers_config, session_gap_minutes)
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
