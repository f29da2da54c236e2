"""A backtest on a rolling origin: every hour a forecast is made from what was known then, and later judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.forecast.bands import NORMAL_90, band, scores, track
from recsys.forecast.calendar import Ints
from recsys.forecast.contract import Expectation, Forecaster, hour_sums
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_DAY, STEPS_PER_HOUR, FloatArray

REFIT_STEPS = STEPS_PER_DAY  # a model learns again each day
WARM_UP_HOURS = 24  # of forecasts before the first judged one, from which a band finds its width


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one horizon and what came.

    Attributes:
        target: int64 (T,), step at which each judged hour begins.
        clicks: float64 (T,); NaN where the hour was not observed.
        median: float64 (T,); NaN where the model said nothing.
        low: float64 (T,).
        high: float64 (T,).
    """

    target: Ints
    clicks: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray

    def wape(self, also: FloatArray | None = None) -> float:
        """Weighted absolute percentage error: the sum of the errors over the sum of the clicks.

        Args:
            also: medians of another model; hours of which it says nothing are left out.

        Returns:
            NaN where no hour is judged.
        """
        judged = self._judged & (True if also is None else ~np.isnan(also))
        total = self.clicks[judged].sum()
        return float(np.abs(self.clicks - self.median)[judged].sum() / total) if total > 0 else float("nan")

    def coverage(self) -> float:
        """Share of the judged hours whose clicks lay within the band; NaN where no hour is judged."""
        judged = self._judged
        inside = (self.clicks >= self.low) & (self.clicks <= self.high)
        return float(inside[judged].mean()) if judged.any() else float("nan")

    @property
    def _judged(self) -> np.ndarray:
        return ~np.isnan(self.clicks) & ~np.isnan(self.median)


def backtest(model: Forecaster, series: ClickSeries, begin: int, end: int, ahead: Sequence[int]) -> dict[int, Backtest]:
    """Judge a model on the hours that begin between two steps.

    Args:
        model: learns anew each day from all that was known at its begin.
        series: the whole of it.
        begin: first step judged.
        end: the step before which the last judged hour ends.
        ahead: hours; of each the same hours are judged.

    Returns:
        By the hours ahead.
    """
    targets = np.arange(begin, end - STEPS_PER_HOUR + 1, STEPS_PER_HOUR)
    outcome = hour_sums(series)
    return {hour: _judged(rolling(model, series, hour, begin, end), hour, targets, outcome) for hour in ahead}


def rolling(model: Forecaster, series: ClickSeries, hour: int, begin: int, end: int) -> tuple[Ints, Expectation]:
    """Forecasts of one horizon for each hour from ``WARM_UP_HOURS`` before ``begin``, if there is as much.

    Returns:
        int64 (O,), the origins; their expectations (O, 1).
    """
    back = (hour - 1) * STEPS_PER_HOUR
    warm_up = min(WARM_UP_HOURS, max(0, (begin - back) // STEPS_PER_HOUR - 1))
    origins = np.arange(begin - back - warm_up * STEPS_PER_HOUR, end - back - STEPS_PER_HOUR + 1, STEPS_PER_HOUR)
    parts = []
    for first in range(0, len(origins), REFIT_STEPS // STEPS_PER_HOUR):
        block = origins[first : first + REFIT_STEPS // STEPS_PER_HOUR]
        known = series.until(int(block[0]))
        parts.append(model.fit(known).expect(series.until(int(block[-1])), block, [hour]))
    return origins, Expectation(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _judged(forecasts: tuple[Ints, Expectation], hour: int, targets: Ints, outcome: FloatArray) -> Backtest:
    origins, (medians, spreads) = forecasts
    begins = origins + (hour - 1) * STEPS_PER_HOUR
    clicks, median, spread = outcome[begins], medians[:, 0], spreads[:, 0]
    quantile = track(scores(clicks, median, spread), delay=hour, start=NORMAL_90)
    low, high = band(median, spread, quantile)
    rows = np.searchsorted(begins, targets)
    return Backtest(targets, clicks[rows], median[rows], low[rows], high[rows])
