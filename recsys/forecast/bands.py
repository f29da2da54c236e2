"""Bands around a forecast that hold what they promise: conformal, and corrected as outcomes come in.

A model's own spread says which hours are harder than others; how wide a band of 90 % must be in units of it is learned
from how far the last outcomes lay off. The quantile moves after each: a miss widens the band, a hit narrows it, in a
proportion that makes 90 % hits its rest. No distribution is assumed, and a level that changes is followed.

Source: Gibbs & Candès 2021, section 2; Angelopoulos, Candès & Tibshirani 2023, section 2.1 (quantile tracking).
"""

from typing import NamedTuple

import numpy as np

from recsys.forecast.steps import FloatArray

COVERAGE = 0.9
NORMAL_90 = 1.645  # where a band begins that has seen nothing
TRACKING_RATE = 0.35  # a miss widens the band by its exponential to the power .9, a hit narrows it to the power .1
LATE_RATE = 0.15  # the same where outcomes come later than the next forecast: a fast correction would swing
MIN_WIDTH, MAX_WIDTH = 0.3, 8.0  # of the quantile


class Band(NamedTuple):
    """Clicks between which nine of ten outcomes should lie.

    Attributes:
        low: float64 (N,).
        high: float64 (N,).
    """

    low: FloatArray
    high: FloatArray


def band(median: FloatArray, spread: FloatArray, quantile: FloatArray | float) -> Band:
    """The band around medians.

    Args:
        median: float64 (N,), clicks.
        spread: float64 (N,), of the logarithm of the rate; the chance of counts comes on top.
        quantile: by how many deviations the band reaches to either side.
    """
    width = quantile * deviation(median, spread)
    middle = median + 0.5  # a band around no click still has a width
    return Band(np.maximum(0.0, middle * np.exp(-width) - 0.5), middle * np.exp(width) - 0.5)


def deviation(median: FloatArray, spread: FloatArray) -> FloatArray:
    """Standard deviation of the logarithm of a count: of its rate, and of the count given the rate."""
    result: FloatArray = np.sqrt(spread**2 + 1 / (median + 0.5))
    return result


def scores(clicks: FloatArray, median: FloatArray, spread: FloatArray) -> FloatArray:
    """Distances of outcomes from medians in deviations, without sign; NaN where there is none."""
    result: FloatArray = np.abs(np.log((clicks + 0.5) / (median + 0.5))) / deviation(median, spread)
    return result


def track(score: FloatArray, delay: int, start: float = NORMAL_90) -> FloatArray:
    """The quantile for each forecast, from the outcomes known when it was made.

    Args:
        score: float64 (N,) of ``scores``, in time order; NaN moves nothing.
        delay: forecasts after which an outcome is known.
        start: the quantile before any outcome.

    Returns:
        float64 (N,): the quantile by which each forecast's band reached; it was known before the outcome.
    """
    used, quantile = np.empty(len(score)), start
    rate = TRACKING_RATE if delay == 1 else LATE_RATE
    for at in range(len(score)):
        known = at - delay
        if known >= 0 and not np.isnan(score[known]):
            missed = score[known] > used[known]
            quantile *= np.exp(rate * (COVERAGE if missed else COVERAGE - 1))
            quantile = float(np.clip(quantile, MIN_WIDTH, MAX_WIDTH))
        used[at] = quantile
    return used
