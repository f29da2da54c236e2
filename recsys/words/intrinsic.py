"""Intrinsic evaluation of word vectors: arrays in, figures out.

Knows no model and no file of the project. Cosines are taken between unit rows, so that a dot product is one.
Source: Finkelstein et al. 2002 (word similarity), Mikolov et al. 2013 (analogies by vector offset).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.words import Matrix

_MIN_PAIRS = 10  # fewer say nothing of a rank correlation
_CANDIDATES = 30_000  # the most frequent words, among which an analogy's answer is looked for
_BLOCK = 512  # questions or words per matrix product

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Agreement(NamedTuple):
    """Agreement of vectors and people about the order of word pairs.

    Attributes:
        pairs: with a human score.
        covered: pairs whose two words have vectors.
        spearman: rank correlation over the covered ones; None for fewer than ten, or where one side is constant.
    """

    pairs: int
    covered: int
    spearman: float | None


def similarity(left: Matrix, right: Matrix, scores: Floats) -> Agreement:
    """Rank correlation between cosines and human scores.

    Args:
        left: float32 (N, D), unit rows, the first words'; NaN for a word without a vector.
        right: float32 (N, D), the second words'.
        scores: (N,), human.
    """
    cosines = np.einsum("nd,nd->n", left, right).astype(np.float64)
    both = np.isfinite(cosines)
    covered = int(both.sum())
    if covered < _MIN_PAIRS or np.ptp(cosines[both]) == 0 or np.ptp(scores[both]) == 0:
        return Agreement(len(scores), covered, None)
    correlation = np.corrcoef(ranks(cosines[both]), ranks(scores[both]))[0, 1]
    return Agreement(len(scores), covered, round(float(correlation), 4))


def ranks(values: Floats) -> Floats:
    """Ranks in ascending order, from 0; equal values share the mean of their ranks."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank: Floats = np.cumsum(sizes) - (sizes + 1) / 2
    return mean_rank[group]


def analogies(unit: Matrix, questions: Ints) -> int:
    """Number of right answers to "a is to b as c is to what?".

    The answer is the word nearest to b - a + c, other than the three.

    Args:
        unit: float32 (V, D), unit rows, the most frequent word first.
        questions: int64 (Q, 4), rows of a, b, c and of the right answer; every word has a row.
    """
    candidates = unit[:_CANDIDATES]
    correct = 0
    for start in range(0, len(questions), _BLOCK):
        block = questions[start : start + _BLOCK]
        a, b, c = (unit[block[:, place]] for place in range(3))
        scores = (b - a + c) @ candidates.T  # (Q, V)
        for place in range(3):
            in_reach = np.flatnonzero(block[:, place] < len(candidates))
            scores[in_reach, block[in_reach, place]] = -np.inf
        correct += int((scores.argmax(axis=1) == block[:, 3]).sum())
    return correct


def neighbours(unit: Matrix, rows: Ints, among: Ints, k: int) -> list[list[tuple[int, float]]]:
    """The nearest words of some words.

    Args:
        unit: float32 (V, D), unit rows.
        rows: int64 (N,), the words whose neighbours are wanted.
        among: int64 (M,), rows of the words that may be named.
        k: neighbours of each.

    Returns:
        For each word up to k pairs of row and cosine, nearest first; never the word itself.
    """
    scores = unit[rows] @ unit[among].T  # (N, M)
    scores[rows[:, None] == among[None, :]] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return [
        [(int(among[place]), float(row[place])) for place in places.tolist() if np.isfinite(row[place])]
        for row, places in zip(scores, best, strict=True)
    ]


def plane(unit: Matrix) -> Matrix:
    """Projection to a plane: the first two principal components, each signed so that its largest value is positive.

    Args:
        unit: float32 (N, D).

    Returns:
        float32 (N, 2); zeros where there is nothing to spread out.
    """
    flat = np.zeros((len(unit), 2), dtype=np.float32)
    if not len(unit):
        return flat
    left, size, _ = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    components = (left * size)[:, :2]
    largest = np.abs(components).argmax(axis=0)
    signs = np.where(components[largest, np.arange(components.shape[1])] < 0, -1, 1)
    flat[:, : components.shape[1]] = components * signs
    return flat
