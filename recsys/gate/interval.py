"""Interval of a paired difference: the same lists, ranked by two models, with readers as the unit.

Source: Cameron and Miller 2015, section II (variance between clusters); Piaggio et al. 2012 (non-inferiority).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from recsys.metrics import figures_per_impression

LEVEL_OF_GATE = 0.95
NOBODY = -1

Array = npt.NDArray[np.generic]


class PairedDifference(NamedTuple):
    """A mean difference of AUC per list, candidate minus the other, with its interval of level ``LEVEL_OF_GATE``.

    Attributes:
        mean: of the lists; NaN without any.
        low: lower end; minus infinity where there is one reader at most.
        high: upper end.
        lists: with both labels.
        readers: who saw them.
        candidate: mean AUC of the candidate.
        other: of the other one.
    """

    mean: float
    low: float
    high: float
    lists: int
    readers: int
    candidate: float
    other: float

    def decides(self, margin: float) -> bool:
        """True where the lists are enough to tell equal from worse by more than a margin."""
        return self.lists > 0 and self.mean - self.low <= margin

    def acceptable(self, margin: float) -> bool:
        """Non-inferiority where the lists decide; where they are too few, only what is shown to be worse is refused."""
        return not self.lists or (self.low > -margin if self.decides(margin) else self.high >= 0)


def paired_difference(
    label: Array, candidate: Array, other: Array, impression: Array, reader: Array
) -> PairedDifference:
    """Compare two rankings of the same lists.

    Args:
        label: int8 (N,), 1 = clicked.
        candidate: float32 (N,), scores of the rows.
        other: float32 (N,), of another model.
        impression: int (N,), number of each row's list, from 0.
        reader: int64 (I,), of each list; ``NOBODY`` is another one in every list.

    Raises:
        DegenerateInput: a score is NaN.
    """
    mine, others = (figures_per_impression(label, score, impression) for score in (candidate, other))
    lists, n = mine["impression"], len(mine["impression"])
    if not n:
        return PairedDifference(float("nan"), -np.inf, np.inf, 0, 0, float("nan"), float("nan"))
    difference = mine["auc"] - others["auc"]
    mean = float(difference.mean())
    who = reader[lists].astype(np.int64)
    who = np.where(who == NOBODY, -2 - np.arange(n), who)
    _, cluster = np.unique(who, return_inverse=True)
    sums = np.bincount(cluster, difference - mean)
    G = len(sums)
    reach = np.inf
    if G > 1:
        error = float(np.sqrt(G / (G - 1) * float(sums @ sums))) / n
        reach = float(stdtrit(G - 1, (1 + LEVEL_OF_GATE) / 2)) * error  # Student's t
    return PairedDifference(
        mean, mean - reach, mean + reach, n, G, float(mine["auc"].mean()), float(others["auc"].mean())
    )
