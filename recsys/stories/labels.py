"""Story labels: which rows are of one story, and after which of them it is named; what editors say moves them.

A story has the number of the article that began it, and keeps it though that one leave. Who leaves and needs a number
of their own has their own: the story that had it takes that of another of its articles, so that no two stories have one
number and each is that of an article.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from recsys.stories.decisions import EditorDecisions, PairDecision

Rows = npt.NDArray[np.int32]


class StoryLabels:
    """Labels of A rows.

    Args:
        label: int32 (A,), the row after which each one's story is named; copied.

    Attributes:
        label: the same, as it is now.
        size: int32 (A,), rows by label.
    """

    def __init__(self, label: Rows) -> None:
        self.label = label.copy()
        self.size = np.bincount(label, minlength=len(label)).astype(np.int32)

    def join(self, one: int, other: int) -> None:
        """Put all rows of one row's story into the story of another row, which keeps its name."""
        self._rename(int(self.label[one]), int(self.label[other]))

    def leave(self, row: int) -> None:
        """Let a row be a story by itself, under its own name."""
        old = int(self.label[row])
        if old == row and self.size[old] == 1:
            return
        self._put(row, -1)
        self._give_name(row)
        self._put(row, row)

    def beside(self, row: int, other: int) -> None:
        """Put one row into the story of another one."""
        label = int(self.label[other])
        if int(self.label[row]) != label:
            self._put(row, label)

    def apart(self, row: int, other: int) -> None:
        """Let a row leave the story in which another one stands as well."""
        if row != other and self.label[row] == self.label[other]:
            self.leave(row)

    def decide(self, decisions: Iterable[PairDecision], row_of: Callable[[str], int | None]) -> None:
        """Do what decisions say, in their order, as far as their articles have rows."""
        for decision in decisions:
            one, other = row_of(decision.one), row_of(decision.other)
            if one is None or other is None:
                continue
            if decision.together:
                self.join(one, other)
            else:
                self.apart(one, other)

    def _put(self, row: int, label: int) -> None:
        """Move one row; a label of -1 is none for a moment."""
        old = int(self.label[row])
        self.label[row] = label
        if old >= 0:
            self.size[old] -= 1
        if label >= 0:
            self.size[label] += 1

    def _rename(self, old: int, new: int) -> None:
        if old != new:
            self.label[self.label == old] = new
            self.size[new] += self.size[old]
            self.size[old] = 0

    def _give_name(self, row: int) -> None:
        """Free the name of a row of another story: that one takes the name of its first article that names none."""
        if not self.size[row]:
            return
        rows = np.flatnonzero(self.label == row)
        free = rows[self.size[rows] == 0]
        other = int(free[0] if len(free) else rows[0])
        self._give_name(other)
        self._rename(row, other)


def held(story_of: Mapping[str, str], decisions: EditorDecisions) -> dict[str, str]:
    """Stories as editors decided: what must stand together, and what apart, whatever else put it where it is.

    Args:
        story_of: article id -> id of the article that began its story.
        decisions: of the editors.

    Returns:
        The same, in its order.
    """
    if not decisions:
        return dict(story_of)
    row_of = {article_id: row for row, article_id in enumerate(story_of)}
    labels = StoryLabels(np.array([row_of[story] for story in story_of.values()], np.int32))
    groups = [sorted(row_of[member] for member in group if member in row_of) for group in decisions.groups()]
    for first, *others in filter(None, groups):
        for other in others:
            labels.join(other, first)
    _part(labels, decisions, row_of)
    ids = list(story_of)
    return {article_id: ids[label] for article_id, label in zip(ids, labels.label.tolist(), strict=True)}


def _part(labels: StoryLabels, decisions: EditorDecisions, row_of: Mapping[str, int]) -> None:
    """Part groups that must stand apart and share a story: the smaller one leaves it."""
    for one, other in decisions.pairs_apart():
        small, large = sorted((one, other), key=len)
        mine = [row_of[member] for member in small if member in row_of]
        theirs = next((row_of[member] for member in large if member in row_of), None)
        if not mine or theirs is None or labels.label[mine[0]] != labels.label[theirs]:
            continue
        labels.leave(mine[0])
        for row in mine[1:]:
            labels.beside(row, mine[0])
