"""Text classifiers: labelled documents -> calibrated probabilities of labels; for categories, sentiment, any label set.

Reads documents, as tokens with article vectors, and their labels; produces classifiers, their confidences and figures.
Each language has classifiers of its own, since word vectors of two languages have none in common.

    config.py               settings
    ngrams.py                 words and n-grams as numbers, and their vocabulary
    linear_ngram_model.py     a weight per n-gram and label: the form that several classifiers are kept in
    linear.py                 squared hinge loss on TF-IDF -> a linear n-gram model
    nearest_mean.py           a linear n-gram model and weights of the article vector
    nearest_mean_training.py  the nearest mean under one covariance, which needs no training in epochs
    networks.py               n-gram bag, TextCNN, BiLSTM, GRU
    network_training.py       their training
    network_classifiers.py    the same as classifiers
    topics.py                 clusters and their names, where there are no labels
    ensemble.py               several classifiers as one
    calibration.py            held-out scores -> temperature, so that confidences are true
    fitting.py                a training set -> a classifier and its temperature, by name
    calibrated.py             the two together, saved and loaded, which is all that serving needs
    evaluation.py             accuracy, macro-F1 and reliability on held-out articles
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recsys.words import Matrix

Vector = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
LabelRows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EncodedDocuments:
    """B articles of one language.

    Attributes:
        titles: the tokens of each title.
        bodies: the tokens of each body.
        vectors: float32 (B, D), article vectors; NaN rows where an article has none.
    """

    titles: list[list[str]]
    bodies: list[list[str]]
    vectors: Matrix

    def __len__(self) -> int:
        """B."""
        return len(self.titles)

    def where(self, rows: LabelRows) -> "EncodedDocuments":
        """Some of them, by row, int64."""
        chosen = rows.tolist()
        return EncodedDocuments(
            [self.titles[row] for row in chosen], [self.bodies[row] for row in chosen], self.vectors[rows]
        )


class Classifier(Protocol):
    """Classifier of the documents of one language.

    Beside a classifier stands ``load(folder)``, and in its module of training ``fit(documents, label_rows, labels,
    words, config, seed)``, with label_rows int64 (B,), each document's row in ``labels``.
    """

    @property
    def labels(self) -> list[str]:
        """C labels."""

    def scores(self, documents: EncodedDocuments) -> Matrix:
        """Scores of the labels.

        Returns:
            float32 (B, C), log-probabilities up to a constant per row, not calibrated; NaN rows where there is no
            ground to tell.
        """

    def save(self, folder: Path) -> None:
        """Write what ``load`` reads, in formats that run no code."""
