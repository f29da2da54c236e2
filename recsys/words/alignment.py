"""Alignment of a retrained word space with the one before it, and the drift of its words.

Two trainings on one corpus give the same cosines in two frames that have nothing to do with each other. What was kept
from the previous space (a reader's profile) is worth something in the new one only after the best rotation.
Source: Schönemann 1966 (orthogonal Procrustes); Hamilton et al. 2016, "Diachronic Word Embeddings", section 3.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.words import Matrix, Rows, WordVectors

_NAMED_WORDS = 20  # words that the report names


class WordDrift(NamedTuple):
    """Movement of the words since the previous space.

    Attributes:
        parent: space id of the previous space.
        shared_words: words in both.
        mean_cosine: of the shared words' centred vectors before and after, each word counting the same.
        moved_most: words of the frequent half with the smallest cosines, and those.
    """

    parent: str
    shared_words: int
    mean_cosine: float
    moved_most: list[tuple[str, float]]


def rotation(source: Matrix, target: Matrix, weights: Matrix) -> Matrix:
    """The rotation (or reflection) that takes one set of vectors closest to another.

    Args:
        source: float32 (N, D).
        target: float32 (N, D), the same words' vectors in the other frame.
        weights: float32 (N,), non-negative, one per word.

    Returns:
        float32 (D, D), orthogonal: ``source @ rotation`` is the closest to ``target`` in weighted squares.
    """
    covariance = (source * weights[:, None]).T.astype(np.float64) @ target.astype(np.float64)  # (D, D)
    left, _, right = np.linalg.svd(covariance)
    orthogonal: Matrix = (left @ right).astype(np.float32)
    return orthogonal


def alignment(words: WordVectors, parent: WordVectors) -> Matrix | None:
    """The rotation from a new space to the previous one.

    It is fitted to the centred unit vectors of the shared words, each with the root of its smaller count: a word's
    vector is surer the more often it stands in the text, but function words shall not decide alone.

    Returns:
        float32 (D, D); None where the dimensions differ, or fewer words are shared than there are dimensions.
    """
    if words.embedding_dim != parent.embedding_dim:
        return None
    ours, theirs = _shared(words, parent)
    if len(ours) < words.embedding_dim:
        return None
    weights = np.sqrt(np.minimum(words.counts[ours], parent.counts[theirs])).astype(np.float32)
    return rotation(words.centred[ours], parent.centred[theirs], weights)


def drift(words: WordVectors, parent: WordVectors) -> WordDrift:
    """Compare an aligned space with the previous one."""
    ours, theirs = _shared(words, parent)
    cosines = np.einsum("nd,nd->n", words.centred[ours], parent.centred[theirs])
    frequent = np.flatnonzero(words.counts[ours] >= np.median(words.counts[ours]))
    farthest = frequent[np.argsort(cosines[frequent], kind="stable")[:_NAMED_WORDS]]
    moved_most = [(words.words[ours[place]], round(float(cosines[place]), 4)) for place in farthest.tolist()]
    return WordDrift(parent.space, len(ours), round(float(cosines.mean()), 4), moved_most)


def _shared(words: WordVectors, parent: WordVectors) -> tuple[npt.NDArray[np.intp], Rows]:
    """Rows of the shared words in both spaces."""
    theirs = parent.rows(words.words)
    ours = np.flatnonzero(theirs >= 0)
    return ours, theirs[ours]
