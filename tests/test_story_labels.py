"""Labels of stories and editors' groups: whatever is said in whatever order, checked by a plain account of it."""

from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.stories import StoryGroups
from recsys.store import StoryName
from recsys.stories.decisions import EditorDecisions, PairDecision
from recsys.stories.labels import StoryLabels, held
from recsys.stories.story_index import StoryIndex

A = 6
NAMES = [f"a{row}" for row in range(A)]
ROW_OF = {name: row for row, name in enumerate(NAMES)}
ARTICLE = st.sampled_from(NAMES)
DECISIONS = st.lists(st.builds(PairDecision, ARTICLE, ARTICLE, st.booleans()), max_size=12)


def plain(decisions: Sequence[PairDecision], groups: list[set[str]]) -> list[set[str]]:
    """The groups after some decisions, by the rule as it is written."""
    for one, other, together in decisions:
        mine, theirs = (next(group for group in groups if name in group) for name in (one, other))
        if together and mine is not theirs:
            groups = [group for group in groups if group is not mine and group is not theirs] + [mine | theirs]
        elif not together and mine is theirs and one != other:
            groups = [group for group in groups if group is not mine] + [mine - {one}, {one}]
    return groups


def as_groups(labels: Sequence[int]) -> list[list[str]]:
    by_label: dict[int, list[str]] = {}
    for name, label in zip(NAMES, labels, strict=True):
        by_label.setdefault(label, []).append(name)
    return sorted(by_label.values())


@given(DECISIONS)
def test_rows_and_groups_move_as_editors_say(decisions: list[PairDecision]) -> None:
    expected = sorted(sorted(group) for group in plain(decisions, [{name} for name in NAMES]))
    labels = StoryLabels(np.arange(A, dtype=np.int32))
    labels.decide(decisions, ROW_OF.get)
    assert as_groups(labels.label.tolist()) == expected
    assert labels.size.tolist() == np.bincount(labels.label, minlength=A).tolist()
    editors = EditorDecisions(decisions)
    assert sorted({tuple(sorted(editors.together_with(name))) for name in NAMES}) == [tuple(one) for one in expected]
    for name in NAMES:
        assert editors.apart_from(name).isdisjoint(editors.together_with(name))
        assert all(name in editors.apart_from(other) for other in editors.apart_from(name))
    if decisions and decisions[-1].one != decisions[-1].other:
        one, other, together = decisions[-1]
        assert (other in editors.together_with(one), other in editors.apart_from(one)) == (together, not together)


@given(DECISIONS, st.lists(st.integers(0, A - 1), min_size=A, max_size=A))
def test_stories_are_held_as_editors_said_wherever_they_stood(decisions: list[PairDecision], at: list[int]) -> None:
    editors, story_of = EditorDecisions(decisions), {name: NAMES[at[row]] for row, name in enumerate(NAMES)}
    kept = held(story_of, editors)
    assert list(kept) == NAMES
    for name in NAMES:
        assert {kept[other] for other in editors.together_with(name)} == {kept[name]}
        assert kept[name] not in {kept[other] for other in editors.apart_from(name)}
    assert held(story_of, EditorDecisions()) == story_of


@given(st.lists(st.tuples(st.integers(0, A - 1), st.integers(0, A - 1)), max_size=20))
def test_an_article_that_stands_elsewhere_or_alone_leaves_the_others_where_they_are(
    moves: list[tuple[int, int]],
) -> None:
    stories = StoryGroups(np.zeros(A, np.int64), np.zeros(A, bool), np.zeros(A, np.int32))
    groups: list[set[str]] = [{name} for name in NAMES]
    for row, other in moves:
        name = NAMES[row]
        if row == other:
            groups = [group - {name} for group in groups] + [{name}]
        elif not any({name, NAMES[other]} <= group for group in groups):
            groups = [group - {name} for group in groups]
            next(group for group in groups if NAMES[other] in group).add(name)
        stories.stand_beside(row, other)
        assert as_groups(stories.labels.tolist()) == sorted(sorted(group) for group in groups if group)
        assert stories.sizes.tolist() == np.bincount(stories.labels, minlength=A).tolist()
        assert stories.labels[stories.labels[row]] >= 0
    stories.stand_beside(0, None)
    assert as_groups(stories.labels.tolist()) == sorted(sorted(group) for group in groups if group)


def test_who_reads_labels_and_groups_at_once_sees_one_moment() -> None:
    stories = StoryGroups(np.zeros(A, np.int64), np.zeros(A, bool), np.zeros(A, np.int32))
    before, grouped = stories.at_once()
    stories.decide([PairDecision(one, other, True) for one, other in pairwise(NAMES)], ROW_OF.get)
    assert before.labels.tolist() == list(range(A)), "what an answer has taken does not change under it"
    assert len(grouped.rows) == 0
    after, grouped = stories.at_once()
    assert len(grouped.rows) == A
    assert after.sizes[after.labels[0]] == A
    stories.decide([PairDecision("a0", "a1", True), PairDecision("x", "a1", True)], ROW_OF.get)
    assert stories.at_once()[0] is after, "nothing moved"


def test_a_row_that_leaves_has_its_own_name_whoever_had_it() -> None:
    labels = StoryLabels(np.array([1, 0, 0, 3, 4, 5], np.int32))  # a1 began a story that it has left, and a0 as well
    labels.leave(2)
    assert labels.label.tolist()[:3] == [1, 0, 2]
    labels.leave(0)
    assert labels.label.tolist() == [0, 1, 2, 3, 4, 5]


def test_the_later_name_of_a_story_holds() -> None:
    stories = StoryGroups(np.zeros(A, np.int64), np.zeros(A, bool), np.zeros(A, np.int32))
    stories.decide([PairDecision("a1", "a0", True), PairDecision("a2", "a0", True)], ROW_OF.get)
    stories.call(
        [StoryName("a1", "one", 1, 0, "x"), StoryName("zz", "gone", 2, 0, "x"), StoryName("a0", "two", 3, 0, "x")],
        ROW_OF.get,
    )
    assert [stories.name_of(row) for row in range(4)] == ["two", "two", "two", None]
    stories.call([StoryName("a1", "one", 1, 0, "x"), StoryName("a0", None, 4, 0, "x")], ROW_OF.get)
    assert stories.name_of(2) == "one"


def test_decisions_on_a_story_of_five_thousand_are_taken_in_no_time() -> None:
    names = [f"n{n}" for n in range(5_000)]
    decisions = [PairDecision(name, "n0", True) for name in names[1:]]
    for name in names[1:1_000]:
        decisions += [PairDecision(name, "n0", False), PairDecision(name, "n1", True)]
    row_of = {name: row for row, name in enumerate(names)}
    began = monotonic()
    editors = EditorDecisions(decisions)
    labels = StoryLabels(np.zeros(len(names), np.int32))
    labels.decide(decisions, row_of.get)
    index = StoryIndex(decisions=editors)
    for n, name in enumerate(names):
        index.place(name, f"Ferry Aurora, report {n % 50}", time=n)
    assert monotonic() - began < 10
    assert (len(editors.together_with("n1")), len(editors.together_with("n0"))) == (999, 4_001)
    assert (int(labels.size[1]), len(index.articles_of("n1")), len(index.articles_of("n0"))) == (999, 999, 4_001)
