"""The nearest mean: each category is the mean of its articles, seen in a frame in which all categories are round.

Reads documents; produces the Mahalanobis distance of an article to every mean, under the covariance pooled inside the
categories. An article is the TF-IDF of its n-grams joined with its article vector. That distance is linear in the
article but for a part that all categories share, so it is a sum over n-grams and one matrix product.
``recsys.categories.whitening`` finds the means.
Source: Fisher 1936 (linear discriminants); Friedman 1989, "Regularized Discriminant Analysis".
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.categories import Documents, sums
from recsys.words import Matrix
from recsys.workspace import load_npy, save_npy


@dataclass(frozen=True, eq=False)
class NearestMean:
    """C means.

    Attributes:
        sums: what each n-gram says for each category.
        by_vector: float32 (D, C), what each dimension of the article vector says.
    """

    sums: sums.Sums
    by_vector: Matrix

    @property
    def labels(self) -> list[str]:
        """See ``Classifier``."""
        return self.sums.labels

    def scores(self, documents: Documents) -> Matrix:
        """See ``Classifier``: half the squared distance to each mean, negative, but for what all means share."""
        found = self.sums.scores(documents)
        wordless = np.isnan(found).all(axis=1)
        found[wordless] = self.sums.constant
        found[wordless & np.isnan(documents.vectors).any(axis=1)] = np.nan
        scores: Matrix = found + known_vectors(documents) @ self.by_vector
        return scores

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        self.sums.save(folder)
        save_npy(folder / "by_vector.npy", self.by_vector)


def load(folder: Path) -> NearestMean:
    """Read what ``NearestMean.save`` wrote."""
    return NearestMean(sums.load(folder), load_npy(folder / "by_vector.npy"))


def known_vectors(documents: Documents) -> Matrix:
    """float32 (B, D), the article vectors with zeros where there is none."""
    return np.where(np.isfinite(documents.vectors), documents.vectors, np.float32(0))
