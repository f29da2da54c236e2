"""The clicks of the last hour beside those that were expected, by section, and what is out of the ordinary.

Reads the expectation that came with the live release, and the newest clicks of the store, at most every few seconds;
whoever asks meanwhile gets the last counts. Robots are not told apart here.
"""

import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import structlog
from flask import current_app

from recsys.errors import RecsysError
from recsys.forecast.alerts import BIN_MS, BINS_OF_HOUR, Alert, rising, silent
from recsys.forecast.expected import WHOLE_SITE, ExpectedClicks, load_expected
from recsys.units import HOUR_MS, now_ms
from web.installation import Installation, installation

EXTENSION = "outlook"
OUTLOOK_SECONDS = 10.0  # for which an outlook is given again
STAGE = "forecast"

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class SeriesOutlook(NamedTuple):
    """Clicks of a section in the last hour, and those expected in it.

    Attributes:
        section: its name; empty for the whole site.
        clicks: of the last hour.
        expected: median; None where nothing is expected: no release has said it, or its days are over.
        low: lower end of the 90 % band.
        high: upper end.
    """

    section: str
    clicks: int
    expected: float | None
    low: float | None
    high: float | None


class HourOutlook(NamedTuple):
    """Expected clicks of an hour to come, which begins at ``start``, ms UTC."""

    start: int
    expected: float
    low: float
    high: float


class TrafficOutlook(NamedTuple):
    """Counts beside what was expected of them.

    Attributes:
        time: of the counts, ms UTC.
        known_until: ms UTC, up to which the expectation knew the clicks; None without one.
        series: the whole site first.
        alerts: silent sections, then rising articles.
        titles: of the articles among them, by id.
    """

    time: int
    known_until: int | None
    series: list[SeriesOutlook]
    alerts: list[Alert]
    titles: dict[str, str]


class OutlookCounter:
    """The outlook of one application, made anew when somebody asks and it is old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._last: TrafficOutlook | None = None
        self._release: str | None = None
        self._expected: ExpectedClicks | None = None

    def now(self, here: Installation, now: int) -> TrafficOutlook:
        """The outlook; one thread at a time makes it."""
        with self._lock:
            if self._last is None or time.monotonic() - self._made_at >= OUTLOOK_SECONDS:
                self._last = _outlook(here, self._of_release(here), now)
                self._made_at = time.monotonic()
            return self._last

    def expected(self, here: Installation) -> ExpectedClicks | None:
        """The expectation of the live release; None where it has none that can be read."""
        with self._lock:
            return self._of_release(here)

    def _of_release(self, here: Installation) -> ExpectedClicks | None:
        name = here.live.release
        if name != self._release:
            self._release, self._expected = name, None if name is None else _read(here.releases.root / name / STAGE)
        return self._expected


def outlook() -> TrafficOutlook:
    """The outlook of this application; see ``OutlookCounter``."""
    counter: OutlookCounter = current_app.extensions[EXTENSION]
    return counter.now(installation(), now_ms())


def hours_to_come(section: str, hours: int) -> list[HourOutlook]:
    """The hours from this one on, as far as something is expected of them."""
    counter: OutlookCounter = current_app.extensions[EXTENSION]
    expected, first = counter.expected(installation()), now_ms() // HOUR_MS * HOUR_MS
    told = []
    for start in range(first, first + hours * HOUR_MS, HOUR_MS):
        band = None if expected is None else expected.band(section, max(start, expected.start), start + HOUR_MS)
        if band is not None:
            told.append(HourOutlook(start, *(round(value, 1) for value in band)))
    return told


def _read(folder: Path) -> ExpectedClicks | None:
    if not folder.is_dir():  # a release of before there were forecasts
        return None
    try:
        return load_expected(folder)
    except (RecsysError, OSError, KeyError, ValueError) as error:
        log.error("the release's forecast cannot be read", folder=str(folder), error=str(error))
        return None


def _outlook(here: Installation, expected: ExpectedClicks | None, now: int) -> TrafficOutlook:
    catalogue = here.live.catalogue
    clicks = here.store.clicks_between(here.live.site, now - HOUR_MS, now, here.store.last_seq(here.live.site))
    by_article: dict[str, list[int]] = defaultdict(lambda: [0] * BINS_OF_HOUR)
    for click in clicks:
        by_article[click.article][(click.time - now + HOUR_MS) // BIN_MS] += 1
    rows = {article: catalogue.row_of.get(article) for article in by_article}
    sections = {article: None if row is None else catalogue.category(row) for article, row in rows.items()}
    counts = {WHOLE_SITE: [0] * BINS_OF_HOUR}
    for article, bins in by_article.items():
        for name in {WHOLE_SITE, sections[article] or WHOLE_SITE}:
            counts[name] = [one + more for one, more in zip(counts.get(name, [0] * BINS_OF_HOUR), bins, strict=True)]
    names = list(dict.fromkeys([WHOLE_SITE, *(expected.names if expected else ()), *sorted(counts)]))
    series = [_series(name, sum(counts.get(name, ())), expected, now) for name in names]
    alerts = [] if expected is None else [*silent(expected, counts, now), *rising(expected, by_article, sections, now)]
    titles = {one.name: _title(here, one.name) for one in alerts if one.kind == "rising"}
    return TrafficOutlook(now, expected.start if expected else None, series, alerts, titles)


def _series(name: str, clicks: int, expected: ExpectedClicks | None, now: int) -> SeriesOutlook:
    band = None if expected is None else expected.band(name, now - HOUR_MS, now)
    if band is None:
        return SeriesOutlook(name, clicks, None, None, None)
    return SeriesOutlook(name, clicks, *(round(value, 1) for value in band))


def _title(here: Installation, article: str) -> str:
    row = here.live.catalogue.row_of.get(article)
    known = row is not None and here.live.catalogue.articles.known(row)
    return here.live.catalogue.article(row).title if known and row is not None else article
