"""Labels and probabilities of rows -> how true they are. Every row counts the same, whichever list it stands in.

Source: Gneiting and Raftery 2007 (log loss); Guo et al. 2017 (expected calibration error), here over bins of equal
mass as in Nguyen and O'Connor 2015: of equal width, nearly all of a click model's rows would stand in the first; Kumar
et al. 2019 (the same without what chance adds).
"""

import numpy as np
import numpy.typing as npt

from recsys.metrics.checks import Array, check_probabilities, check_scores
from recsys.metrics.lists import auc_of_groups

MIN_PROBABILITY = (
    1e-7  # probabilities are clipped to [MIN_PROBABILITY, 1 - MIN_PROBABILITY]: float32 rounds what is nearer to 1 to 1
)
RELIABILITY_BINS = 15


def auc(label: Array, score: Array) -> float:
    """Share of the pairs (clicked row, other row) in the right order, a tie one half.

    Args:
        label: int (N,), 1 = clicked, 0 = not.
        score: float (N,), higher = more likely.

    Returns:
        In [0, 1]; NaN where all rows have one label.

    Raises:
        DegenerateInput: arrays of different lengths, a score that is NaN, or another label.
    """
    check_scores(label, score)
    order = np.argsort(-score, kind="stable")
    label, score = label[order].astype(np.float64), score[order]
    N, clicked = len(label), label.sum()
    if not 0 < clicked < N:
        return float("nan")
    number = np.zeros(N, np.int64)
    return float(auc_of_groups(label, score, number, np.array([clicked]), np.array([N]))[0])


def auc_error(value: float, clicked: int, others: int) -> float:
    """Standard error of an AUC over so many rows, as other rows from the same source would give it.

    Args:
        value: the AUC, in [0, 1].
        clicked: clicked rows.
        others: the other rows.

    Returns:
        At least 0; NaN without a row of each kind.

    Source: Hanley and McNeil 1982, with their exponential approximation.
    """
    if clicked < 1 or others < 1:
        return float("nan")
    above, below = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (clicked - 1) * (above - value**2) + (others - 1) * (below - value**2)
    return float(np.sqrt(max(spread, 0.0) / (clicked * others)))


def log_loss(label: Array, probability: Array) -> float:
    """Mean negative log likelihood of the labels, in nats.

    Args:
        label: int (N,), 1 = clicked, 0 = not.
        probability: float (N,) of a click, in [0, 1]; clipped, so that no row alone makes it infinite.

    Returns:
        At least 0; NaN without rows.

    Raises:
        DegenerateInput: arrays of different lengths, another label, a value that is NaN or outside [0, 1].
    """
    check_probabilities(label, probability)
    if not len(label):
        return float("nan")
    p = np.clip(probability.astype(np.float64), MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return float(-np.where(label == 1, np.log(p), np.log1p(-p)).mean())


def reliability(label: Array, probability: Array, bins: int = RELIABILITY_BINS) -> list[tuple[float, float, int]]:
    """Mean probability and share of clicks, bin by bin.

    The bins have equal mass: sorted by probability, row i of N stands in bin i * bins // N. Equal probabilities stay
    together, in the bin of their first row, so that the order in which rows are stored decides nothing; bins that they
    leave empty are left out.

    Args:
        label: int (N,), 1 = clicked, 0 = not.
        probability: float (N,) of a click, in [0, 1].
        bins: how many, at most.

    Returns:
        (mean probability, share clicked, rows) of every bin, by probability.

    Raises:
        DegenerateInput: see ``log_loss``.
    """
    check_probabilities(label, probability)
    if not len(label):
        return []
    order = np.argsort(probability, kind="stable")
    p, clicked = probability[order].astype(np.float64), label[order].astype(np.float64)
    place = _place(p, bins)
    rows = np.bincount(place, minlength=bins)
    used = np.flatnonzero(rows)
    means = (np.bincount(place, values, bins)[used] / rows[used] for values in (p, clicked))
    return list(zip(*(mean.tolist() for mean in means), rows[used].tolist(), strict=True))


def _place(p: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.int64]:
    """The bin of each row, int64 (N,), of sorted probabilities."""
    first = np.append(True, np.diff(p) != 0)
    start = np.flatnonzero(first)[np.cumsum(first) - 1]  # where the rows of a row's probability begin
    return np.asarray(start * bins // len(p), np.int64)


def calibration_error(label: Array, probability: Array, bins: int = RELIABILITY_BINS) -> float:
    """Expected calibration error: mean distance of probability and share of clicks, over ``reliability``'s bins.

    Args:
        label: int (N,), 1 = clicked, 0 = not.
        probability: float (N,) of a click, in [0, 1].
        bins: how many, of equal mass.

    Returns:
        In [0, 1]; NaN without rows. Where probabilities are right it is not 0 but about
        0.8 * sqrt(p (1 - p) bins / N), what chance leaves in bins of N / bins rows.

    Raises:
        DegenerateInput: see ``log_loss``.
    """
    found = reliability(label, probability, bins)
    if not found:
        return float("nan")
    return sum(rows * abs(said - seen) for said, seen, rows in found) / len(label)


def calibration_square(label: Array, probability: Array, bins: int = RELIABILITY_BINS) -> float:
    """Mean squared distance of probability and share of clicks, over ``reliability``'s bins, less what chance adds.

    The square of a bin's distance is on average too large by the variance of that distance, which the bin's own rows
    tell. So right probabilities give 0 on average, of however few rows, and half of the time less than 0.

    Args:
        label: int (N,), 1 = clicked, 0 = not.
        probability: float (N,) of a click, in [0, 1].
        bins: how many, of equal mass; a bin of one row is left out.

    Returns:
        At most 1; its mean over draws is the true square of bins, and its root at least the true mean distance.
        NaN without two rows in a bin.

    Raises:
        DegenerateInput: see ``log_loss``.

    Source: Kumar et al. 2019, section 4 (debiased estimator); the variance here is that of label less probability.
    """
    check_probabilities(label, probability)
    if not len(label):
        return float("nan")
    order = np.argsort(probability, kind="stable")
    p = probability[order].astype(np.float64)
    place, distance = _place(p, bins), label[order] - p
    rows, total, squares = (np.bincount(place, weight, bins) for weight in (np.ones(len(p)), distance, distance**2))
    used = rows > 1
    rows, mean, square = rows[used], total[used] / rows[used], squares[used] / rows[used]
    chance = (square - mean**2) / (rows - 1)  # the variance of the mean
    return float(rows @ (mean**2 - chance) / rows.sum()) if len(rows) else float("nan")
