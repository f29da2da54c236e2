"""Ridge regression and boosted trees on calendar and lags, one model per hour ahead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from recsys.forecast.calendar import QUIET_HOUR, Ints, quietest_hour
from recsys.forecast.contract import Expectation
from recsys.forecast.lags import LagTable, lag_columns, lag_table, lifted_level
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_DAY, STEPS_PER_HOUR, FloatArray
from recsys.forecast.trees import fit_trees

RIDGE_PENALTY = 30.0  # on columns of unit variance, in rows
LEAST_ROWS = 12 * STEPS_PER_HOUR  # below which a regression says the level and no more
TREE_COUNT = 150

Predictor = Callable[[FloatArray], FloatArray]
Learner = Callable[[FloatArray, FloatArray], Predictor]


def ridge(columns: FloatArray, target: FloatArray) -> Predictor:
    """Least squares with a penalty on every weight but the constant; columns are scaled to unit variance."""
    mean, scale = columns.mean(axis=0), columns.std(axis=0) + 1e-9
    unit = np.where(scale > 1e-6, (columns - mean) / scale, 0.0)
    base = target.mean()
    gram = unit.T @ unit + RIDGE_PENALTY * np.eye(unit.shape[1])
    weights = np.linalg.solve(gram, unit.T @ (target - base)) * (scale > 1e-6) / scale
    return lambda asked: base + (asked - mean) @ weights


def boosted(columns: FloatArray, target: FloatArray) -> Predictor:
    """Boosted trees; see ``fit_trees``."""
    return fit_trees(columns, target, np.random.default_rng(1), TREE_COUNT).predict


@dataclass(frozen=True)
class LagRegression:
    """A learner on calendar and lags.

    Attributes:
        learner: ``ridge`` or ``boosted``.
        quiet_hour: at which a reader's day ends.
        past: the series that it was fitted on; a model of an hour ahead is learned when that hour is asked for.
    """

    learner: Learner = ridge
    quiet_hour: int = QUIET_HOUR
    past: ClickSeries | None = field(default=None, repr=False)

    def fit(self, series: ClickSeries) -> Self:
        """Keep the past."""
        return replace(self, quiet_hour=quietest_hour(series), past=series)

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``Forecaster``; an unfitted one learns from nothing and says the level."""
        table = lag_table(series, max(ahead), self.quiet_hour)
        medians, spreads = [], []
        for hour in ahead:
            predict, spread = self._learned(hour)
            medians.append(np.exp(lifted_level(table, origins, hour) + predict(lag_columns(table, origins, hour))))
            spreads.append(np.full(len(origins), spread))
        return Expectation(np.column_stack(medians), np.column_stack(spreads))

    def _learned(self, hour: int) -> tuple[Predictor, float]:
        rows = learning_rows(self.past, hour, self.quiet_hour)
        if rows is None:
            return lambda asked: np.zeros(len(asked)), 1.0
        columns, target = rows
        predict = self.learner(columns, target)
        return predict, max(0.05, float(np.std(target - predict(columns))))


def learning_rows(series: ClickSeries | None, hour: int, quiet_hour: int) -> tuple[FloatArray, FloatArray] | None:
    """Columns and relative logarithms of all targets in a past: float64 (n, F) and (n,); None for too few."""
    if series is None:
        return None
    table = lag_table(series, hour, quiet_hour)
    chosen = targets_of(table, len(series), hour)
    if len(chosen) < LEAST_ROWS:
        return None
    target = table.logs[chosen + (hour - 1) * STEPS_PER_HOUR] - table.level[chosen]
    return lag_columns(table, chosen, hour), target


def targets_of(table: LagTable, steps: int, hour: int) -> Ints:
    """Origins, from the second half day on, whose target is whole and known."""
    origins = np.arange(STEPS_PER_DAY // 2, max(STEPS_PER_DAY // 2, steps - hour * STEPS_PER_HOUR + 1))
    return origins[~np.isnan(table.logs[origins + (hour - 1) * STEPS_PER_HOUR])]
