"""Re-ranking: few articles of each category in a list while there are others; of what a reader likes, their share.

Reads a ranking and the articles' categories; produces what fits and what is over the limit, both in order. Where a
ranking runs out, the popular and the newest of other categories come next.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.catalogue.eligibility import AllowedRows
from recsys.tags.index import Rows

MAX_CATEGORY_SHARE = 0.8  # of a list that a category may fill, however much it is read; 1 gained nothing
POPULAR_DEPTH = 4  # times k popular articles are read, so that the limit per category finds others
_PRIOR_CLICKS = 2.0  # from which on a reader's share of a category counts half; with 5 new readers clicked less


def category_limits(shares: Mapping[int, float], clicks: int, k: int, least: int, most: float) -> dict[int, int]:
    """The number of articles of each category read that may stand in a list.

    Their share of the list is that of the clicks, as far as there are enough of these to tell.

    Args:
        shares: of the reader's clicks, by category code; their sum is at most 1.
        clicks: how many these are.
        k: length of the list.
        least: articles of any category that are always allowed.
        most: share of the list that no category may exceed, however much it is read; ``least`` goes before it.

    Source: Steck 2018, "Calibrated recommendations", section 3; shares shrunk towards nothing.
    """
    confidence = clicks / (clicks + _PRIOR_CLICKS)
    wanted = {category: math.ceil(round(k * confidence * share, 6)) for category, share in shares.items()}
    return {category: max(least, min(n, int(most * k))) for category, n in wanted.items()}


class DiversifiedList:
    """One list being filled, with the number of articles of each category that it holds so far.

    Args:
        k: length.
        own: articles of a category while there are others, by category code.
        limit: the same of all other categories.
        categories: int (A,), codes by row; -1 for an article without one, which has no limit.

    Attributes:
        over: what would have been too much of its category, or came when the list was full; in the order offered.
        picked: what fits, in the order offered.
    """

    def __init__(self, k: int, own: Mapping[int, int], limit: int, categories: npt.NDArray[Any]) -> None:
        self.k = k
        self._own, self._limit, self._categories = own, limit, categories
        self._taken: dict[int, int] = {}
        self.picked: list[int] = []
        self.over: list[int] = []

    @property
    def full(self) -> bool:
        """True when the list has ``k`` articles."""
        return len(self.picked) == self.k

    @property
    def closed(self) -> list[int]:
        """Codes of the categories that have as many as they may."""
        own, limit = self._own, self._limit
        return [category for category, had in self._taken.items() if category >= 0 and had >= own.get(category, limit)]

    def offer(self, rows: Rows) -> None:
        """Take rows, int (N,), best first, within the limit of their categories, until the list is full."""
        picked, over, taken, own, limit = self.picked, self.over, self._taken, self._own, self._limit
        for start in range(0, len(rows), self.k):  # mostly the first ones fill it
            some = rows[start : start + self.k]
            for row, category in zip(some.tolist(), self._categories[some].tolist(), strict=True):
                if len(picked) == self.k:
                    return
                had = taken.get(category, 0)
                if category < 0 or had < own.get(category, limit):
                    picked.append(row)
                    taken[category] = had + 1
                else:
                    over.append(row)

    def offer_open(self, rows: Rows) -> None:
        """The same of those rows whose category has room left, so that many may be offered."""
        while len(rows) and not self.full:
            rows = rows[~np.isin(self._categories[rows], self.closed)]
            self.offer(rows[: self.k])
            rows = rows[self.k :]

    def filled(self) -> list[int]:
        """The list, filled from what was over the limit."""
        return self.picked + self.over[: self.k - len(self.picked)]


def diversify(
    ranked: Rows,
    allowed: AllowedRows,
    k: int,
    categories: npt.NDArray[np.int16],
    own: Mapping[int, int],
    limit: int,
    further: Callable[[], Iterator[Rows]],
) -> list[int]:
    """Take the best, few of each category while there are others, then whatever is left.

    Args:
        ranked: int32 (B,), best first.
        allowed: rows.
        k: length.
        categories: int16 (A,), codes by row; -1 for none.
        own: articles of a category while there are others, see ``category_limits``.
        limit: the same of all other categories.
        further: gives int32 rows, best first, that come next when the ranked ones run out; in the end all there are.

    Returns:
        At most ``k`` rows; fewer only when no more are allowed.
    """
    diversified = DiversifiedList(k, own, limit, categories)
    diversified.offer(ranked)
    if diversified.full:
        return diversified.picked
    left = allowed.without(ranked)
    for rows in further():
        rows = left.among(rows)
        diversified.offer_open(rows)
        if diversified.full:
            return diversified.picked
        left = left.without(rows)
    offered = {*diversified.picked, *diversified.over}
    for rows in further() if len(offered) < k else ():
        more = [row for row in allowed.among(rows).tolist() if row not in offered][: k - len(offered)]
        diversified.over += more
        offered.update(more)
    return diversified.filled()


def liked_first(rows: Rows, categories: npt.NDArray[np.int16], liked: Collection[int]) -> Rows:
    """Rows in their order, those of liked categories (codes) before the others."""
    if not liked or not len(rows):
        return rows
    codes = categories[rows]
    first = np.zeros(len(rows), np.bool_)
    for code in liked:  # a few: a comparison each costs less than a search
        first |= codes == code
    return np.concatenate([rows[first], rows[~first]])
