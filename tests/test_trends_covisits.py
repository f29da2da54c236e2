"""Visits and co-visits: at the edge of a visit, out of order, in full tables, with nothing left pointing at a gap."""

import pytest

from recsys.trends import CLICK, state
from recsys.trends.config import TrendsConfig
from recsys.trends.covisits import MAX_COVISITS, RunningVisits
from recsys.trends.state import LANDMARK
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, UNKNOWN_ROW
from tests.clicks import START
from tests.streams import MINUTE, ROWS, A, Event, feed, named_counts, some_events, stream


@pytest.mark.parametrize(("pause", "before"), [(30 * MINUTE, [0]), (30 * MINUTE + 1, [])])
def test_a_visit_lasts_as_long_as_no_pause_is_longer_than_the_gap(pause: int, before: list[int]) -> None:
    trends = stream()
    trends.observe(CLICK, 0, START, visitor="v")
    assert trends.observe(CLICK, 1, START + pause, visitor="v").tolist() == before


@pytest.mark.parametrize(("pause", "after"), [(30 * MINUTE, [1, 0]), (30 * MINUTE + 1, [0])])
def test_a_late_click_belongs_to_the_visit_that_began_no_longer_than_the_gap_after_it(
    pause: int, after: list[int]
) -> None:
    trends = stream()
    trends.observe(CLICK, 0, START, visitor="v")
    assert trends.observe(CLICK, 1, START - pause, visitor="v").tolist() == []
    assert trends.observe(CLICK, 2, START, visitor="v").tolist() == after


def test_another_gap_is_kept_to_the_millisecond() -> None:
    for minutes in (1, 45):
        visits = RunningVisits(9, minutes * MINUTE)
        visits.click("v", 0, START)
        assert visits.click("v", 1, START + minutes * MINUTE).tolist() == [0]
        assert visits.click("v", 2, START + 2 * minutes * MINUTE + 1).tolist() == []


def test_as_many_visits_as_fit_are_all_remembered() -> None:
    visits = RunningVisits(3, 30 * MINUTE)
    for at, visitor in enumerate("abc"):
        visits.click(visitor, at, START + at)
    assert [visits.click(visitor, 9, START + 9).tolist() for visitor in "abc"] == [[0], [1], [2]]


def test_the_tenth_click_before_is_a_covisit_and_the_eleventh_is_not() -> None:
    visits = RunningVisits(3, 30 * MINUTE)
    for row in range(MAX_COVISITS):
        visits.click("v", row, START + row)
    assert visits.click("v", 10, START + 10).tolist() == list(range(10))
    assert visits.click("v", 11, START + 11).tolist() == list(range(1, 11))


def test_forgotten_visitors_begin_anew_and_the_others_go_on() -> None:
    trends = feed(stream(), [Event(CLICK, 0, START, "v"), Event(CLICK, 1, START, "w")])
    trends.visits.forget(lambda visitor: visitor == "v")
    assert trends.observe(CLICK, 2, START + 1, visitor="v").tolist() == []
    assert trends.observe(CLICK, 3, START + 1, visitor="w").tolist() == [1]


def test_of_equally_strong_neighbours_the_first_row_comes_first_and_no_more_than_asked_for() -> None:
    trends = feed(stream(), [Event(CLICK, row, START, f"v{row}") for row in (5, 3, 8)])
    feed(trends, [Event(CLICK, 0, START, f"v{row}") for row in (5, 3, 8)])
    assert trends.covisits(0, START, 9)[0].tolist() == [3, 5, 8]
    assert trends.covisits(0, START, 2)[0].tolist() == [3, 5]
    assert [trends.covisits(row, START, 9)[0].tolist() for row in (-1, A)] == [[], []]


def test_a_late_click_takes_its_place_in_the_visit_and_one_from_an_earlier_visit_does_not() -> None:
    trends = stream()
    clicks = [(0, 0), (1, 10), (2, 5), (3, -60), (4, 12)]  # article, minutes
    before = [trends.observe(CLICK, row, START + m * MINUTE, visitor="v").tolist() for row, m in clicks]
    assert before == [[], [0], [0], [], [0, 2, 1]]


def test_a_late_click_in_the_middle_of_a_long_visit_belongs_to_it() -> None:
    trends = stream()
    clicks = [(0, 0), (1, 20), (2, 40), (3, 5)]  # the last one 35 minutes before the newest, 5 after the first
    assert [trends.observe(CLICK, row, START + m * MINUTE, visitor="v").tolist() for row, m in clicks][-1] == [0]


def test_an_article_clicked_twice_in_a_visit_is_popular_twice_but_no_covisit_of_itself() -> None:
    trends = feed(stream(), [Event(CLICK, row, START + at, "v") for at, row in enumerate([3, 3, 5, 3])])
    assert trends.total_clicks(ROWS)[3] == 3
    rows, strength = trends.covisits(3, START, 9)
    assert rows.tolist() == [5]
    assert strength.tolist() == pytest.approx([2.0], rel=1e-5)  # 5 after 3, and 3 after 5: not once more per repeat


