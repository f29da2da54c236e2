"""Identifiers: article id -> row, and row -> article id, over a release's table and what came after it.

Reads the hashed names of a release, sorted and mapped from its file, so that a million of them cost no memory of a
worker's own; produces rows. An article is found, too, by the id that is made from its address.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.catalogue.blobs import Blobs
from recsys.hashing import hashed
from recsys.units import UNKNOWN_ROW

_REMEMBERED = 16_384  # rows of a release that were looked up last: 2 MB
_FIELD = "article"  # of the hash; the click model knows articles by the same numbers


class RowLookup(Protocol):
    """Article id -> row, as far as it is looked up: a dictionary is one, too."""

    def __getitem__(self, article_id: str, /) -> int: ...

    def __contains__(self, article_id: object, /) -> bool: ...

    def get(self, article_id: str, default: int, /) -> int:
        """The row of an article, ``default`` for one that is unknown."""


class RowsById:
    """Rows by identifier.

    Args:
        names: int64 (N,), hashed identifiers, rising.
        rows: int32 (N,), of each.
    """

    def __init__(self, names: npt.NDArray[np.int64] | None = None, rows: npt.NDArray[np.int32] | None = None) -> None:
        self._names = (np.empty(0, np.int64) if names is None else names).data
        self._rows = (np.empty(0, np.int32) if rows is None else rows).data
        self._late: dict[str, int] = {}
        self._recent, self._before = dict[str, int](), dict[str, int]()  # rows of the release that were looked up

    @overload
    def get(self, article_id: str) -> int | None: ...

    @overload
    def get(self, article_id: str, default: int) -> int: ...

    def get(self, article_id: str, default: int | None = None) -> int | None:
        """The row of an article, ``default`` for one that is unknown."""
        row = self._late.get(article_id)
        if row is None:
            row = self._recent.get(article_id)
            if row is None:
                row = self._looked_up(article_id)
        return default if row == UNKNOWN_ROW else row

    def _looked_up(self, article_id: str) -> int:
        """The row in the release, kept until as many others were asked for: of those asked for often for long."""
        row = self._before.get(article_id)
        if row is None:
            row = _look_up(self._names, self._rows, article_id)
        if len(self._recent) >= _REMEMBERED:
            self._recent, self._before = {}, self._recent
        self._recent[article_id] = row
        return row

    def __getitem__(self, article_id: str) -> int:
        row = self.get(article_id)
        if row is None:
            raise KeyError(article_id)
        return row

    def __setitem__(self, article_id: str, row: int) -> None:
        self._late[article_id] = row

    def __contains__(self, article_id: object) -> bool:
        return isinstance(article_id, str) and self.get(article_id) is not None


def _look_up(names: memoryview, rows: memoryview, article_id: str) -> int:
    """The row of an article in a release's table, UNKNOWN_ROW without one."""
    name = hashed(_FIELD, article_id)
    place = bisect_left(names, name)
    return rows[place] if place < len(names) and names[place] == name else UNKNOWN_ROW


class ArticleIds(Sequence[str]):
    """Identifiers by row: those of a release, then those that came after it."""

    def __init__(self, released: pa.Array | None = None) -> None:
        """Identifiers of a release.

        Args:
            released: Arrow strings (A,); none without it.
        """
        self._released = pa.array([], pa.large_string()) if released is None else released
        self._first, self._bytes = len(self._released), Blobs(self._released)
        self._recent: dict[int, str] = {}
        self._late: list[str] = []

    def append(self, article_id: str) -> None:
        """Give the next row to an article."""
        self._late.append(article_id)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> list[str]: ...

    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[one] for one in range(len(self))[row]]
        row = row + len(self) if row < 0 else row
        if row >= self._first:
            return self._late[row - self._first]
        recent = self._recent.get(row)
        if recent is None:
            if len(self._recent) >= _REMEMBERED:
                self._recent.clear()
            recent = self._recent[row] = (self._bytes[row] or b"").decode()
        return recent

    def of(self, rows: Iterable[int]) -> list[str]:
        """The identifiers of some rows, from 0."""
        recent = self._recent
        return [recent.get(row) or self[row] for row in rows]

    def __len__(self) -> int:
        return self._first + len(self._late)

    def __iter__(self) -> Iterator[str]:
        yield from self._released.to_pylist()
        yield from self._late


def hashed_names(rows: dict[str, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Identifiers with their rows as ``RowsById`` reads them: int64 (N,), rising, and int32 (N,).

    Of two identifiers with one number, which is to be expected among four thousand million, one alone is found.
    """
    names = np.fromiter((hashed(_FIELD, name) for name in rows), np.int64, len(rows))
    order = np.argsort(names, kind="stable")
    return names[order], np.fromiter(rows.values(), np.int32, len(rows))[order]
