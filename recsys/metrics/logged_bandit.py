"""A log with propensities, checked once, and a target policy looked up at its rows: what off-policy estimation reads.

Each row is one article at one position. Its propensity is the probability with which the logging policy put it there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput
from recsys.metrics.checks import Array

SUM_TOLERANCE = 1e-6  # of a policy's probabilities, which may have passed through float32 or a file

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LoggedBandit:
    """A log of what a policy showed, with propensities; checked when it is made.

    Attributes:
        article: int (N,), rows of the articles, from 0.
        position: int (N,), from 0.
        click: int (N,), 1 = clicked, 0 = not.
        propensity: float (N,), probability with which the article was put at its position, above 0 and at most 1.

    Raises:
        DegenerateInput: no rows, arrays of different lengths, a click other than 0 and 1, an unknown position or
            article, a propensity that is missing (NaN), 0, negative or above 1.
    """

    article: Array
    position: Array
    click: Array
    propensity: Array

    def __post_init__(self) -> None:
        lengths = [len(column) for column in (self.article, self.position, self.click, self.propensity)]
        if not any(lengths):
            raise DegenerateInput("a log with rows", "an empty log", "Log what is shown, or choose other days.")
        if len(set(lengths)) != 1:
            got = " and ".join(map(str, lengths))
            raise DegenerateInput("columns of one length", got, "Give each row article, position, click, propensity.")
        _refuse(~np.isin(self.click, (0, 1)), "clicks of 0 and 1", self.click, "A card clicked twice is one click.")
        for name, column in (("article", self.article), ("position", self.position)):
            whole = np.issubdtype(column.dtype, np.integer)
            bad = column < 0 if whole else np.ones(len(column), np.bool_)
            _refuse(bad, f"{name}s as whole numbers from 0", column, f"Leave out the rows whose {name} is not known.")
        right = (self.propensity > 0) & (self.propensity <= 1)  # NaN is neither
        remedy = "Log the probability with which an article is shown, and leave out the rows that have none."
        _refuse(~right, "propensities above 0 and at most 1", self.propensity, remedy)

    def __len__(self) -> int:
        return len(self.click)


@dataclass(frozen=True)
class TargetRows:
    """A target policy at the N rows of a log.

    Attributes:
        probability: float64 (N,), of the logged article at its position.
        reward_logged: float64 (N,), estimated click probability of the logged article; zeros without an estimate.
        reward_expected: float64 (N,), the same of whatever the target policy would have shown, in expectation.
        unsupported: share of the target's probability that lies on articles which the log never shows at that position.
    """

    probability: Vector
    reward_logged: Vector
    reward_expected: Vector
    unsupported: float


def target_rows(log: LoggedBandit, policy: Array, case: Array, reward: Array | None = None) -> TargetRows:
    """Look a target policy up at the rows of a log.

    Args:
        log: N rows.
        policy: float (C, A), the probability of each article in each of C cases.
        case: int (N,), the case of each row of the log: its position, where the policy looks at nothing else; its
            reader and position together; or, of a policy that is told row by row, the number of the row.
        reward: float (C, A), estimated click probabilities in each case; None for the estimators that need none. It
            must not be fitted on the rows that it is for.

    Raises:
        DegenerateInput: another shape, a case that is no distribution, a reward that is not finite.
    """
    tables = [policy] if reward is None else [policy, reward]
    _check_shapes(log, tables, case)
    sums = policy.sum(axis=1)
    bad = np.asarray(~(policy.min(axis=1) >= 0) | ~(np.abs(sums - 1) <= SUM_TOLERANCE))
    _refuse(bad, "probabilities of articles that sum to 1", sums, "Normalise the target policy over the articles.")
    reward = np.zeros(policy.shape) if reward is None else reward
    _refuse(
        np.asarray(~np.isfinite(reward).all(axis=1)),
        "finite reward estimates",
        reward.sum(axis=1),
        "Correct the estimate.",
    )
    return TargetRows(
        policy[case, log.article].astype(np.float64),
        reward[case, log.article].astype(np.float64),
        (policy * reward).sum(axis=1, dtype=np.float64)[case],
        _unsupported(log, policy, case),
    )


def _check_shapes(log: LoggedBandit, tables: list[Array], case: Array) -> None:
    C, A = tables[0].shape
    one_shape = all(table.shape == (C, A) for table in tables)
    if not one_shape or len(case) != len(log) or case.min() < 0 or case.max() >= C or log.article.max() >= A:
        shapes = " and ".join(str(table.shape) for table in tables)
        got = f"{shapes} for {len(case)} cases up to {case.max()} and articles up to {log.article.max()}"
        raise DegenerateInput("tables of a row per case and a column per article", got, "Give each row its case.")


def _unsupported(log: LoggedBandit, policy: Array, case: Array) -> float:
    never = np.ones((int(log.position.max()) + 1, policy.shape[1]), np.bool_)
    never[log.position, log.article] = False
    by_case = policy @ never.T  # (C, P)
    return float(by_case[case, log.position].mean())


def _refuse(bad: npt.NDArray[np.bool_], expected: str, column: Array, remedy: str) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        got = f"{np.count_nonzero(bad)} of {len(bad)} otherwise, the first {column[first]!s:.40} in row {first}"
        raise DegenerateInput(expected, got, remedy)
