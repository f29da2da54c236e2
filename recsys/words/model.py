"""What every trainer of word vectors is given to begin with, and what it gives back."""

from collections.abc import Callable
from typing import NamedTuple

from recsys.words import Matrix
from recsys.words.subwords import Subwords

OnEpoch = Callable[[int, float], object]  # epochs done so far, the loss after the last one


class Start(NamedTuple):
    """Where a training begins, in the order of the vocabulary.

    Attributes:
        vectors: float32 (V, D); NaN for a word that begins at random.
        outputs: float32 (V, D), the output vectors of negative sampling; zero for a word that has none yet.
        subwords: n-gram buckets of an earlier training, or None.
    """

    vectors: Matrix
    outputs: Matrix
    subwords: Subwords | None = None


class Fitted(NamedTuple):
    """What a training learned, in the order of the vocabulary.

    Attributes:
        vectors: float32 (V, D).
        losses: one number per epoch.
        outputs: float32 (V, D), the output vectors of negative sampling; None for other models.
        subwords: n-gram buckets, or None.
    """

    vectors: Matrix
    losses: list[float]
    outputs: Matrix | None = None
    subwords: Subwords | None = None
