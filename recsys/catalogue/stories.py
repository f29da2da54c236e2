"""Stories in the catalogue: groups of rows of one event, moved by articles that come and by editors, with their names.

Reads labels, decisions and names; produces groups of which an answer sees all or nothing of a change.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from recsys.catalogue.copies import CopyGroups
from recsys.store import StoryName
from recsys.stories.decisions import PairDecision
from recsys.stories.labels import StoryLabels
from recsys.tags.index import Rows


class _Names(NamedTuple):
    """N rows of named articles, int32, the last name last."""

    rows: Rows
    names: tuple[str, ...]


class StoryGroups(CopyGroups):
    """Groups of rows of one event.

    Attributes:
        names: of stories, by the article with which each goes, the last one last; those taken back are among them.
    """

    names: Mapping[str, StoryName] = MappingProxyType({})
    _named = _Names(np.empty(0, np.int32), ())

    def stand_beside(self, row: int, other: int | None) -> None:
        """Say that a row's article has changed, and with which it stands.

        Args:
            row: of the article.
            other: row of an article of its story; ``row`` where it begins one; None: as it was.
        """
        label = None if other is None else int(self.labels[other])
        if other == row and (label != row or self.sizes[row] > 1):
            moved = StoryLabels(self.labels)
            moved.leave(row)
            self._swap(moved.label)
        else:
            self.put(row, label)

    def decide(self, decisions: Iterable[PairDecision], row_of: Callable[[str], int | None]) -> None:
        """Move rows as editors say, all at once; articles without a row are left to when they come."""
        moved = StoryLabels(self.labels)
        moved.decide(decisions, row_of)
        if not np.array_equal(moved.label, self.labels):
            self._swap(moved.label)

    @property
    def named(self) -> int:
        """Number of the last change of a name, 0 before the first one."""
        return max((one.change for one in self.names.values()), default=0)

    def call(self, names: Iterable[StoryName], row_of: Callable[[str], int | None]) -> None:
        """Let stories have names that were given after all before them; of an article the last one holds."""
        every = {**self.names, **{one.article: one for one in names}}
        self.names = dict(sorted(every.items(), key=lambda item: item[1].change))
        held = [(row_of(one.article), one.name) for one in self.names.values()]
        named = [(row, name) for row, name in held if row is not None and name is not None]
        self._named = _Names(np.array([row for row, _ in named], np.int32), tuple(name for _, name in named))

    def name_of(self, row: int) -> str | None:
        """The editors' name of a row's story; None without one."""
        rows, names = self._named
        labels = self.labels
        of_story = np.flatnonzero(labels[rows] == labels[row])
        return names[of_story[-1]] if len(of_story) else None
