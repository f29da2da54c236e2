"""Nearest words of one word, or of several added and subtracted, among all words of a space.

Reads a word space whose vectors may stay in their file; produces words and cosines in the centred frame, block by
block, so that no copy of all vectors is made.
Source: Mikolov et al. 2013 (analogies by vector offset).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recsys.units import UNKNOWN_ROW
from recsys.words import Matrix, WordVectors, unit_rows

_BLOCK = 20_000  # words at once: 8 MB


class NearWord(NamedTuple):
    """A word near a query: how often it stands in the corpus, and its cosine."""

    word: str
    occurrences: int
    cosine: float


def nearest_words(space: WordVectors, like: Sequence[str], unlike: Sequence[str], n: int) -> list[NearWord]:
    """The words nearest to the sum of some words less others: b and c like, a unlike, says what is to c as b to a.

    Args:
        space: the words.
        like: words; those without a vector say nothing.
        unlike: the same, which are subtracted.
        n: at most.

    Returns:
        The nearest first, none of those that were given; none where no given word has a vector.
    """
    given = [*space.rows(like).tolist(), *space.rows(unlike).tolist()]
    signs = np.array([1.0] * len(like) + [-1.0] * len(unlike), np.float32)
    known = [place for place, row in enumerate(given) if row != UNKNOWN_ROW]
    if not known:
        return []
    rows = np.array([given[place] for place in known])
    mean = space.mean
    wanted = signs[known] @ unit_rows(np.asarray(space.vectors[rows]) - mean)
    cosines = np.concatenate([_cosines(space, wanted, mean, start) for start in range(0, len(space.words), _BLOCK)])
    cosines[rows] = -np.inf
    best = np.argsort(-cosines, kind="stable")[:n]
    return [
        NearWord(space.words[row], int(space.counts[row]), round(float(cosines[row]), 4))
        for row in best.tolist()
        if np.isfinite(cosines[row])
    ]


def _cosines(space: WordVectors, wanted: Matrix, mean: Matrix, start: int) -> Matrix:
    length = float(np.linalg.norm(wanted))
    block = unit_rows(np.asarray(space.vectors[start : start + _BLOCK]) - mean)
    cosines: Matrix = block @ wanted / length if length else np.full(len(block), -np.inf, np.float32)
    return cosines
