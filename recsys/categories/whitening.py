"""Learning the nearest mean: class means under a shrunken pooled covariance, without ever writing the covariance down.

Reads documents and their categories; produces a ``NearestMean``. The covariance of a hundred thousand n-grams has no
room in memory and its inverse no time; what is needed is only its inverse times the means, which conjugate gradients
find in a few passes over the sparse rows.
Source: Friedman 1989, "Regularized Discriminant Analysis" (the ridge); Hestenes & Stiefel 1952 (conjugate gradients).
"""

from collections.abc import Callable

import numpy as np
import torch

from recsys.categories import Documents, LabelRows, Vector
from recsys.categories.config import CategoriesConfig
from recsys.categories.linear import CHARACTERS, WORDS, Sparse, matrix_of
from recsys.categories.nearest import NearestMean, known_vectors
from recsys.categories.ngrams import is_spaceless, texts_of
from recsys.categories.sums import Sums, block_of
from recsys.words import Matrix, WordVectors

LEAST_TEXTS = 1  # that an n-gram must stand in: those of a single text take up what is odd about it
MAX_STEPS = 30  # of conjugate gradients; the ridge makes the system so tame that more change no answer
FAR = -1e4  # score of a category without articles: nobody's nearest
TOLERANCE = 1e-3  # of the residual, as a share of the right side


def fit(
    documents: Documents,
    label_rows: LabelRows,
    labels: list[str],
    words: WordVectors,
    config: CategoriesConfig,
    seed: int,
) -> NearestMean:
    """Learn where the categories lie; see ``Classifier``."""
    del words, seed
    texts = texts_of(documents, config.max_tokens)
    kinds = [WORDS, CHARACTERS] if is_spaceless(texts) else [WORDS]
    blocks = [block_of(texts, grams, LEAST_TEXTS, config.max_features) for grams in kinds]
    rows, turned = matrix_of(blocks, texts)
    weights, constant = whitened_means(rows, turned, known_vectors(documents), label_rows, len(labels), config.ridge)
    F, scale = sum(len(block.vocabulary) for block in blocks), np.float32(1 / config.temperature)
    sums = Sums(labels, blocks, (weights[:F] * scale).astype(np.float16), constant * scale, config.max_tokens)
    return NearestMean(sums, weights[F + 1 :] * scale)


def whitened_means(
    rows: Sparse, turned: Sparse, dense: Matrix, label: LabelRows, C: int, ridge: float
) -> tuple[Matrix, Vector]:
    """The means of C categories times the inverse of the covariance inside them.

    Args:
        rows: float32 (N, F).
        turned: the same, (F, N).
        dense: float32 (N, D), joined to the rows.
        label: int64 (N,), each article's category, 0 to C - 1.
        C: categories.
        ridge: added to the covariance, in articles of evidence: the fewer articles, the rounder it is taken to be.

    Returns:
        float32 (F + D, C), float32 (C,): ``x @ first + second`` is half the squared distance, negative, but for a part
        that all categories share.
    """
    N, F = len(label), len(turned.starts) - 1
    counts = np.bincount(label, minlength=C).astype(np.float32)
    belongs = np.zeros((N, C), dtype=np.float32)
    belongs[np.arange(N), label] = 1 / counts[label]  # the mean of an empty category is the origin
    means: Matrix = np.concatenate([_product(turned, belongs), dense.T @ belongs])  # (F + D, C)
    centre: Matrix = means.mean(axis=1, keepdims=True)
    share: Vector = counts / np.float32(N)
    least = np.float32(ridge / N)

    def covariance(x: Matrix) -> Matrix:
        spread = _product(rows, x[:F]) + dense @ x[F:]
        spread /= N
        about_zero: Matrix = np.concatenate([_product(turned, spread), dense.T @ spread])
        between: Matrix = (means * share) @ (means.T @ x)
        return about_zero - between + least * x

    sparse_squares = _product(turned._replace(values=turned.values**2), np.ones((N, 1), np.float32))
    squares = np.concatenate([sparse_squares[:, 0], (dense**2).sum(axis=0)]) / N
    diagonal: Vector = np.maximum(squares - (means**2) @ share, 0).astype(np.float32) + least
    weights = conjugate_gradients(covariance, means - centre, diagonal[:, None], least)
    constant: Vector = -(weights * (means + centre)).sum(axis=0) / 2
    constant[counts == 0] = FAR
    return weights, constant


def _product(rows: Sparse, matrix: Matrix) -> Matrix:
    found: Matrix = rows.times(torch.from_numpy(np.ascontiguousarray(matrix))).numpy()
    return found


def conjugate_gradients(
    times: Callable[[Matrix], Matrix], right: Matrix, diagonal: Matrix, least: np.float32
) -> Matrix:
    """Solve a positive definite system for several right sides at once; a side that is solved stands still.

    Args:
        times: the product of the system's matrix with float32 (F, C).
        right: float32 (F, C).
        diagonal: float32 (F, 1), of the matrix, positive: the preconditioner.
        least: of its eigenvalues at least; a curvature below it is a rounding error.

    Returns:
        float32 (F, C).
    """
    found, residual = np.zeros_like(right), right.copy()
    step = residual / diagonal
    direction, size = step, (residual * step).sum(axis=0)
    goal = TOLERANCE**2 * (right**2).sum(axis=0)
    tiny = np.finfo(np.float32).tiny
    for _ in range(MAX_STEPS):
        open_sides = (residual**2).sum(axis=0) > goal
        if not open_sides.any():
            break
        moved = times(direction)
        curvature = np.maximum((direction * moved).sum(axis=0), least * (direction**2).sum(axis=0))
        length = np.where(open_sides, size / np.maximum(curvature, tiny), 0)
        found += length * direction
        residual -= length * moved
        step = residual / diagonal
        before, size = size, (residual * step).sum(axis=0)
        direction = step + np.where(open_sides, size / np.maximum(before, tiny), 0) * direction
    return found
