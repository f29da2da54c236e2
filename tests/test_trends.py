"""Live counts agree with counting everything again, in any order."""

import numpy as np
import pytest

from recsys.errors import StaleArtefact
from recsys.events import UNDATED
from recsys.trends import CLICK, IMPRESSION
from recsys.trends.config import TrendsConfig
from recsys.trends.files import restore
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS

CONFIG = TrendsConfig(half_lives_hours=(0.25, 1.0, 4.0, 16.0, 64.0), prior_impressions=10.0, live_articles=8)
START = 1_790_000_000_000
ROWS = np.arange(5, dtype=np.int32)


def some_events(n: int = 400) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(START, START + 50 * HOUR_MS, n))
    return [(int(rng.integers(0, 2)), int(rng.integers(0, 4)), int(time)) for time in times]  # row 4 stays untouched


def fed(events: list[tuple[int, int, int]]) -> Trends:
    trends = Trends(5, CONFIG)
    for event in events:
        trends.observe(*event)
    return trends


def test_decayed_counts_agree_with_a_sum_over_all_events() -> None:
    events = some_events()
    now = START + 60 * HOUR_MS
    clicks, impressions = fed(events).clicks(ROWS, now), fed(events).impressions(ROWS, now)
    for column, hours in enumerate(CONFIG.half_lives_hours):
        for counted, kind in ((clicks, CLICK), (impressions, IMPRESSION)):
            for row in ROWS:
                ages = [now - time for k, r, time in events if k == kind and r == row]
                expected = sum(0.5 ** (age / (hours * HOUR_MS)) for age in ages)
                assert counted[row, column] == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_events_out_of_order_count_the_same() -> None:
    events = some_events()
    shuffled = [events[i] for i in np.random.default_rng(2).permutation(len(events))]
    now = START + 60 * HOUR_MS
    np.testing.assert_allclose(fed(shuffled).clicks(ROWS, now), fed(events).clicks(ROWS, now), rtol=1e-5)
    assert fed(shuffled).first_seen(ROWS).tolist() == fed(events).first_seen(ROWS).tolist()


def test_totals_and_first_times_are_plain_counts_and_undated_events_pass() -> None:
    trends = fed([(CLICK, 1, START + 5), (IMPRESSION, 1, START), (CLICK, 2, UNDATED), (3, 3, START)])
    assert trends.total_clicks(ROWS).tolist() == [0, 1, 0, 0, 0]
    assert trends.total_impressions(ROWS).tolist() == [0, 1, 0, 0, 0]
    assert trends.first_seen(ROWS).tolist() == [-1, START, -1, -1, -1]


def test_a_click_rate_starts_at_the_streams_own_and_moves_with_evidence() -> None:
    trends = fed([(IMPRESSION, 0, START)] * 30 + [(CLICK, 0, START)] * 15 + [(IMPRESSION, 1, START)] * 60)
    stream = (15 + 1) / (90 + 10)
    rates = trends.click_rate(ROWS, START)[:, 2]
    assert rates[0] == pytest.approx((15 + 10 * stream) / 40)
    assert rates[1] == pytest.approx(10 * stream / 70)
    assert rates[4] == pytest.approx(stream)


def test_a_log_of_clicks_alone_has_click_rates_of_at_most_one() -> None:
    rates = fed([(CLICK, 0, START)] * 500).click_rate(ROWS, START)
    assert (rates > 0).all()
    assert (rates <= 1).all()


def test_the_top_is_what_was_clicked_lately_among_the_allowed() -> None:
    trends = fed([(CLICK, 0, START)] * 50 + [(CLICK, 1, START + 20 * HOUR_MS)] * 3 + [(CLICK, 2, START + 20 * HOUR_MS)])
    now = START + 20 * HOUR_MS
    everything = np.ones(5, bool)
    assert trends.top(now, 3, everything).tolist() == [1, 2, 0]
    assert trends.top(now, 3, np.array([True, False, True, True, True])).tolist() == [2, 0]
    assert trends.top(now + 1_000 * HOUR_MS, 5, everything).tolist() == [0, 1, 2]  # all faded: the clicks ever
    assert trends.top(now, 3, np.zeros(5, bool)).tolist() == []
    assert Trends(0, CONFIG).top(now, 3, np.zeros(0, bool)).tolist() == []


def test_a_snapshot_restores_exactly_and_goes_on_the_same() -> None:
    events = some_events()
    whole, half = fed(events), fed(events[:200])
    restored = restore(half.arrays(), CONFIG)
    for event in events[200:]:
        restored.observe(*event)
    for name, values in whole.arrays().items():
        np.testing.assert_array_equal(values, restored.arrays()[name])


def test_a_snapshot_of_other_half_lives_is_refused() -> None:
    with pytest.raises(StaleArtefact, match="half-lives"):
        restore(fed([]).arrays(), TrendsConfig(half_lives_hours=(0.25, 1.0, 4.0, 16.0, 65.0), live_articles=8))


def test_new_articles_find_room_and_old_counts_stay() -> None:
    trends = fed(some_events())
    before = trends.clicks(ROWS, START + 60 * HOUR_MS)
    trends.grow(9)
    trends.observe(CLICK, 8, START + 60 * HOUR_MS)
    np.testing.assert_array_equal(trends.clicks(ROWS, START + 60 * HOUR_MS), before)
    assert trends.total_clicks(np.array([8], np.int32)).tolist() == [1]
