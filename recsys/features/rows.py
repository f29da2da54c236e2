"""Rows: what a click model reads: dense columns, hashed ids of candidates and of lists, and what readers clicked.

Needs numpy alone, so that a machine which only trains can hold the same arrays as the service.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
R = TypeVar("R", bound="LabelledRows")

PER_LIST = ("context", "history")  # all other arrays have a row per candidate


@dataclass(frozen=True)
class CandidateRows:
    """N candidates of I lists; F columns, S ids of a candidate, C of a list, T last clicks of its reader.

    Attributes:
        matrix: float32 (N, F), columns as ``recsys.features.NAMES`` or as the model's own names.
        ids: int64 (N, S), hashed ids of a candidate, fields as ``CANDIDATE_FIELDS``; 0 for none.
        context: int64 (I, C), hashed ids of a list, fields as ``LIST_FIELDS``; 0 for none.
        history: int64 (I, T), hashed ids of the articles that the reader clicked before, newest first; 0 for none.
        impression: int32 (N,), each candidate's row of ``context`` and ``history``; does not fall.
    """

    matrix: Matrix
    ids: Ids
    context: Ids
    history: Ids
    impression: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.matrix)

    @classmethod
    def dense(cls, matrix: Matrix, impression: npt.NDArray[np.int32] | None = None) -> "CandidateRows":
        """Candidates without ids, context or history: S = C = T = 0.

        Args:
            matrix: float32 (N, F).
            impression: int32 (N,), does not fall; one list without it.
        """
        return CandidateRows(matrix, *_nothing(matrix, impression))

    def where(self, mask: Mask) -> Self:
        """The candidates of a mask, bool (N,); context and history stay whole, for ``impression`` to point into."""
        named = [field.name for field in fields(self) if field.name not in PER_LIST]
        cut: dict[str, Any] = {name: getattr(self, name)[mask] for name in named}
        return replace(self, **cut)


@dataclass(frozen=True)
class LabelledRows(CandidateRows):
    """Candidates with what was clicked.

    Attributes:
        label: int8 (N,), 1 = clicked, 0 = not.
        position: int16 (N,), place in the list that was shown, from 0; -1 for unknown.
    """

    label: npt.NDArray[np.int8]
    position: npt.NDArray[np.int16]

    @classmethod
    def dense(  # type: ignore[override]  # rows need labels, which candidates have not
        cls,
        matrix: Matrix,
        label: npt.NDArray[np.int8],
        impression: npt.NDArray[np.int32],
        position: npt.NDArray[np.int16] | None = None,
    ) -> "LabelledRows":
        """Rows without ids, context or history: S = C = T = 0.

        Args:
            matrix: float32 (N, F).
            label: int8 (N,).
            impression: int32 (N,), does not fall.
            position: int16 (N,); unknown without it.
        """
        if position is None:
            position = np.full(len(matrix), -1, np.int16)
        return LabelledRows(matrix, *_nothing(matrix, impression), label, position)

    def mixed(self) -> Mask:
        """The rows of lists with both labels, bool (N,): the others prefer nothing to nothing."""
        number = np.cumsum(np.diff(self.impression, prepend=self.impression[:1]) != 0)
        size = np.bincount(number)
        clicked = np.bincount(number, self.label, len(size))
        both: Mask = ((clicked > 0) & (clicked < size))[number]
        return both

    def informative(self) -> Self:
        """The rows of lists that hold both a clicked candidate and one that was not clicked."""
        both = self.mixed()
        return self if both.all() else self.where(both)


def concatenated(pieces: Sequence[R]) -> R:
    """Rows behind each other, the lists of each piece numbered on from those of the piece before it.

    Args:
        pieces: of one kind and with the same columns; at least one.
    """
    if len(pieces) == 1:
        return pieces[0]
    return concatenated_stream(pieces, sum(map(len, pieces)), sum(len(piece.context) for piece in pieces))


def concatenated_stream(pieces: Iterable[R], rows: int, lists: int) -> R:
    """The same of pieces that come one by one: there is never more than one of them beside what is made.

    Args:
        pieces: of one kind and with the same columns; at least one.
        rows: of all of them.
        lists: of all of them.
    """
    made: dict[str, Any] = {}
    row = number = 0
    for piece in pieces:
        for field in fields(piece):
            part, per_list = getattr(piece, field.name), field.name in PER_LIST
            out = made.setdefault(field.name, np.empty((lists if per_list else rows, *part.shape[1:]), part.dtype))
            start = number if per_list else row
            out[start : start + len(part)] = part + np.int32(number) if field.name == "impression" else part
        row, number, kind = row + len(piece), number + len(piece.context), type(piece)
    return kind(**made)


def _nothing(matrix: Matrix, impression: npt.NDArray[np.int32] | None) -> tuple[Ids, Ids, Ids, npt.NDArray[np.int32]]:
    """Ids, context and history of no field, and the lists' numbers."""
    if impression is None:
        impression = np.zeros(len(matrix), np.int32)
    lists = int(impression[-1]) + 1 if len(impression) else 0
    none = np.zeros((lists, 0), np.int64)
    return np.zeros((len(matrix), 0), np.int64), none, none, impression
