"""Calibration: of all documents given a label with confidence 0.8, four in five are right.

Reads the scores of documents that a classifier was not trained on; produces the temperature that makes a softmax of the
scores as likely as can be.
Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2 (temperature scaling).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recsys.classifiers import Classifier, EncodedDocuments, LabelRows
from recsys.words import Matrix

FOLDS = 5
MIN_CALIBRATED = 20  # documents below which a temperature would be chance
_MAX_HELD_OUT = 4000  # documents whose held-out scores are enough to judge by; of a large site not every fold is fitted
_TEMPERATURES = np.geomspace(0.05, 20, 61)  # each a tenth above the last; the likelihood is flat around its best


class HeldOutScores(NamedTuple):
    """Scores of documents by classifiers that were not trained on them.

    Attributes:
        rows: int64 (J,), which of the documents.
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
    """Held-out scores of all documents, each by a classifier that was trained on the other folds.

    Every label keeps a document in each training part, so that all classifiers know all labels: a document that is
    alone with its label is never held out.

    Args:
        fit: trains a classifier of all labels.
        documents: B labelled ones, no two alike.
        label_rows: int64 (B,), their labels.
        C: labels.
        rng: draws the folds.
    """
    fold = stratified_folds(label_rows, rng)
    rows, scores = [np.zeros(0, np.int64)], [np.zeros((0, C), np.float32)]
    for number in range(FOLDS):
        held_out, training = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if sum(map(len, rows)) >= _MAX_HELD_OUT or not len(held_out):
            break
        fold_scores = fit(documents.where(training), label_rows[training]).scores(documents.where(held_out))
        scored = np.isfinite(fold_scores).all(axis=1)
        rows.append(held_out[scored])
        scores.append(fold_scores[scored])
    return HeldOutScores(np.concatenate(rows), np.concatenate(scores))


def stratified_folds(label_rows: LabelRows, rng: np.random.Generator) -> LabelRows:
    """A fold for each document, each label spread evenly.

    Returns:
        int64 (B,), 0 to ``FOLDS`` - 1, or -1 for a document that is alone with its label.
    """
    order = rng.permutation(len(label_rows))
    order = order[np.argsort(label_rows[order], kind="stable")]
    sizes = np.bincount(label_rows)
    begins = np.cumsum(sizes) - sizes
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = (np.arange(len(order)) - begins[label_rows[order]]) % FOLDS
    fold[sizes[label_rows] == 1] = -1
    return fold


def probabilities(scores: Matrix, temperature: float) -> Matrix:
    """Softmax of scores under a temperature, float32 (B, C); NaN rows stay NaN."""
    powers = np.exp((scores - scores.max(axis=1, keepdims=True)) / np.float32(temperature))
    shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return shares


def log_loss(predicted: Matrix, label_rows: LabelRows) -> float:
    """Mean negative log-probability of the true labels, in nats."""
    true = predicted[np.arange(len(label_rows)), label_rows]
    return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny)).mean())


def best_temperature(scores: Matrix, label_rows: LabelRows) -> float:
    """The temperature under which the true labels are likeliest.

    Args:
        scores: float32 (J, C), held-out ones.
        label_rows: int64 (J,), the true labels; fewer than ``MIN_CALIBRATED`` change nothing.
    """
    if len(label_rows) < MIN_CALIBRATED:
        return 1.0
    losses = [log_loss(probabilities(scores, float(temperature)), label_rows) for temperature in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])
