"""Re-ranking: few articles of each category in a list while there are others; of what a reader likes, their share.

Reads a ranking and the articles' categories; produces what fits and what is over the limit, both in order. Where a
ranking runs out, the popular and the newest of other categories come next.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from recsys.catalogue.columns import Catalogue, Mask
from recsys.tags.index import Rows
from recsys.trends.stream import Trends

POPULAR_DEPTH = 4  # times k popular articles are read, so that the limit per category finds others
_PRIOR_CLICKS = 2.0  # from which on a reader's share of a category counts half; with 5 new readers clicked less


def category_limits(shares: Mapping[str, float], clicks: int, k: int, least: int, most: float) -> dict[str, int]:
    """The number of articles of each category read that may stand in a list.

    Their share of the list is that of the clicks, as far as there are enough of these to tell.

    Args:
        shares: of the reader's clicks, by category; their sum is at most 1.
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
        own: articles of a category while there are others, by category.
        limit: the same of all other categories.
        categories: by row; None for an article without one, which has no limit.

    Attributes:
        over: what would have been too much of its category, or came when the list was full; in the order offered.
        picked: what fits, in the order offered.
    """

    def __init__(self, k: int, own: Mapping[str, int], limit: int, categories: Sequence[str | None]) -> None:
        self.k = k
        self._own, self._limit, self._categories = own, limit, categories
        self._taken: dict[str, int] = {}
        self.picked: list[int] = []
        self.over: list[int] = []

    @property
    def full(self) -> bool:
        """True when the list has ``k`` articles."""
        return len(self.picked) == self.k

    @property
    def closed(self) -> set[str]:
        """Categories that have as many as they may."""
        return {category for category, taken in self._taken.items() if taken >= self._own.get(category, self._limit)}

    def offer(self, rows: Iterable[int]) -> None:
        """Take rows, best first, within the limit of their categories."""
        for row in rows:
            category = self._categories[row]
            taken = self._taken.get(category, 0) if category is not None else -1
            if len(self.picked) == self.k or (category is not None and taken >= self._own.get(category, self._limit)):
                self.over.append(row)
                continue
            self.picked.append(row)
            if category is not None:
                self._taken[category] = taken + 1

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
        k: length.
        now: ms.
        liked: categories whose articles go first when the ranked ones run out.
        own: articles of a category while there are others, see ``category_limits``.
        limit: the same of all other categories.

    Returns:
        At most ``k`` rows; fewer only when no more are allowed.
    """
    diversified = DiversifiedList(k, own, limit, catalogue.categories)
    diversified.offer(ranked.tolist())
    if diversified.full:
        return diversified.filled()
    left = allowed.copy()
    left[ranked] = False
    popular = catalogue.copies.popular(trends, POPULAR_DEPTH * k, left, now)
    diversified.offer(popular.tolist())
    left[popular] = False
    while not diversified.full:  # each turn fills the list or a category
        newest = catalogue.newest(catalogue.outside(diversified.closed, left), k, liked=liked)
        if not len(newest):
            break
        diversified.offer(newest.tolist())
        left[newest] = False
    if len(diversified.picked) + len(diversified.over) < k:
        diversified.offer(catalogue.newest(left, k, liked=liked).tolist())
    return diversified.filled()
