"""Judge word vectors as people do: arrays in, figures out.

Knows no model and no file of the project. Cosines are taken between unit rows, so that a dot product is one.
Source: Finkelstein et al. 2002 (word similarity), Mikolov et al. 2013 (analogies by vector offset).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.words import Matrix

LEAST_PAIRS = 10  # fewer say nothing of a rank correlation
CANDIDATES = 30_000  # the most frequent words, among which an analogy's answer is looked for
BLOCK = 512  # questions or words per matrix product

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Agreement(NamedTuple):
    """How vectors and people order pairs of words.

    Attributes:
        pairs: that people have judged.
        covered: those whose two words have vectors.
        spearman: rank correlation over the covered ones; None for fewer than ten, or where one side is constant.
    """

    pairs: int
    covered: int
    spearman: float | None


def similarity(left: Matrix, right: Matrix, scores: Floats) -> Agreement:
    """Rank correlation between cosines and people's scores.

    Args:
        left: float32 (N, D), unit rows, the first words'; NaN for a word without a vector.
        right: float32 (N, D), the second words'.
        scores: (N,), people's.
    """
    cosines = np.einsum("nd,nd->n", left, right).astype(np.float64)
    known = np.isfinite(cosines)
    covered = int(known.sum())
    if covered < LEAST_PAIRS or np.ptp(cosines[known]) == 0 or np.ptp(scores[known]) == 0:
        return Agreement(len(scores), covered, None)
    correlation = np.corrcoef(ranks(cosines[known]), ranks(scores[known]))[0, 1]
    return Agreement(len(scores), covered, round(float(correlation), 4))


def ranks(values: Floats) -> Floats:
    """Places in ascending order, from 0; equal values share the mean of their places."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    mean_place: Floats = np.cumsum(sizes) - (sizes + 1) / 2
    return mean_place[group]


def analogies(unit: Matrix, questions: Ints) -> int:
    """Count the right answers to "a is to b as c is to what?".

    The answer is the word nearest to b - a + c, other than the three.

    Args:
        unit: float32 (V, D), unit rows, the most frequent word first.
        questions: int64 (Q, 4), rows of a, b, c and of the right answer; no word is unknown.
    """
    candidates = unit[:CANDIDATES]
    right = 0
    for start in range(0, len(questions), BLOCK):
        asked = questions[start : start + BLOCK]
        a, b, c = (unit[asked[:, place]] for place in range(3))
        scores = (b - a + c) @ candidates.T  # (Q, V)
        for place in range(3):
            inside = np.flatnonzero(asked[:, place] < len(candidates))
            scores[inside, asked[inside, place]] = -np.inf
        right += int((scores.argmax(axis=1) == asked[:, 3]).sum())
    return right


def neighbours(unit: Matrix, rows: Ints, among: Ints, k: int) -> list[list[tuple[int, float]]]:
    """The nearest words of some words.

    Args:
        unit: float32 (V, D), unit rows.
        rows: int64 (N,), the words asked for.
        among: int64 (M,), rows of the words that may be named.
        k: how many.

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
    """A flat map: the first two principal components, each turned so that its largest value is positive.

    Args:
        unit: float32 (N, D).

    Returns:
        float32 (N, 2); zeros where there is nothing to spread out.
    """
    flat = np.zeros((len(unit), 2), dtype=np.float32)
    if not len(unit):
        return flat
    left, size, _ = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    found = (left * size)[:, :2]
    largest = np.abs(found).argmax(axis=0)
    flat[:, : found.shape[1]] = found * np.where(found[largest, np.arange(found.shape[1])] < 0, -1, 1)
    return flat
