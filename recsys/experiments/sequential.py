"""Confidence sequences: an interval of a mean, or of a difference of means, that holds at every look at once.

An interval of fixed level is wrong for whoever looks every day and stops when it pleases: of experiments without any
effect, a quarter and more end in "significant". A confidence sequence may be looked at as often as one likes.

Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021 (arXiv 2103.06476), eq. 9 (the boundary) and eq. 10 (where
it is tightest).
"""

import math
from typing import NamedTuple

ALPHA = 0.05


class SequentialInterval(NamedTuple):
    """An estimate with the ends of its confidence sequence now.

    Attributes:
        mean: the estimate; NaN without observations.
        low: lower end.
        high: upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """True where there is an effect, whenever one looks."""
        return self.low > 0 or self.high < 0


NOTHING_KNOWN = SequentialInterval(math.nan, -math.inf, math.inf)


def tightest_at(observations: float, alpha: float = ALPHA) -> float:
    """The parameter rho with which the boundary is nearly tightest after so many observations (eq. 10)."""
    inner = -2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)
    return math.sqrt(inner / max(observations, 1.0))


def boundary(observations: float, deviation: float, rho: float, alpha: float = ALPHA) -> float:
    """Half the width of the confidence sequence of a mean.

    Args:
        observations: t, independent ones so far.
        deviation: their standard deviation.
        rho: see ``tightest_at``; it must not depend on the data.
        alpha: the probability of ever excluding the truth, asymptotically.

    Returns:
        deviation * sqrt(2 (t rho^2 + 1) / (t^2 rho^2) * log(sqrt(t rho^2 + 1) / alpha)); infinite without observations.
    """
    if observations <= 0:
        return math.inf
    spread = observations * rho**2 + 1
    return deviation * math.sqrt(2 * spread / (observations * rho) ** 2 * math.log(math.sqrt(spread) / alpha))


def mean_sequence(
    observations: float, mean: float, deviation: float, rho: float, alpha: float = ALPHA
) -> SequentialInterval:
    """The confidence sequence of a mean as it stands now."""
    reach = boundary(observations, deviation, rho, alpha)
    return SequentialInterval(mean, mean - reach, mean + reach)
