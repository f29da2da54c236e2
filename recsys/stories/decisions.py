"""Editors' decisions on stories: which articles belong to one event, and which do not.

They are kept as pairs of articles, since these outlive every retraining, and taken in the order in which they were
made: what a later one says of an article holds against every earlier one, and what it does not speak of stays.
"""

from collections.abc import Iterable, Set
from typing import NamedTuple


class PairDecision(NamedTuple):
    """Word of an editor on two articles.

    Attributes:
        one: an article; apart from the other it leaves those with which both stand.
        other: another one.
        together: whether they, and what stands with each, belong together.
    """

    one: str
    other: str
    together: bool


class _Group:
    """Articles that must stand together, in the order of joining, and the groups that must stand elsewhere."""

    __slots__ = ("apart", "members")

    def __init__(self, members: Iterable[str]) -> None:
        self.members = dict.fromkeys(members)
        self.apart: dict[_Group, None] = {}


class EditorDecisions:
    """Groups of articles that must stand together, and which groups must stand apart.

    Args:
        decisions: in the order in which they were made.
    """

    def __init__(self, decisions: Iterable[PairDecision] = ()) -> None:
        self._group: dict[str, _Group] = {}
        for decision in decisions:
            self.take(decision)

    def __bool__(self) -> bool:
        return bool(self._group)

    def together_with(self, article_id: str) -> Set[str]:
        """The articles that must stand in one story with this one, itself among them."""
        group = self._group.get(article_id)
        return {article_id} if group is None else group.members.keys()

    def apart_from(self, article_id: str) -> set[str]:
        """The articles that must not stand in one story with this one."""
        return {member for group in self.groups_apart_from(article_id) for member in group}

    def groups_apart_from(self, article_id: str) -> list[Set[str]]:
        """The same as groups, each of which stands together."""
        group = self._group.get(article_id)
        return [] if group is None else [other.members.keys() for other in group.apart]

    def groups(self) -> list[Set[str]]:
        """The groups of several articles that must stand together."""
        return [group.members.keys() for group in dict.fromkeys(self._group.values()) if len(group.members) > 1]

    def pairs_apart(self) -> list[tuple[Set[str], Set[str]]]:
        """Each two groups that must stand apart, once."""
        pairs: dict[tuple[_Group, _Group], None] = {}
        for one in dict.fromkeys(self._group.values()):
            pairs |= {(one, other): None for other in one.apart if (other, one) not in pairs}
        return [(one.members.keys(), other.members.keys()) for one, other in pairs]

    def take(self, decision: PairDecision) -> None:
        """Let a decision hold, which was made after all before it; one on an article and itself says nothing."""
        one, other = self._group_of(decision.one), self._group_of(decision.other)
        if decision.one == decision.other:
            return
        if decision.together:
            self._join(one, other)
            return
        if one is other:
            one = self._leave(decision.one, one)
        one.apart[other] = other.apart[one] = None

    def _group_of(self, article_id: str) -> _Group:
        if article_id not in self._group:
            self._group[article_id] = _Group([article_id])
        return self._group[article_id]

    def _join(self, one: _Group, other: _Group) -> None:
        """Put the smaller group into the larger one: an article moves at most as often as its group doubles."""
        if one is other:
            return
        small, large = (one, other) if len(one.members) < len(other.members) else (other, one)
        large.members |= small.members
        self._group |= dict.fromkeys(small.members, large)
        for elsewhere in small.apart:
            del elsewhere.apart[small]
            if elsewhere is not large:
                elsewhere.apart[large] = large.apart[elsewhere] = None

    def _leave(self, article_id: str, group: _Group) -> _Group:
        """Take an article out of its group; what must stand apart from the group must from the article as well."""
        del group.members[article_id]
        alone = self._group[article_id] = _Group([article_id])
        for elsewhere in group.apart:
            elsewhere.apart[alone] = alone.apart[elsewhere] = None
        return alone
