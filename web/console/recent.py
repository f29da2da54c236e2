"""The last events of a site, counted in one pass for all pages: clicks of the last hour, click rates by slot and day.

Reads the newest events of the store, of a bounded number, at most every few seconds; whoever asks meanwhile gets the
last counts. Nothing here is learned from.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from recsys.errors import StoreError
from recsys.store import Kind, Store
from recsys.units import HOUR_MS, MINUTE_MS

MAX_RECENT = 30_000  # events that are looked at: some 0.1 s
RECENT_SECONDS = 10.0  # for which counts are given again
OLD_SECONDS = 60.0  # from when on they are made while who asks waits
STEPS = 12  # of the last hour
STEP_MS = HOUR_MS // STEPS
WILSON_Z = 1.96  # 95 %


class SlotDay(NamedTuple):
    """Impressions and clicks of a slot on a day of the site's zone, both as sent."""

    day: str
    slot: str
    shown: int
    clicked: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the click rate, each in [0, 1].

        Source: Wilson 1927.
        """
        n, z = max(1, self.shown), WILSON_Z
        rate = min(1.0, self.clicked / n)
        middle, spread = rate + z * z / (2 * n), z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


@dataclass(frozen=True)
class RecentEvents:
    """Counts of the last events.

    Attributes:
        events: how many were looked at.
        since: time of the oldest dated one, ms UTC; None without one.
        clicks: by article, of the last hour, in steps of five minutes, oldest first.
        shown: impressions of the last hour by article.
        slots: by day, newest first, and slot.
        clicked_at: time of the newest click, ms UTC; None without one.
        all_clicks: how many of the events are clicks.
        unmatched: how many of the clicks name an article that the catalogue lacks.
    """

    events: int = 0
    since: int | None = None
    clicks: dict[str, list[int]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    slots: tuple[SlotDay, ...] = ()
    clicked_at: int | None = None
    all_clicks: int = 0
    unmatched: int = 0


Row = tuple[str, str, int | None, str | None]  # kind, article, time, slot


def counted(rows: Iterable[Row], known: Collection[str], now: int, zone: str) -> RecentEvents:
    """Count events.

    Args:
        rows: kind, article, time and slot of each.
        known: ids of the catalogue.
        now: ms UTC.
        zone: of the days.
    """
    clicks: dict[str, list[int]] = defaultdict(lambda: [0] * STEPS)
    shown: dict[str, int] = defaultdict(int)
    by_slot: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    events = all_clicks = unmatched = 0
    since = clicked_at = None
    for kind, article, at, slot in rows:
        events += 1
        is_click = kind == Kind.CLICK.value
        if is_click:
            all_clicks += 1
            unmatched += article not in known
        elif kind != Kind.IMPRESSION.value:
            continue
        if at is None or at > now:
            continue
        since = at if since is None or at < since else since
        by_slot[at // (15 * MINUTE_MS), slot or ""][is_click] += 1
        if is_click and (clicked_at is None or at > clicked_at):
            clicked_at = at
        if at > now - HOUR_MS:
            if is_click:
                clicks[article][STEPS - 1 - (now - at) // STEP_MS] += 1
            else:
                shown[article] += 1
    return RecentEvents(
        events, since, dict(clicks), dict(shown), _by_day(by_slot, zone), clicked_at, all_clicks, unmatched
    )


class RecentCounter:
    """The counts of one application, made anew when somebody asks and they are old.

    Whoever reads page after page waits once: counts younger than a minute are given at once, newer ones made beside.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._last = RecentEvents()

    def now(self, store: Store, site: str, known: Collection[str], now: int, zone: str) -> RecentEvents:
        """The counts; see ``counted``. One thread at a time makes them, others get the last ones."""
        asked, age = (store, site, known, now, zone), time.monotonic() - self._made_at
        if RECENT_SECONDS <= age < OLD_SECONDS:
            threading.Thread(target=self._tried, args=asked, daemon=True, name="recent").start()
        elif age >= OLD_SECONDS:
            self._make(*asked, wait=self._made_at == float("-inf"))
        return self._last

    def _tried(self, *asked: Any) -> None:
        with suppress(StoreError):  # the next page says so, when these counts are old
            self._make(*asked, wait=False)

    def _make(self, store: Store, site: str, known: Collection[str], now: int, zone: str, *, wait: bool) -> None:
        """Make the counts, unless somebody just did, or does so now."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if time.monotonic() - self._made_at >= RECENT_SECONDS:
                first = max(0, store.last_seq(site) - MAX_RECENT)
                columns = store.event_columns_after(site, first, MAX_RECENT, ("kind", "article", "time", "slot"))
                self._last = counted(zip(*columns.values(), strict=True), known, now, zone)
                self._made_at = time.monotonic()
        finally:
            self._lock.release()


def _by_day(by_slot: dict[tuple[int, str], list[int]], zone: str) -> tuple[SlotDay, ...]:
    days: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    local = ZoneInfo(zone)
    for (quarter, slot), (shown, clicked) in by_slot.items():  # no zone of today is off by less than a quarter
        day = f"{datetime.fromtimestamp(quarter * 15 * MINUTE_MS / 1000, local):%Y-%m-%d}"
        total = days[day, slot]
        total[0] += shown
        total[1] += clicked
    newest = sorted(days.items(), key=lambda item: (item[0][0], item[1][0]), reverse=True)
    return tuple(SlotDay(day, slot, *total) for (day, slot), total in newest)
