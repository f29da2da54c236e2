"""Moments of an arm: what is kept of its readers, so that figures can be told at any look without their rows.

Reads a value of each reader and, for variance reduction, the same reader's value before the experiment; produces sums.
The sums of two days of readers add up.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


class ArmMoments(NamedTuple):
    """Sums over the readers of an arm.

    Attributes:
        n: readers.
        y: sum of the values; y2: of their squares.
        x: sum of the values before the experiment; x2: of their squares; xy: of the products.
    """

    n: float = 0.0
    y: float = 0.0
    y2: float = 0.0
    x: float = 0.0
    x2: float = 0.0
    xy: float = 0.0

    @classmethod
    def of(cls, values: Values, before: Values | None = None) -> "ArmMoments":
        """Sums of readers: float64 (n,) values, and the same readers' values before; 0 where nothing is known."""
        past = np.zeros(len(values)) if before is None else before
        return cls(
            float(len(values)),
            float(values.sum()),
            float(values @ values),
            float(past.sum()),
            float(past @ past),
            float(past @ values),
        )

    def plus(self, other: "ArmMoments") -> "ArmMoments":
        """The sums of both."""
        return ArmMoments(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return self.y / self.n if self.n else float("nan")

    @property
    def covariance(self) -> float:
        """Of a value with the one before: sum over the readers, around the arm's means."""
        return self.xy - self.x * self.y / self.n if self.n else 0.0

    @property
    def past_squares(self) -> float:
        """Squares of the values before, around the arm's mean."""
        return self.x2 - self.x**2 / self.n if self.n else 0.0

    def variance(self, theta: float = 0.0) -> float:
        """Variance of the values less theta times the values before, around the arm's means."""
        if self.n < 2:
            return 0.0
        squares = self.y2 - self.y**2 / self.n - 2 * theta * self.covariance + theta**2 * self.past_squares
        return max(squares, 0.0) / (self.n - 1)
