"""The vocabulary: hashed ids <-> rows of the embedding table.

It grows by the ids of each training and forgets those that were in none for long, whose rows go to new ids: news
articles come and go, and the table must not grow for ever. Row 0 stands for whatever has no row.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.errors import CorruptArtefact

Longs = npt.NDArray[np.int64]

DAY_MS = 86_400_000
NONE = 0  # of an id: there is none; of a row: unknown


class Vocabulary(NamedTuple):
    """Which id owns which row of the table.

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
    def of(cls, hashes: Longs, seen: Longs) -> "Vocabulary":
        """A vocabulary from its two columns."""
        return cls(hashes, seen, np.argsort(hashes, kind="stable"))

    @classmethod
    def empty(cls) -> "Vocabulary":
        """A vocabulary of row 0 alone."""
        return cls.of(np.zeros(1, np.int64), np.zeros(1, np.int64))

    def rows(self, ids: Longs) -> Longs:
        """The rows of hashed ids: int64 (...) -> int64 (...), 0 for an id that has none."""
        place = np.minimum(np.searchsorted(self.hashes, ids, sorter=self.order), len(self) - 1)
        row = self.order[place]
        return np.where((self.hashes[row] == ids) & (ids != NONE), row, NONE)

    def grown(
        self, ids: Longs, times: Longs | None = None, *, day: int, min_seen: int, expire_days: int
    ) -> tuple["Vocabulary", Longs]:
        """Forget what was not seen for long, and take up what is new.

        Args:
            ids: int64 (n,), hashed ids of the rows to learn from; 0 for none.
            times: int64 (n,), how often each of them stands there; without it, once.
            day: of these rows, since 1970.
            min_seen: times that a new id must stand there; a rarer one is left to row 0.
            expire_days: an id that no training of so many days held is forgotten.

        Returns:
            The vocabulary, whose known ids keep their rows, and the rows that have another owner than before, int64.
        """
        found, place = np.unique(ids, return_inverse=True)
        often = np.bincount(place, times, len(found))[found != NONE]
        found = found[found != NONE]
        hashes, seen = self.hashes.copy(), self.seen.copy()
        known = self.rows(found)
        seen[known[known > 0]] = day
        old = (hashes != NONE) & (day - seen > expire_days)
        hashes[old] = NONE
        new = found[(known == 0) & (often >= min_seen)]
        free = np.flatnonzero(hashes[1:] == NONE) + 1
        more = max(0, len(new) - len(free))
        place = np.append(free[: len(new)], np.arange(len(hashes), len(hashes) + more))
        hashes, seen = np.append(hashes, np.zeros(more, np.int64)), np.append(seen, np.zeros(more, np.int64))
        hashes[place], seen[place] = new, day
        return Vocabulary.of(hashes, seen), place

    def save(self, file: Path) -> None:
        """Write the ids and days as one array, int64 (V, 2)."""
        np.save(file, np.column_stack([self.hashes, self.seen]), allow_pickle=False)

    @classmethod
    def load(cls, file: Path) -> "Vocabulary":
        """Read what ``save`` wrote.

        Raises:
            CorruptArtefact: it is no vocabulary.
        """
        try:
            table = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise CorruptArtefact(f"a vocabulary in {file}", str(error), "Run: python -m jobs ctr --fresh") from None
        owned = table[:, 0][table[:, 0] != NONE] if table.ndim == 2 and table.shape[1] == 2 else table
        if table.ndim != 2 or table.dtype != np.int64 or not len(table) or len(np.unique(owned)) < len(owned):
            got = f"{table.dtype} {table.shape}, or an id with two rows"
            raise CorruptArtefact(f"ids and days, int64 (V, 2), in {file}", got, "Run: python -m jobs ctr --fresh")
        return cls.of(np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]))
