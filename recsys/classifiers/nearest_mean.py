"""Nearest-mean classifier: a weight per n-gram and label and per dimension of the article vector, with NumPy alone.

Reads documents; produces scores. ``recsys.classifiers.nearest_mean_training`` makes it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.classifiers import EncodedDocuments, linear_ngram_model
from recsys.classifiers.linear_ngram_model import LinearNgramModel
from recsys.words import Matrix
from recsys.workspace import load_npy, save_npy


@dataclass(frozen=True, eq=False)
class NearestMean:
    """Nearest-mean classifier in its linear form.

    Attributes:
        ngram_model: the weights of the n-grams.
        by_vector: float32 (D, C), the weights of the article vector's dimensions.
    """

    ngram_model: LinearNgramModel
    by_vector: Matrix

    @property
    def labels(self) -> list[str]:
        """See ``Classifier``."""
        return self.ngram_model.labels

    def scores(self, documents: EncodedDocuments) -> Matrix:
        """See ``Classifier``: half the squared distance to each mean, negative, but for what all means share."""
        by_ngram = self.ngram_model.scores(documents)
        wordless = np.isnan(by_ngram).all(axis=1)
        by_ngram[wordless] = self.ngram_model.constant
        by_ngram[wordless & np.isnan(documents.vectors).any(axis=1)] = np.nan
        scores: Matrix = by_ngram + known_vectors(documents) @ self.by_vector
        return scores

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        self.ngram_model.save(folder)
        save_npy(folder / "by_vector.npy", self.by_vector)


def load(folder: Path) -> NearestMean:
    """Read what ``NearestMean.save`` wrote."""
    return NearestMean(linear_ngram_model.load(folder), load_npy(folder / "by_vector.npy"))


def known_vectors(documents: EncodedDocuments) -> Matrix:
    """Article vectors with zeros where there is none, float32 (B, D)."""
    return np.where(np.isfinite(documents.vectors), documents.vectors, np.float32(0))
