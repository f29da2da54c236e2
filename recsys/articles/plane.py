"""Projection of article vectors to the plane in which their categories lie furthest apart.

Reads vectors and categories; produces two coordinates each. Where there are no categories it is the plane of the
largest variance. Only a matrix of D x D is decomposed, however many articles there are.
Source: Fisher 1936, with the identity for the scatter within classes.
"""

import numpy as np
import numpy.typing as npt

from recsys.units import UNKNOWN_ROW
from recsys.words import Matrix

_LEAST_CATEGORIES = 3  # means of fewer span no plane


def category_plane(vectors: Matrix, categories: npt.NDArray[np.int64]) -> Matrix:
    """Project rows to a plane.

    Args:
        vectors: float32 (A, D), finite.
        categories: int64 (A,), the code of each one's category, -1 for none.

    Returns:
        float32 (A, 2), centred, the larger spread first, each axis signed so that its largest value is positive.
    """
    flat = np.zeros((len(vectors), 2), np.float32)
    if not len(vectors):
        return flat
    centred = vectors - vectors.mean(axis=0)
    codes, sizes = np.unique(categories[categories != UNKNOWN_ROW], return_counts=True)
    spread = centred
    if len(codes) >= _LEAST_CATEGORIES:
        means = np.array([centred[categories == code].mean(axis=0) for code in codes])
        spread = means * np.sqrt(sizes)[:, None]
    axes = np.linalg.eigh(spread.T.astype(np.float64) @ spread)[1][:, ::-1][:, :2]
    placed = centred @ axes.astype(np.float32)
    largest = np.abs(placed).argmax(axis=0)
    placed *= np.where(placed[largest, np.arange(placed.shape[1])] < 0, -1, 1)
    flat[:, : placed.shape[1]] = placed
    return flat
