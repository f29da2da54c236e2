"""Copies of one text: rows of the catalogue, and the best of them, which stands for the others in a list.

Reads leaders; produces masks with one row for each text. The best copy that may be shown stands for the others: one
of the site's own, else the newest, else the fullest. When it is hidden or expires, the next one takes its place.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import CatalogueArticle
from recsys.tags.index import Rows
from recsys.trends.stream import Trends

Mask = npt.NDArray[np.bool_]


class CopyGroups:
    """Groups of rows that are copies of one text.

    Args:
        capacity: rows, A.
        articles: of each row, as the catalogue has them.
        own: name of the site, which is the source of its own articles.
    """

    def __init__(self, capacity: int, articles: Sequence[CatalogueArticle | None], own: str) -> None:
        self._articles, self._own = articles, own.casefold()
        self._leader = np.arange(capacity, dtype=np.int32)
        self._copies: dict[int, list[int]] = {}  # leader -> itself and its copies, where there are any
        self._flat: tuple[Rows, Rows] | None = None  # the copies, the best of each text first; their leaders

    def put(self, row: int, leader: int | None) -> None:
        """Say that a row's article has changed, and of which row's text it is a copy.

        Args:
            row: of the article.
            leader: row of the first copy, ``row`` when it is the first, or alone; None: as it was.
        """
        old = int(self._leader[row])
        leader = old if leader is None else leader
        if old != leader:
            if row in self._copies.get(old, ()):
                self._copies[old].remove(row)
            self._leader[row], self._flat = leader, None
        if row != leader or row in self._copies:
            copies = self._copies.setdefault(leader, [leader] if self._leader[leader] == leader else [])
            copies += [row] if row not in copies else []
            self._flat = None

    def of(self, rows: Iterable[int]) -> list[int]:
        """Rows, and all copies of them."""
        rows = list(rows)
        leaders = dict.fromkeys(self._leader[rows].tolist()) if rows else ()
        return [*rows, *(copy for leader in leaders for copy in self._copies.get(leader, ()))]

    def one_of_each(self, allowed: Mask) -> Mask:
        """Leave the best allowed copy of each text in a mask.

        Args:
            allowed: bool (A,), changed.

        Returns:
            The same.
        """
        rows, leaders = self._sorted()
        may_show = allowed[rows]
        rows, leaders = rows[may_show], leaders[may_show]
        allowed[rows[1:][leaders[1:] == leaders[:-1]]] = False
        return allowed

    def standing_for(self, rows: Rows, allowed: Mask) -> Rows:
        """For each row the allowed copy of its text; itself where there is none.

        Args:
            rows: int32 (B,).
            allowed: bool (A,), one of each text.

        Returns:
            int32 (B,).
        """
        standing = rows.copy()
        for place, leader in enumerate(self._leader[rows].tolist()):
            if leader in self._copies and not allowed[standing[place]]:
                standing[place] = next((copy for copy in self._copies[leader] if allowed[copy]), standing[place])
        return standing

    def popular(self, trends: Trends, n: int, allowed: Mask, now: int) -> Rows:
        """The most clicked texts, each by its allowed copy and as popular as its most clicked one.

        Args:
            trends: the live counts.
            n: how many rows are looked at.
            allowed: bool (A,), one of each text.
            now: ms.

        Returns:
            int32 (≤ n,), most clicked first.
        """
        rows, leaders = self._sorted()
        wide = allowed.copy()
        wide[rows[np.isin(leaders, leaders[allowed[rows]])]] = True
        shown = self.standing_for(trends.top(now, n, wide), allowed)
        return np.array(list(dict.fromkeys(shown.tolist())), np.int32)

    def _sorted(self) -> tuple[Rows, Rows]:
        if self._flat is None:
            for copies in self._copies.values():
                copies.sort(key=self._worse)
            rows = np.array([row for copies in self._copies.values() for row in copies], np.int32)
            self._flat = rows, self._leader[rows]
        return self._flat

    def _worse(self, row: int) -> tuple[bool, int, int, int]:
        """The sort key of preference: the site's own copy, the newest, the fullest."""
        article = self._articles[row]
        if article is None:
            return True, 0, 0, row
        theirs = (article.source or "").casefold() != self._own
        return theirs, -(article.published_at or 0), -article.length, row
