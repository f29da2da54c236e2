"""Off-policy estimation: a log with propensities -> the value that another policy would have had. Knows no model.

The value of a policy is its clicks per article shown. A row's weight is the target policy's probability of the logged
article at its position, over the propensity. The room does not import this file: no service needs it, nor SciPy.

Source: Strehl et al. 2010 (inverse propensity scores, clipping); Swaminathan and Joachims 2015 (self-normalised);
Dudik et al. 2014 (direct method, doubly robust); Kong 1992 (effective sample size); Fay and Feuer 1997 (intervals).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv, ndtri

from recsys.errors import DegenerateInput
from recsys.metrics.logged_bandit import LoggedBandit, TargetRows, Vector

MIN_EFFECTIVE_SIZE = 100.0  # rows; below, a few large weights decide the estimate (docs/exploration.md)
LEVEL = 0.95


class WeightFigures(NamedTuple):
    """Importance weights in figures.

    Attributes:
        effective_size: rows that would tell as much if all had the same weight: (sum w)^2 / sum w^2.
        largest: the largest weight.
        mean: about 1 where propensities are right and the log shows whatever the target shows.
        unsupported: see ``TargetRows``.
    """

    effective_size: float
    largest: float
    mean: float
    unsupported: float


class ValueEstimate(NamedTuple):
    """Estimated clicks per article shown, with an interval of level ``LEVEL``."""

    value: float
    low: float
    high: float


def weight_figures(log: LoggedBandit, target: TargetRows) -> WeightFigures:
    """Figures of the weights, before any clipping. They refuse nothing."""
    weight = target.probability / log.propensity
    squares = float(weight @ weight)
    size = float(weight.sum()) ** 2 / squares if squares else 0.0
    return WeightFigures(size, float(weight.max()), float(weight.mean()), target.unsupported)


def on_policy(log: LoggedBandit) -> ValueEstimate:
    """Click rate of a log: the value of the policy that made it."""
    weight = np.ones(len(log))
    return _mean(weight * log.click, np.zeros(len(log)), weight)


def ips(
    log: LoggedBandit, target: TargetRows, *, clip: float = np.inf, min_effective_size: float = MIN_EFFECTIVE_SIZE
) -> ValueEstimate:
    """Inverse propensity score: the mean of weight times click, unbiased with full support and without clipping.

    Args:
        log: N rows.
        target: the same rows.
        clip: a larger weight counts as this one, which lowers the value.
        min_effective_size: rows; with fewer nothing is estimated. Clipping does not help against that: clipped weights
            are quieter and no truer.

    Raises:
        DegenerateInput: the effective size is less than ``min_effective_size``.
    """
    weight = _weights(log, target, clip, min_effective_size)
    return _mean(weight * log.click, np.zeros(len(log)), weight)


def snips(
    log: LoggedBandit, target: TargetRows, *, clip: float = np.inf, min_effective_size: float = MIN_EFFECTIVE_SIZE
) -> ValueEstimate:
    """Self-normalised inverse propensity score: weighted clicks over the sum of weights.

    Never outside [0, 1]; biased in the order of 1 / effective size. What the log never shows is left out of the mean.

    Args:
        log: N rows.
        target: see ``ips``, like all that follow.
        clip: the largest weight.
        min_effective_size: rows.

    Raises:
        DegenerateInput: the effective size is less than ``min_effective_size``.
    """
    weight = _weights(log, target, clip, min_effective_size)
    total = float(weight.sum())
    value = float(weight @ log.click) / total
    distance = weight * (log.click - value)
    low, high = gamma_interval(value, float(distance @ distance) / total**2, _typical(weight) / total)
    return ValueEstimate(value, low, high)


def direct(log: LoggedBandit, target: TargetRows) -> ValueEstimate:
    """Direct method: the mean reward that the estimate expects of the target policy.

    The interval, asymptotic normal, is about other rows alone. It does not know how wrong the reward estimate is.
    """
    rows = target.reward_expected
    value, reach = float(rows.mean()), float(ndtri((1 + LEVEL) / 2) * rows.std() / np.sqrt(len(log)))
    return ValueEstimate(value, value - reach, value + reach)


def doubly_robust(
    log: LoggedBandit, target: TargetRows, *, clip: float = np.inf, min_effective_size: float = MIN_EFFECTIVE_SIZE
) -> ValueEstimate:
    """Doubly robust: the direct method, plus weighted clicks beyond those that the reward estimate expected.

    Right where the propensities are, or the reward estimate. It may be negative.

    Args:
        log: N rows.
        target: see ``ips``, like all that follow; with a reward estimate.
        clip: a larger weight counts as this one, which leaves more to the reward estimate.
        min_effective_size: rows.

    Raises:
        DegenerateInput: the effective size is less than ``min_effective_size``.
    """
    weight = _weights(log, target, clip, min_effective_size)
    return _mean(weight * log.click, target.reward_expected - weight * target.reward_logged, weight)


def gamma_interval(value: float, variance: float, one_more: float) -> tuple[float, float]:
    """Interval of a weighted count of rare events: quantiles of gamma distributions with its mean and variance.

    Few clicks make a skewed count, and none at all still leaves an upper end, where a bootstrap over the rows and the
    normal approximation say [0, 0]. With equal weights this is the exact interval of a Poisson count.

    Args:
        value: the estimate, at least 0.
        variance: of the estimate.
        one_more: how much another click would add to the estimate: it stands for the clicks that happened not to be
            drawn. Fay and Feuer take the largest weight's, which is safe and, of weights as unequal as propensities
            make them, ten times as wide; with the mean weight of the rows, or of what the target shows, intervals are
            too narrow where the log seldom shows what is clicked most (docs/exploration.md).

    Source: Fay and Feuer 1997, section 3.
    """
    tail = (1 - LEVEL) / 2
    low = value
    if value > 0 and variance > 0:
        low = float(gammaincinv(value**2 / variance, tail)) * variance / value
    top, spread = value + one_more, variance + one_more**2
    return low, float(gammaincinv(top**2 / spread, 1 - tail)) * spread / top


def _typical(weight: Vector) -> float:
    """Root mean square weight of what the target shows, where a row counts by its weight."""
    return float(np.sqrt((weight**3).sum() / weight.sum()))


def _mean(clicked: Vector, without_click: Vector, weight: Vector) -> ValueEstimate:
    """Mean of rows that are a weighted click plus what depends on no click.

    What the second part adds to the variance, where a reward estimate is bad, is no count: it widens both ends as that
    of a normal sum (Zou and Donner 2008, section 2).
    """
    N, shift, value = len(weight), float(without_click.mean()), float(clicked.mean())
    of_clicks, of_both = float(clicked.var()) / N, float((clicked + without_click).var()) / N
    low, high = gamma_interval(value, min(of_clicks, of_both), _typical(weight) / N)
    added = float(ndtri((1 + LEVEL) / 2)) ** 2 * max(of_both - of_clicks, 0.0)
    below, above = np.sqrt((value - low) ** 2 + added), np.sqrt((high - value) ** 2 + added)
    return ValueEstimate(value + shift, value + shift - float(below), value + shift + float(above))


def _weights(log: LoggedBandit, target: TargetRows, clip: float, min_effective_size: float) -> Vector:
    figures = weight_figures(log, target)
    if not figures.effective_size >= min_effective_size:
        got = f"{figures.effective_size:.1f} (largest weight {figures.largest:,.1f}, {len(log)} rows in the log)"
        if figures.unsupported:
            got += f" and {figures.unsupported:.1%} of the target on what the log never shows"
        remedy = "Log more rows, explore more of what the target shows, or estimate a policy nearer to the logged one."
        raise DegenerateInput(f"an effective size of at least {min_effective_size:g} rows", got, remedy)
    return np.minimum(target.probability / log.propensity, clip)
