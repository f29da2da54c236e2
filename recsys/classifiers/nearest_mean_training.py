"""Nearest mean: each category is the mean of its articles, seen in a frame in which all categories are round.

Reads documents; produces the Mahalanobis distance of an article to every mean, under the shrunken covariance pooled
inside the categories. An article is the TF-IDF of its n-grams joined with its article vector. That distance is linear
in the article but for a part that all categories share, so it is a sum over n-grams and one matrix product.

The covariance of a hundred thousand n-grams has no room in memory and its inverse no time; what is needed is only its
inverse times the means, which conjugate gradients find in a few passes over the sparse rows.
Source: Fisher 1936 (linear discriminants); Friedman 1989, "Regularized Discriminant Analysis" (the ridge); Hestenes &
Stiefel 1952 (conjugate gradients).
"""

from collections.abc import Callable

import numpy as np
import torch

from recsys.classifiers import EncodedDocuments, LabelRows, Vector
from recsys.classifiers.config import ClassifiersConfig
from recsys.classifiers.linear import CHARACTERS, WORDS, SparseMatrix, matrix_of
from recsys.classifiers.linear_ngram_model import MAX_TOKENS, LinearNgramModel, block_of
from recsys.classifiers.nearest_mean import NearestMean, known_vectors
from recsys.classifiers.ngrams import is_spaceless, texts_of
from recsys.words import Matrix, WordVectors

_RIDGE = 1.0  # of the covariance, in articles of evidence; 0.3 to 3 differ by less than a point
_SCALE = 5.0  # half squared distances per unit of log-probability; measured anew from 20 held-out documents on
_MAX_NGRAMS = 200_000  # words and character n-grams, the most frequent; 20 MB with 20 labels
_LEAST_TEXTS = 1  # that an n-gram must stand in: those of a single text take up what is odd about it
_MAX_STEPS = 30  # of conjugate gradients; the ridge makes the system so tame that more change no answer
_FAR = -1e4  # score of a category without articles: nobody's nearest
_TOLERANCE = 1e-3  # of the residual, as a share of the right side


def fit(
    documents: EncodedDocuments,
    label_rows: LabelRows,
    labels: list[str],
    words: WordVectors,
    config: ClassifiersConfig,
    seed: int,
) -> NearestMean:
    """Train; see ``Classifier``."""
    del words, config, seed
    texts = texts_of(documents, MAX_TOKENS)
    kinds = [WORDS, CHARACTERS] if is_spaceless(texts) else [WORDS]
    blocks = [block_of(texts, grams, _LEAST_TEXTS, _MAX_NGRAMS) for grams in kinds]
    rows, turned = matrix_of(blocks, texts)
    weights, constant = whitened_means(rows, turned, known_vectors(documents), label_rows, len(labels), _RIDGE)
    F, scale = sum(len(block.vocabulary) for block in blocks), np.float32(1 / _SCALE)
    sums = LinearNgramModel(labels, blocks, (weights[:F] * scale).astype(np.float16), constant * scale, MAX_TOKENS)
    return NearestMean(sums, weights[F + 1 :] * scale)


def whitened_means(
    rows: SparseMatrix, turned: SparseMatrix, dense: Matrix, label: LabelRows, C: int, ridge: float
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
    constant[counts == 0] = _FAR
    return weights, constant


def _product(rows: SparseMatrix, matrix: Matrix) -> Matrix:
    product: Matrix = rows.times(torch.from_numpy(np.ascontiguousarray(matrix))).numpy()
    return product


def conjugate_gradients(
    times: Callable[[Matrix], Matrix], right: Matrix, diagonal: Matrix, least: np.float32
) -> Matrix:
    """Solution of a positive definite system for several right sides at once; a side that is solved stands still.

    Args:
        times: the product of the system's matrix with float32 (F, C).
        right: float32 (F, C).
        diagonal: float32 (F, 1), of the matrix, positive: the preconditioner.
        least: of its eigenvalues at least; a curvature below it is a rounding error.

    Returns:
        float32 (F, C).
    """
    solution, residual = np.zeros_like(right), right.copy()
    step = residual / diagonal
    direction, size = step, (residual * step).sum(axis=0)
    goal = _TOLERANCE**2 * (right**2).sum(axis=0)
    tiny = np.finfo(np.float32).tiny
    for _ in range(_MAX_STEPS):
        open_sides = (residual**2).sum(axis=0) > goal
        if not open_sides.any():
            break
        moved = times(direction)
        curvature = np.maximum((direction * moved).sum(axis=0), least * (direction**2).sum(axis=0))
        length = np.where(open_sides, size / np.maximum(curvature, tiny), 0)
        solution += length * direction
        residual -= length * moved
        step = residual / diagonal
        before, size = size, (residual * step).sum(axis=0)
        direction = step + np.where(open_sides, size / np.maximum(before, tiny), 0) * direction
    return solution
