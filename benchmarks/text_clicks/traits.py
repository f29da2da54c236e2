"""Traits: what an article can be liked for, as one sparse row of numbers per article.

Reads vectors, and words, n-grams or keywords by row; produces ``Traits``. A trait is a direction of a vector space, a
word, a name; the product of two articles' rows says how much a judgement of the one tells of the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.classifiers.ngrams import Bags

Places = npt.NDArray[np.int64]
Columns = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


class Traits(NamedTuple):
    """Traits that A articles can be liked for: F traits, those of one article behind those of the other.

    Attributes:
        columns: int32 (N,), which trait, below F.
        values: float32 (N,), how much of it; the squares of an article's values say how far judgements reach.
        starts: int64 (A + 1,), where each article's begin; the last one is N.
        size: F.
    """

    columns: Columns
    values: npt.NDArray[np.float32]
    starts: Places
    size: int


def vector_traits(vectors: npt.NDArray[np.floating], weight: float) -> Traits:
    """A vector space as traits.

    Args:
        vectors: (A, D), unit rows; a NaN row has no traits.
        weight: how much alikeness in this space counts: the prior variance of what an article gains by it.
    """
    D = vectors.shape[1]
    known = np.isfinite(vectors).all(axis=1) & bool(D)
    columns = np.tile(np.arange(D, dtype=np.int32), int(known.sum()))
    values = (np.sqrt(weight) * vectors[known].ravel()).astype(np.float32)
    return Traits(columns, values, np.append(0, np.cumsum(known * D)).astype(np.int64), D)


def bag_traits(bags: Bags, values: npt.NDArray[np.floating], weight: float, size: int) -> Traits:
    """Words, n-grams or keywords as traits.

    Args:
        bags: the row of each word of each article, each once.
        values: (N,), what it is worth there, as TF-IDF; an article's squares sum to 1.
        weight: see ``vector_traits``.
        size: words that have a row.
    """
    return Traits(bags.values.astype(np.int32), (np.sqrt(weight) * values).astype(np.float32), bags.starts, size)


def joined_traits(parts: Sequence[Traits], liking: float) -> Traits:
    """Several kinds of traits of the same articles, and one that every article has.

    Args:
        parts: at least one.
        liking: weight of that one: the prior variance of the share of articles that a reader likes.
    """
    A = len(parts[0].starts) - 1
    every = Traits(np.zeros(A, np.int32), np.full(A, np.sqrt(liking), np.float32), np.arange(A + 1), 1)
    kinds = [every, *parts]
    firsts = np.cumsum([0, *(kind.size for kind in kinds)])
    owner = np.concatenate([np.repeat(np.arange(A), np.diff(kind.starts)) for kind in kinds])
    order = np.argsort(owner, kind="stable")
    columns = np.concatenate([kind.columns + np.int32(first) for kind, first in zip(kinds, firsts[:-1], strict=True)])
    values = np.concatenate([kind.values for kind in kinds])[order]
    starts = np.asarray(np.sum([kind.starts for kind in kinds], axis=0), np.int64)
    return Traits(columns[order], values, starts, int(firsts[-1]))


def traits_of(traits: Traits, rows: Places) -> Traits:
    """The traits of some articles, in their order."""
    sizes = traits.starts[rows + 1] - traits.starts[rows]
    starts = np.append(0, np.cumsum(sizes))
    places = np.arange(starts[-1]) + np.repeat(traits.starts[rows] - starts[:-1], sizes)
    return Traits(traits.columns[places], traits.values[places], starts, traits.size)


def sums(own: Traits, weights: npt.NDArray[np.floating]) -> Values:
    """(J,), the sum of each article's values times weights, float64 (N,)."""
    running = np.append(0.0, np.cumsum(own.values * weights, dtype=np.float64))
    return np.asarray(running[own.starts[1:]] - running[own.starts[:-1]])
