"""Confidence interval of the difference of two methods that were judged on the same documents.

Reads one figure per document and method; produces the mean difference and an interval. Knows no method.
Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3 (percentile interval).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput

RESAMPLES = 2_000  # the ends of a 95 % interval then rest on 50 resamples each
LEVEL = 0.95
BLOCK = 4_000_000  # draws held in memory at once: 32 MiB

Vector = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """A mean difference and where it would be in ``LEVEL`` of all repetitions with other documents."""

    difference: float
    low: float
    high: float


def paired_interval(
    ours: Vector, other: Vector, rng: np.random.Generator, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """Bootstrap the mean of ours minus other over documents.

    Args:
        ours: float64 (N,), one method's figure for each document.
        other: float64 (N,), the other method's for the same documents in the same order. Documents that have no figure
            (NaN) in either are left out.
        rng: draws the resamples.
        resamples: how often N documents are drawn with replacement.
        level: share of the resamples' means that lie inside the interval.

    Returns:
        The mean difference, and the ends of the interval.

    Raises:
        DegenerateInput: the methods were judged on different numbers of documents, or on none.
    """
    if ours.shape != other.shape or not np.isfinite(ours - other).any():
        raise DegenerateInput(
            "figures of two methods for the same documents",
            f"{len(ours)} and {len(other)} figures, {np.isfinite(ours).sum()} and {np.isfinite(other).sum()} finite",
            "Judge both methods on the same documents, at least one of which has keys.",
        )
    differences = ours - other
    differences = differences[np.isfinite(differences)]
    rows = max(1, BLOCK // len(differences))
    means = np.concatenate(
        [
            differences[rng.integers(len(differences), size=(min(rows, resamples - start), len(differences)))].mean(
                axis=1
            )
            for start in range(0, resamples, rows)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(differences.mean()), float(low), float(high))
