"""The context of one answer: its reader, its request, and the features that the answers of some minutes share.

Reads a reader's clicks and a table of vectors; produces a ``ReaderContext``. The first clicks that say something
decide: the reader's own, then the session's, then the article that is open.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Catalogue
from recsys.features.describe import KernelTables
from recsys.features.matrix import ArticleTables, kernel_tables
from recsys.index import Index
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import Interests, ReaderEncoder, weights
from recsys.trends.stream import Trends
from recsys.units import MINUTE_MS

Vectors = npt.NDArray[np.float32]

_MEAN_MS = 10 * MINUTE_MS  # for so long the mean of all vectors, which hardly moves, is taken as it was


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
        vectors: float32 (A, D), unit or NaN rows.
        index: of them.
    """

    space: VectorSpace
    vectors: Vectors
    index: Index


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
        for table in tables if state.clicks else ():
            interests = encoders[table.space].encode(table.vectors, state.clicks, state.times)
            if interests.known:
                return ReaderContext(tier, state, table, interests, request)
    return None


def language_read(catalogue: Catalogue, clicks: Iterable[int]) -> str | None:
    """The language of the articles clicked; None when there are several."""
    languages = {article.language for row in clicks if (article := catalogue.articles[row])}
    return languages.pop() if len(languages) == 1 else None


def category_shares(catalogue: Catalogue, clicks: Sequence[int], half_life_clicks: float) -> dict[str, float]:
    """The categories of the articles clicked, as shares of the clicks' weights, largest first."""
    shares: dict[str, float] = {}
    for row, weight in zip(clicks, weights(len(clicks), half_life_clicks).tolist(), strict=True):
        if category := catalogue.categories[row]:
            shares[category] = shares.get(category, 0.0) + weight
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


class SharedFeatures:
    """Features that do not depend on the reader: made once for many answers, always current.

    Attributes:
        category: int16 (A,), the category code of each row, -1 for none.
    """

    def __init__(self, catalogue: Catalogue, tables: ArticleTables, trends: Trends, readers: ReadersConfig) -> None:
        self._catalogue, self._tables, self._trends, self._readers = catalogue, tables, trends, readers
        self.category = tables.category
        self._inputs: KernelTables | None = None
        self._counted_clicks = 0  # when the shelf lives were read
        self._means: dict[tuple[VectorSpace, str], Vectors] = {}
        self._means_at = 0
        trends.describe_articles(tables.category, tables.published)

    def inputs(self) -> KernelTables:
        """The inputs of the features beside the counts; shelf lives are read anew when there were clicks."""
        clicks = self._trends.all_total[1]
        if self._inputs is None:
            self._inputs = kernel_tables(self._tables, self._trends, self._readers)
        elif clicks != self._counted_clicks:
            self._inputs = self._inputs._replace(shelf=self._trends.shelf())
        self._counted_clicks = clicks
        return self._inputs

    def mean_vector(self, table: VectorTable, language: str, now: int) -> Vectors:
        """The mean of all articles in a language, some minutes ago: float32 (D,); zero when none has a vector."""
        if abs(now - self._means_at) > _MEAN_MS:
            self._means, self._means_at = {}, now
        if (table.space, language) not in self._means:
            rows = table.vectors[self._catalogue.in_language(language)]
            rows = rows[~np.isnan(rows).any(axis=1)]
            self._means[table.space, language] = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)
        return self._means[table.space, language]
