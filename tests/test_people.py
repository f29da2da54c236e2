"""People, not clicks: repeats, robots, clicks of nobody and of the future, over a log and event by event."""

from typing import Any

import numpy as np
import pytest

from recsys.dataset.impressions import recorded_impressions
from recsys.dataset.log_counts import count_log
from recsys.events import KINDS, REPEAT_CLICK, UNDATED, Events, of_people
from recsys.events.people import (
    IMPRESSION,
    MAX_CLICKS_A_DAY,
    MAX_CLICKS_AN_HOUR,
    MAX_SHOWN_AN_HOUR,
    ODD_REASON_TEXTS,
    OddReader,
    OddReason,
    newest_before,
    odd_readers,
    visitor_keys,
)
from recsys.events.visitors import MAX_CLICKS, Visitors
from recsys.trends import CLICK
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from tests.clicks import HOUR, MINUTE, START, click, log_of, shown

DAY = 24 * HOUR
HOUR_START = START // HOUR * HOUR


def kinds(events: Events) -> list[str]:
    return [[*KINDS, "again"][kind] for kind in events.kind.tolist()]


def test_a_reader_counts_once_for_an_article_and_a_day() -> None:
    times = (0, 1, HOUR, DAY - 1, DAY, DAY + 1)
    events = of_people(log_of([click("r", "a", START + time) for time in times] + [click("s", "a", START + 2)]))
    assert kinds(events) == ["click", "again", "click", "again", "again", "click", "again"]  # the third is s's


def test_undated_clicks_count_once_for_a_reader_and_an_article() -> None:
    events = of_people(log_of([click("r", "a", UNDATED)] * 3 + [click("r", "a", START), click("s", "a", UNDATED)]))
    assert kinds(events) == ["click", "again", "again", "click", "click"]


def test_without_a_reader_a_click_is_its_session_s_and_without_either_its_minute_s_and_context_s() -> None:
    visits = [click(None, "a", START + time, session=session) for time, session in ((0, "1"), (1, "1"), (2, "2"))]
    assert kinds(of_people(log_of(visits))) == ["click", "again", "click"]
    nobody = [click(None, "a", START + 10_000 * n) for n in range(13)]
    assert kinds(of_people(log_of(nobody))).count("click") == 3  # at once, after one minute and after two
    told = [click(None, "a", START + n, context=f'{{"region": "{n % 2}"}}') for n in range(6)]
    assert kinds(of_people(log_of(told))).count("click") == 2


def test_a_repeated_click_still_labels_its_own_list() -> None:
    lists = recorded_impressions(
        of_people(
            log_of(
                [
                    event
                    for n in range(2)
                    for event in (
                        shown("r", "a", START + n * HOUR, f"i{n}"),
                        shown("r", "b", START + n * HOUR, f"i{n}"),
                        click("r", "a", START + n * HOUR + 1, impression=f"i{n}"),
                    )
                ]
            )
        )
    )
    assert lists.label.reshape(2, 2).sum(axis=1).tolist() == [1, 1]


ROBOTS = {
    OddReason.HOUR: [HOUR_START + n * 1_000 for n in range(MAX_CLICKS_AN_HOUR + 1)],
    OddReason.DAY: [HOUR_START + n * 4 * MINUTE for n in range(MAX_CLICKS_A_DAY + 1)],
    OddReason.SLEEPLESS: [HOUR_START + n * HOUR for n in range(20)],
}


@pytest.mark.parametrize("reason", ROBOTS)
def test_whoever_clicks_as_no_person_does_is_left_out_with_all_that_they_did(reason: OddReason) -> None:
    times = ROBOTS[reason]
    robot = [click("robot", f"a{n}", time) for n, time in enumerate(times)]
    person = [click("ann", "a1", HOUR_START), click("ann", "a2", HOUR_START + 1)]
    before = shown("robot", "a1", HOUR_START - 9 * DAY, "i")
    events = log_of([before, *robot, *person])
    expected = OddReader(1, "robot", reason, len(times), times[0], times[-1])
    found = odd_readers(events)
    assert [one._replace(event=1) for one in found] == [expected]
    assert str(found[0].reason) == ODD_REASON_TEXTS[reason]
    assert [events.reader_ids[row] for row in of_people(events).reader] == ["ann", "ann"]
    assert odd_readers(log_of([before, *robot[:-1], *person])) == []


