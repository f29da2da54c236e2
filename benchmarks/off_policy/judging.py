"""One log and one target policy -> every estimate with its interval, or the reason why there is none."""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.off_policy.data import Matrix, cross_fitted_rates
from recsys.errors import DegenerateInput
from recsys.metrics.logged_bandit import LoggedBandit, TargetRows, target_rows
from recsys.metrics.off_policy import ValueEstimate, WeightFigures, direct, doubly_robust, ips, snips, weight_figures

WEIGHTED = {"ips": ips, "snips": snips, "dr": doubly_robust}


class Judged(NamedTuple):
    """Estimates of one policy from one log.

    Attributes:
        values: estimator -> its estimate, or the reason why there is none.
        weights: their figures.
    """

    values: dict[str, ValueEstimate | str]
    weights: WeightFigures

    def as_json(self) -> dict[str, Any]:
        """Estimates as [value, low, high], null where refused, and the figures of the weights."""
        rows = {name: None if isinstance(value, str) else list(value) for name, value in self.values.items()}
        refused = {name: value for name, value in self.values.items() if isinstance(value, str)}
        return rows | self.weights._asdict() | {"refused": refused}


def by_position(log: LoggedBandit, policy: Matrix, rng: np.random.Generator) -> TargetRows:
    """A policy that looks at the position alone, with click rates that are cross-fitted between two halves of the log.

    Args:
        log: N rows of another policy.
        policy: float64 (P, A).
        rng: draws the halves.
    """
    P, A = policy.shape
    half = rng.integers(2, size=len(log))
    rates = cross_fitted_rates(log, P, A, half)
    return target_rows(log, np.tile(policy, (2, 1)), half * P + log.position, rates)


def judge(log: LoggedBandit, target: TargetRows, clip: float) -> Judged:
    """Every estimate, those with weights also with weights clipped."""
    values: dict[str, ValueEstimate | str] = {}
    for name, estimator in WEIGHTED.items():
        for suffix, largest in (("", np.inf), ("_clipped", clip)):
            try:
                values[name + suffix] = estimator(log, target, clip=largest)
            except DegenerateInput as refusal:
                values[name + suffix] = str(refusal)
    values["dm"] = direct(log, target)
    return Judged(values, weight_figures(log, target))
