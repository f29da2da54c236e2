"""Effects of an arm beside the control: differences of means by reader, confidence sequences, and the sample ratio.

Reads moments of arms; produces estimates. Variance is reduced by the reader's own past: what a reader would have done
anyway, as far as the weeks before foretell it, is taken off (CUPED); the estimate stays unbiased, because arms are
drawn without a look at the past.

Source: Deng, Xu, Kohavi and Walker 2013 (CUPED); Waudby-Smith et al. 2021 (see ``sequential``); Fabijan et al. 2019
(sample ratio mismatch).
"""

import math
from collections.abc import Sequence

from recsys.experiments.moments import ArmMoments
from recsys.experiments.sequential import ALPHA, NOTHING_KNOWN, SequentialInterval, mean_sequence, tightest_at

SUSPICIOUS_RATIO = 0.001  # p below which readers were not assigned, or not written down, as they were meant to be
FEWEST_READERS = 50  # an arm: below, a normal sum says nothing
PLANNED_READERS = 10_000  # of both arms, at which the sequence is tightest: a constant, for it must not know the data


def difference(
    treatment: ArmMoments, control: ArmMoments, *, alpha: float = ALPHA, planned: float = PLANNED_READERS
) -> SequentialInterval:
    """Treatment minus control, each arm's mean less what the past foretells of it.

    The difference of two means is the mean over all readers of a value that is n / n_t times that of a reader of the
    treatment, minus n / n_c times that of one of the control; its deviation is that of both together.

    Args:
        treatment: sums of its readers.
        control: of the other arm's.
        alpha: the probability of ever excluding the truth.
        planned: readers of both arms at which the interval is to be tightest.
    """
    if min(treatment.n, control.n) < FEWEST_READERS:
        return NOTHING_KNOWN._replace(mean=treatment.mean - control.mean if treatment.n and control.n else math.nan)
    theta = past_weight(treatment, control)
    n = treatment.n + control.n
    past = treatment.x / treatment.n - control.x / control.n
    mean = treatment.mean - control.mean - theta * past
    error = treatment.variance(theta) / treatment.n + control.variance(theta) / control.n
    return mean_sequence(n, mean, math.sqrt(n * error), tightest_at(planned, alpha), alpha)


def past_weight(*arms: ArmMoments) -> float:
    """Theta of CUPED: by how much a value is foretold by the one before, in all arms together; 0 without a past."""
    squares = sum(arm.past_squares for arm in arms)
    return sum(arm.covariance for arm in arms) / squares if squares > 0 else 0.0


def variance_kept(treatment: ArmMoments, control: ArmMoments) -> float:
    """Share of the variance that the past did not foretell: 0.5 halves the readers that are needed."""
    theta, plain = past_weight(treatment, control), treatment.variance() + control.variance()
    return (treatment.variance(theta) + control.variance(theta)) / plain if plain > 0 else 1.0


def sample_ratio(readers: Sequence[int], shares: Sequence[float]) -> float:
    """The probability of an imbalance at least as large as this one, if readers were assigned by these shares.

    Args:
        readers: of each arm.
        shares: that each arm was to have; they need not sum to 1.

    Returns:
        p of Pearson's chi square; below ``SUSPICIOUS_RATIO`` the exposure is broken, and no other figure says a thing.
    """
    total, whole = sum(readers), sum(shares)
    if not total or len(readers) < 2:
        return 1.0
    expected = [total * share / whole for share in shares]
    distance = sum((got - want) ** 2 / want for got, want in zip(readers, expected, strict=True))
    return chi_square_tail(distance, len(readers) - 1)


def chi_square_tail(distance: float, freedom: int) -> float:
    """The probability that chi square of so many degrees of freedom is at least as large.

    A service reads reports too, and loads no SciPy.

    Source: Abramowitz and Stegun 1964, 26.4.4 and 26.4.5.
    """
    half = distance / 2
    if freedom % 2:
        term, tail = 2 * math.sqrt(half / math.pi) * math.exp(-half), math.erfc(math.sqrt(half))
        first = 3
    else:
        term = tail = math.exp(-half)
        term, first = term * half, 4
    for degrees in range(first, freedom + 1, 2):
        tail += term
        term *= distance / degrees
    return min(tail, 1.0)
