"""Variety: few articles of each category in a list while there are others.

Reads a ranking and the articles' categories; produces what fits and what is over the limit, both in order. Where a
ranking runs out, the popular and the newest of other categories come next.
"""

from collections.abc import Callable, Iterable

from recsys.recommend.catalogue import Catalogue, Mask
from recsys.recommend.tag_index import Rows
from recsys.trends.stream import Trends

DEEPER = 4  # how many times k popular articles are looked at, so that the limit per category finds others


class Variety:
    """One list being filled: how many of each category it has so far.

    Attributes:
        over: what would have been too much of its category, or came when the list was full; in the order offered.
        picked: what fits, in the order offered.
    """

    def __init__(self, k: int, limit: int, category_of: Callable[[int], str | None]) -> None:
        self.k, self.limit = k, limit
        self._category_of = category_of
        self._taken: dict[str, int] = {}
        self.picked: list[int] = []
        self.over: list[int] = []

    @property
    def full(self) -> bool:
        """Whether the list has ``k`` articles."""
        return len(self.picked) == self.k

    @property
    def closed(self) -> set[str]:
        """Categories that have as many as they may."""
        return {category for category, taken in self._taken.items() if taken >= self.limit}

    def offer(self, rows: Iterable[int]) -> None:
        """Take rows, best first, within ``limit`` per category; an article without a category has no limit."""
        for row in rows:
            category = self._category_of(row)
            if self.full or (category is not None and self._taken.get(category, 0) >= self.limit):
                self.over.append(row)
                continue
            self.picked.append(row)
            if category is not None:
                self._taken[category] = self._taken.get(category, 0) + 1

    def filled(self) -> list[int]:
        """The list, filled from what was over the limit."""
        return self.picked + self.over[: self.k - len(self.picked)]


def varied(
    catalogue: Catalogue,
    trends: Trends,
    ranked: Rows,
    allowed: Mask,
    k: int,
    now: int,
    liked: Iterable[str],
    limit: int,
) -> list[int]:
    """Take the best, few of each category while there are others, then whatever is left.

    Args:
        catalogue: the articles.
        trends: the live counts.
        ranked: int32 (B,), best first.
        allowed: bool (A,).
        k: how many.
        now: ms.
        liked: categories whose articles go first when the ranked ones run out.
        limit: articles of one category while there are others.

    Returns:
        At most ``k`` rows; fewer only when no more are allowed.
    """
    made = Variety(k, limit, catalogue.category)
    made.offer(ranked.tolist())
    left = allowed.copy()
    left[ranked] = False
    popular = trends.top(now, DEEPER * k, left) if not made.full else ranked[:0]
    made.offer(popular.tolist())
    left[popular] = False
    while not made.full:  # each turn fills the list or a category
        newest = catalogue.newest(catalogue.outside(made.closed, left), k, liked=liked)
        if not len(newest):
            break
        made.offer(newest.tolist())
        left[newest] = False
    if len(made.picked) + len(made.over) < k:
        made.offer(catalogue.newest(left, k, liked=liked).tolist())
    return made.filled()
