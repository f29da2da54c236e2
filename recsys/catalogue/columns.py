"""Columns of the catalogue: what decides whether an article may be shown, as arrays by row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.catalogue.copies import CopyGroups
from recsys.catalogue.stories import StoryGroups
from recsys.units import FOREVER_MS, NEVER_MS, UNKNOWN_ROW

Mask = npt.NDArray[np.bool_]


class CatalogueColumns:
    """Columns of A articles.

    Attributes:
        published: int64 (A,), ms, NEVER_MS when unknown.
        expires: int64 (A,), ms, FOREVER_MS for never.
        shown: bool (A,), has content and is not hidden.
        language: int16 (A,), codes of the catalogue, -1 for none.
        category: int16 (A,), codes of the catalogue, -1 for none.
        source: int32 (A,), codes of other papers and agencies, -1 for the site's own and for none.
        copies: rows of one text.
        stories: rows of one event.
    """

    def __init__(self, capacity: int) -> None:
        self.published = np.full(capacity, NEVER_MS, np.int64)
        self.expires = np.full(capacity, FOREVER_MS, np.int64)
        self.shown = np.zeros(capacity, np.bool_)
        self.language = np.full(capacity, UNKNOWN_ROW, np.int16)
        self.category = np.full(capacity, UNKNOWN_ROW, np.int16)
        self.source = np.full(capacity, UNKNOWN_ROW, np.int32)
        self._own = np.zeros(capacity, np.bool_)
        self._length = np.zeros(capacity, np.int32)
        self.copies = CopyGroups(self.published, self._own, self._length)
        self.stories = StoryGroups(self.published, self._own, self._length)

    def take_over(self, released: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write the first rows, as a release has them; see ``ReleasedCatalogue``."""
        named = {"published": self.published, "expires": self.expires, "shown": self.shown, "language": self.language}
        named |= {"category": self.category, "own": self._own, "length": self._length, "source": self.source}
        for name, column in named.items():
            column[: len(released[name])] = released[name]
        self.copies.take_over(released["leader"])
        self.stories.take_over(released["story"])

    def put(
        self,
        row: int,
        *,
        published: int | None,
        expires: int | None,
        shown: bool,
        language: int,
        category: int,
        source: int,
        own: bool,
        length: int,
        leader: int | None,
        story: int | None,
    ) -> None:
        """Write a row; see ``Catalogue.put``."""
        self.published[row] = NEVER_MS if published is None else published
        self.expires[row] = FOREVER_MS if expires is None else expires
        self.language[row], self.category[row], self.source[row] = language, category, source
        self._own[row], self._length[row] = own, length
        self.shown[row] = shown
        self.copies.put(row, leader)
        self.stories.stand_beside(row, story)