def test_in_the_service_a_click_of_exactly_a_day_later_is_no_repeat() -> None:
    visitors = Visitors(10)
    outcomes = [visitors.see(CLICK, 0, START + time, "r", None).kind for time in (0, DAY - 1, DAY)]
    assert outcomes == [CLICK, REPEAT_CLICK, CLICK]


@pytest.mark.parametrize("reason", ROBOTS)
def test_the_service_leaves_out_the_same_robot_at_the_same_click(reason: OddReason) -> None:
    visitors = Visitors(10)
    outcomes = [visitors.see(CLICK, row, time, "robot", None) for row, time in enumerate(ROBOTS[reason])]
    assert [outcome.kind for outcome in outcomes] == [CLICK] * (len(outcomes) - 1) + [None]
    assert [outcome.undone for outcome in outcomes[:-1]] == [()] * (len(outcomes) - 1)
    assert [undone.row for undone in outcomes[-1].undone] == list(range(len(outcomes) - 1))
    assert visitors.see(CLICK, 0, ROBOTS[reason][-1] + 9 * DAY, "robot", None).kind is None


def test_a_robot_that_is_shown_one_article_all_the_time_does_not_sink_it() -> None:
    """In training and in the service: ann sees the list as often as a person can."""
    robot = [shown("robot", "a", HOUR_START + n, f"r{n}") for n in range(MAX_SHOWN_AN_HOUR + 1)]
    ann = [shown("ann", f"{name}{n}", HOUR_START + n, f"i{n}") for n in range(MAX_SHOWN_AN_HOUR) for name in ("a", "b")]
    ann += [shown("ann", "a0", HOUR_START + n, f"j{n}") for n in range(MAX_SHOWN_AN_HOUR - 1)]
    events = log_of([*robot, *ann])
    assert odd_readers(events) == [
        OddReader(0, "robot", OddReason.SHOWN, 0, HOUR_START, HOUR_START + MAX_SHOWN_AN_HOUR)
    ]
    assert set(of_people(events).reader.tolist()) == {events.reader_ids.index("ann")}
    assert odd_readers(log_of([*robot[1:], *ann])) == []
    visitors = Visitors(10)
    clicked = visitors.see(CLICK, 7, HOUR_START, "robot", None)
    seen = [visitors.see(IMPRESSION, 0, HOUR_START + n, "robot", None) for n in range(MAX_SHOWN_AN_HOUR + 1)]
    assert [clicked.kind, *(one.kind for one in seen)] == [CLICK, *[IMPRESSION] * MAX_SHOWN_AN_HOUR, None]
    assert [one.row for one in seen[-1].undone] == [7]
    assert visitors.see(IMPRESSION, 0, HOUR_START + HOUR, "ann", None).kind == IMPRESSION


def test_a_day_ends_after_twenty_four_hours_of_the_clock() -> None:
    """Half of what is too much on each side of a night."""
    half = [click("r", f"a{n}", HOUR_START + n * 15 * MINUTE) for n in range(76)]
    assert odd_readers(log_of([*half, *(click("r", one[2], one[3] + 2 * DAY) for one in half)])) == []


def test_what_lies_ahead_of_the_clock_is_held_back_and_comes_back_in_time() -> None:
    events = log_of([click("r", "a", UNDATED), click("r", "b", START), click("r", "c", START + DAY)])
    assert newest_before(events, START + HOUR) == START
    assert newest_before(events, START - 1) == UNDATED
    assert len(of_people(events, START)) == 2
    assert len(of_people(events, UNDATED)) == 1
    assert len(of_people(events, START + DAY)) == 3