def test_a_visitor_of_a_hundred_thousand_clicks_is_remembered_by_the_last_ones() -> None:
    visits = RunningVisits(10, 30 * MINUTE)
    longest = max(len(visits.click("v", at % 1_000, START + at)) for at in range(100_000))
    assert longest == MAX_COVISITS
    assert visits.click("v", 7, START + 100_000).tolist() == list(range(990, 1_000))
    assert len(visits) == 1
    assert [len(visit) for visit in visits._visits.values()] == [MAX_COVISITS]


def test_of_too_many_visits_the_one_without_a_click_for_longest_goes() -> None:
    visits = RunningVisits(2, 30 * MINUTE)
    for at, visitor in enumerate(["a", "b", "a", "c"]):  # b goes
        visits.click(visitor, at, START + at)
    assert len(visits) == 2
    assert visits.click("a", 9, START + 9).tolist() == [0, 2]
    assert visits.click("b", 9, START + 9).tolist() == []


def test_a_visit_of_one_click_has_no_covisits() -> None:
    trends = feed(stream(), [Event(CLICK, 0, START, "v"), Event(CLICK, 1, START), Event(CLICK, 2, START, "w")])
    assert trends.clicks(ROWS, START)[:3, 1].tolist() == pytest.approx([1, 1, 1])
    assert [len(trends.covisits(row, START, 9)[0]) for row in (0, 1, 2)] == [0, 0, 0]


def test_a_moved_landmark_changes_no_covisits(monkeypatch: pytest.MonkeyPatch) -> None:
    events = some_events(n=900, hours=200)  # 50 halvings of the shortest co-visits: the landmark stays
    moving = feed(stream(), events)
    monkeypatch.setattr(state, "HALF_LIVES_HOURS", (400.0, 500.0, 600.0, 700.0, 800.0))
    standing = feed(stream(), events)
    assert moving.state.clock[LANDMARK] > standing.state.clock[LANDMARK] == events[0].time
    now = START + 200 * HOUR_MS
    for name in ("pairs", "lifts"):
        assert named_counts(moving, now)[name] == pytest.approx(named_counts(standing, now)[name], rel=1e-4, abs=1e-9)
        assert named_counts(moving, now)[name]


def test_of_more_articles_than_live_ones_the_least_clicked_goes() -> None:
    small = TrendsConfig(max_live_articles=4, max_neighbours=A)
    times = {0: 5, 1: 4, 2: 2, 3: 3}  # article 2 is the weakest
    clicks = [row for row, n in times.items() for _ in range(n)]
    trends = feed(Trends(A, small), [Event(CLICK, row, START + at) for at, row in enumerate(clicks)])
    trends.observe(CLICK, 7, START + 100)
    assert sorted(trends.state.article_of.tolist()) == [0, 1, 3, 7]
    assert trends.state.slot_of[2] == UNKNOWN_ROW
    assert trends.total_clicks(ROWS)[2] == 2  # its popularity stays


@pytest.mark.parametrize("live", [1, 2, 3, 5])
def test_slots_and_articles_always_point_at_each_other(live: int) -> None:
    trends = feed(Trends(A, TrendsConfig(max_live_articles=live, max_neighbours=2)), some_events(n=400, hours=10))
    state = trends.state
    for at, row in enumerate(state.article_of.tolist()):
        assert state.slot_of[row] == at
        assert row not in state.neighbour[at]  # nothing is a covisit of itself
        met = [other for other in state.neighbour[at].tolist() if other != UNKNOWN_ROW]
        assert len(set(met)) == len(met)
    assert (state.slot_of != UNKNOWN_ROW).sum() == live


def test_an_article_just_clicked_keeps_its_slot_however_little_it_is_clicked() -> None:
    trends = feed(Trends(A, TrendsConfig(max_live_articles=2, max_neighbours=2)), [Event(CLICK, 0, START)] * 3)
    feed(trends, [Event(CLICK, 2, START, "v"), *[Event(CLICK, 1, START)] * 2])  # 1 turns 2 out while the visit goes on
    assert trends.state.slot_of[2] == UNKNOWN_ROW
    trends.observe(CLICK, 3, START, visitor="v")
    assert sorted(trends.state.article_of.tolist()) == [2, 3]
    for row, other in ((2, 3), (3, 2)):
        rows, strength = trends.covisits(row, START, 9)
        assert (rows.tolist(), strength.tolist()) == ([other], [1.0])


def test_a_new_neighbour_takes_the_place_of_the_weakest() -> None:
    trends = Trends(A, TrendsConfig(max_live_articles=A, max_neighbours=3))
    met = [1] * 3 + [2] * 2 + [3] * 4 + [4]
    for number, other in enumerate(met):
        feed(
            trends,
            [
                Event(CLICK, 0, START + number, f"v{number}"),
                Event(CLICK, other, START + number, f"v{number}"),
            ],
        )
    rows, strength = trends.covisits(0, START + 9, 9)
    assert rows.tolist() == [3, 1, 4]
    assert strength.tolist() == pytest.approx([4, 3, 1], rel=1e-4)
