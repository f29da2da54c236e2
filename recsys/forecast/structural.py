"""A structural model: level, day, weekday, time of day and a short memory, followed by a Kalman filter.

The logarithm of the clicks of a step is a sum of parts that move at their own speeds. All but the level are ratios, so
that a site of a thousand clicks a day and one of a million are the same model, and what a series has not shown yet
(its Sundays, after three days) comes from a prior and gives way to what it shows.

Source: Harvey 1989, chapters 2 and 4 (basic structural model, trigonometric seasonals); West & Harrison 1997, chapter
14, for counts: here by the logarithm of the count and the variance of its rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from recsys.forecast.calendar import QUIET_HOUR, Calendar, Ints, calendar, quietest_hour
from recsys.forecast.contract import Expectation
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_HOUR, FloatArray

# Standard deviations are of the natural logarithm: .1 is about 10 %.
LEVEL_PER_HOUR = 0.005  # the site's own level, a random walk
DAY_SHOCK = 0.2  # news of a day: all its hours together
DAY_MEMORY = 0.5  # of a day's deviation that the next day keeps
FAST_SHOCK = 0.16  # per hour, of what comes and goes within hours
FAST_MEMORY = 0.85  # of it that an hour later is left
STEP_NOISE = 0.05  # of ten minutes, beside the chance of counts
WEEKEND, WEEKEND_SPREAD = -0.5, 0.25  # news is read at work: most sites have 40 to 70 % of a weekday's clicks
WEEKDAY_SPREAD = 0.15  # of one weekday from the others
HARMONICS, WEEKEND_HARMONICS = 6, 2  # of the day's profile, and of the weekend's beside it
PROFILE_SPREAD, WEEKEND_PROFILE_SPREAD = 1.0, 0.4  # of the first harmonic; the k-th has a k-th of it
PROFILE_PER_HOUR = 0.002
OUTLIER = 3.0  # standard deviations, beyond which a step counts less and less
MAX_LOG_RATE = 30.0  # of clicks in a step: more than the world makes
LEVEL, DAY, FAST, WEEK = 0, 1, 2, 3  # places of the parts; the weekend and seven weekdays follow


class FilterState(NamedTuple):
    """Knowledge of the parts at a step, before its clicks.

    Attributes:
        mean: float64 (S,).
        covariance: float64 (S, S).
    """

    mean: FloatArray
    covariance: FloatArray


@dataclass(frozen=True)
class Structural:
    """The structural model; its speeds are constants, so that two days are enough to begin with.

    Attributes:
        quiet_hour: at which a reader's day ends; found by ``fit``.
    """

    quiet_hour: int = QUIET_HOUR

    def fit(self, series: ClickSeries) -> Self:
        """Find the hour in which a day ends."""
        return type(self)(quietest_hour(series))

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``Forecaster``."""
        longest = max(ahead) * STEPS_PER_HOUR
        days = calendar(series.start, len(series) + longest + 1, series.zone, self.quiet_hour)
        loadings = loadings_of(days)
        state, done = first_state(series), 0
        median, spread = np.empty((2, len(origins), len(ahead)))
        for row, origin in enumerate(origins):
            state = follow(state, series, loadings, days, done, int(origin))
            done = int(origin)
            for column, hour in enumerate(ahead):
                begin = done + (hour - 1) * STEPS_PER_HOUR
                steps = np.arange(begin, begin + STEPS_PER_HOUR)
                mean, variance = project(state, loadings, days, done, steps)
                median[row, column] = np.exp(mean).sum()
                spread[row, column] = np.sqrt(variance.mean())
        return Expectation(median, spread)


def first_state(series: ClickSeries) -> FilterState:
    """The belief before the first step; the level is about that of the first day that was observed."""
    weekdays, harmonics = np.full(7, WEEKDAY_SPREAD), np.repeat(1 / np.arange(1, HARMONICS + 1), 2)
    weekend = np.repeat(1 / np.arange(1, WEEKEND_HARMONICS + 1), 2)
    deviations = np.concatenate(
        (
            [1.0, DAY_SHOCK / np.sqrt(1 - DAY_MEMORY**2), FAST_SHOCK / np.sqrt(1 - FAST_MEMORY**2), WEEKEND_SPREAD],
            weekdays,
            PROFILE_SPREAD * harmonics,
            WEEKEND_PROFILE_SPREAD * weekend,
        )
    )
    mean = np.zeros(len(deviations))
    seen = series.clicks[series.observed][: 24 * STEPS_PER_HOUR]
    mean[LEVEL] = np.log((seen.mean() if len(seen) else 0.0) + 0.05)
    mean[WEEK] = WEEKEND
    return FilterState(mean, np.diag(deviations**2))