def a_day(seed: int, n: int = 900) -> Events:
    """Readers, sessions and nobody, repeats, and two robots among them."""
    rng = np.random.default_rng(seed)
    made: list[tuple[Any, ...]] = []
    for time in (START + np.sort(rng.integers(0, 50 * HOUR, n))).tolist():
        who = int(rng.integers(40))
        reader, session = (f"r{who}" if who < 30 else None), (f"s{who}" if who in (30, 31, 32) else None)
        made.append(click(reader, f"a{int(12 * rng.random() ** 2):02}", time, session=session))
    made += [click("stuck", "a03", START + 5 * HOUR + 150 * n) for n in range(400)]
    made += [click("crawler", f"a{n % 12:02}", START + 7 * HOUR + 5 * MINUTE * n) for n in range(300)]
    return log_of(made)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_service_counts_whom_training_counts(seed: int) -> None:
    events, config = a_day(seed), TrendsConfig(max_live_articles=12, max_neighbours=12)
    A = len(events.article_ids)
    nothing = np.full(A, -1, np.int16), np.full(A, -1, np.int64)
    trained = count_log(of_people(events), config, *nothing)
    live, visitors = Trends(A, config), Visitors(1_000)
    columns = (events.kind, events.article, events.time, visitor_keys(events))
    for kind, row, time, key in zip(*(column.tolist() for column in columns), strict=True):
        visitor = f"k{key}" if key >= 0 else None
        seen = visitors.see(kind, row, time, visitor, None)
        for one in seen.undone:
            live.uncount(one.row, one.time)
        if seen.kind is not None:
            live.observe(seen.kind, row, time, visitor=visitor)
    rows, now = np.arange(A, dtype=np.int32), int(events.time[-1])
    assert 200 < trained.all_total[1] == live.all_total[1] < 900
    np.testing.assert_array_equal(trained.total_clicks(rows), live.total_clicks(rows))
    np.testing.assert_allclose(trained.counts(rows, now), live.counts(rows, now), atol=1e-9)
    assert len(visitors.odd) == 2


def test_what_a_robot_clicked_was_not_opened_just_now() -> None:
    """An article that ann read yesterday and one that nobody did, before the robot and after it."""
    trends, never = Trends(2, TrendsConfig()), -1
    trends.observe(CLICK, 0, START, visitor="rann")
    before = trends.state.last.tolist(), trends.state.first.tolist()
    for row in (0, 1):
        trends.observe(CLICK, row, START + DAY, visitor="rrobot")
        trends.uncount(row, START + DAY)
    assert (trends.state.last.tolist(), trends.state.first.tolist()) == before == ([START, never], [START, never])


def test_five_hundred_clicks_of_a_robot_move_no_article() -> None:
    """Ten articles, read by 10, 9, … readers; the robot reloads the last."""
    people = [click(f"r{row}-{n}", f"a{row}", START + n) for row in range(10) for n in range(10 - row)]
    robot = [click("robot", "a9", START + 20 + n) for n in range(500)]
    events = of_people(log_of([*people, *robot]))
    trends = count_log(events, TrendsConfig(), np.full(10, -1, np.int16), np.full(10, -1, np.int64))
    assert trends.most_clicked(np.arange(10, dtype=np.int32), START + 1_000, 10).tolist() == list(range(10))


def test_visitors_are_remembered_in_bounded_memory() -> None:
    visitors = Visitors(10)
    for n in range(3_000):
        visitors.see(CLICK, n, UNDATED, "r", None)
        visitors.see(CLICK, n, START + n * HOUR * 2, "s", None)
        visitors.see(CLICK, n, START + n, None, f"c{n}")
    assert len(visitors) <= 10
    assert max(len(clicks) for clicks in visitors._clicks.values()) <= MAX_CLICKS
    assert visitors.see(CLICK, 2_999, UNDATED, "r", None).kind == REPEAT_CLICK
