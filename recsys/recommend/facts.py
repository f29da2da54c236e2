"""Shared features: the inputs that the answers of some minutes have in common, made once.

Reads the tables, the catalogue and the live counts; is always as current as its users can tell.
"""

import numpy as np
import numpy.typing as npt

from recsys.features.describe import KernelTables
from recsys.features.matrix import ArticleTables, kernel_tables
from recsys.readers.config import ReadersConfig
from recsys.recommend.catalogue import Catalogue, Mask
from recsys.recommend.reasons import middle
from recsys.recommend.taste import Space
from recsys.trends.state import CATEGORIES
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS

MIDDLE_MS = 600_000  # for so long the middle of all vectors, which hardly moves, is taken as it was

Vectors = npt.NDArray[np.float32]


class SharedFeatures:
    """What does not depend on the reader."""

    def __init__(self, catalogue: Catalogue, tables: ArticleTables, trends: Trends, readers: ReadersConfig) -> None:
        self._catalogue, self._tables, self._trends, self._readers = catalogue, tables, trends, readers
        self._known: KernelTables | None = None
        self._counted = 0  # clicks when the shelf lives were read
        self._middles: dict[tuple[Space, str], Vectors] = {}
        self._middles_at = 0
        trends.describe_articles(tables.category, tables.published)

    def known(self) -> KernelTables:
        """What the features read beside the counts; shelf lives are read anew when there were clicks."""
        clicks = self._trends.all_total[1]
        if self._known is None:
            self._known = kernel_tables(self._tables, self._trends, self._readers)
        elif clicks != self._counted:
            self._known = self._known._replace(shelf=self._trends.shelf())
        self._counted = clicks
        return self._known

    def fresh(self, allowed: Mask, hours: float, now: int) -> Mask:
        """The allowed articles that are news still: no older than ``hours``, nor than their category's shelf life.

        Args:
            allowed: bool (A,).
            hours: age.
            now: ms.

        Returns:
            bool (A,).
        """
        published = self._catalogue.published
        rows = np.flatnonzero(allowed & (published >= max(0, now - int(hours * HOUR_MS))))
        category = self._tables.category[rows]
        shelf = self.known().shelf[np.where((category >= 0) & (category < CATEGORIES), category, CATEGORIES)]
        fresh = np.zeros(len(allowed), np.bool_)
        fresh[rows] = now - published[rows] <= shelf * HOUR_MS
        return fresh

    def middle(self, space: Space, table: Vectors, language: str, now: int) -> Vectors:
        """What all articles in a language have in common, some minutes ago: float32 (D,)."""
        if abs(now - self._middles_at) > MIDDLE_MS:
            self._middles, self._middles_at = {}, now
        if (space, language) not in self._middles:
            self._middles[space, language] = middle(table[self._catalogue.in_language(language)])
        return self._middles[space, language]
