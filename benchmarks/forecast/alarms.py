"""Alerts on a simulated site: how many there are on quiet days, and how soon a planted outage is found.

The site is simulated, and so is all that is said of it: six sections from 6 to 120 clicks in ten minutes, a day's and
a week's profile, days that differ by a fifth and hours that drift; articles come and fade. Each night the forecast is
made anew from what came. Alerts are asked for every five minutes on quiet days, every minute after an outage began.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.forecast.alerts import BINS_OF_HOUR, rising, silent
from recsys.forecast.calendar import calendar
from recsys.forecast.expected import WHOLE_SITE, ExpectedClicks
from recsys.forecast.expecting import expect_clicks
from recsys.forecast.steps import STEPS_PER_DAY
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS

START = 1_704_067_200_000  # 1 January 2024
LEARNED_DAYS, QUIET_DAYS = 7, 7
SECTIONS = {"home": 120.0, "sport": 60.0, "world": 40.0, "culture": 25.0, "science": 12.0, "chess": 6.0}
OUTAGES = 60
OUTAGE_HOURS = (7, 22)  # of the day, between which outages are planted
FOUND_WITHIN = 60  # minutes that are looked at after an outage began
ARTICLE_MINUTES, ARTICLE_LIFE = 40, 8 * 60  # between two articles of a section; until one is down to a third

Clicks = npt.NDArray[np.int64]


class SimulatedSite(NamedTuple):
    """Clicks of a simulated site.

    Attributes:
        minutes: int64 (S, M), clicks of each section in each minute.
        names: of the sections.
    """

    minutes: Clicks
    names: list[str]


def simulated_site(days: int, rng: np.random.Generator) -> SimulatedSite:
    """A site without an outage and without a big story."""
    steps = days * STEPS_PER_DAY
    local = calendar(START, steps, "UTC", 4)
    shape = -1.1 * np.cos(2 * np.pi * (local.hour - 3) / 24) - 0.45 * local.weekend
    shape += rng.normal(0, 0.2, days + 2)[local.day - local.day[0]]
    drift = np.zeros(steps)
    for step in range(1, steps):
        drift[step] = 0.98 * drift[step - 1] + rng.normal(0, 0.02)
    rate = np.exp(shape + drift)[None, :] * np.array(list(SECTIONS.values()))[:, None] / 10  # (S, steps), by minute
    return SimulatedSite(rng.poisson(np.repeat(rate, 10, axis=1)), list(SECTIONS))


def measure_alarms(seed: int) -> dict[str, Any]:
    """Alerts on quiet days, and minutes until outages are found."""
    rng = np.random.default_rng(seed)
    site = simulated_site(LEARNED_DAYS + QUIET_DAYS, rng)
    nights = [expected_at(site, LEARNED_DAYS + night) for night in range(QUIET_DAYS)]
    quiet = sum(len(silent(nights[day], last_hour(site, minute), at(minute))) for day, minute in looks(5))
    risen = sum(_risen(site, nights, section, rng) for section in range(len(site.names)))
    found: dict[str, list[float]] = {name: [] for name in (WHOLE_SITE, *site.names)}
    for _ in range(OUTAGES):
        name = str(rng.choice(list(found)))
        day = int(rng.integers(QUIET_DAYS))
        minute = (LEARNED_DAYS + day) * 1440 + int(rng.integers(OUTAGE_HOURS[0] * 60, OUTAGE_HOURS[1] * 60))
        found[name].append(minutes_to_find(site, nights[day], name, minute))
    told = {name or "site": _summary(minutes) for name, minutes in found.items() if minutes}
    return {"quiet_days": QUIET_DAYS, "alerts_on_quiet_days": quiet, "rising_on_quiet_days": risen, "outages": told}


def replayed_alarms(times: Clicks) -> list[dict[str, int]]:
    """Stretches in which the site of a log is called silent, each night's forecast being made from the days before.

    Args:
        times: int64 (C,), ms UTC, ascending; of some days, the first two of which are only learned from.

    Returns:
        Of each stretch the minute since the log's first hour at which it began, how long it was said, and
        ``empty_since``: minutes without a click when it was first said.
    """
    start = int(times[0]) // HOUR_MS * HOUR_MS
    minutes = np.bincount((times - start) // MINUTE_MS)
    said: list[dict[str, int]] = []
    for day in range(2, len(minutes) // 1440):
        expected = _of_site(times[times < start + day * DAY_MS])
        for minute in range(day * 1440, (day + 1) * 1440):
            bins = minutes[minute - 60 : minute].reshape(BINS_OF_HOUR, 5).sum(axis=1).tolist()
            if not silent(expected, {WHOLE_SITE: bins}, start + minute * MINUTE_MS):
                continue
            if said and said[-1]["minute"] + said[-1]["minutes"] == minute:
                said[-1]["minutes"] += 1
            else:
                clicked = np.flatnonzero(minutes[:minute])
                said.append({"minute": minute, "minutes": 1, "empty_since": minute - 1 - int(clicked[-1])})
    return said


def expected_at(site: SimulatedSite, days: int) -> ExpectedClicks:
    """The forecast that the night after some days makes."""
    counts = site.minutes[:, : days * 1440]
    section, minute = np.nonzero(counts)
    times = np.repeat(START + minute * MINUTE_MS, counts[section, minute])
    sections = np.repeat(section, counts[section, minute])
    order = np.argsort(times, kind="stable")
    return expect_clicks(times[order], sections[order], site.names, "UTC")


def _of_site(times: Clicks) -> ExpectedClicks:
    return expect_clicks(times, np.full(len(times), -1), [], "UTC")


def at(minute: int) -> int:
    """The time at which a minute of the site begins, ms UTC."""
    return START + minute * MINUTE_MS


def looks(every: int) -> list[tuple[int, int]]:
    """Day and minute of all looks on quiet days."""
    minutes = range(LEARNED_DAYS * 1440 + 60, (LEARNED_DAYS + QUIET_DAYS) * 1440, every)
    return [(minute // 1440 - LEARNED_DAYS, minute) for minute in minutes]


def last_hour(site: SimulatedSite, minute: int) -> dict[str, list[int]]:
    """Clicks by section, and of the whole site, in the twelve bins before a minute."""
    bins = site.minutes[:, minute - 60 : minute].reshape(len(site.names), BINS_OF_HOUR, 5).sum(axis=2)
    return {WHOLE_SITE: bins.sum(axis=0).tolist()} | dict(zip(site.names, bins.tolist(), strict=True))


def minutes_to_find(site: SimulatedSite, expected: ExpectedClicks, name: str, minute: int) -> float:
    """Minutes after which an outage of a section, or of all, is found; infinite where it is not."""
    broken = site.minutes.copy()
    rows = slice(None) if name == WHOLE_SITE else site.names.index(name)
    broken[rows, minute : minute + FOUND_WITHIN] = 0
    for later in range(1, FOUND_WITHIN + 1):
        counts = last_hour(SimulatedSite(broken, site.names), minute + later)
        if any(alert.name == name for alert in silent(expected, counts, at(minute + later))):
            return float(later)
    return float("inf")


def _risen(site: SimulatedSite, nights: list[ExpectedClicks], section: int, rng: np.random.Generator) -> int:
    """Articles of a section that are called breaking on quiet days, though they only come and fade."""
    bins = site.minutes[section].reshape(-1, 5).sum(axis=1)
    born = np.arange(-ARTICLE_LIFE, len(bins) * 5, ARTICLE_MINUTES)
    size = np.exp(rng.normal(0, 1, len(born)))
    age = np.arange(len(bins))[:, None] * 5 - born[None, :]
    weight = np.where((age >= 0) & (age < 3 * ARTICLE_LIFE), size * np.exp(-np.maximum(age, 0) / ARTICLE_LIFE), 0.0)
    clicks = rng.multinomial(bins, weight / weight.sum(axis=1, keepdims=True))  # (bins, articles)
    name, risen = site.names[section], 0
    for day, minute in looks(5):
        window = clicks[minute // 5 - BINS_OF_HOUR : minute // 5]
        live = np.flatnonzero(window[-2:].sum(axis=0) >= 20)
        counts = {str(article): window[:, article].tolist() for article in live}
        risen += len(rising(nights[day], counts, dict.fromkeys(counts, name), at(minute)))
    return risen


def _summary(minutes: list[float]) -> dict[str, float | None]:
    values = np.array(minutes)
    return {
        "planted": len(values),
        "found_in_10": round(float((values <= 10).mean()), 3),
        "median_minutes": _minutes(float(np.median(values))),
        "worst_minutes": _minutes(float(values.max())),
    }


def _minutes(value: float) -> float | None:
    """None for an outage that was not found."""
    return value if np.isfinite(value) else None
