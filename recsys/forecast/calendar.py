"""Hours, days and weeks of a series, as its readers live them.

A reader's day ends when he sleeps, not at midnight: days are cut at the hour in which the series is quietest. So a
wrong or unknown time zone shifts the clock and not the days, and the night after Friday is Friday's.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEP_MS, STEPS_PER_HOUR, FloatArray
from recsys.units import DAY_MS, HOUR_MS

Ints = npt.NDArray[np.int64]

HOURS = 24
QUIET_HOUR = 4  # in which a day ends where the series does not tell: of less than a day
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday; Monday is 0
SATURDAY = 5


class Calendar(NamedTuple):
    """The steps of a series in local time.

    Attributes:
        hour: float64 (N,), local hour of the step's middle, in [0, 24).
        day: int64 (N,), number of the reader's day since 1970.
        weekday: int64 (N,), 0 for Monday.
        weekend: bool (N,), Saturday and Sunday.
    """

    hour: FloatArray
    day: Ints
    weekday: Ints
    weekend: npt.NDArray[np.bool_]


def calendar(start: int, steps: int, zone: str, quiet_hour: int) -> Calendar:
    """The calendar of steps.

    Args:
        start: ms UTC.
        steps: how many of ``STEP_MS``.
        zone: name of the time zone; its changes of the clock are followed.
        quiet_hour: local hour at which a reader's day ends.
    """
    times = pd.to_datetime(start + (np.arange(steps) * STEP_MS + STEP_MS // 2), unit="ms", utc=True)
    local = times.tz_convert(zone).tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    hour = (local % DAY_MS) / HOUR_MS
    day = (local - quiet_hour * HOUR_MS) // DAY_MS
    weekday = (day + EPOCH_WEEKDAY) % 7
    return Calendar(hour, day, weekday, weekday >= SATURDAY)


def quietest_hour(series: ClickSeries) -> int:
    """The local hour in which a series has fewest clicks, smoothed over three; ``QUIET_HOUR`` for less than a day."""
    if series.observed.sum() < HOURS * STEPS_PER_HOUR:
        return QUIET_HOUR
    hour = calendar(series.start, len(series), series.zone, 0).hour.astype(np.int64)
    seen = series.observed
    total = np.bincount(hour[seen], weights=series.clicks[seen], minlength=HOURS)
    mean = total / np.maximum(1, np.bincount(hour[seen], minlength=HOURS))  # (24,)
    if not mean.any():
        return QUIET_HOUR
    return int(np.argmin(mean + np.roll(mean, 1) + np.roll(mean, -1)))
