"""The context of one answer: its reader and its request.

Reads a reader's clicks and a table of vectors; produces a ``ReaderContext``. The first clicks that say something
decide: the reader's own, then the session's, then the article that is open.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.index import Index
from recsys.readers import ReaderState
from recsys.readers.encoders import Interests, ReaderEncoder

Vectors = npt.NDArray[np.float32]


class Tier(enum.StrEnum):
    """The source of a list, best first."""

    PERSONAL = "personal"
    SESSION = "session"
    CATEGORY_POPULAR = "category-popular"
    POPULAR = "popular"
    FRESH = "fresh"
    EMPTY = "empty"


class VectorSpace(enum.Enum):
    """The table that a vector belongs to."""

    ITEMS = "items"
    ARTICLES = "articles"


class RequestContext(NamedTuple):
    """The reader's id and the slot's name of one request, as far as they are known."""

    reader: str | None = None
    slot: str | None = None


ANONYMOUS = RequestContext()


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Vectors of one space.

    Attributes:
        space: the space.
        index: of them.
    """

    space: VectorSpace
    index: Index

    @property
    def vectors(self) -> Vectors:
        """float32 (A, D), unit or NaN rows."""
        return self.index.vectors


@dataclass(frozen=True, slots=True)
class ReaderContext:
    """One reader as one answer sees them.

    Attributes:
        tier: source of the clicks.
        state: the clicks.
        table: the vectors that ``interests`` live in.
        interests: directions that the reader likes.
        request: the request.
    """

    tier: Tier
    state: ReaderState
    table: VectorTable
    interests: Interests
    request: RequestContext


def reader_context(
    states: Sequence[tuple[Tier, ReaderState]],
    tables: Sequence[VectorTable],
    encoders: Mapping[VectorSpace, ReaderEncoder],
    request: RequestContext,
) -> ReaderContext | None:
    """The context of the first clicks of which some table knows a direction; None where none does.

    Args:
        states: clicks, the most telling first.
        tables: the spaces, the most telling first.
        encoders: by space.
        request: the request.
    """
    for tier, state in states:
        for table in tables if len(state.clicks) else ():
            interests = encoders[table.space].encode(table.vectors, state.clicks, state.times)
            if interests.known:
                return ReaderContext(tier, state, table, interests, request)
    return None
