"""The ids that a click model reads: hashed ids of chosen fields -> rows of its one embedding table.

Reads ``recsys.features.rows``; produces rows, and reads and writes ``vocabulary.npy``. With NumPy alone: training and
scoring share it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.ctr.config import HISTORY_FIELD
from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS
from recsys.features.rows import CandidateRows
from recsys.units import NO_ID

Longs = npt.NDArray[np.int64]

PADDING_ROW = 0  # of the embedding table, for an id that has no row; it is zero and is never learned


class IdFields(NamedTuple):
    """The id fields that a model reads, as columns of the candidates' own arrays.

    Attributes:
        ids: columns of ``CANDIDATE_FIELDS``.
        context: columns of ``LIST_FIELDS``.
        history: whether it reads the last clicks.
    """

    ids: tuple[int, ...]
    context: tuple[int, ...]
    history: bool

    @classmethod
    def of(cls, fields: Sequence[str]) -> "IdFields":
        """The fields of ``ctr.fields``; their order does not matter, the article always comes first."""
        return cls(
            tuple(column for column, name in enumerate(CANDIDATE_FIELDS) if name in fields),
            tuple(column for column, name in enumerate(LIST_FIELDS) if name in fields),
            HISTORY_FIELD in fields,
        )

    @property
    def any(self) -> bool:
        """True if the model reads ids at all."""
        return bool(self.ids or self.context or self.history)

    def select(self, candidates: CandidateRows) -> "HashedIds":
        """The hashed ids of these fields.

        Raises:
            DegenerateInput: the candidates came without them.
        """
        fields = (len(CANDIDATE_FIELDS) if self.ids else 0, len(LIST_FIELDS) if self.context else 0)
        needed = (*fields, HISTORY if self.history else 0)
        given = (candidates.ids.shape[1], candidates.context.shape[1], candidates.history.shape[1])
        if any(n and m != n for n, m in zip(needed, given, strict=True)):
            expected, got = (
                f"{ids} ids of a candidate, {context} of a list, {clicks} last clicks"
                for ids, context, clicks in (needed, given)
            )
            raise DegenerateInput(expected, got, "Run: python -m jobs features ctr, or take them out of ctr.fields.")
        return HashedIds(
            candidates.ids[:, list(self.ids)],
            candidates.context[:, list(self.context)],
            candidates.history if self.history else candidates.history[:, :0],
        )


class HashedIds(NamedTuple):
    """Hashed ids of N candidates of I impressions: int64 (N, S), (I, C), (I, T), of the fields that are read alone."""

    ids: Longs
    context: Longs
    history: Longs


class IdVocabulary(NamedTuple):
    """The owners of the embedding table's rows. Row 0 stands for whatever has no row.

    Attributes:
        hashes: int64 (V,), the id of each row; 0 for row 0 and for rows that wait for a new id.
        seen: int64 (V,), the day (since 1970) of the last training whose rows held the id.
        order: int64 (V,), rows sorted by their id.
    """

    hashes: Longs
    seen: Longs
    order: Longs

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of(cls, hashes: Longs, seen: Longs) -> "IdVocabulary":
        """A vocabulary from its two columns."""
        return cls(hashes, seen, np.argsort(hashes, kind="stable"))

    @classmethod
    def empty(cls) -> "IdVocabulary":
        """A vocabulary of row 0 alone."""
        return cls.of(np.zeros(1, np.int64), np.zeros(1, np.int64))

    def rows(self, ids: Longs) -> Longs:
        """The rows of hashed ids: int64 (...) -> int64 (...), 0 for an id that has none."""
        nearest = np.minimum(np.searchsorted(self.hashes, ids, sorter=self.order), len(self) - 1)
        row = self.order[nearest]
        return np.where((self.hashes[row] == ids) & (ids != NO_ID), row, PADDING_ROW)

    def save(self, file: Path) -> None:
        """Write the ids and days as one array, int64 (V, 2)."""
        np.save(file, np.column_stack([self.hashes, self.seen]), allow_pickle=False)

    @classmethod
    def load(cls, file: Path) -> "IdVocabulary":
        """Read what ``save`` wrote.

        Raises:
            CorruptArtefact: it is no vocabulary.
        """
        try:
            table = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise CorruptArtefact(f"a vocabulary in {file}", str(error), "Run: python -m jobs ctr --fresh") from None
        owned = table[:, 0][table[:, 0] != NO_ID] if table.ndim == 2 and table.shape[1] == 2 else table
        if table.ndim != 2 or table.dtype != np.int64 or not len(table) or len(np.unique(owned)) < len(owned):
            got = f"{table.dtype} {table.shape}, or an id with two rows"
            raise CorruptArtefact(f"ids and days, int64 (V, 2), in {file}", got, "Run: python -m jobs ctr --fresh")
        return cls.of(np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]))


class IdEncoder(NamedTuple):
    """The encoding of a model: the id fields that it reads, and the vocabulary that gives them rows."""

    fields: IdFields
    vocabulary: IdVocabulary

    def rows(self, candidates: CandidateRows) -> "IdRows":
        """The rows of the table of candidates to score.

        Raises:
            DegenerateInput: the candidates came without ids that are read.
        """
        hashed, group, rows = self.fields.select(candidates), candidates.impression, self.vocabulary.rows
        if len(group) > 0 and group[0] == group[-1]:  # one impression: its ids are looked up once
            context, history = rows(hashed.context[group[:1]]).repeat(len(group), 0), rows(hashed.history[group[:1]])
        else:
            context, history = rows(hashed.context)[group], rows(hashed.history)[group]
        return IdRows(np.concatenate([rows(hashed.ids), context], 1), history)


class IdRows(NamedTuple):
    """Rows of the embedding table of B candidates.

    Attributes:
        ids: int64 (B, S + C).
        history: int64 (B, T); (1, T) where all candidates are one list's.
    """

    ids: Longs
    history: Longs
