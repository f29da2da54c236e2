"""Re-ranking: few articles of each category and source while there are others; of what a reader likes, their share.

Reads a ranking, and the articles' categories and sources; produces what fits and what is over the limits, both in
order. Where a ranking runs out, the popular and the newest of other categories and sources come next.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.copies import CopyGroups
from recsys.catalogue.eligibility import MAX_SOURCE_SHARE, NO_SHARES, AllowedRows
from recsys.compiled import compiled
from recsys.tags.index import Rows
from recsys.units import UNKNOWN_ROW

MAX_CATEGORY_SHARE = 0.8  # of a list that a category may fill, however much it is read; 1 gained nothing
Codes = npt.NDArray[np.int16]
Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

POPULAR_DEPTH = 4  # times k popular articles are read, so that the limit per category finds others
_PRIOR_CLICKS = 0.5  # at which a reader's share of a category counts half; with 2 and 5 new readers clicked less


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


class SourceLimits(NamedTuple):
    """The articles of each source that a list may hold while there are others.

    Attributes:
        sources: int32 (A,), codes by row; -1 for one without a limit, as the site's own are.
        shares: float64 (S,), of a list, by code; empty where no source has a limit.
    """

    sources: Rows
    shares: Shares


NO_SOURCES = SourceLimits(np.empty(0, np.int32), NO_SHARES)


class DiversifiedList:
    """One list being filled, with the number of articles of each category and source that it holds so far.

    Args:
        k: length.
        own: articles of a category while there are others, by category code.
        limit: the same of all other categories.
        categories: int (A,), codes by row; -1 for an article without one, which has no limit.
        by_source: limits of sources.

    Attributes:
        over: what would have been too much of its category or source, or came when the list was full, in the order
            offered.
        picked: what fits, in the order offered.
    """

    def __init__(
        self,
        k: int,
        own: Mapping[int, int],
        limit: int,
        categories: npt.NDArray[Any],
        by_source: SourceLimits = NO_SOURCES,
    ) -> None:
        self.k = k
        self._sources, self._shares = by_source
        self._held = np.full(k, UNKNOWN_ROW, np.int32)  # the source of each place
        self._own, self._limit, self._categories = own, limit, categories
        self._taken, self._limits = np.zeros(0, np.int64), np.zeros(0, np.int64)  # by category code
        self.picked: list[int] = []
        self.over: list[int] = []

    @property
    def full(self) -> bool:
        """True when the list has ``k`` articles."""
        return len(self.picked) == self.k

    @property
    def closed(self) -> list[int]:
        """Codes of the categories that have as many as they may."""
        return np.flatnonzero((self._taken > 0) & (self._taken >= self._limits)).tolist()

    @property
    def closed_sources(self) -> list[int]:
        """Codes of the sources that have as many as they may."""
        counts = Counter(self._held[self._held >= 0].tolist())
        return [code for code, held in counts.items() if held >= most_of_source(self._shares, code, self.k)]

    def offer(self, rows: Rows) -> None:
        """Take rows, int (N,), best first, within the limits of category and source, until the list is full."""
        codes = self._categories[rows]
        self._make_room(int(codes.max(initial=-1)) + 1)
        sources = self._sources[rows] if len(self._shares) else NO_SOURCES.sources
        room = self.k - len(self.picked)
        fits = within_limits(codes, self._limits, self._taken, sources, self._shares, self._held, room)
        looked = rows[: len(fits)]
        self.picked += looked[fits].tolist()
        self.over += looked[~fits].tolist()

    def _make_room(self, codes: int) -> None:
        more = codes - len(self._taken)
        if more > 0:
            self._taken = np.concatenate([self._taken, np.zeros(more, np.int64)])
            self._limits = np.full(codes, self._limit, np.int64)
            for code, limit in self._own.items():
                if code < codes:
                    self._limits[code] = limit

    def offer_open(self, rows: Rows) -> None:
        """The same of those rows whose category and source have room left, so that many may be offered."""
        while len(rows) and not self.full:
            rows = rows[~np.isin(self._categories[rows], self.closed)]
            if len(self._shares):
                rows = rows[~np.isin(self._sources[rows], self.closed_sources)]
            self.offer(rows[: self.k])
            rows = rows[self.k :]

    def filled(self) -> list[int]:
        """The list, filled from what was over the limit."""
        return self.picked + self.over[: self.k - len(self.picked)]


@compiled
def within_limits(
    codes: Codes, limits: Counts, taken: Counts, sources: Rows, shares: Shares, held: Rows, room: int
) -> npt.NDArray[np.bool_]:
    """Take the first ones, as many of each category and of each source as it may have.

    Args:
        codes: int16 (N,), category codes, best first; -1 for none, which has no limit.
        limits: int64 (C,), by code.
        taken: int64 (C,), those that each category has; what is taken is added.
        sources: int32 (N,), codes of their sources, -1 for one without a limit; read where there are shares.
        shares: float64 (S,), the share of the list that each source may have, by code; empty for any.
        held: int32 (k,), the sources of the places so far, the last ``room`` of which are free; what is taken is added.
        room: places left.

    Returns:
        bool (≤ N,), whether each one is taken, as far as there was room.
    """
    fits = np.zeros(len(codes), np.bool_)
    n, k = 0, len(held)
    while n < len(codes) and room > 0:
        code, source = codes[n], -1
        fits[n] = code < 0 or taken[code] < limits[code]
        if len(shares) and fits[n] and sources[n] >= 0:
            source, have = sources[n], 0
            for place in range(k - room):
                have += held[place] == source
            fits[n] = have < most_of_source(shares, source, k)
        if fits[n]:
            held[k - room] = source
            room -= 1
            if code >= 0:
                taken[code] += 1
        n += 1
    return fits[:n]


@compiled
def most_of_source(shares: Shares, source: int, k: int) -> int:
    """The articles of a source, by its code, that a list of ``k`` may hold; shares as in ``within_limits``."""
    share = shares[source] if source < len(shares) else MAX_SOURCE_SHARE  # none of its articles is among the newest
    return max(1, math.ceil(k * share - 1e-6))


def diversify(
    ranked: Rows,
    allowed: AllowedRows,
    k: int,
    categories: npt.NDArray[np.int16],
    stories: CopyGroups,
    taken: Rows,
    own: Mapping[int, int],
    limit: int,
    further: Callable[[], Iterator[Rows]],
    by_source: SourceLimits = NO_SOURCES,
) -> list[int]:
    """Take the best, one of each story, few of each category and source while there are others, then what is left.

    Args:
        ranked: int32 (B,), best first.
        allowed: rows.
        k: length.
        categories: int16 (A,), codes by row; -1 for none.
        stories: rows of one event.
        taken: int32 rows whose stories have a card already.
        own: articles of a category while there are others, see ``category_limits``.
        limit: the same of all other categories.
        further: gives int32 rows, best first, that come next when the ranked ones run out; in the end all there are.
        by_source: limits of sources.

    Returns:
        At most ``k`` rows; fewer only when no more are allowed.
    """
    diversified = DiversifiedList(k, own, limit, categories, by_source)
    ranked = stories.one_of_each(ranked, taken)
    diversified.offer(ranked)
    if diversified.full:
        return diversified.picked
    left = allowed.without(ranked)
    for rows in further():
        offered = np.array([*taken, *diversified.picked, *diversified.over], np.int32)
        rows = stories.one_of_each(left.among(rows), offered)
        diversified.offer_open(rows)
        if diversified.full:
            return diversified.picked
        left = left.without(rows)
    for rows in further() if len(diversified.picked) + len(diversified.over) < k else ():
        offered = np.array([*taken, *diversified.picked, *diversified.over], np.int32)
        new = stories.one_of_each(allowed.among(rows), offered)
        diversified.over += new[: max(0, k - len(offered) + len(taken))].tolist()
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
