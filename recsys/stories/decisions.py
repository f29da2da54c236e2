"""Editors' decisions on stories: which articles belong to one event, which do not, and what a story is called.

They are kept as pairs of articles, since these outlive every retraining. Of two decisions that contradict each other
the later one holds.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class PairDecision(NamedTuple):
    """Word of an editor on two articles: they belong ``together``, or not."""

    one: str
    other: str
    together: bool


class EditorDecisions:
    """Groups of articles that must stand together, and which groups must stand apart.

    Args:
        decisions: in the order in which they were made.
        names: story id -> what the editors call it.
    """

    def __init__(self, decisions: Sequence[PairDecision] = (), names: Mapping[str, str] | None = None) -> None:
        self.names = dict(names or {})
        self._group: dict[str, set[str]] = {}
        self._apart: dict[str, set[str]] = defaultdict(set)  # article -> articles, as decided
        for decision in reversed(decisions):
            self._take(decision)

    def together_with(self, article_id: str) -> set[str]:
        """The articles that must stand in one story with this one, itself among them."""
        return self._group.get(article_id, {article_id})

    def apart_from(self, article_id: str) -> set[str]:
        """The articles that must not stand in one story with this one."""
        others = {other for member in self.together_with(article_id) for other in self._apart.get(member, ())}
        return {member for other in others for member in self.together_with(other)}

    def _take(self, decision: PairDecision) -> None:
        """Keep a decision unless one that was made later says otherwise."""
        one, other = self.together_with(decision.one), self.together_with(decision.other)
        if decision.together and decision.other not in self.apart_from(decision.one):
            joined = one | other
            self._group.update(dict.fromkeys(joined, joined))
        elif not decision.together and one.isdisjoint(other):
            self._apart[decision.one].add(decision.other)
            self._apart[decision.other].add(decision.one)
