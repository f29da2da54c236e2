"""Live counts agree with counting everything again: in any order, of odd events, at every threshold's edge."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from recsys.errors import StaleArtefact
from recsys.events import UNDATED
from recsys.features import COLUMN
from recsys.features.matrix import ArticleTables, feature_matrix
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends import CLICK, IMPRESSION
from recsys.trends.config import TrendsConfig
from recsys.trends.counting import position_propensity
from recsys.trends.decay import FARTHEST, GONE, faded, fill_row_fades, quotient, row_fade
from recsys.trends.files import restore
from recsys.trends.state import (
    ALL,
    HALF_LIVES_HOURS,
    LANDMARK,
    LIFT_HALF_LIFE_HOURS,
    NEWEST,
    SHELF_HALF_LIFE_DAYS,
    empty_state,
)
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, NEVER_MS
from tests.clicks import START
from tests.streams import CONFIG, MINUTE, ROWS, A, Event, assert_same, feed, named_counts, some_events, stream

PLAIN = TrendsConfig(max_live_articles=8)
FIVE = np.arange(5, dtype=np.int32)


def plain_events(n: int = 400) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(START, START + 50 * HOUR_MS, n))
    return [(int(rng.integers(0, 2)), int(rng.integers(0, 4)), int(time)) for time in times]  # row 4 stays untouched


def fed(events: list[tuple[int, int, int]]) -> Trends:
    trends = Trends(5, PLAIN)
    for event in events:
        trends.observe(*event)
    return trends


def test_decayed_counts_agree_with_a_sum_over_all_events() -> None:
    events = plain_events()
    now = START + 60 * HOUR_MS
    clicks, impressions = fed(events).clicks(FIVE, now), fed(events).impressions(FIVE, now)
    for column, hours in enumerate(HALF_LIVES_HOURS):
        for counted, kind in ((clicks, CLICK), (impressions, IMPRESSION)):
            for row in FIVE:
                ages = [now - time for k, r, time in events if k == kind and r == row]
                expected = sum(0.5 ** (age / (hours * HOUR_MS)) for age in ages)
                assert counted[row, column] == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_events_out_of_order_count_the_same() -> None:
    events = plain_events()
    shuffled = [events[i] for i in np.random.default_rng(2).permutation(len(events))]
    now = START + 60 * HOUR_MS
    np.testing.assert_allclose(fed(shuffled).clicks(FIVE, now), fed(events).clicks(FIVE, now), rtol=1e-5)
    assert fed(shuffled).first_seen(FIVE).tolist() == fed(events).first_seen(FIVE).tolist()


def test_totals_and_first_times_are_plain_counts_and_undated_events_pass() -> None:
    trends = fed([(CLICK, 1, START + 5), (IMPRESSION, 1, START), (CLICK, 2, UNDATED), (3, 3, START)])
    assert trends.total_clicks(FIVE).tolist() == [0, 1, 0, 0, 0]
    assert trends.total_impressions(FIVE).tolist() == [0, 1, 0, 0, 0]
    assert trends.first_seen(FIVE).tolist() == [-1, START, -1, -1, -1]


def test_a_click_rate_starts_at_the_streams_own_and_moves_with_evidence() -> None:
    trends = fed([(IMPRESSION, 0, START)] * 30 + [(CLICK, 0, START)] * 15 + [(IMPRESSION, 1, START)] * 60)
    stream = (15 + 1) / (90 + 10)
    rates = trends.click_rate(FIVE, START)[:, 2]
    assert rates[0] == pytest.approx((15 + 20 * stream) / 50)
    assert rates[1] == pytest.approx(20 * stream / 80)
    assert rates[4] == pytest.approx(stream)


def test_a_log_of_clicks_alone_has_click_rates_of_at_most_one() -> None:
    rates = fed([(CLICK, 0, START)] * 500).click_rate(FIVE, START)
    assert (rates > 0).all()
    assert (rates <= 1).all()


def test_the_top_is_what_was_clicked_lately_among_the_allowed() -> None:
    trends = fed([(CLICK, 0, START)] * 50 + [(CLICK, 1, START + 20 * HOUR_MS)] * 3 + [(CLICK, 2, START + 20 * HOUR_MS)])
    now = START + 20 * HOUR_MS
    assert trends.most_clicked(FIVE, now, 3).tolist() == [1, 2, 0]
    assert trends.most_clicked(FIVE[FIVE != 1], now, 3).tolist() == [2, 0]
    assert trends.most_clicked(FIVE, now + 1_000 * HOUR_MS, 5).tolist() == [0, 1, 2]  # all faded: the clicks ever
    assert trends.most_clicked(FIVE[:0], now, 3).tolist() == []
    assert Trends(0, PLAIN).most_clicked(FIVE[:0], now, 3).tolist() == []


def test_a_snapshot_restores_exactly_and_goes_on_the_same() -> None:
    events = plain_events()
    whole, half = fed(events), fed(events[:200])
    restored = restore(half.arrays(), PLAIN)
    for event in events[200:]:
        restored.observe(*event)
    for name, values in whole.arrays().items():
        np.testing.assert_array_equal(values, restored.arrays()[name])


def test_a_snapshot_of_other_half_lives_is_refused() -> None:
    arrays = fed([]).arrays()
    with pytest.raises(StaleArtefact, match="half-lives"):
        restore(arrays | {"per_ms": arrays["per_ms"] * 1.01}, PLAIN)


def test_new_articles_find_room_and_old_counts_stay() -> None:
    trends = fed(plain_events())
    before = trends.clicks(FIVE, START + 60 * HOUR_MS)
    trends.grow(9)
    trends.observe(CLICK, 8, START + 60 * HOUR_MS)
    np.testing.assert_array_equal(trends.clicks(FIVE, START + 60 * HOUR_MS), before)
    assert trends.total_clicks(np.array([8], np.int32)).tolist() == [1]


def test_an_event_an_hour_late_counts_as_if_it_had_come_in_time() -> None:
    events = [
        Event(CLICK, 0, START),
        Event(CLICK, 1, START + 30 * MINUTE),
        Event(CLICK, 0, START + 120 * MINUTE),
    ]
    late = [events[0], events[2], events[1]]
    assert_same(feed(stream(), late), feed(stream(), events))
    assert feed(stream(), late).odd == {"late": 1, "ahead": 0, "unknown": 0}
    assert feed(stream(), events).odd == {"late": 0, "ahead": 0, "unknown": 0}
    assert feed(stream(), late).state.clock[NEWEST] == START + 120 * MINUTE  # no clock goes back


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_events_in_any_order_count_the_same_but_for_who_was_clicked_with_whom(seed: int) -> None:
    events = [event._replace(visitor=None) for event in some_events()]
    shuffled = [events[place] for place in np.random.default_rng(seed).permutation(len(events))]
    assert_same(feed(stream(), shuffled), feed(stream(), events))


@pytest.mark.parametrize(("ahead", "held"), [(5, 0), (11, 1), (60 * 24 * 365, 1)])
def test_an_event_dated_after_its_arrival_is_held_back(ahead: int, held: int) -> None:
    trends, expected = stream(), stream()
    trends.observe(CLICK, 0, START + ahead * MINUTE, arrived=START)
    trends.observe(CLICK, 1, START + MINUTE, arrived=START + MINUTE)
    if not held:
        expected.observe(CLICK, 0, START + ahead * MINUTE)
    expected.observe(CLICK, 1, START + MINUTE)
    assert_same(trends, expected)
    assert trends.odd["ahead"] == held


def test_undated_clicks_make_an_article_popular_where_nothing_else_does() -> None:
    trends = feed(stream(), [Event(CLICK, row, UNDATED) for row in (3, 4, 4, 5)])
    every = np.arange(A, dtype=np.int32)
    assert trends.most_clicked(every, START, 9).tolist() == [4, 3, 5]
    trends.observe(CLICK, 7, START)
    assert trends.most_clicked(every, START, 2).tolist() == [7, 4]
    assert trends.all_total == (0, 1)


def test_events_on_unknown_articles_and_other_kinds_count_nothing_and_undated_clicks_no_covisits() -> None:
    trends = stream()
    for row in (-1, A, 10**9):
        assert trends.observe(CLICK, row, START, visitor="v").tolist() == []
    trends.observe(CLICK, 0, UNDATED, visitor="v")
    trends.observe(2, 0, START, visitor="v")
    assert trends.odd == {"late": 0, "ahead": 0, "unknown": 3}
    assert trends.observe(CLICK, 1, START, visitor="v").tolist() == []  # none of them is in the visit
    alone = stream()
    alone.observe(CLICK, 1, START, visitor="v")
    assert_same(trends, alone)


def test_after_three_days_of_silence_everything_has_faded_and_the_visit_is_over() -> None:
    trends = feed(stream(), [Event(CLICK, 0, START, "v"), Event(CLICK, 1, START + 1, "v")])
    later = START + 72 * HOUR_MS
    assert trends.observe(CLICK, 2, later, visitor="v").tolist() == []
    expected = [2.0 ** (-72 / hours) for hours in HALF_LIVES_HOURS]
    np.testing.assert_allclose(trends.counts(ROWS, later)[0, 1], expected, rtol=1e-6)
    assert trends.covisits(0, later, 9)[1].tolist() == pytest.approx([2 ** (-72 / 48)], rel=1e-5)
    assert trends.covisits(2, later, 9)[0].tolist() == []


def test_an_empty_stream_answers_everything() -> None:
    for trends in (Trends(0, CONFIG), Trends(A, CONFIG)):
        n = len(trends)
        assert trends.most_clicked(np.arange(n, dtype=np.int32), START, 5).tolist() == []
        assert trends.covisits(0, START, 5)[0].tolist() == []
        assert (trends.shelf() == 48).all()
        assert trends.counts(ROWS[:n], START).tolist() == np.zeros((n, 2, 5)).tolist()
        np.testing.assert_allclose(trends.click_rate(ROWS[:n], START), np.full((n, 5), 0.1), rtol=1e-6)
        assert trends.all_total == (0, 0)
        restored = restore(trends.arrays(), CONFIG)
        assert len(restored) == n


def test_three_weeks_of_quarters_of_an_hour_leave_the_counts_right() -> None:
    """2,016 halvings of the shortest memory: numbers that no float holds unless the landmark moves."""
    events = some_events(n=1_500, hours=21 * 24)
    trends, now = feed(stream(), events), START + 21 * 24 * HOUR_MS
    assert trends.state.clock[LANDMARK] > START + 20 * 24 * HOUR_MS
    for column, hours in enumerate(HALF_LIVES_HOURS):
        for kind in (IMPRESSION, CLICK):
            expected = np.zeros(A)
            for event in events:
                if event.kind == kind:
                    expected[event.row] += 0.5 ** ((now - event.time) / (hours * HOUR_MS))
            np.testing.assert_allclose(trends.counts(ROWS, now)[:, int(kind == CLICK), column], expected, rtol=1e-6)
    faded = named_counts(trends, now)
    clicks = [event for event in events if event.kind == CLICK]
    month = LIFT_HALF_LIFE_HOURS * HOUR_MS
    for row in range(A):
        expected_lift = sum(0.5 ** ((now - event.time) / month) for event in clicks if event.row == row)
        assert faded["lifts"].get(f"{row} 0 all", 0) == pytest.approx(expected_lift, rel=1e-4, abs=1e-9)
    week = SHELF_HALF_LIFE_DAYS * 24 * HOUR_MS
    assert faded["ages"][-1].sum() == pytest.approx(sum(0.5 ** ((now - event.time) / week) for event in clicks))


def test_facts_of_fewer_articles_than_are_counted_are_refused() -> None:
    with pytest.raises(StaleArtefact):
        stream().describe_articles(np.zeros(A - 1, np.int16), np.zeros(A, np.int64))


def test_click_rates_corrected_for_the_place_order_the_articles_truly_where_raw_ones_do_not() -> None:
    """A good article far down against a bad one at the top; the places are learned from all the others."""
    rng = np.random.default_rng(1)
    looked = 1 / (1 + np.arange(8.0))  # P(a card is looked at), by place
    articles = np.arange(40, dtype=np.int32)
    liked = np.full(40, 0.25)
    liked[0], liked[1] = 0.15, 0.3
    trends, blind = Trends(40, CONFIG), Trends(40, CONFIG)
    for n in range(20_000):
        row = int(rng.integers(40))
        place = {0: int(rng.integers(2)), 1: int(rng.integers(5, 8))}.get(row, int(rng.integers(8)))
        clicked = rng.random() < looked[place] * liked[row]
        for kind in (IMPRESSION, CLICK)[: 1 + clicked]:
            trends.observe(kind, row, START + n * 1_000, position=place)
            blind.observe(kind, row, START + n * 1_000)
    now = START + 20_000_000
    raw = trends.total_clicks(articles) / trends.total_impressions(articles)
    assert raw[0] > 1.5 * raw[1]
    assert blind.click_rate(articles, now)[0, -1] > 1.5 * blind.click_rate(articles, now)[1, -1]
    fair = trends.click_rate(articles, now)[:, -1]
    assert fair[1] / fair[0] == pytest.approx(0.3 / 0.15, rel=0.25)


def test_shelf_lives_are_those_that_were_planted() -> None:
    """Ages spread evenly over 10 and over 100 hours: nine tenths of the clicks come within 9 and 90."""
    rng, n, days = np.random.default_rng(1), 400, 40
    category = rng.integers(0, 2, n).astype(np.int16)
    published = START + rng.integers(0, days * 24 * HOUR_MS, n)
    trends = Trends(n, CONFIG)
    trends.describe_articles(category, published)
    rows = rng.integers(0, n, 12_000)
    ages = rng.random(12_000) * np.where(category[rows] == 0, 10, 100) * HOUR_MS
    times = published[rows] + ages.astype(np.int64)
    feed(trends, [Event(CLICK, row, time) for time, row in sorted(zip(times.tolist(), rows.tolist(), strict=True))])
    shelf = trends.shelf()
    assert shelf[0] == pytest.approx(9, rel=0.15)
    assert shelf[1] == pytest.approx(90, rel=0.15)
    assert shelf[2] == pytest.approx(shelf[-1])  # a category without clicks is like all of them
    assert shelf[0] < shelf[-1] < shelf[1]


@pytest.mark.parametrize("names", [(), ("region",), ("region", "device", "os", "referrer")])
def test_hour_and_category_before_have_their_columns_however_many_attributes_a_site_has(names: tuple[str, ...]) -> None:
    trends = stream(TrendsConfig(max_live_articles=A, max_neighbours=A, context=names))
    said = '{"region": "north"}'
    for n in range(40):  # article 0 by the north in this hour, article 1 by the south twelve hours before
        trends.observe(CLICK, 1, START - 12 * HOUR_MS + n, context='{"region": "south"}')
        trends.observe(CLICK, 0, START + n, context=said)
    vectors = np.full((A, 2), np.nan, np.float32)
    reader = ReaderState()
    reader.observe(CLICK, 5, START, context=said)
    tables = ArticleTables(vectors, vectors, trends.state.category, trends.state.published)
    rows = feature_matrix(tables, reader, ROWS, START + 100, trends, ReadersConfig())
    hour, region = rows[:, COLUMN["lift_hour"]], rows[:, COLUMN["lift_region"]]
    assert hour[0] > 0.3
    assert hour[1] < -0.3
    if names:
        assert region[0] > 0.3
        assert region[1] < -0.3
    for name in ("lift_device", "lift_os", "lift_referrer", "lift_before", *(() if names else ("lift_region",))):
        assert not rows[:, COLUMN[name]].any(), name


def test_of_too_many_values_of_a_context_the_rest_are_counted_together() -> None:
    trends = stream()
    for n in range(100):
        trends.observe(CLICK, 0, START + n, context=json.dumps({"region": f"p{n}"}))
    assert len(trends.values[0]) == 62
    assert trends.codes('{"region": "p61"}')[0] == 62
    assert trends.codes('{"region": "p62"}')[0] == trends.codes('{"region": "never heard"}')[0] == 63
    assert trends.codes(None)[0] == trends.codes("not JSON")[0] == trends.codes("[1]")[0] == 0
    lifts = trends.state.all_lifts[0] * 2.0 ** (-99 / (24 * HOUR_MS))
    assert lifts[63] == pytest.approx(38, rel=1e-4)
    assert lifts[ALL] == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": ("a", "b", "c", "d", "e")},
        {"max_live_articles": 0},
    ],
)
def test_settings_that_could_not_be_counted_with_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrendsConfig(**wrong)


@pytest.mark.parametrize(("behind", "late"), [(60 * MINUTE, 0), (60 * MINUTE + 1, 1)])
def test_an_event_is_late_beyond_the_limit_and_not_at_it(behind: int, late: int) -> None:
    trends = feed(stream(), [Event(CLICK, 0, START), Event(CLICK, 1, START - behind)])
    assert trends.odd["late"] == late
    assert trends.total_clicks(ROWS)[:2].tolist() == [1, 1]


@pytest.mark.parametrize(("ahead", "held"), [(10 * MINUTE, 0), (10 * MINUTE + 1, 1)])
def test_an_event_is_held_back_beyond_the_limit_and_not_at_it(ahead: int, held: int) -> None:
    trends = stream()
    assert trends.is_ahead(START + ahead, START) == bool(held)
    trends.observe(CLICK, 0, START + ahead, arrived=START)
    assert (trends.odd["ahead"], trends.all_total[1]) == (held, 1 - held)


@pytest.mark.parametrize(("after", "leader"), [(HOUR_MS, 0), (HOUR_MS + 1, 1)])
def test_the_half_life_that_ranks_is_the_shortest_with_half_a_click_left(after: int, leader: int) -> None:
    """Article 1 has three old clicks, which an hour's half-life has forgotten and four hours' has not."""
    trends = feed(stream(), [Event(CLICK, 0, START)] + [Event(CLICK, 1, START - 4 * HOUR_MS)] * 3)
    assert trends.most_clicked(np.arange(A, dtype=np.int32), START + after, 1).tolist() == [leader]


@pytest.mark.parametrize(("after", "moved"), [(0, False), (1, True)])
def test_the_landmark_moves_beyond_its_farthest_distance_and_not_at_it(after: int, moved: bool) -> None:
    trends = feed(stream(), [Event(CLICK, 0, START)])
    time = START + int(FARTHEST * HALF_LIVES_HOURS[0] * HOUR_MS) + after
    trends.observe(CLICK, 1, time)
    assert trends.state.clock[LANDMARK] == (time if moved else START)


def test_nothing_is_divided_by_what_has_faded_away() -> None:
    assert quotient(1.0, GONE) == 0.0
    assert quotient(GONE, 2 * GONE) == 0.5


def test_a_position_counts_as_much_as_it_is_clicked_within_bounds() -> None:
    trends = stream()
    assert position_propensity(trends.state, 0) == 1.0  # nothing is known yet
    for n in range(2_000):
        trends.observe(IMPRESSION, 0, START + n, position=n % 2)
        if n % 2 == 0:
            trends.observe(CLICK, 0, START + n, position=0)
    state = trends.state
    assert position_propensity(state, 0) == pytest.approx((1000 + 20 * 0.5) / (1000 + 20) / 0.5, rel=1e-4)
    assert position_propensity(state, 1) == 0.1  # its own rate is a hundredth of all positions': no less than a tenth
    assert position_propensity(state, -1) == 1.0
    assert position_propensity(state, 2) == pytest.approx(1.0)  # nobody was shown anything there
    assert position_propensity(state, 63) == position_propensity(state, 1_000)  # later ones count as the last


def test_a_click_taken_back_leaves_the_counts_as_if_it_had_never_been() -> None:
    trends = feed(stream(), [Event(CLICK, 0, START), Event(CLICK, 0, START + 5), Event(CLICK, 1, START + 9)])
    trends.uncount(0, START + 5)
    alone = feed(stream(), [Event(CLICK, 0, START), Event(CLICK, 1, START + 9)])
    np.testing.assert_allclose(trends.counts(ROWS, START + 9), alone.counts(ROWS, START + 9), rtol=1e-6)
    assert trends.state.last[0] == START  # the click before is the last one again
    assert trends.all_total == alone.all_total
    trends.uncount(0, START)
    assert (trends.state.last[0], trends.state.first[0]) == (NEVER_MS, NEVER_MS)
    trends.uncount(0, START)  # there is nothing left to take back
    assert (trends.all_total, trends.total_clicks(ROWS)[0]) == ((0, 1), 0)
    assert (trends.counts(ROWS, START + 9) >= 0).all()


def test_an_earlier_click_taken_back_leaves_the_last_one() -> None:
    trends = feed(stream(), [Event(CLICK, 0, START), Event(CLICK, 0, START + 5)])
    trends.uncount(0, START)
    assert trends.state.last[0] == START + 5


@pytest.mark.parametrize("half_lives", [HALF_LIVES_HOURS, (0.5, 1.0, 4.0, 16.0, 24.0)])
@pytest.mark.parametrize("hours", [0.0, 0.1, 7.0, 100.0, 5_000.0])
def test_fades_at_all_half_lives_at_once_are_those_of_one_after_the_other(
    half_lives: tuple[float, ...], hours: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.trends.state.HALF_LIVES_HOURS", half_lives)
    state = empty_state(2, TrendsConfig())
    state.clock[:2] = state.row_landmark[0] = START
    state.row_landmark[1] = START - HOUR_MS
    now, out = START + int(hours * HOUR_MS), np.empty(len(half_lives))
    fades = np.array([faded(START, now, per_ms) for per_ms in state.per_ms])
    for row in (0, 1):
        fill_row_fades(state, row, now, fades, out)
        alone = [row_fade(state, row, now, k, fades) for k in range(len(half_lives))]
        assert out == pytest.approx(alone, rel=1e-12)
        assert out[2] > 0 or hours > 1_000
