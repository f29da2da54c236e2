"""Copies of one text, and articles of one event: groups of rows, and in each the order of preference.

Reads leaders and the columns of the catalogue; produces the rows that have copies, group by group. The best copy that
may be shown stands for the others in a list: one of the site's own, else the newest, else the fullest. When it is
hidden or expires, the next one takes its place.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.tags.index import Rows
from recsys.units import UNKNOWN_ROW

_SPREAD = 2_654_435_761  # Knuth's multiplier: neighbouring rows stand apart in a table


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


class Groups(NamedTuple):
    """Groups of A rows at one moment; when a row changes its group, another one takes the place of this.

    Attributes:
        labels: int32 (A,), the row after which each one's group is named.
        sizes: int32 (A,), rows by label.
    """

    labels: Rows
    sizes: Rows


class CopyGroups:
    """Groups of rows that are copies of one text; A rows.

    Whoever reads while another thread moves rows sees the groups as they were before or after, never half.

    Args:
        published: int64 (A,), ms.
        own: bool (A,), the site's own articles.
        length: int32 (A,), characters of the body.
    """

    def __init__(
        self, published: npt.NDArray[np.int64], own: npt.NDArray[np.bool_], length: npt.NDArray[np.int32]
    ) -> None:
        self._published, self._own, self._length = published, own, length
        label, size = np.arange(len(published), dtype=np.int32), np.ones(len(published), np.int32)
        self._groups = Groups(label, size)
        self._grouped: tuple[Groups, GroupedRows] | None = None  # and of which groups these are

    def take_over(self, leader: Rows) -> None:
        """Say of the first rows of which row's text each is a copy: int32 (N,), its own where it is alone or first."""
        labels = self.labels.copy()
        labels[: len(leader)] = leader
        self._swap(labels)

    def put(self, row: int, leader: int | None) -> None:
        """Say that a row's article has changed, and of which row's text it is a copy.

        Args:
            row: of the article.
            leader: row of the first copy, ``row`` when it is the first, or alone; None: as it was.
        """
        old = int(self.labels[row])
        if leader is not None and leader != old:
            labels = self.labels.copy()
            labels[row] = leader
            self._swap(labels)
        elif self.sizes[old] > 1:
            self._groups = Groups(*self._groups)  # the order in it may be another

    def _swap(self, labels: Rows) -> None:
        self._groups = Groups(labels, np.bincount(labels, minlength=len(labels)).astype(np.int32))

    @property
    def labels(self) -> Rows:
        """The label of each row's group: int32 (A,), the row of the first of the group."""
        return self._groups.labels

    @property
    def sizes(self) -> Rows:
        """The number of rows of each group, by its label: int32 (A,)."""
        return self._groups.sizes

    def at_once(self) -> tuple[Groups, GroupedRows]:
        """The groups, and the rows that have copies in these very groups."""
        groups, kept = self._groups, self._grouped
        if kept is None or kept[0] is not groups:
            rows = np.flatnonzero(groups.sizes[groups.labels] > 1).astype(np.int32)
            kept = self._grouped = groups, self._sorted(rows, groups.labels)
        return kept

    def members(self, label: int) -> Rows:
        """The rows of a group of several, the best first: int32 (G,)."""
        grouped = self.grouped()
        first, end = np.searchsorted(grouped.leaders, (label, label + 1)).tolist()
        return grouped.rows[first:end]

    def leader_of(self, row: int) -> int:
        """The row of the first copy of a row's text; its own where it is alone or first."""
        return int(self.labels[row])

    def of(self, rows: Iterable[int]) -> list[int]:
        """Rows, and all copies of them."""
        wanted = np.array(list(rows), np.int64)
        groups, grouped = self.at_once()
        copies = grouped.rows[np.isin(grouped.leaders, groups.labels[wanted])]
        return [*wanted.tolist(), *copies.tolist()]

    def grouped(self) -> GroupedRows:
        """The rows that have copies."""
        return self.at_once()[1]

    def one_of_each(self, rows: Rows, taken: Rows) -> Rows:
        """The first of each group among some rows, in their order, without the groups of ``taken``: int32 (≤ N,)."""
        return one_of_each(self.labels, np.asarray(rows, np.int32), np.asarray(taken, np.int32))

    def best_of(self, rows: Rows) -> Rows:
        """The best of each text among some rows: int (N,), each once -> int32, rising."""
        grouped = self._sorted(rows, self.labels)
        return np.sort(grouped.rows[grouped.is_first()]).astype(np.int32)

    def _sorted(self, rows: Rows, labels: Rows) -> GroupedRows:
        leaders = labels[rows]
        order = np.lexsort((rows, -self._length[rows], -self._published[rows], ~self._own[rows], leaders))
        return GroupedRows(rows[order], leaders[order])


@compiled
def one_of_each(labels: Rows, rows: Rows, taken: Rows) -> Rows:
    """See ``CopyGroups.one_of_each``; labels int32 (A,), rows int32 (N,), taken int32 (M,) -> int32 (≤ N,)."""
    size = 16
    while size < 2 * (len(rows) + len(taken)):
        size *= 2
    table, kept, n = np.full(size, UNKNOWN_ROW, np.int32), np.empty(len(rows), np.int32), 0
    for t in range(len(taken)):
        _is_new(table, labels[taken[t]])
    for p in range(len(rows)):
        if _is_new(table, labels[rows[p]]):
            kept[n] = rows[p]
            n += 1
    return kept[:n]


@compiled
def _is_new(table: Rows, label: int) -> bool:
    """True for a label that an open-addressed table has not; from now on it has."""
    at = (label * _SPREAD) & (len(table) - 1)
    while table[at] != UNKNOWN_ROW:
        if table[at] == label:
            return False
        at = (at + 1) & (len(table) - 1)
    table[at] = label
    return True
