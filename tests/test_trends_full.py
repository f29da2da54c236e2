"""Full tables: the weakest makes place, and nothing is left pointing at it."""

import pytest

from recsys.trends import CLICK
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW
from tests.clicks import START
from tests.streams import ROWS, A, One, feed, some_events


def test_of_more_articles_than_live_ones_the_least_clicked_goes() -> None:
    small = TrendsConfig(live_articles=4, neighbours=A)
    times = {0: 5, 1: 4, 2: 2, 3: 3}  # article 2 is the weakest
    clicks = [row for row, n in times.items() for _ in range(n)]
    trends = feed(Trends(A, small), [One(CLICK, row, START + at) for at, row in enumerate(clicks)])
    trends.observe(CLICK, 7, START + 100)
    assert sorted(trends.state.article_of.tolist()) == [0, 1, 3, 7]
    assert trends.state.slot_of[2] == UNKNOWN_ROW
    assert trends.total_clicks(ROWS)[2] == 2  # its popularity stays


@pytest.mark.parametrize("live", [1, 2, 3, 5])
def test_slots_and_articles_always_point_at_each_other(live: int) -> None:
    trends = feed(Trends(A, TrendsConfig(live_articles=live, neighbours=2)), some_events(n=400, hours=10))
    state = trends.state
    for at, row in enumerate(state.article_of.tolist()):
        assert state.slot_of[row] == at
        assert row not in state.neighbour[at]  # nothing is a covisit of itself
        met = [other for other in state.neighbour[at].tolist() if other != UNKNOWN_ROW]
        assert len(set(met)) == len(met)
    assert (state.slot_of != UNKNOWN_ROW).sum() == live


def test_an_article_just_clicked_keeps_its_slot_however_little_it_is_clicked() -> None:
    trends = feed(Trends(A, TrendsConfig(live_articles=2, neighbours=2)), [One(CLICK, 0, START)] * 3)
    feed(trends, [One(CLICK, 2, START, "v"), *[One(CLICK, 1, START)] * 2])  # 1 turns 2 out while the visit goes on
    assert trends.state.slot_of[2] == UNKNOWN_ROW
    trends.observe(CLICK, 3, START, visitor="v")
    assert sorted(trends.state.article_of.tolist()) == [2, 3]
    for row, other in ((2, 3), (3, 2)):
        rows, strength = trends.covisits(row, START, 9)
        assert (rows.tolist(), strength.tolist()) == ([other], [1.0])


def test_a_new_neighbour_takes_the_place_of_the_weakest() -> None:
    trends = Trends(A, TrendsConfig(live_articles=A, neighbours=3))
    met = [1] * 3 + [2] * 2 + [3] * 4 + [4]
    for number, other in enumerate(met):
        feed(trends, [One(CLICK, 0, START + number, f"v{number}"), One(CLICK, other, START + number, f"v{number}")])
    rows, strength = trends.covisits(0, START + 9, 9)
    assert rows.tolist() == [3, 1, 4]
    assert strength.tolist() == pytest.approx([4, 3, 1], rel=1e-4)
