"""A retrained word space, turned into the frame of the one before it, and how far its words have moved.

Two trainings on one corpus give the same cosines in two frames that have nothing to do with each other. What was kept
from the last space (a reader's profile) is worth something in the new one only after the best rotation between them.
Source: Schönemann 1966 (orthogonal Procrustes); Hamilton et al. 2016, "Diachronic Word Embeddings", section 3.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.words import Matrix, Rows, WordVectors

MOVED = 20  # words that the report names


class WordDrift(NamedTuple):
    """How far the words have moved since the last space.

    Attributes:
        parent: space id of the last space.
        shared_words: words in both.
        mean_cosine: of the shared words' centred vectors before and after, each word counting the same.
        least: the words that moved most, among the frequent half, with their cosines.
    """

    parent: str
    shared_words: int
    mean_cosine: float
    least: list[tuple[str, float]]


def rotation(source: Matrix, target: Matrix, weights: Matrix) -> Matrix:
    """The rotation (or reflection) that takes one set of vectors closest to another.

    Args:
        source: float32 (N, D).
        target: float32 (N, D), the same words' vectors in the other frame.
        weights: float32 (N,), non-negative: how much each word counts.

    Returns:
        float32 (D, D), orthogonal: ``source @ rotation`` is the closest to ``target`` in weighted squares.
    """
    crossed = (source * weights[:, None]).T.astype(np.float64) @ target.astype(np.float64)  # (D, D)
    left, _, right = np.linalg.svd(crossed)
    turned: Matrix = (left @ right).astype(np.float32)
    return turned


def alignment(words: WordVectors, parent: WordVectors) -> Matrix | None:
    """The rotation from a new space to the last one.

    Found on the centred unit vectors of the shared words, each with the root of its smaller count: a word's vector is
    surer the more often it stands in the text, but function words shall not decide alone.

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
    """Compare an aligned space with the last one."""
    ours, theirs = _shared(words, parent)
    cosines = np.einsum("nd,nd->n", words.centred[ours], parent.centred[theirs])
    frequent = np.flatnonzero(words.counts[ours] >= np.median(words.counts[ours]))
    least = frequent[np.argsort(cosines[frequent], kind="stable")[:MOVED]]
    named = [(words.words[ours[place]], round(float(cosines[place]), 4)) for place in least.tolist()]
    return WordDrift(parent.space, len(ours), round(float(cosines.mean()), 4), named)


def _shared(words: WordVectors, parent: WordVectors) -> tuple[npt.NDArray[np.intp], Rows]:
    """Rows of the shared words in both spaces."""
    theirs = parent.rows(words.words)
    ours = np.flatnonzero(theirs >= 0)
    return ours, theirs[ours]
