"""Copies of one text, and articles of one event: groups of rows, and in each the order of preference.

Reads leaders and the columns of the catalogue; produces the rows that have copies, group by group. The best copy that
may be shown stands for the others in a list: one of the site's own, else the newest, else the fullest. When it is
hidden or expires, the next one takes its place.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.tags.index import Rows


class GroupedRows(NamedTuple):
    """G rows that have copies.

    Attributes:
        rows: int32 (G,), group by group, the best of each first.
        leaders: int32 (G,), the label of each one's group, rising.
    """

    rows: Rows
    leaders: Rows

    def among(self, mask: npt.NDArray[np.bool_]) -> "GroupedRows":
        """Those of a mask, bool (A,)."""
        there = mask[self.rows]
        return GroupedRows(self.rows[there], self.leaders[there])

    def is_first(self) -> npt.NDArray[np.bool_]:
        """True for the best of each group: bool (G,)."""
        first = np.ones(len(self.rows), np.bool_)
        first[1:] = self.leaders[1:] != self.leaders[:-1]
        return first


class CopyGroups:
    """Groups of rows that are copies of one text; A rows.

    Args:
        published: int64 (A,), ms.
        own: bool (A,), the site's own articles.
        length: int32 (A,), characters of the body.
    """

    def __init__(
        self, published: npt.NDArray[np.int64], own: npt.NDArray[np.bool_], length: npt.NDArray[np.int32]
    ) -> None:
        self._published, self._own, self._length = published, own, length
        self._leader = np.arange(len(published), dtype=np.int32)
        self._size = np.ones(len(published), np.int32)  # rows by label
        self._grouped: GroupedRows | None = None

    def take_over(self, leader: Rows) -> None:
        """Say of the first rows of which row's text each is a copy: int32 (N,), its own where it is alone or first."""
        self._leader[: len(leader)] = leader
        self._size[:] = np.bincount(self._leader, minlength=len(self._leader))
        self._grouped = None

    def put(self, row: int, leader: int | None) -> None:
        """Say that a row's article has changed, and of which row's text it is a copy.

        Args:
            row: of the article.
            leader: row of the first copy, ``row`` when it is the first, or alone; None: as it was.
        """
        old = int(self._leader[row])
        if leader is not None and leader != old:
            self._leader[row] = leader
            self._size[old] -= 1
            self._size[leader] += 1
            self._grouped = None
        if self._size[self._leader[row]] > 1:
            self._grouped = None

    @property
    def labels(self) -> Rows:
        """The label of each row's group: int32 (A,), the row of the first of the group."""
        return self._leader

    @property
    def sizes(self) -> Rows:
        """The number of rows of each group, by its label: int32 (A,)."""
        return self._size

    def members(self, label: int) -> Rows:
        """The rows of a group of several, the best first: int32 (G,)."""
        grouped = self.grouped()
        first, end = np.searchsorted(grouped.leaders, (label, label + 1)).tolist()
        return grouped.rows[first:end]

    def leader_of(self, row: int) -> int:
        """The row of the first copy of a row's text; its own where it is alone or first."""
        return int(self._leader[row])

    def of(self, rows: Iterable[int]) -> list[int]:
        """Rows, and all copies of them."""
        wanted = np.array(list(rows), np.int64)
        grouped = self.grouped()
        copies = grouped.rows[np.isin(grouped.leaders, self._leader[wanted])]
        return [*wanted.tolist(), *copies.tolist()]

    def grouped(self) -> GroupedRows:
        """The rows that have copies."""
        if self._grouped is None:
            self._grouped = self._sorted(np.flatnonzero(self._size[self._leader] > 1).astype(np.int32))
        return self._grouped

    def one_of_each(self, rows: Rows, taken: Rows) -> Rows:
        """The first of each group among some rows, in their order, without the groups of ``taken``: int32 (≤ N,)."""
        labels = self._leader[rows]
        first = np.zeros(len(rows), np.bool_)
        first[np.unique(labels, return_index=True)[1]] = True
        if len(taken):
            first &= ~np.isin(labels, self._leader[taken])
        return rows[first]

    def best_of(self, rows: Rows) -> Rows:
        """The best of each text among some rows: int (N,), each once -> int32, rising."""
        grouped = self._sorted(rows)
        return np.sort(grouped.rows[grouped.is_first()]).astype(np.int32)

    def _sorted(self, rows: Rows) -> GroupedRows:
        leaders = self._leader[rows]
        order = np.lexsort((rows, -self._length[rows], -self._published[rows], ~self._own[rows], leaders))
        return GroupedRows(rows[order], leaders[order])
