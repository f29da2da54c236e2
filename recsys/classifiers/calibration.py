"""Confidences that mean what they say: of all articles given a category with confidence 0.8, four in five are right.

Reads the scores of articles that a classifier has not learned from; produces the temperature that makes a softmax of
the scores as likely as can be, and the reliability of confidences.
Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2 (temperature scaling).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recsys.classifiers import Classifier, EncodedDocuments, LabelRows
from recsys.words import Matrix

FOLDS = 5
ENOUGH = 4000  # articles whose held-out scores are enough to judge by; of a large site not every fold is fitted
LEAST = 20  # articles below which a temperature would be chance
TEMPERATURES = np.geomspace(0.05, 20, 61)  # each a tenth above the last; the likelihood is flat around its best


class HeldOutScores(NamedTuple):
    """Articles with the scores that they got from a classifier that had not seen their category.

    Attributes:
        rows: int64 (J,), which of the articles.
        scores: float32 (J, C).
    """

    rows: LabelRows
    scores: Matrix


def cross_fitted(
    fit: Callable[[EncodedDocuments, LabelRows], Classifier],
    documents: EncodedDocuments,
    label_rows: LabelRows,
    C: int,
    rng: np.random.Generator,
) -> HeldOutScores:
    """Score articles by classifiers that have learned from the others.

    Every category keeps an article in each part that teaches, so that all classifiers know all categories: an article
    that is alone in its category is never held out.

    Args:
        fit: learns a classifier of all categories.
        documents: B articles that came with a category, no two alike.
        label_rows: int64 (B,), their categories.
        C: categories.
        rng: draws the folds.
    """
    fold = stratified_folds(label_rows, rng)
    rows, scores = [np.zeros(0, np.int64)], [np.zeros((0, C), np.float32)]
    for number in range(FOLDS):
        held, taught = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if sum(map(len, rows)) >= ENOUGH or not len(held):
            break
        found = fit(documents.where(taught), label_rows[taught]).scores(documents.where(held))
        known = np.isfinite(found).all(axis=1)
        rows.append(held[known])
        scores.append(found[known])
    return HeldOutScores(np.concatenate(rows), np.concatenate(scores))


def stratified_folds(label_rows: LabelRows, rng: np.random.Generator) -> LabelRows:
    """Draw a fold for each article, each category spread evenly.

    Returns:
        int64 (B,), 0 to ``FOLDS`` - 1, or -1 for an article that is alone in its category.
    """
    order = rng.permutation(len(label_rows))
    order = order[np.argsort(label_rows[order], kind="stable")]
    sizes = np.bincount(label_rows)
    begins = np.cumsum(sizes) - sizes
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = (np.arange(len(order)) - begins[label_rows[order]]) % FOLDS
    fold[sizes[label_rows] == 1] = -1
    return fold


def shares_of(scores: Matrix, temperature: float) -> Matrix:
    """The softmax of scores, float32 (B, C); NaN rows stay NaN."""
    powers = np.exp((scores - scores.max(axis=1, keepdims=True)) / np.float32(temperature))
    shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return shares


def log_loss(shares: Matrix, label_rows: LabelRows) -> float:
    """The mean surprise at the true categories, in nats."""
    told = shares[np.arange(len(label_rows)), label_rows]
    return float(-np.log(np.maximum(told, np.finfo(np.float32).tiny)).mean())


def best_temperature(scores: Matrix, label_rows: LabelRows) -> float:
    """The temperature under which the true categories are likeliest.

    Args:
        scores: float32 (J, C), of articles that were not learned from.
        label_rows: int64 (J,), their true categories; fewer than ``LEAST`` change nothing.
    """
    if len(label_rows) < LEAST:
        return 1.0
    losses = [log_loss(shares_of(scores, float(temperature)), label_rows) for temperature in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])
