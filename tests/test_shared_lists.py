"""Lists that all strangers share: made once while nothing changes, and of nobody who is known."""

from typing import Any

import pytest

from recsys.recommend.answer import Recommender
from recsys.recommend.context import RequestContext
from recsys.recommend.shared_lists import LISTS
from recsys.units import SECOND_MS
from tests.recommenders import CLICK, NOW, ask, entry, reader, rows, two_topics

IMPRESSION = 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One element for each list that is made."""
    made: list[int] = []
    whole = Recommender._made

    def counting(self: Recommender, *args: Any) -> Any:
        made.append(1)
        return whole(self, *args)

    monkeypatch.setattr(Recommender, "_made", counting)
    return made


def test_strangers_share_a_list_for_a_second(counted: list[int]) -> None:
    recommender = two_topics()
    first = ask(recommender, k=4)
    assert rows(ask(recommender, None, reader(), k=4)) == rows(first)
    assert len(counted) == 1
    assert rows(ask(recommender, k=4, now=NOW + SECOND_MS - 1)) == rows(first)
    assert len(counted) == 1
    ask(recommender, k=4, now=NOW + SECOND_MS)
    assert len(counted) == 2
    ask(recommender, k=4, now=NOW)
    assert len(counted) == 3, "a clock that was put back"


def test_each_list_has_a_clock_of_its_own(counted: list[int]) -> None:
    recommender = two_topics()
    made = [ask(recommender) for _ in range(3)]
    assert len({id(one.clock) for one in made}) == 3
    assert len(counted) == 1


def test_a_click_makes_the_next_list_anew_and_an_impression_does_not(counted: list[int]) -> None:
    recommender = two_topics()
    ask(recommender, k=8)
    recommender.observe(IMPRESSION, 5, NOW)
    ask(recommender, k=8)
    assert len(counted) == 1
    recommender.observe(CLICK, 5, NOW)
    assert rows(ask(recommender, k=8))[0] == 5
    assert len(counted) == 2


def test_what_is_taken_down_is_in_no_list_from_then_on(counted: list[int]) -> None:
    recommender = two_topics()
    assert 2 in rows(ask(recommender, k=8))
    recommender.catalogue.put("a2", entry(2, "football", hidden=True))
    assert 2 not in rows(ask(recommender, k=8))


@pytest.mark.parametrize(
    "other",
    [
        {"k": 5},
        {"lang": "zh"},
        {"home": "zh"},
        {"article": "a3"},
        {"exclude": ("a1",)},
        {"cheap": True},
        {"request": RequestContext(None, "footer")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_who_asks_something_else_gets_another_list(counted: list[int], other: dict[str, Any]) -> None:
    recommender = two_topics()
    recommender.catalogue.put("a6", entry(6, "markets", language="zh"))
    plain = rows(ask(recommender, k=4))
    fresh = two_topics()
    fresh.catalogue.put("a6", entry(6, "markets", language="zh"))
    assert rows(ask(recommender, **({"k": 4} | other))) == rows(ask(fresh, **({"k": 4} | other)))
    assert rows(ask(recommender, k=4)) == plain
    assert len(counted) == 3


@pytest.mark.parametrize(
    ("states", "request_of"),
    [
        ((reader(0), None), RequestContext()),
        ((None, reader(0)), RequestContext()),
        ((reader(dismissed=(1,)), None), RequestContext()),
        ((None, None), RequestContext("ann")),
    ],
    ids=["read", "read in this visit", "dismissed", "named"],
)
def test_who_is_known_shares_nothing(counted: list[int], states: Any, request_of: RequestContext) -> None:
    recommender = two_topics()
    plain = rows(ask(recommender, k=8))
    ask(recommender, *states, k=8, request=request_of)
    ask(recommender, *states, k=8, request=request_of)
    assert len(counted) == 3
    assert rows(ask(recommender, k=8)) == plain


def test_who_was_shown_something_shares_nothing(counted: list[int]) -> None:
    shown = reader()
    shown.observe(IMPRESSION, 0, NOW - SECOND_MS, position=0)
    recommender = two_topics()
    ask(recommender, None, shown)
    ask(recommender, None, shown)
    assert len(counted) == 2


def test_lists_that_nobody_asks_for_again_are_not_kept_for_ever(counted: list[int]) -> None:
    recommender = two_topics()
    for place in range(LISTS + 10):
        ask(recommender, exclude=(f"x{place}",))
    assert len(recommender._shared_lists._kept) <= LISTS


def test_those_who_share_a_list_share_how_it_is_written() -> None:
    recommender = two_topics()
    first, second = ask(recommender), ask(recommender)
    first.written["once"] = b"[]"
    assert second.written == {"once": b"[]"}
    recommender.observe(CLICK, 5, NOW)
    assert ask(recommender).written == {}
    assert ask(recommender, reader(0)).written == ask(recommender, reader(0)).written == {}


@pytest.mark.parametrize("change", ["click", "article"])
def test_lists_of_a_state_that_is_over_are_let_go_with_it(change: str) -> None:
    recommender = two_topics()
    for k in range(1, 6):
        ask(recommender, k=k)
    if change == "click":
        recommender.observe(CLICK, 5, NOW)
    else:
        recommender.catalogue.put("a2", entry(2, "football", title="Another"))
    ask(recommender, k=7)
    assert [asked.k for asked in recommender._shared_lists._kept] == [7]
