"""A click file as a series of its site, and the part of it that is judged."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recsys.errors import DegenerateInput
from recsys.events import Events
from recsys.forecast.series import ClickSeries, click_series, gaps
from recsys.forecast.steps import STEPS_PER_HOUR

EDGE_SHARE = 0.2  # of the clicks a day before, below which the last hours are what a cut file has left
EDGE_USUAL = 0.02  # of the hour in which the middle one of all clicks came, likewise: a tail of weeks does not move it
JUDGED_SHARE = 3 / 8  # of the hours; six days of sixteen


class Judged(NamedTuple):
    """A site's clicks and the stretch that is judged.

    Attributes:
        series: of the whole site, without its cut edges.
        begin: first step that is judged.
        end: the step before which the last judged hour ends.
    """

    series: ClickSeries
    begin: int
    end: int


def judged(events: Events, zone: str, from_hour: float | None, to_hour: float | None) -> Judged:
    """The clicks of a file in steps.

    Args:
        events: clicks in time order.
        zone: of the site.
        from_hour: hours after the file's begin at which judging begins; default: the last ``JUDGED_SHARE``.
        to_hour: at which it ends; default: with the file.

    Raises:
        DegenerateInput: less than a day stands before what is judged, or nothing is.
    """
    series = trimmed(click_series(events.time, zone=zone))
    hours = len(series) // STEPS_PER_HOUR
    begin = round(hours * (1 - JUDGED_SHARE)) if from_hour is None else int(from_hour)
    end = hours if to_hour is None else min(hours, int(to_hour))
    if begin < 24 or end <= begin:
        raise DegenerateInput(
            "a day of clicks, and hours to judge after it",
            f"{hours} hours, judged from {begin} to {end}",
            "Give a longer file, or other --from-hour and --to-hour.",
        )
    return Judged(series, begin * STEPS_PER_HOUR, end * STEPS_PER_HOUR)


def trimmed(series: ClickSeries) -> ClickSeries:
    """A series without the hours after its end in which only sessions run out that began before it.

    The end is the last hour that has clicks a day before, ``EDGE_SHARE`` of them, and ``EDGE_USUAL`` of a usual hour's.
    """
    clicks = series.hourly()["clicks"].to_numpy()
    ascending = np.sort(clicks)
    usual = ascending[np.searchsorted(ascending.cumsum(), clicks.sum() / 2)]
    day_ago = np.append(clicks[:24], clicks)[: len(clicks)]
    whole = np.flatnonzero((day_ago > 0) & (clicks >= EDGE_SHARE * day_ago) & (clicks >= EDGE_USUAL * usual))
    kept = series.until((int(whole[-1]) + 1) * STEPS_PER_HOUR)
    return replace(kept, observed=~gaps(kept.clicks))
