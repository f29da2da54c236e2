"""The contract of every forecaster: fitted on a past, it says what each hour after an origin will bring.

An origin is a step; everything before it is known and nothing after it. Whoever keeps that, and the shapes, can stand
in the backtest, under the bands and in the release.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

import numpy as np

from recsys.forecast.calendar import Ints
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_HOUR, FloatArray


class Expectation(NamedTuple):
    """Expected clicks of single hours.

    Attributes:
        median: float64 (O, K), clicks; by origin and hour ahead. NaN where the model says nothing.
        spread: float64 (O, K), standard deviation of the logarithm, as the model believes it; 1 if it has no belief.
    """

    median: FloatArray
    spread: FloatArray


class Forecaster(Protocol):
    """A model of a series."""

    def fit(self, series: ClickSeries) -> Self:
        """Learn from a whole series, all of which is past."""
        ...

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """The expected clicks of hours after origins.

        Args:
            series: of which an origin's forecast reads the steps before it alone.
            origins: int64 (O,), steps, ascending; at most ``len(series)``.
            ahead: K hours; 1 is the hour that begins at the origin.
        """
        ...


def hour_sums(series: ClickSeries) -> FloatArray:
    """Clicks of the hour that begins at each step: float64 (N,); NaN where it is cut or has a gap."""
    clicks = np.where(series.observed, series.clicks, np.nan)
    sums = np.full(len(clicks), np.nan)
    if len(clicks) >= STEPS_PER_HOUR:
        whole = np.lib.stride_tricks.sliding_window_view(clicks, STEPS_PER_HOUR).sum(axis=1)
        sums[: len(whole)] = whole
    return sums
