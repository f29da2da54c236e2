"""Taste: what one answer knows of its reader, and the candidates that it chose from."""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.index import Index
from recsys.readers import ReaderState
from recsys.recommend.catalogue import Mask
from recsys.recommend.lists import Tier
from recsys.recommend.tag_index import Rows

Vectors = npt.NDArray[np.float32]


class Space(enum.Enum):
    """Where a vector lives."""

    ITEMS = "items"
    ARTICLES = "articles"


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of a reader for one answer.

    Attributes:
        tier: where it comes from.
        state: the clicks.
        space: which table.
        table: float32 (A, D), the vectors of the space that ``vector`` lives in.
        index: of that table.
        vector: float32 (D,), unit.
    """

    tier: Tier
    state: ReaderState
    space: Space
    table: Vectors
    index: Index
    vector: Vectors


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates of one answer, best first, with what the reasons need.

    Attributes:
        rows: int32 (B,).
        scores: float32 (B,), falling.
        hot: rows that may be called trending.
        liked: category -> share of the clicks' weights.
        favourites: folded keywords of what was read, those of a single article left out.
        since: ms; what was published since is fresh.
        nameable: bool (A,): articles whose title may be shown.
    """

    rows: Rows
    scores: Vectors
    hot: frozenset[int]
    liked: dict[str, float]
    favourites: frozenset[str]
    since: int
    nameable: Mask
