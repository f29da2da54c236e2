"""Trends: the live counts of a stream of events, as training and the service use them.

Reads one event at a time; produces popularity, click rates, shelf lives, and the neighbours of an article. Time is the
event's own, so that a replay is exact. The rules for odd events:

- undated: nothing is known of when it would fade, so that it makes an article popular only where nothing else does;
- late: it counts with the weight that it would have had in time, moves no clock back, and is counted as late;
- dated after its arrival by more than ``MAX_FUTURE_MINUTES``: it is held back, and counted as ahead;
- again: every event counts once (the store knows events by their id); whoever hands events over says which click
  repeats one (``REPEAT_CLICK``, see ``recsys.events.people``), and it only passes; an article is no co-visit of itself;
- on an article without a row: it is only counted as unknown;
- after a gap of days: everything has faded by so much, and the visit is over.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64
from recsys.errors import StaleArtefact
from recsys.events import UNDATED
from recsys.trends import CLICK, IMPRESSION, LATE_MINUTES, MAX_FUTURE_MINUTES, MAX_VISITS, PRIOR_IMPRESSIONS
from recsys.trends.config import TrendsConfig
from recsys.trends.counting import (
    Codes,
    codes_of,
    count,
    count_outcome,
    counts_at,
    fill_codes,
    fill_shelf_lives,
    uncount,
)
from recsys.trends.covisits import RunningVisits, count_covisits, strongest_covisits
from recsys.trends.decay import faded
from recsys.trends.state import (
    AHEAD,
    CATEGORIES,
    LANDMARK,
    LATE,
    NEWEST,
    PER_ARTICLE,
    UNKNOWN,
    UNTOUCHED,
    TrendState,
    empty_state,
)
from recsys.units import MINUTE_MS, NEVER_MS, UNKNOWN_ROW

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

_ODD = ("late", "ahead", "unknown")
FIRST_RATE = (1.0, 10.0)  # clicks, impressions: the click rate that a stream without any event is taken to have
_ALIVE = 0.5  # clicks, faded
MAX_TAUGHT = 4  # values of contexts that have a number because of one visitor: one of each attribute, and no more
SHELF_SHARE = 0.9  # of a category's clicks that come within its shelf life
SHELF_PRIOR = 50.0  # clicks of all categories that are mixed into each category's own shelf life


class Trends:
    """Live counts of A articles at K half-lives, and their co-visits.

    Attributes:
        state: the arrays, moved in place.
        visits: the last clicks of running visits.
    """

    def __init__(
        self, n_articles: int, config: TrendsConfig, session_gap_minutes: int = 30, reader_dim: int = 0
    ) -> None:
        self.config = config
        self.state: TrendState = empty_state(n_articles, config, reader_dim)
        self.visits = RunningVisits(MAX_VISITS, session_gap_minutes * MINUTE_MS)
        self._last_before: dict[int, int] = {}  # row -> ms, when it was clicked before it was clicked last
        self.values: tuple[dict[str, int], ...] = tuple({} for _ in config.context)  # value -> code of each attribute
        self._taught: OrderedDict[str, int] = OrderedDict()  # visitor -> values that have their number by them

    @property
    def taught(self) -> dict[str, int]:
        """Visitors by whom values of contexts have their numbers -> how many values."""
        return dict(self._taught)

    @taught.setter
    def taught(self, taught: Mapping[str, int]) -> None:
        self._taught = OrderedDict(taught)

    def __len__(self) -> int:
        return len(self.state.last)

    @property
    def all_total(self) -> tuple[int, int]:
        """Impressions and clicks ever, over all articles."""
        shown, clicked = self.state.all_total.tolist()
        return shown, clicked

    @property
    def odd(self) -> dict[str, int]:
        """Events that were late, dated ahead of their arrival, or on unknown articles, by these names."""
        return {name: int(self.state.clock[place]) for name, place in zip(_ODD, (LATE, AHEAD, UNKNOWN), strict=True)}

    def codes(self, context: str | None, *, learn: bool = False) -> Codes:
        """Codes of the values in an event's context.

        Args:
            context: text of a JSON object; anything else says nothing.
            learn: give a value that is new a number of its own, as long as there are any; else it is one of the others.

        Returns:
            int16 (C,), 0 for unknown; the last two, hour and category before, are left 0.
        """
        return codes_of(context, self.config.context, self.values, learn=learn)

    def taught_codes(self, context: str | None, visitor: str | None) -> Codes:
        """The codes of a click's context; values that are new get numbers, as long as their visitor may bring any.

        A person has few devices and regions. Whoever invents more would use up the numbers of everybody.
        """
        taught = 0 if visitor is None else self._taught.get(visitor, 0)
        if taught >= MAX_TAUGHT:
            return self.codes(context)
        before = sum(map(len, self.values))
        codes = self.codes(context, learn=True)
        if visitor is not None and (new := sum(map(len, self.values)) - before):
            self._taught[visitor] = taught + new
            if len(self._taught) > MAX_VISITS:
                self._taught.popitem(last=False)
        return codes

    def codes_at(self, codes: Codes, before: int, time: int) -> Codes:
        """The same codes with the hour of ``time`` (ms) and the category of the article row clicked ``before``."""
        out = codes.copy()
        fill_codes(self.state, before, time, out)
        return out

    def observe(
        self,
        kind: int,
        row: int,
        time: int,
        *,
        position: int = -1,
        visitor: str | None = None,
        context: str | None = None,
        arrived: int | None = None,
        outcome: int = 0,
    ) -> Rows:
        """Count one event, in constant time and in any order; of dwells, dismisses and repeated clicks the outcome.

        Args:
            kind: index into ``KINDS``.
            row: article row; one outside the table is counted as unknown.
            time: ms since the epoch.
            position: in the list, from 0; -1 for unknown.
            visitor: the reader, else the session; without one a click has no co-visits.
            context: text of a JSON object.
            arrived: ms, when the event came in; without it, events are taken to come in time.
            outcome: that it adds, see ``recsys.events.outcomes``.

        Returns:
            int32 (n,): rows that the visitor clicked before in this visit, newest last; empty for other events.
        """
        nothing = np.empty(0, np.int32)
        if outcome and time != UNDATED and 0 <= row < len(self) and not self.is_ahead(time, arrived):
            count_outcome(self.state, as_int64(row), as_int64(outcome), as_int64(time))
        if kind not in (IMPRESSION, CLICK) or (time == UNDATED and kind != CLICK):
            return nothing
        if not 0 <= row < len(self):
            self.state.clock[UNKNOWN] += 1
            return nothing
        if time == UNDATED:
            self.state.undated[row] += 1
            return nothing
        if self.is_ahead(time, arrived):
            self.state.clock[AHEAD] += 1
            return nothing
        if self.state.clock[NEWEST] - time > LATE_MINUTES * MINUTE_MS:
            self.state.clock[LATE] += 1
        last_click = int(self.state.last[row])
        count(self.state, row, int(kind == CLICK), position, time)
        if kind != CLICK:
            return nothing
        if time > last_click:
            self._last_before[row] = last_click
        before = self.visits.click(visitor, row, time) if visitor else nothing
        newest = int(before[-1]) if len(before) else UNKNOWN_ROW
        count_covisits(self.state, before, row, self.codes_at(self.taught_codes(context, visitor), newest, time), time)
        return before

    def is_ahead(self, time: int, now: int | None) -> bool:
        """True for a time (ms) so far ahead of a clock (ms) that it is held back; never without a clock."""
        return now is not None and time > now + MAX_FUTURE_MINUTES * MINUTE_MS

    @property
    def newest(self) -> int:
        """Time of the newest event counted: ms, NEVER_MS without any."""
        return int(self.state.clock[NEWEST])

    def uncount(self, row: int, time: int) -> None:
        """Take back a click of ``time`` (ms) that no person made, in constant time."""
        if 0 <= row < len(self):
            uncount(self.state, row, time)
            if self.state.last[row] == time:  # else a robot's click would leave an article opened just now
                self.state.last[row] = self._last_before.pop(row, NEVER_MS)
            if not self.state.total[row].any():
                self.state.first[row] = NEVER_MS

    def describe_articles(self, category: Codes, published: npt.NDArray[np.int64]) -> None:
        """Give the articles' categories, int16 (A,), and dates, int64 (A,) ms; the arrays are kept, not copied.

        Raises:
            StaleArtefact: they are of fewer articles than are counted.
        """
        if min(len(category), len(published)) < len(self):
            got = f"{len(category)} categories, {len(published)} dates"
            raise StaleArtefact(f"facts of {len(self)} articles", got, "Run: python -m jobs trends")
        self.state = self.state._replace(category=category, published=published)

    def grow(self, n_articles: int) -> None:
        """Make room for new articles; never shrinks."""
        more = n_articles - len(self)
        if more <= 0:
            return
        longer = {}
        for name in PER_ARTICLE:
            rows = getattr(self.state, name)
            added = np.full((more, *rows.shape[1:]), UNTOUCHED.get(name, 0), rows.dtype)
            longer[name] = np.concatenate([rows, added])
        self.state = self.state._replace(**longer)

    def counts(self, rows: Rows, now: int) -> Array:
        """Examined impressions and clicks of some articles, decayed to ``now``: float64 (B, 2, K)."""
        out = np.empty((len(rows), *self.state.decayed.shape[1:]))
        counts_at(self.state, np.asarray(rows), now, out)
        return out

    def all_clicks(self, now: int) -> npt.NDArray[np.float64]:
        """Clicks on all articles, decayed to ``now``: float64 (K,)."""
        state, speeds = self.state, range(len(self.state.per_ms))
        landmark, now = int(state.clock[LANDMARK]), max(now, int(state.clock[NEWEST]))
        fades = np.array([faded(landmark, now, float(state.per_ms[k])) for k in speeds])
        return np.asarray(state.all_decayed[1] * fades, np.float64)

    def clicks(self, rows: Rows, now: int) -> Floats:
        """Clicks decayed to ``now``: float32 (B, K)."""
        return self.counts(rows, now)[:, 1].astype(np.float32)

    def impressions(self, rows: Rows, now: int) -> Floats:
        """Examined impressions decayed to ``now``: float32 (B, K)."""
        return self.counts(rows, now)[:, 0].astype(np.float32)

    def total_clicks(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Clicks ever: int64 (B,)."""
        return np.asarray(self.state.total[rows, 1])

    def total_impressions(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Impressions ever: int64 (B,)."""
        return np.asarray(self.state.total[rows, 0])

    def first_seen(self, rows: Rows) -> npt.NDArray[np.int64]:
        """First impression or click of each article: int64 (B,) ms, NEVER_MS for none."""
        return np.asarray(self.state.first[rows])

    def rate(self, impressions: Array, clicks: Array) -> Floats:
        """Smoothed click rates: the stream's own rate, with the strength of ``PRIOR_IMPRESSIONS``, and the counts.

        A click without an impression counts as its own impression, so that a log of clicks alone has rates ≤ 1.

        Args:
            impressions: float (…,), not negative.
            clicks: float (…,), not negative.

        Returns:
            float32 (…,) in (0, 1].
        """
        shown, clicked = self.all_total
        stream = (clicked + FIRST_RATE[0]) / (max(shown, clicked) + FIRST_RATE[1])
        smoothed = (clicks + PRIOR_IMPRESSIONS * stream) / (np.maximum(impressions, clicks) + PRIOR_IMPRESSIONS)
        return np.asarray(smoothed, np.float32)

    def click_rate(self, rows: Rows, now: int) -> Floats:
        """Smoothed click rates at each half-life: float32 (B, K)."""
        counts = self.counts(rows, now)
        return self.rate(counts[:, 0], counts[:, 1])

    def shelf(self) -> npt.NDArray[np.float64]:
        """Hours by which ``SHELF_SHARE`` of a category's clicks have come: float64 (CATEGORIES + 1,), all last."""
        out = np.empty(CATEGORIES + 1)
        fill_shelf_lives(self.state, SHELF_SHARE, SHELF_PRIOR, out)
        return out

    def covisits(self, row: int, now: int, n: int) -> tuple[Rows, Floats]:
        """Co-visited articles of one article, most often first.

        Returns:
            int32 (≤ n,) rows and float32 (≤ n,) co-visits, decayed at the longer half-life; equal ones in row order.
        """
        return strongest_covisits(self.state, row, now, n)

    def liveliest(self, rows: Rows, now: int) -> int:
        """The half-life, by its place, that ranks some articles: the shortest in which any still has half a click.

        A quarter of an hour is too little to rank a site by. -1 when all have faded: then it is the clicks ever.
        """
        alive = np.flatnonzero((self.counts(rows, now)[:, 1, 1:] >= _ALIVE).any(axis=0))
        return int(alive[0]) + 1 if len(alive) else -1

    def most_clicked(self, rows: Rows, now: int, n: int) -> Rows:
        """Those of some articles that were clicked most lately, see ``liveliest``.

        Articles with undated clicks alone come after these; those that nobody clicked are left out.

        Args:
            rows: int32 (B,), rising.
            now: ms since the epoch.
            n: how many at most.

        Returns:
            int32 (≤ n,) rows, most clicked first; equal ones in row order.
        """
        is_dated = self.state.total[rows, 1] > 0
        dated, speed = rows[is_dated], self.liveliest(rows, now)
        strength = self.counts(dated, now)[:, 1, speed] if speed > 0 else self.state.total[dated, 1]
        ranked = dated[np.argsort(-strength, kind="stable")[:n]]
        rest = rows[~is_dated & (self.state.undated[rows] > 0)]
        undated = rest[np.argsort(-self.state.undated[rest], kind="stable")[: n - len(ranked)]]
        return np.asarray(np.concatenate([ranked, undated]), np.int32)

    def arrays(self) -> dict[str, Array]:
        """Everything counted, as copies, which ``restore`` reads back exactly; categories and dates are the owner's."""
        names = [name for name in TrendState._fields if name not in ("category", "published")]
        return {name: getattr(self.state, name).copy() for name in names}
