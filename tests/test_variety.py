"""Few articles of each category in a list, but of what a reader reads their own share of it."""

import pytest

from recsys.recommend.context import Tier
from recsys.recommend.rerank import DiversifiedList, category_limits
from tests.recommenders import ask, entry, newsroom, reader, rows


@pytest.mark.parametrize(
    ("share", "clicks", "allowed"),
    [
        (1.0, 0, 3),
        (1.0, 2, 5),  # half sure: half of the list
        (1.0, 45, 8),  # nine tenths of it would be too much
        (0.6, 45, 6),  # 5.4 places
        (0.2, 1_000_000, 3),
    ],
)
def test_a_category_may_have_its_share_of_the_clicks_as_far_as_these_can_tell(
    share: float, clicks: int, allowed: int
) -> None:
    assert category_limits({"football": share}, clicks, 10, 3, 0.8) == {"football": allowed}


def test_the_least_goes_before_the_most_in_short_lists() -> None:
    assert category_limits({"football": 1.0}, 100, 2, 3, 0.8) == {"football": 3}


def test_a_share_that_is_a_whole_number_of_places_is_not_rounded_up() -> None:
    assert category_limits({"football": 0.1 + 0.2}, 10**12, 10, 1, 0.8) == {"football": 3}


def test_each_category_closes_at_its_own_limit_and_articles_without_one_never() -> None:
    made = DiversifiedList(6, {"football": 3}, 1, [None, "football", "markets"] * 4)
    made.offer([1, 2, 4, 5])
    assert made.closed == {"markets"}
    made.offer([7, 10, 0, 3, 6])
    assert made.closed == {"markets", "football"}
    assert (made.picked, made.over) == ([1, 2, 4, 7, 0, 3], [5, 10, 6])


FOOTBALL = 60  # articles, the newest; then ten each of three other categories


@pytest.mark.parametrize(("clicked", "football"), [(0, 3), (1, 4), (2, 5), (4, 7), (45, 8)])
def test_who_reads_football_alone_gets_more_of_it_the_surer_that_is_and_never_it_alone(
    clicked: int, football: int
) -> None:
    others = [entry(FOOTBALL + n, ["markets", "arts", "travel"][n // 10]) for n in range(30)]
    made = ask(newsroom([*(entry(row, "football") for row in range(FOOTBALL)), *others]), reader(*range(clicked)), k=10)
    assert made.tier is (Tier.CATEGORY_POPULAR if clicked else Tier.FRESH)
    assert sum(row < FOOTBALL for row in rows(made)) == football


def test_a_list_is_of_one_category_alone_where_nothing_else_is_left() -> None:
    made = ask(newsroom([entry(row, "football") for row in range(FOOTBALL)]), reader(*range(45)), k=10)
    assert len(made.cards) == 10
