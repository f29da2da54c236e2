"""Forecasts that anybody could make: as the last hour, as a day ago, as a week ago."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.forecast.calendar import Ints
from recsys.forecast.contract import Expectation, hour_sums
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_DAY, STEPS_PER_HOUR


@dataclass(frozen=True)
class LastValue:
    """The clicks of the last whole hour that was observed."""

    def fit(self, series: ClickSeries) -> Self:
        """Nothing to learn."""
        return self

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``Forecaster``."""
        sums = hour_sums(series)
        known = np.where(np.isnan(sums), -1, np.arange(len(sums)))
        last = np.maximum.accumulate(known) if len(known) else known
        at = origins - STEPS_PER_HOUR
        row = np.where(at >= 0, last[np.clip(at, 0, None)], -1)
        value = np.where(row >= 0, sums[np.clip(row, 0, None)], np.nan)
        median = np.repeat(value[:, None], len(ahead), axis=1)  # (O, K)
        return Expectation(median, np.ones_like(median))


@dataclass(frozen=True)
class SameHour:
    """The clicks of the same hour some days before.

    Attributes:
        days: 1 for a day ago, 7 for a week ago.
    """

    days: int

    def fit(self, series: ClickSeries) -> Self:
        """Nothing to learn."""
        return self

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``Forecaster``; of hours further ahead than ``days``, it says nothing."""
        sums = hour_sums(series)
        hours = np.asarray(ahead)
        row = origins[:, None] + (hours[None, :] - 1) * STEPS_PER_HOUR - self.days * STEPS_PER_DAY  # (O, K)
        known = (row >= 0) & (row + STEPS_PER_HOUR <= origins[:, None])
        median = np.where(known, sums[np.clip(row, 0, len(sums) - 1)], np.nan)
        return Expectation(median, np.ones_like(median))
