"""Re-ranking: few articles of each category in a list while there are others; of what a reader likes, their share.

Reads a ranking and the articles' categories; produces what fits and what is over the limit, both in order. Where a
ranking runs out, the popular and the newest of other categories come next.
"""

import math
from collections.abc import Callable, Iterable, Mapping

from recsys.recommend.catalogue import Catalogue, Mask
from recsys.tags.index import Rows
from recsys.trends.stream import Trends

DEEPER = 4  # how many times k popular articles are looked at, so that the limit per category finds others
SURE = 2.0  # clicks from which on a reader's share of a category counts half; with 5 new readers clicked less


def category_limits(shares: Mapping[str, float], clicks: int, k: int, least: int, most: float) -> dict[str, int]:
    """How many articles of the categories that a reader reads there may be in a list.

    Their share of the list is that of the clicks, as far as there are enough of these to tell.

    Args:
        shares: of the reader's clicks, by category; their sum is at most 1.
        clicks: how many these are.
        k: length of the list.
        least: articles of any category that are always allowed.
        most: share of the list that no category may exceed, however much it is read; ``least`` goes before it.

    Source: Steck 2018, "Calibrated recommendations", section 3; shares shrunk towards nothing.
    """
    sure = clicks / (clicks + SURE)
    wanted = {category: math.ceil(round(k * sure * share, 6)) for category, share in shares.items()}
    return {category: max(least, min(n, int(most * k))) for category, n in wanted.items()}


class DiversifiedList:
    """One list being filled: how many of each category it has so far.

    Args:
        k: length.
        own: articles of a category while there are others, by category.
        limit: the same of all other categories.
        category_of: of a row; None for an article without one, which has no limit.

    Attributes:
        over: what would have been too much of its category, or came when the list was full; in the order offered.
        picked: what fits, in the order offered.
    """

    def __init__(self, k: int, own: Mapping[str, int], limit: int, category_of: Callable[[int], str | None]) -> None:
        self.k = k
        self._own, self._limit, self._category_of = own, limit, category_of
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
        return {category for category in self._taken if self._is_closed(category)}

    def offer(self, rows: Iterable[int]) -> None:
        """Take rows, best first, within the limit of its category."""
        for row in rows:
            category = self._category_of(row)
            if self.full or (category is not None and self._is_closed(category)):
                self.over.append(row)
                continue
            self.picked.append(row)
            if category is not None:
                self._taken[category] = self._taken.get(category, 0) + 1

    def _is_closed(self, category: str) -> bool:
        return self._taken.get(category, 0) >= self._own.get(category, self._limit)

    def filled(self) -> list[int]:
        """The list, filled from what was over the limit."""
        return self.picked + self.over[: self.k - len(self.picked)]


def diversify(
    catalogue: Catalogue,
    trends: Trends,
    ranked: Rows,
    allowed: Mask,
    k: int,
    now: int,
    liked: Iterable[str],
    own: Mapping[str, int],
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
        own: articles of a category while there are others, see ``category_limits``.
        limit: the same of all other categories.

    Returns:
        At most ``k`` rows; fewer only when no more are allowed.
    """
    made = DiversifiedList(k, own, limit, catalogue.category)
    made.offer(ranked.tolist())
    left = allowed.copy()
    left[ranked] = False
    popular = catalogue.stories.popular(trends, DEEPER * k, left, now) if not made.full else ranked[:0]
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
