"""What a model reads of candidates: their columns, and of the fields it was asked for the rows of its table.

Reads ``recsys.features.rows``; produces arrays for scoring and tensors of whole lists for training.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.config import CLICKED
from recsys.ctr.networks import Batch
from recsys.ctr.position import UNKNOWN, places
from recsys.ctr.vocabulary import Longs, Vocabulary
from recsys.errors import DegenerateInput
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS
from recsys.features.rows import CandidateRows, LabelledRows


class Reads(NamedTuple):
    """Which ids a model reads, as places among the candidates' own fields.

    Attributes:
        ids: of ``CANDIDATE_FIELDS``.
        context: of ``LIST_FIELDS``.
        history: whether it reads the last clicks.
    """

    ids: tuple[int, ...]
    context: tuple[int, ...]
    history: bool

    @classmethod
    def of(cls, fields: Sequence[str]) -> "Reads":
        """From ``ctr.fields``; their order does not matter, the article always comes first."""
        return cls(
            tuple(place for place, name in enumerate(CANDIDATE_FIELDS) if name in fields),
            tuple(place for place, name in enumerate(LIST_FIELDS) if name in fields),
            CLICKED in fields,
        )

    @property
    def any(self) -> bool:
        """Whether it reads ids at all."""
        return bool(self.ids or self.context or self.history)


class Hashed(NamedTuple):
    """Hashed ids of N candidates of I lists: int64 (N, S), (I, C), (I, T), the fields that are read alone."""

    ids: Longs
    context: Longs
    history: Longs


def chosen(candidates: CandidateRows, reads: Reads) -> Hashed:
    """The ids that are read.

    Raises:
        DegenerateInput: the candidates came without them.
    """
    wanted = (len(CANDIDATE_FIELDS) if reads.ids else 0, len(LIST_FIELDS) if reads.context else 0)
    held = (candidates.ids.shape[1], candidates.context.shape[1], candidates.history.shape[1])
    if any(n and m != n for n, m in zip((*wanted, HISTORY if reads.history else 0), held, strict=True)):
        got = f"{held[0]} ids of a candidate, {held[1]} of a list, {held[2]} last clicks"
        expected = (
            f"{wanted[0]} ids of a candidate, {wanted[1]} of a list, {HISTORY if reads.history else 0} last clicks"
        )
        raise DegenerateInput(expected, got, "Run: python -m jobs features ctr, or take them out of ctr.fields.")
    return Hashed(
        candidates.ids[:, list(reads.ids)],
        candidates.context[:, list(reads.context)],
        candidates.history if reads.history else candidates.history[:, :0],
    )


def all_ids(rows: LabelledRows, reads: Reads) -> Longs:
    """Every id that stands in rows to learn from: int64 (n,); lists that no row belongs to are left out."""
    hashed, lists = chosen(rows, reads), np.unique(rows.impression)
    return np.concatenate([hashed.ids.ravel(), hashed.context[lists].ravel(), hashed.history[lists].ravel()])


def batch_of(candidates: CandidateRows, reads: Reads, vocabulary: Vocabulary, dense: torch.Tensor) -> Batch:
    """What the network reads to score candidates; ``dense`` are their standardised columns."""
    hashed = chosen(candidates, reads)
    group = candidates.impression
    alone = len(group) > 0 and group[0] == group[-1]
    ids = vocabulary.rows(hashed.ids)
    context = vocabulary.rows(hashed.context[group[:1]]).repeat(len(group), 0) if alone else None
    context = vocabulary.rows(hashed.context)[group] if context is None else context
    history = vocabulary.rows(hashed.history[group[:1]]) if alone else vocabulary.rows(hashed.history)[group]
    return Batch(dense, torch.from_numpy(np.concatenate([ids, context], 1)), torch.from_numpy(history))


class Lists(NamedTuple):
    """L lists with N rows as tensors on the device, ids as rows of the table.

    Attributes:
        dense: float32 (N, F), as they are.
        ids: int64 (N, S).
        context: int64 (L, C).
        history: int64 (L, T).
        place: int64 (N,), rows of the position tower; None where no place is known.
        label: float32 (N,).
        clicks: float32 (L,), clicked rows of each list.
        start: int64 (L,), where each list's rows stand.
        size: int64 (L,).
        source: int64 (N,), which of the caller's rows each one is.
    """

    dense: torch.Tensor
    ids: torch.Tensor
    context: torch.Tensor
    history: torch.Tensor
    place: torch.Tensor | None
    label: torch.Tensor
    clicks: torch.Tensor
    start: torch.Tensor
    size: torch.Tensor
    source: torch.Tensor

    def to(self, device: str) -> "Lists":
        """The same on a device; from pinned memory while this thread goes on."""
        return self._each(lambda part: part.to(device, non_blocking=True))

    def pinned(self) -> "Lists":
        """The same in memory that a GPU copies from by itself."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Lists":
        parts: Any = (None if part is None else change(part) for part in self)
        return Lists(*parts)


class Drawn(NamedTuple):
    """Some lists of ``Lists``: their B rows, what the network reads of them, and each row's place among the lists."""

    rows: torch.Tensor
    ids: torch.Tensor
    history: torch.Tensor
    group: torch.Tensor
    lists: torch.Tensor


def lists_of(rows: LabelledRows, reads: Reads, vocabulary: Vocabulary, source: npt.NDArray[np.int64]) -> Lists:
    """The rows as tensors on the CPU."""
    shown, start, size = np.unique(rows.impression, return_index=True, return_counts=True)
    hashed = chosen(rows, reads)
    place = None if (rows.position == UNKNOWN).all() else places(rows.position)
    ids, context, history = hashed.ids, hashed.context[shown], hashed.history[shown]
    if reads.any:
        ids, context, history = vocabulary.rows(ids), vocabulary.rows(context), vocabulary.rows(history)
    dense, label = np.ascontiguousarray(rows.matrix), rows.label.astype(np.float32)
    clicks = np.add.reduceat(label, start) if len(start) else label
    arrays = (dense, ids, context, history, place, label, clicks, start, size, source)
    parts: Any = (None if array is None else torch.from_numpy(array) for array in arrays)
    return Lists(*parts)


def draw(lists: Lists, numbers: torch.Tensor) -> Drawn:
    """The rows of the lists of some numbers, int64 (n,), one list behind the other."""
    size, n = lists.size[numbers], len(numbers)
    group = torch.repeat_interleave(torch.arange(n, device=size.device), size)  # (B,)
    ahead = torch.cumsum(size, 0) - size
    rows = torch.arange(len(group), device=size.device) + (lists.start[numbers] - ahead)[group]
    if not (lists.ids.shape[1] or lists.context.shape[1] or lists.history.shape[1]):
        nothing = lists.ids[:0].expand(0, 0)
        return Drawn(rows, nothing, nothing, group, numbers)
    ids = torch.cat([lists.ids[rows], lists.context[numbers][group]], 1)
    return Drawn(rows, ids, lists.history[numbers][group], group, numbers)
