"""Clicks of one day: how many people clicked each article since the site's midnight, each of them once.

Reads clicks as the feed applies them; produces counts by article row. A person is the reader, else the session, else,
for a click of nobody known, a minute and what its context says. A million clicks take some 10 MB, whoever made them:
what is remembered of a click is one number, the hash of the person and the article.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from recsys.catalogue.identifiers import RowLookup
from recsys.store.events import ANONYMOUS_REPEAT_MS
from recsys.units import UNKNOWN_ROW

_RECENT = 16_384  # hashes that wait to be sorted in

Hashes = npt.NDArray[np.int64]


class SiteDay(NamedTuple):
    """One day of a site: YYYY-MM-DD, and its first and the next one's first millisecond."""

    date: str
    since: int
    until: int


class DayClick(NamedTuple):
    """One click: who made it, on which article (id), when (ms)."""

    who: str
    article: str
    time: int


def site_day(now: int, timezone: str) -> SiteDay:
    """The day of ``now`` (ms) in an IANA time zone; 23 or 25 hours where the clocks change."""
    zone = ZoneInfo(timezone)
    midnight = datetime.fromtimestamp(now / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    next_midnight = midnight + timedelta(days=1)  # of the wall clock
    since, until = (int(moment.timestamp() * 1000) for moment in (midnight, next_midnight))
    return SiteDay(f"{midnight:%Y-%m-%d}", since, until)


def person(visitor: str | None, time: int, context: str | None) -> str:
    """Name of who clicked at ``time`` (ms): the visitor, else a minute and a context."""
    return visitor if visitor is not None else f"?{time // ANONYMOUS_REPEAT_MS} {context}"


class DayClicks:
    """The clicks of the day that ``now`` lies in. One thread writes while others read ``day`` and ``people``.

    Args:
        now: ms.
        timezone: IANA name.
        rows: articles that there is room for; more may come.

    Attributes:
        day: which one it is.
        people: int32 (A,), who clicked each article, each once, by row.
    """

    def __init__(self, now: int, timezone: str, rows: int) -> None:
        self._timezone = timezone
        self.day = site_day(now, timezone)
        self.people = np.zeros(rows, np.int32)
        self._pairs = HashSet()
        self._early: list[DayClick] = []

    def at(self, now: int) -> tuple[str, npt.NDArray[np.int32]]:
        """Date of ``now`` (ms), and the people of that day: none when it is another one than was counted last."""
        day, people = self.day, self.people
        if day.since <= now < day.until:
            return day.date, people
        return site_day(now, self._timezone).date, np.zeros(0, np.int32)

    def turn(self, now: int, row_of: RowLookup) -> bool:
        """Begin the day of ``now`` (ms), if it is another one.

        Args:
            now: ms.
            row_of: article id -> row, of clicks that were dated after midnight before it struck.

        Returns:
            True when that day had begun already before the last one: its clicks have to be counted anew.
        """
        if self.day.since <= now < self.day.until:
            return False
        went_back, early = now < self.day.since, self._early
        self.people = np.zeros_like(self.people)
        self.day = site_day(now, self._timezone)
        self._pairs, self._early = HashSet(), []
        self.add_all((click, row_of.get(click.article, UNKNOWN_ROW)) for click in early)
        return went_back

    def add(self, click: DayClick, row: int) -> None:
        """Count a click with its article's row; one of another day, or on an article without a row, says nothing."""
        if not self._counts(click, row) or not self._pairs.add(hash((click.who, click.article))):
            return
        self._pairs.add(hash((click.who, "")))  # that they clicked anything
        self._make_room(row)
        self.people[row] += 1

    def add_all(self, clicks: Iterable[tuple[DayClick, int]]) -> None:
        """The same of many clicks with their articles' rows, in a third of the time."""
        counted = [(click, row) for click, row in clicks if self._counts(click, row)]
        if not counted:
            return
        rows = np.array([row for _, row in counted], np.int64)
        pairs, first = np.unique([hash((click.who, click.article)) for click, _ in counted], return_index=True)
        self._make_room(int(rows.max()))
        np.add.at(self.people, rows[first[self._pairs.add_all(pairs)]], 1)
        self._pairs.add_all(np.unique([hash((click.who, "")) for click, _ in counted]))

    def take_back(self, who: str, ids: Sequence[str]) -> None:
        """Take back what somebody clicked today.

        Args:
            who: see ``person``.
            ids: article id by row.
        """
        if self._early:
            self._early = [click for click in self._early if click.who != who]
        if hash((who, "")) not in self._pairs:
            return
        rows = np.flatnonzero(self.people)
        pairs = np.array([hash((who, "")), *(hash((who, ids[row])) for row in rows.tolist())], np.int64)
        self.people[rows[self._pairs.discard(pairs)[1:]]] -= 1

    def moved(self, ids: Sequence[str], row_of: RowLookup, rows: int) -> "DayClicks":
        """The same clicks over the rows of another release; these stay as they are.

        Args:
            ids: article id by old row.
            row_of: article id -> new row; an article without one is not counted any more.
            rows: articles that there is room for.
        """
        moved = DayClicks(self.day.since, self._timezone, rows)
        moved._pairs, moved._early = self._pairs.copied(), self._early.copy()
        for old in np.flatnonzero(self.people).tolist():
            if (row := row_of.get(ids[old], UNKNOWN_ROW)) != UNKNOWN_ROW:
                moved.people[row] = self.people[old]
        return moved

    def _counts(self, click: DayClick, row: int) -> bool:
        if click.time >= self.day.until:
            self._early.append(click)
        return self.day.since <= click.time < self.day.until and row != UNKNOWN_ROW

    def _make_room(self, row: int) -> None:
        if row >= len(self.people):
            self.people = np.concatenate([self.people, np.zeros(row + 1, np.int32)])


class HashSet:
    """A set of 64-bit numbers in 8 bytes each: sorted ones, and the last ones that came."""

    def __init__(self) -> None:
        self._sorted: Hashes = np.empty(0, np.int64)
        self._view = self._sorted.data  # gives plain numbers, in a tenth of the time
        self._recent: set[int] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._recent)

    def __contains__(self, number: int) -> bool:
        if number in self._recent:
            return True
        place = bisect_left(self._view, number)
        return place < len(self._view) and self._view[place] == number

    def add(self, number: int) -> bool:
        """Take a number in; False when it was there."""
        if number in self:
            return False
        self._recent.add(number)
        if len(self._recent) >= _RECENT:
            self._sort_in()
        return True

    def add_all(self, numbers: Hashes) -> npt.NDArray[np.bool_]:
        """Take rising numbers in, int64 (n,), each once: bool (n,), which of them were not there."""
        self._sort_in()
        places = self._sorted.searchsorted(numbers)
        new: npt.NDArray[np.bool_] = np.append(self._sorted, 0)[places] != numbers
        new |= places == len(self._sorted)
        self._keep(np.insert(self._sorted, places[new], numbers[new]))
        return new

    def discard(self, numbers: Hashes) -> npt.NDArray[np.bool_]:
        """Take numbers out: bool (n,), which of them were there."""
        self._sort_in()
        there = np.array([number in self for number in numbers.tolist()], bool)
        self._keep(np.delete(self._sorted, self._sorted.searchsorted(numbers[there])))
        return there

    def copied(self) -> "HashSet":
        """The same, to be changed by itself."""
        copy = HashSet()
        copy._keep(self._sorted)
        copy._recent = self._recent.copy()
        return copy

    def _sort_in(self) -> None:
        recent = np.fromiter(self._recent, np.int64, len(self._recent))
        recent.sort()
        self._keep(np.insert(self._sorted, self._sorted.searchsorted(recent), recent))
        self._recent = set()

    def _keep(self, numbers: Hashes) -> None:
        self._sorted, self._view = numbers, numbers.data
