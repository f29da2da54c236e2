"""Alerts: a section that falls below its band, an article that rises above it.

A section is silent when the clicks of some minutes are fewer than chance allows at half the lower end of its band: then
clicks are not counted, or not sent. The band is the night's, or the narrower one around the level of the minutes
before, whichever tells first. Small sections take longer to tell: as long as some twenty clicks would have taken. An
article breaks when it gets more than half of all that its section may get, and more than chance allows at three times
what it got in the hour before. The band is of the rate; the chance of counts is Poisson's.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from recsys.forecast.bands import NORMAL_90
from recsys.forecast.expected import WHOLE_SITE, ExpectedClicks
from recsys.units import MINUTE_MS

BIN_MS = 5 * MINUTE_MS
BINS_OF_HOUR = 12
SILENT_BINS = (1, 2, 3, 4, 6, 12)  # of the newest, that are looked at together
RISING_BINS = 2
CHANCE = 1e-4  # that a rate at the bound brings as few, or as many; the bound itself is hardly ever reached
HOUR_DRIFT = 0.1  # standard deviation by which a level moves within the hour, of the logarithm
SILENT_SHARE = 0.5  # of the lower end of the band
RISING_TIMES = 3.0  # what an article got before
RISING_SHARE = 0.5  # of the upper end of its section's band
LEAST_RISING = 20  # clicks: below, nobody calls it news


class Alert(NamedTuple):
    """A series that is out of the ordinary.

    Attributes:
        kind: ``silent``: tracking broken? ``rising``: breaking?
        name: of the section, ``WHOLE_SITE``, or the article's id.
        minutes: over which was counted.
        clicks: that came.
        expected: median of those expected; of an article, of its whole section.
        bound: clicks at which it would have been within the ordinary, by the band.
    """

    kind: Literal["silent", "rising"]
    name: str
    minutes: int
    clicks: int
    expected: float
    bound: float


def silent(
    expected: ExpectedClicks, counts: Mapping[str, Sequence[int]], now: int, bins: int = BINS_OF_HOUR
) -> list[Alert]:
    """Series that are below their band; of the site, or else of its sections.

    Args:
        expected: of the release.
        counts: clicks by series in steps of ``BIN_MS`` up to now, oldest first, ``BINS_OF_HOUR`` of them.
        now: ms UTC.
        bins: of the newest, that were counted whole.
    """
    found = [alert for name in expected.names if (alert := _silence(expected, name, counts.get(name), now, bins))]
    whole = [alert for alert in found if alert.name == WHOLE_SITE]
    return whole or found


def rising(
    expected: ExpectedClicks,
    articles: Mapping[str, Sequence[int]],
    section_of: Mapping[str, str | None],
    now: int,
    bins: int = BINS_OF_HOUR,
) -> list[Alert]:
    """Articles that are above what their section and their own last hour allow, the largest first.

    Args:
        expected: of the release.
        articles: clicks by article; see ``silent``.
        section_of: name of each article's section.
        now: ms UTC.
        bins: see ``silent``; of fewer than a whole hour, nothing is said.
    """
    if bins < BINS_OF_HOUR:
        return []
    found = []
    for article, counts in articles.items():
        came, before = sum(counts[-RISING_BINS:]), sum(counts[:-RISING_BINS])
        if came < LEAST_RISING:
            continue
        name = section_of.get(article) or WHOLE_SITE
        told = _rates(expected, name if name in expected.quantile else WHOLE_SITE, RISING_BINS, now)
        if told is None:
            continue
        usual = RISING_TIMES * before * RISING_BINS / (BINS_OF_HOUR - RISING_BINS)
        bound = max(usual, RISING_SHARE * told[2])
        if came > bound and 1 - at_most(came - 1, bound) < CHANCE:
            found.append(Alert("rising", article, RISING_BINS * 5, came, told[0], bound))
    return sorted(found, key=lambda one: -one.clicks)


def _silence(expected: ExpectedClicks, name: str, counts: Sequence[int] | None, now: int, bins: int) -> Alert | None:
    last = _rates(expected, name, 1, now)
    if last is None or (counts and counts[-1] >= SILENT_SHARE * last[1]):
        return None  # it is back, whatever the hour was like
    for newest in SILENT_BINS:
        told = _rates(expected, name, newest, now) if newest <= bins else None
        if told is None:
            continue
        earlier = list(counts[BINS_OF_HOUR - bins : -newest]) if counts else []
        came, lowest = sum(counts[-newest:]) if counts else 0, _lowest(expected, name, earlier, newest, now)
        bound = SILENT_SHARE * max(told[1], lowest * told[0])
        if came < bound and at_most(came, bound) < CHANCE:
            return Alert("silent", name, newest * 5, came, told[0], bound)
    return None


def _rates(expected: ExpectedClicks, name: str, bins: int, now: int) -> tuple[float, float, float] | None:
    """Median, and lower and upper end of the rate of the newest bins."""
    told = expected.rate(name, now - bins * BIN_MS, now)
    if told is None:
        return None
    width = expected.quantile[name] * told[1]
    return told[0], told[0] * float(np.exp(-width)), told[0] * float(np.exp(width))


def _lowest(expected: ExpectedClicks, name: str, earlier: Sequence[int], newest: int, now: int) -> float:
    """The lower end of the rate relative to its median, once the bins before the newest have told the level.

    Two normal beliefs about the logarithm of the level are joined: the night's, and that of the earlier bins.
    """
    end = now - newest * BIN_MS
    told = expected.rate(name, end - len(earlier) * BIN_MS, end) if earlier else None
    if told is None:
        return 0.0
    night = (expected.quantile[name] / NORMAL_90 * told[1]) ** 2
    noise = 1 / (told[0] + 0.5) + HOUR_DRIFT**2
    level = np.log((sum(earlier) + 0.5) / (told[0] + 0.5)) * night / (night + noise)
    spread = np.sqrt(night * noise / (night + noise) + HOUR_DRIFT**2)
    return float(np.exp(level - NORMAL_90 * spread))


def at_most(count: int, mean: float) -> float:
    """The probability that a Poisson variable of a mean above 0 is at most a count; a worker loads no SciPy for it."""
    n = np.arange(count + 1)
    logs = n * np.log(mean) - np.cumsum(np.log(np.maximum(n, 1))) - mean
    return min(1.0, float(np.exp(logs).sum()))