def loadings_of(days: Calendar) -> FloatArray:
    """The share of each part in each step: float64 (N, S)."""
    N = len(days.hour)
    angles = 2 * np.pi / 24 * days.hour[:, None] * np.arange(1, HARMONICS + 1)  # (N, HARMONICS)
    waves = np.stack((np.cos(angles), np.sin(angles)), axis=2).reshape(N, 2 * HARMONICS)
    weekend = days.weekend.astype(np.float64)[:, None]
    weekdays = (days.weekday[:, None] == np.arange(7)).astype(np.float64)
    return np.hstack((np.ones((N, 3)), weekend, weekdays, waves, weekend * waves[:, : 2 * WEEKEND_HARMONICS]))


def follow(
    state: FilterState, series: ClickSeries, loadings: FloatArray, days: Calendar, begin: int, end: int
) -> FilterState:
    """Take the steps from ``begin`` to before ``end`` in; returns the state before step ``end``."""
    mean, covariance = state.mean.copy(), state.covariance.copy()
    decay, fast = FAST_MEMORY ** (1 / STEPS_PER_HOUR), _fast_variance()
    waves = slice(WEEK + 8, WEEK + 8 + 2 * HARMONICS)
    moved = np.zeros(len(mean))
    moved[LEVEL], moved[FAST] = LEVEL_PER_HOUR**2 / STEPS_PER_HOUR, fast
    moved[waves] = PROFILE_PER_HOUR**2 / STEPS_PER_HOUR
    diagonal = np.diag_indices(len(mean))
    for step in range(begin, end):
        if series.observed[step]:
            mean, covariance = _updated(mean, covariance, loadings[step], series.clicks[step])
        _forget(mean, covariance, FAST, decay)
        if days.day[step + 1] != days.day[step]:
            _forget(mean, covariance, DAY, DAY_MEMORY)
            covariance[DAY, DAY] += DAY_SHOCK**2
        covariance[diagonal] += moved
    return FilterState(mean, covariance)


def project(
    state: FilterState, loadings: FloatArray, days: Calendar, origin: int, steps: Ints
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the logarithm of later steps' rates, without the chance of counts: float64 (n,) each."""
    ahead, nights = steps - origin, days.day[steps] - days.day[origin]
    decay = FAST_MEMORY ** (ahead / STEPS_PER_HOUR)
    parts = loadings[steps].copy()  # (n, S)
    parts[:, FAST] *= decay
    parts[:, DAY] *= DAY_MEMORY**nights
    stationary = FAST_SHOCK**2 / (1 - FAST_MEMORY**2), DAY_SHOCK**2 / (1 - DAY_MEMORY**2)
    variance = ((parts @ state.covariance) * parts).sum(axis=1) + stationary[0] * (1 - decay**2)
    variance += stationary[1] * (1 - DAY_MEMORY ** (2 * nights)) + LEVEL_PER_HOUR**2 * ahead / STEPS_PER_HOUR
    return parts @ state.mean, variance


def _updated(
    mean: FloatArray, covariance: FloatArray, loading: FloatArray, clicks: float
) -> tuple[FloatArray, FloatArray]:
    rate = np.exp(np.minimum(loading @ mean, MAX_LOG_RATE))
    surprise = np.log((clicks + 0.5) / (rate + 0.5))
    along = covariance @ loading
    variance = loading @ along + STEP_NOISE**2 + 1 / (rate + 0.5)
    variance *= np.maximum(1.0, surprise**2 / variance / OUTLIER**2)
    gain = along / variance
    return mean + gain * surprise, covariance - np.outer(gain, along)


def _forget(mean: FloatArray, covariance: FloatArray, part: int, kept: float) -> None:
    mean[part] *= kept
    covariance[part] *= kept
    covariance[:, part] *= kept


def _fast_variance() -> float:
    """Of a step, such that the deviation stays as large as by hours."""
    kept = float(FAST_MEMORY ** (2 / STEPS_PER_HOUR))
    return FAST_SHOCK**2 / (1 - FAST_MEMORY**2) * (1 - kept)
