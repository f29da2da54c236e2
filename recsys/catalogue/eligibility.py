"""Eligibility: the articles that may be shown at a moment, as bitmaps and short lists that many answers share.

Reads the columns of the catalogue; produces an ``Eligibility``, which never changes: a catalogue that changes, or an
article whose time comes, makes the next one. So an answer looks at the few hundred articles that may be in it and at
no others.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import CatalogueColumns, Mask
from recsys.catalogue.copies import GroupedRows
from recsys.catalogue.editorial import NO_DECISIONS, EditorialRows
from recsys.compiled import compiled
from recsys.store import Decision
from recsys.tags.index import Rows
from recsys.units import FOREVER_MS, NEVER_MS, UNKNOWN_ROW

Bits = npt.NDArray[np.uint8]
NO_SHARES = np.empty(0)

MAX_SOURCE_SHARE = 0.5  # of a list that another paper or agency may fill while there are others
NEWEST = 4_096  # articles kept in the order of time: the news of days, on any site


class AllowedRows:
    """A set of rows as a bitmap, as the nearest-neighbour search reads it.

    Attributes:
        bits: uint8 (A / 8,), little end first.
        capacity: A.
    """

    __slots__ = ("bits", "capacity")

    def __init__(self, bits: Bits, capacity: int) -> None:
        self.bits, self.capacity = bits, capacity

    @classmethod
    def of(cls, mask: Mask) -> "AllowedRows":
        """The rows of a mask, bool (A,)."""
        return cls(np.packbits(mask, bitorder="little"), len(mask))

    def __bool__(self) -> bool:
        return bool(self.bits.any())

    def __len__(self) -> int:
        return int(np.bitwise_count(self.bits).sum())

    def has(self, rows: Rows) -> Mask:
        """Membership of some rows: int (N,) -> bool (N,)."""
        bits: Mask = (self.bits[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 != 0
        return bits

    def among(self, rows: Rows) -> Rows:
        """Those of some rows that are in it, in their order."""
        return rows[self.has(rows)]

    def without(self, rows: Rows) -> "AllowedRows":
        """The set without some rows, int (N,)."""
        return AllowedRows(_without(self.bits, np.asarray(rows, np.int64)), self.capacity)

    def both(self, other: "AllowedRows") -> "AllowedRows":
        """The rows of two sets of the same catalogue."""
        return AllowedRows(self.bits & other.bits, self.capacity)

    def mask(self) -> Mask:
        """The set as a mask: bool (A,)."""
        return np.unpackbits(self.bits, count=self.capacity, bitorder="little").astype(np.bool_)


@compiled
def _without(bits: Bits, rows: npt.NDArray[np.int64]) -> Bits:
    left = bits.copy()
    for row in rows:
        left[row >> 3] &= ~np.uint8(1 << (row & 7))
    return left


@dataclass(frozen=True, eq=False)
class Eligibility:
    """The articles that may be shown in [since, until), of one version of the catalogue.

    Attributes:
        version: of the catalogue.
        since: ms.
        until: ms, when the next article comes out or expires, or the next decision of an editor ends.
        showable: bool (A,): with content, published, neither hidden nor expired.
        listed: the same rows, of copies of one text only the best, without texts that an editor buried.
        standing: int32 (A,): for each row the listed copy of its text, -1 where there is none.
        quoted: int32 (A,): the same with buried texts, which are shown where they are asked for.
        newest: int32 (N,): listed rows, newest first, ties by row; the first ``NEWEST``.
        language: int16 (A,), codes; of the catalogue.
        source_shares: float64 (S,), share of a list that each source may fill, by code; empty where none is known.
        editorial: what editors decided, as far as it holds.
    """

    version: int
    since: int
    until: int
    showable: Mask
    listed: AllowedRows
    standing: Rows
    quoted: Rows
    newest: Rows
    language: npt.NDArray[np.int16]
    source_shares: npt.NDArray[np.float64] = field(default_factory=lambda: NO_SHARES)
    editorial: EditorialRows = NO_DECISIONS
    _spoken: dict[int, tuple[AllowedRows, AllowedRows]] = field(default_factory=dict)

    @classmethod
    def at(
        cls,
        now: int,
        version: int,
        columns: CatalogueColumns,
        decisions: Sequence[Decision] = (),
        row_of: Callable[[str], int | None] = lambda _: None,
    ) -> "Eligibility":
        """Look at all articles once.

        Args:
            now: ms.
            version: of the catalogue.
            columns: of the catalogue, as they are now.
            decisions: of editors, the first one first.
            row_of: gives the rows of the articles that these name.
        """
        published, expires, content = columns.published, columns.expires, columns.shown
        showable: Mask = content & (published <= now) & (expires > now)
        listed, grouped = showable.copy(), columns.copies.grouped()
        best = grouped.among(showable)
        first = best.is_first()
        listed[best.rows[~first]] = False
        standing = np.where(listed, np.arange(len(listed), dtype=np.int32), np.int32(UNKNOWN_ROW))
        standing[grouped.rows] = _standing(grouped, GroupedRows(best.rows[first], best.leaders[first]))
        quoted = standing
        editorial = EditorialRows.at(now, decisions, row_of)
        if len(editorial.buried):
            buried = standing[editorial.buried]
            buried = buried[buried != UNKNOWN_ROW]
            listed[buried] = False
            standing = np.where(np.isin(standing, buried), np.int32(UNKNOWN_ROW), standing)
        newest = newest_of(np.flatnonzero(listed), published, NEWEST)
        times = (published[content], expires[content], editorial.ends)
        return cls(
            version,
            since=max(int(time[time <= now].max(initial=NEVER_MS)) for time in times),
            until=min(int(time[time > now].min(initial=FOREVER_MS)) for time in times),
            showable=showable,
            listed=AllowedRows.of(listed),
            standing=standing,
            quoted=quoted,
            newest=newest,
            language=columns.language,
            source_shares=source_shares(columns.source[newest], columns.language[newest]),
            editorial=editorial,
        )

    def spoken(self, language: int) -> tuple[AllowedRows, AllowedRows]:
        """The listed rows in a language, by its code, and the others."""
        parts = self._spoken.get(language)
        if parts is None:
            same = AllowedRows.of(self.language == language)
            parts = self.listed.both(same), AllowedRows(self.listed.bits & ~same.bits, self.listed.capacity)
            self._spoken[language] = parts
        return parts

    def listed_copies(self, rows: Rows | Collection[int]) -> Rows:
        """The rows that stand in lists for some rows: int32 (N,), not each once."""
        if not isinstance(rows, np.ndarray):
            rows = np.fromiter(rows, np.int64, len(rows))
        standing = self.standing[rows]
        listed: Rows = standing[standing != UNKNOWN_ROW]
        return listed


def source_shares(sources: Rows, language: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """The share of a list that each source may fill: half of it, or as much as it has of the articles in a language.

    Args:
        sources: int32 (N,), codes of the newest listed articles; -1 for the site's own.
        language: int16 (N,), codes; -1 for none.

    Returns:
        float64 (S,), by code; empty where all are the site's own.
    """
    shares = np.full(int(sources.max(initial=UNKNOWN_ROW)) + 1, MAX_SOURCE_SHARE)
    for code in np.unique(language).tolist() if len(shares) else ():  # of a list in one language the others have none
        spoken = sources[language == code]
        np.maximum(shares, np.bincount(spoken[spoken >= 0], minlength=len(shares)) / len(spoken), out=shares)
    return shares


def newest_of(rows: npt.NDArray[np.int64], published: npt.NDArray[np.int64], n: int) -> Rows:
    """The ``n`` newest of some rows, newest first, ties by row: int32 (≤ n,)."""
    times = published[rows]
    if len(rows) > n > 0:  # sort only what can be among the newest n
        keep = times >= np.partition(times, len(rows) - n)[len(rows) - n]
        rows, times = rows[keep], times[keep]
    return rows[np.lexsort((rows, -times))][:n].astype(np.int32)


def _standing(grouped: GroupedRows, best: GroupedRows) -> Rows:
    """For each row that has copies the best one of its text: int32 (G,), -1 where none may be shown."""
    if not len(best.rows):
        return np.full(len(grouped.rows), UNKNOWN_ROW, np.int32)
    places = np.minimum(np.searchsorted(best.leaders, grouped.leaders), len(best.rows) - 1)
    there = best.leaders[places] == grouped.leaders
    return np.where(there, best.rows[places], np.int32(UNKNOWN_ROW)).astype(np.int32)
