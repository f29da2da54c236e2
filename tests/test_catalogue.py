"""One card for each text: which copy stands in a list, and what a reader of one copy is offered; changes meanwhile."""

import threading
from typing import Any

import numpy as np
import pytest

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.copies import CopyGroups
from recsys.catalogue.eligibility import Eligibility
from recsys.recommend.answer import Recommender
from tests.recommenders import CLICK, HOUR, NOW, ask, entry, reader, rows, two_topics

COPIES = ("a1", "a2", "a3")  # of one text in football; a0 is another story of football


def with_copies(**more: Any) -> Recommender:
    recommender = two_topics(**more)
    for row in (1, 2, 3):
        put(recommender, row)
    return recommender


def put(recommender: Recommender, row: int, **facts: Any) -> None:
    recommender.catalogue.put(f"a{row}", entry(row, "football", **facts), "a1")


def listed(catalogue: Catalogue, now: int = NOW) -> list[int]:
    return np.flatnonzero(catalogue.eligible(now).listed.mask()).tolist()


def test_of_three_copies_a_list_holds_the_newest() -> None:
    assert rows(ask(with_copies(), reader(0), k=8)) == [1, 7, 6, 5, 4]
    recommender = with_copies()
    put(recommender, 3, published_at=NOW)
    assert sorted(rows(ask(recommender, reader(0), k=8))) == [3, 4, 5, 6, 7]
    assert sorted(rows(ask(recommender, k=8))) == [0, 3, 4, 5, 6, 7]


def test_the_sites_own_copy_goes_before_the_newest_and_the_fullest_before_its_equals() -> None:
    catalogue = Catalogue([f"a{row}" for row in range(4)], own="Our Paper")
    told: list[dict[str, Any]] = [{"source": "our paper"}, {"published_at": NOW}, {"length": 9}, {"length": 7}]
    for row, facts in enumerate(told):
        catalogue.put(f"a{row}", entry(0, None, **facts), "a1")
    shown = []
    for name in ("a0", "a1", "a2", "a3"):
        shown += listed(catalogue)
        catalogue.put(catalogue.ids[shown[-1]], entry(0, None, hidden=True), "a1")
        assert len(shown) == int(name[1]) + 1
    assert shown == [0, 1, 2, 3]
    assert not listed(catalogue)


def test_a_copy_that_is_hidden_expires_or_is_not_out_yet_leaves_its_place_to_another() -> None:
    recommender = with_copies()
    put(recommender, 1, hidden=True)
    assert rows(ask(recommender, reader(0), k=1)) == [2]
    put(recommender, 2, expires_at=NOW)
    assert rows(ask(recommender, reader(0), k=1)) == [3]
    put(recommender, 3, published_at=NOW + 1)
    assert sorted(rows(ask(recommender, reader(0), k=8))) == [4, 5, 6, 7]


def test_who_has_read_or_dismissed_one_copy_is_offered_none() -> None:
    for state in (reader(0, 3), reader(0, dismissed=(2,))):
        assert sorted(rows(ask(with_copies(), state, k=8))) == [4, 5, 6, 7]
    assert sorted(rows(ask(with_copies(), article="a2", k=8))) == [0, 4, 5, 6, 7]
    assert sorted(rows(ask(with_copies(), reader(), reader(1), k=8))) == [0, 4, 5, 6, 7]


def test_similar_holds_no_copy_of_the_article_and_no_copy_twice() -> None:
    assert [card.row for card in with_copies().similar("a2", 8, NOW)] == [0]
    assert [card.row for card in with_copies().similar("a0", 8, NOW)] == [1]


def test_a_text_is_as_popular_as_its_most_clicked_copy() -> None:
    recommender = with_copies()
    for row, clicks in ((3, 5), (4, 3), (2, 2)):
        for _ in range(clicks):
            recommender.observe(CLICK, row, NOW - HOUR)
    eligible = recommender.catalogue.eligible(NOW)
    assert recommender.shared.popular(eligible, NOW).tolist() == [1, 4]
    put(recommender, 3, hidden=True)  # its clicks are the text's
    assert rows(ask(recommender, k=2)) == [1, 4]
    assert rows(ask(recommender, reader(0, 2), k=1, lang=None))[0] != 1


def test_candidates_are_not_starved_by_copies() -> None:
    recommender = two_topics(trending=0, fresh=0)
    for row in (0, 1, 2, 3):
        put(recommender, row)
    recommender.neighbours = 1
    made = ask(recommender, reader(0), k=4)
    assert (rows(made)[0], len(made.cards)) == (7, 4)


def test_a_copy_may_leave_its_group_and_a_first_copy_its_own() -> None:
    stories = CopyGroups(np.zeros(5, np.int64), np.zeros(5, bool), np.zeros(5, np.int32))
    for row in (1, 2, 3):
        stories.put(row, 1)
    assert set(stories.of([2])) == {1, 2, 3}
    stories.put(2, 2)
    assert (set(stories.of([1])), set(stories.of([2]))) == ({1, 3}, {2})
    stories.put(1, 4)  # those that joined it stay together
    assert (set(stories.of([1])), set(stories.of([3]))) == ({1, 4}, {3})
    stories.put(0, 1)
    assert set(stories.of([0])) == {0, 3}
    stories.put(1, 1)
    assert set(stories.of([1])) == {0, 1, 3}
    assert stories.of([]) == []


def test_one_of_each_agrees_with_a_plain_count() -> None:
    rng = np.random.default_rng(3)
    leaders = [row if rng.random() < 0.5 else int(rng.integers(20)) for row in range(100)]
    leaders = [leaders[leader] if leaders[leader] < 20 else leader for leader in leaders]
    catalogue = Catalogue([f"a{row}" for row in range(100)])
    roots = [leader if leaders[leader] == leader else row for row, leader in enumerate(leaders)]
    for row, root in enumerate(roots):
        catalogue.put(f"a{row}", entry(int(rng.integers(9)), None, hidden=rng.random() < 0.3), f"a{root}")
    shown = np.flatnonzero(catalogue.eligible(NOW).showable).tolist()
    best: dict[int, int] = {}
    for row in sorted(shown, key=lambda row: (-catalogue.published[row], row)):
        best.setdefault(roots[row], row)
    assert listed(catalogue) == sorted(best.values())


def small_catalogue() -> Catalogue:
    """Three articles, and room for more."""
    catalogue = Catalogue((), 20)
    for number in range(3):
        catalogue.put(f"a{number}", entry(number, "football"))
    return catalogue


def test_an_answer_sees_all_of_a_change_or_nothing_and_waits_for_nobody() -> None:
    catalogue = small_catalogue()
    before = listed(catalogue)
    with catalogue.changing():
        for name in ("n1", "n2"):
            catalogue.place(name, entry(1, "football"))
            assert listed(catalogue) == before
    assert listed(catalogue) == [*before, len(catalogue.ids) - 2, len(catalogue.ids) - 1]


def test_an_article_that_is_put_while_eligibility_is_made_is_in_the_next_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue, made = small_catalogue(), Eligibility.at
    before = listed(catalogue)
    writers: list[threading.Thread] = []

    def slow(*given: Any) -> Eligibility:
        if not writers:
            writers.append(threading.Thread(target=catalogue.put, args=("new", entry(1, "football"))))
            writers[0].start()
        return made(*given)

    monkeypatch.setattr(Eligibility, "at", slow)
    catalogue.take_down("a0")
    assert listed(catalogue) == before[1:], "the writer waits until it is made"
    writers[0].join()
    assert listed(catalogue) == [*before[1:], len(catalogue.ids) - 1]
