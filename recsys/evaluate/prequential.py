"""Prequential evaluation, test then train: a log scored in time order by models that learn from its past hour by hour.

Reads a replay (counts, item vectors and readers as of each list) and the lists of the log; produces scores of every
candidate by models that had learned only from clicks that had happened by then, and the lists that the recommender
itself would have served. Memory is bounded by the lists of one refit, however long the log is.

Source: Dawid 1984 (prequential analysis); Gama, Sebastião and Rodrigues 2013 (evaluation of stream learning).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.ctr.trainer import OnlineTrainer
from recsys.dataset.impressions import Impressions
from recsys.dataset.replay import LogReplay
from recsys.features import COLUMN, NAMES
from recsys.features.rows import CandidateRows, LabelledRows, Matrix
from recsys.units import MINUTE_MS

Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]

CHUNK = 2_048  # lists described at once: some 26 MB with 51 candidates each


@dataclass(frozen=True)
class RefitSchedule:
    """Schedule by which a click model learns along a log.

    Attributes:
        refit_minutes: of log time between two refits.
        first_refit_hours: of log time before the first, so that the columns are scaled by more than one hour's values.
        memory_refits: refits whose lists are learned from again at each, the last ones.
        max_lists: lists of one refit that teach, at most, drawn at random.
        max_negatives: candidates without a click that teach, of each list, drawn at random.
    """

    refit_minutes: float = 60.0
    first_refit_hours: float = 6.0
    memory_refits: int = 3
    max_lists: int = 4_000
    max_negatives: int = 20


@dataclass(frozen=True)
class PrequentialModel:
    """A model that takes part in a replay.

    Attributes:
        learner: what learns and scores; None: the first of its columns is the score as it stands.
        columns: the features that it may see, a subset of ``NAMES``.
        sees_extra: whether it learns from the extra candidates, too.
        is_scored: whether it scores the lists; one that only serves does not.
    """

    learner: OnlineTrainer | None
    columns: tuple[str, ...] = NAMES
    sees_extra: bool = False
    is_scored: bool = True

    @property
    def reads_ids(self) -> bool:
        """False: ids of articles are gone before they are learned."""
        return False

    @property
    def ready(self) -> bool:
        """True once it can score."""
        return self.learner is None or self.learner.ready

    def raw(self, candidates: CandidateRows) -> Scores:
        """Scores of candidates described by all columns: N candidates -> float32 (N,)."""
        own = self.rows(candidates.matrix)
        return own[:, 0].copy() if self.learner is None else self.learner.raw(CandidateRows.dense(own))

    def rows(self, matrix: Matrix) -> Matrix:
        """Its own columns: float32 (B, F) -> (B, F')."""
        return matrix if self.columns == NAMES else matrix[:, [COLUMN[name] for name in self.columns]]


class ScoredImpressions(NamedTuple):
    """Scores of the candidates of the lists start:stop by one model: float32 (n,)."""

    name: str
    start: int
    stop: int
    scores: Scores


def prequential_scores(
    replay: LogReplay,
    lists: Impressions,
    models: Mapping[str, PrequentialModel],
    schedule: RefitSchedule,
    *,
    seed: int,
    score_from: int = 0,
    serve: Callable[[int], None] | None = None,
    served: Mask | None = None,
    extra: Mask | None = None,
) -> Iterator[ScoredImpressions]:
    """Score every list by models that have learned from the clicks before it only.

    A list teaches at the first refit after all its clicks: one that is clicked after the refit would tell the model of
    a click that had not happened.

    Args:
        replay: of the same log and lists, before the first list.
        lists: in time order.
        models: name -> model; all learn from the same lists.
        schedule: when and from how many lists they learn.
        seed: of the lists and candidates that teach.
        score_from: number of the first list that is scored; those before it only teach.
        serve: called with the number of a list when everything stands as it did when the list was shown.
        served: bool (I,), the lists for which it is called.
        extra: bool (N,), candidates that only teach, and only those models that see them.

    Yields:
        The scores of each model for one stretch of lists after the other, from the first that it could score.
    """
    trainer = PrequentialTrainer(lists, models, schedule, seed, extra)
    chunks = list(_chunks(lists, schedule, served))
    with ThreadPoolExecutor(1) as ahead:  # describes the next stretch while this one is scored
        waiting = ahead.submit(_described, replay, lists, *chunks[0]) if chunks else None
        for place, (start, stop) in enumerate(chunks):
            trainer.refit(int(lists.time[start]))
            matrix = waiting.result() if waiting is not None else _described(replay, lists, start, stop)
            following = chunks[place + 1] if place + 1 < len(chunks) else None
            alone = served is not None and (served[start] or (following is not None and served[following[0]]))
            waiting = None if alone or following is None else ahead.submit(_described, replay, lists, *following)
            if start >= score_from:
                for name, model in models.items():
                    if model.is_scored and model.ready:
                        yield ScoredImpressions(name, start, stop, model.raw(CandidateRows.dense(matrix)))
            if serve is not None and served is not None and served[start]:
                serve(start)
            trainer.note(start, stop, matrix)


def _described(replay: LogReplay, lists: Impressions, start: int, stop: int) -> Matrix:
    matrix = np.empty((lists.offsets[stop] - lists.offsets[start], len(NAMES)), np.float32)
    replay.describe(start, stop, matrix)
    return matrix


def _chunks(lists: Impressions, schedule: RefitSchedule, served: Mask | None) -> Iterable[tuple[int, int]]:
    """Stretches of lists within one refit interval, at most ``CHUNK`` long; a served list is one of its own."""
    if not len(lists):
        return
    interval = (lists.time - lists.time[0]) // int(schedule.refit_minutes * MINUTE_MS)
    alone = np.zeros(len(lists), bool) if served is None else served
    new = np.ones(len(lists), bool)
    new[1:] = (np.diff(interval) != 0) | alone[1:] | alone[:-1]
    bounds = np.append(np.flatnonzero(new), len(lists))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        for at in range(start, stop, CHUNK):
            yield at, min(at + CHUNK, stop)


class PrequentialTrainer:
    """Lists that the models have not learned from yet, and the moments at which they do."""

    def __init__(
        self,
        lists: Impressions,
        models: Mapping[str, PrequentialModel],
        schedule: RefitSchedule,
        seed: int,
        extra: Mask | None = None,
    ) -> None:
        self._lists, self._models, self._schedule = lists, models, schedule
        self._extra = np.zeros(len(lists.article), bool) if extra is None else extra
        self._rng = np.random.default_rng(seed)
        self._pending: list[
            tuple[LabelledRows, Mask, Longs]
        ] = []  # rows, which are extra, when each one's list was decided
        self._learned: list[tuple[LabelledRows, Mask]] = []  # of the last refits, the oldest first
        self._interval = -1

    def note(self, start: int, stop: int, matrix: Matrix) -> None:
        """Keep what the lists start:stop may teach: the clicked candidates and some of the others."""
        lists = self._lists
        first, last = lists.offsets[start], lists.offsets[stop]
        number = np.repeat(np.arange(start, stop), np.diff(lists.offsets[start : stop + 1]))
        low, high = np.searchsorted(lists.clicked, [first, last])
        clicked = np.zeros(len(number), np.bool_)
        clicked[lists.clicked[low:high] - first] = True
        decided = np.full(stop - start, -1, np.int64)
        np.maximum.at(decided, number[clicked] - start, lists.clicked_at[low:high])
        extra = self._extra[first:last]
        order = np.lexsort((self._rng.random(len(number)) - clicked + extra, number))
        place = np.arange(len(number)) - (lists.offsets[number] - first)
        kept = np.sort(order[(place < self._schedule.max_negatives + 1) | extra[order]])
        kept = kept[decided[number[kept] - start] >= 0]
        rows = LabelledRows.dense(matrix[kept], clicked[kept].astype(np.int8), number[kept].astype(np.int32))
        self._pending.append((rows, extra[kept], decided[number[kept] - start]))

    def refit(self, now: int) -> None:
        """Let every model learn from what was decided before ``now`` (ms), once per interval."""
        interval = (now - int(self._lists.time[0])) // int(self._schedule.refit_minutes * MINUTE_MS)
        early = now - int(self._lists.time[0]) < self._schedule.first_refit_hours * 60 * MINUTE_MS
        if interval == self._interval or early or not self._pending:
            return
        self._interval = interval
        rows = _joined([rows for rows, _, _ in self._pending])
        extra = np.concatenate([mask for _, mask, _ in self._pending])
        decided = np.concatenate([at for _, _, at in self._pending])
        known = decided < now
        self._pending = [(rows.where(~known), extra[~known], decided[~known])]
        some = known & self._some(rows.where(known), rows)
        self._learned = [*self._learned, (rows.where(some), extra[some])][-self._schedule.memory_refits :]
        told, extra = _joined([one for one, _ in self._learned]), np.concatenate([mask for _, mask in self._learned])
        if not len(told.informative()):
            return
        plain = told.where(~extra) if extra.any() else told
        for model in self._models.values():
            if model.learner is not None:
                rows = told if model.sees_extra else plain
                model.learner.learn(LabelledRows.dense(model.rows(rows.matrix), rows.label, rows.impression))

    def _some(self, known: LabelledRows, rows: LabelledRows) -> Mask:
        """The rows of at most ``max_lists`` of the known lists, drawn at random."""
        numbers = np.unique(known.impression)
        if len(numbers) > self._schedule.max_lists:
            numbers = self._rng.choice(numbers, self._schedule.max_lists, replace=False)
        return np.isin(rows.impression, numbers)


def _joined(parts: list[LabelledRows]) -> LabelledRows:
    return LabelledRows.dense(
        np.concatenate([part.matrix for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.impression for part in parts]),
    )
