"""Level × profile: the clicks of the last day, shared out as the hours of a week share them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from recsys.forecast.calendar import HOURS, QUIET_HOUR, Calendar, Ints, calendar, quietest_hour
from recsys.forecast.contract import Expectation
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_DAY, STEPS_PER_HOUR, FloatArray

WEEK_HOURS = 7 * HOURS
PROFILE_PRIOR = 1.0  # days by which an hour of the week is drawn to the same hour of all days


@dataclass(frozen=True)
class LevelProfile:
    """A level that follows the last day, times a profile that is learned.

    Attributes:
        quiet_hour: at which a reader's day ends.
        profile: float64 (168,), mean clicks of a step by hour of the week.
    """

    quiet_hour: int = QUIET_HOUR
    profile: FloatArray = field(default_factory=lambda: np.ones(WEEK_HOURS))

    def fit(self, series: ClickSeries) -> Self:
        """Learn the profile; an hour of the week that was not seen is as the same hour of other days."""
        quiet = quietest_hour(series)
        hour = _hour_of_week(calendar(series.start, len(series), series.zone, quiet))
        seen = series.observed
        total = np.bincount(hour[seen], weights=series.clicks[seen], minlength=WEEK_HOURS).reshape(7, HOURS)
        count = np.bincount(hour[seen], minlength=WEEK_HOURS).reshape(7, HOURS)
        overall = max(float(total.sum() / max(1, count.sum())), 1e-3)
        daily = (total.sum(axis=0) + overall) / (count.sum(axis=0) + 1)  # (24,)
        prior = PROFILE_PRIOR * STEPS_PER_HOUR
        return type(self)(quiet, ((total + prior * daily) / (count + prior)).ravel())

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``Forecaster``."""
        days = calendar(series.start, len(series) + max(ahead) * STEPS_PER_HOUR, series.zone, self.quiet_hour)
        usual = self.profile[_hour_of_week(days)]  # (N + horizon,)
        came = np.append(0.0, np.cumsum(np.where(series.observed, series.clicks, 0.0)))
        asked = np.append(0.0, np.cumsum(np.where(series.observed, usual[: len(series)], 0.0)))
        since = np.maximum(0, origins - STEPS_PER_DAY)
        level = (came[origins] - came[since] + 0.5) / (asked[origins] - asked[since] + 0.5)  # (O,)
        begins = origins[:, None] + (np.asarray(ahead) - 1) * STEPS_PER_HOUR  # (O, K)
        hourly = usual[begins[:, :, None] + np.arange(STEPS_PER_HOUR)].sum(axis=2)
        median = level[:, None] * hourly
        return Expectation(median, np.full_like(median, 0.3))


def _hour_of_week(days: Calendar) -> Ints:
    hours: Ints = days.weekday * HOURS + days.hour.astype(np.int64)
    return hours
