"""Forecasts: series and their gaps, the contract of every model, bands, and the backtest."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DegenerateInput
from recsys.forecast.backtest import backtest
from recsys.forecast.bands import band, scores, track
from recsys.forecast.calendar import calendar, quietest_hour
from recsys.forecast.contract import Forecaster, hour_sums
from recsys.forecast.naive import LastValue, SameHour
from recsys.forecast.profile import LevelProfile
from recsys.forecast.recurrent import RecurrentForecast
from recsys.forecast.regression import LagRegression, boosted, ridge
from recsys.forecast.series import ClickSeries, click_series, gaps
from recsys.forecast.steps import STEP_MS, STEPS_PER_DAY, STEPS_PER_HOUR
from recsys.forecast.structural import Structural
from recsys.units import DAY_MS, HOUR_MS

MONDAY = 1_704_067_200_000  # 1 January 2024, 00:00 UTC
MODELS: dict[str, Forecaster] = {
    "last_value": LastValue(),
    "day_ago": SameHour(1),
    "week_ago": SameHour(7),
    "structural": Structural(),
    "level_profile": LevelProfile(),
    "ridge": LagRegression(ridge),
    "trees": LagRegression(boosted),
    "gru": RecurrentForecast("gru", epochs=1),
    "lstm": RecurrentForecast("lstm", epochs=1),
}


def site(days: float, *, per_step: float = 40.0, start: int = MONDAY, zone: str = "UTC", seed: int = 1) -> ClickSeries:
    """A site with a day's and a week's profile, whose counts are Poisson around it."""
    N = round(days * STEPS_PER_DAY)
    local = calendar(start, N, zone, 4)
    log_rate = np.log(per_step) - np.cos(2 * np.pi * (local.hour - 3) / 24) - 0.5 * local.weekend
    clicks = np.random.default_rng(seed).poisson(np.exp(log_rate)).astype(np.float64)
    return ClickSeries(start, clicks, np.ones(N, np.bool_), zone)


def origins_of(series: ClickSeries) -> np.ndarray:
    return np.arange(STEPS_PER_DAY, len(series), 5 * STEPS_PER_HOUR)


@pytest.mark.parametrize("name", MODELS)
def test_a_forecaster_reads_nothing_after_the_origin(name: str) -> None:
    series = site(9)
    origin = 8 * STEPS_PER_DAY
    model = MODELS[name].fit(series.until(origin))
    before = model.expect(series, np.array([origin]), [1, 24])
    changed = replace(series, clicks=np.append(series.clicks[:origin], 9 * series.clicks[origin:]))
    after = model.expect(changed, np.array([origin]), [1, 24])
    alone = model.expect(series.until(origin), np.array([origin]), [1, 24])
    for other in (after, alone):
        np.testing.assert_array_equal(before.median, other.median)
        np.testing.assert_array_equal(before.spread, other.spread)
    earlier = model.expect(series, np.array([origin - STEPS_PER_HOUR]), [1, 24])
    assert (before.median != earlier.median).any()  # and the newest hour counts


@pytest.mark.parametrize("name", MODELS)
def test_a_site_of_ten_times_the_clicks_has_ten_times_the_forecast(name: str) -> None:
    series = site(9, per_step=400)
    origins = origins_of(series)
    one = MODELS[name].fit(series).expect(series, origins, [1, 24]).median
    more = replace(series, clicks=10 * series.clicks)
    ten = MODELS[name].fit(more).expect(more, origins, [1, 24]).median
    np.testing.assert_allclose(ten, 10 * one, rtol=0.06)


def test_naive_forecasts_by_hand() -> None:
    clicks = np.arange(8 * STEPS_PER_DAY, dtype=np.float64)
    series = ClickSeries(MONDAY, clicks, np.ones(len(clicks), np.bool_))
    origin = np.array([7 * STEPS_PER_DAY + 60])
    hour = hour_sums(series)
    assert hour[0] == 0 + 1 + 2 + 3 + 4 + 5
    assert LastValue().expect(series, origin, [1, 24]).median.tolist() == [[hour[origin[0] - 6]] * 2]
    assert SameHour(1).expect(series, origin, [1, 24]).median.tolist() == [[hour[origin[0] - 144], hour[origin[0] - 6]]]
    week = SameHour(7).expect(series, origin, [1, 24]).median
    assert week.tolist() == [[hour[60], hour[60 + 138]]]
    assert np.isnan(SameHour(1).expect(series, origin, [25]).median).all()  # nobody knows that hour a day before


def test_the_structural_model_beats_the_naive_ones_where_a_day_differs_from_the_next() -> None:
    series = site(9)
    begin, end = 4 * STEPS_PER_DAY, 9 * STEPS_PER_DAY  # Friday to Tuesday, after four days
    ours = backtest(Structural(), series, begin, end, (1, 24))
    last, day = (backtest(model, series, begin, end, (1, 24)) for model in (LastValue(), SameHour(1)))
    assert ours[1].wape() < 0.5 * last[1].wape()
    assert ours[24].wape() < 0.6 * day[24].wape()


def test_a_step_counts_the_clicks_from_its_begin_to_before_its_end() -> None:
    times = MONDAY + np.array([HOUR_MS, HOUR_MS + STEP_MS - 1, HOUR_MS + STEP_MS, HOUR_MS + 5 * STEP_MS])
    series = click_series(times)
    assert (series.start, series.end) == (MONDAY + HOUR_MS, MONDAY + 2 * HOUR_MS)
    assert series.clicks.tolist() == [2, 1, 0, 0, 0, 1]
    assert click_series(times, start=MONDAY, end=MONDAY + HOUR_MS + STEP_MS).clicks.tolist() == [0] * 6 + [2]


def test_no_click_at_all_is_no_series_and_neither_are_clicks_of_two_centuries() -> None:
    with pytest.raises(DegenerateInput, match="clicks with times"):
        click_series([])
    with pytest.raises(DegenerateInput, match="ten years"):
        click_series([0, 12 * 366 * DAY_MS])
    assert click_series([], start=MONDAY, end=MONDAY + HOUR_MS).clicks.tolist() == [0] * 6


def test_an_outage_is_a_gap_and_a_quiet_night_is_none() -> None:
    clicks = site(6, per_step=3.0).clicks
    day = clicks.reshape(6, STEPS_PER_DAY)
    day[:, 18:36] = 0  # from 3 to 6 in the morning nobody ever reads
    day[3, 72:84] = 0  # and on one day nothing was counted from noon on for two hours
    missed = gaps(clicks)
    first = 3 * STEPS_PER_DAY + 72
    assert np.flatnonzero(missed).tolist() == list(range(first - 1, first + 13))  # with the steps that it cut


def test_a_gap_of_a_week_is_not_learned_as_silence() -> None:
    whole = site(21)
    gone = slice(8 * STEPS_PER_DAY, 15 * STEPS_PER_DAY)
    clicks = whole.clicks.copy()
    clicks[gone] = 0
    series = replace(whole, clicks=clicks, observed=~gaps(clicks))
    assert not series.observed[gone].any()
    origin = np.array([15 * STEPS_PER_DAY + STEPS_PER_HOUR])
    truth = hour_sums(whole)[origin[0]]
    told = Structural().fit(series).expect(series, origin, [1])
    assert told.median[0, 0] == pytest.approx(truth, rel=0.25)
    unbroken = Structural().fit(whole).expect(whole, origin, [1])
    assert told.spread[0, 0] > unbroken.spread[0, 0]
    assert not series.hourly()["observed"].iloc[8 * 24]
    judged = backtest(LastValue(), series, 7 * STEPS_PER_DAY, 16 * STEPS_PER_DAY, [1])[1]
    assert np.isnan(judged.clicks).sum() == 7 * 24 + 2  # the hours beside it were cut
    assert judged.wape() < 1


def test_three_steps_are_forecast_as_their_level_with_a_wide_band() -> None:
    series = ClickSeries(MONDAY, np.array([9.0, 11.0, 10.0]), np.ones(3, np.bool_))
    told = Structural().fit(series).expect(series, np.array([3]), [1, 24])
    assert told.median[0, 0] == pytest.approx(60, rel=0.1)
    assert (told.spread[0] > (0.2, 0.7)).all()
    assert quietest_hour(series) == 4


def test_a_series_of_zeros_is_forecast_as_next_to_none_and_its_band_holds_zero() -> None:
    series = ClickSeries(MONDAY, np.zeros(3 * STEPS_PER_DAY), ~gaps(np.zeros(3 * STEPS_PER_DAY)))
    assert series.observed.all()
    told = Structural().fit(series).expect(series, np.array([len(series)]), [1, 24])
    assert (told.median < 0.6).all()
    low, high = band(told.median[0], told.spread[0], 1.645)
    assert (low == 0).all()
    assert (high < 10).all()


@pytest.mark.parametrize(("change", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_the_day_on_which_the_clocks_change_has_its_own_length(change: str, hours: int) -> None:
    zone = "Europe/Berlin"
    start = int(np.datetime64(f"{change}T00:00", "ms").astype(np.int64)) - 3 * DAY_MS
    local = calendar(start, 6 * STEPS_PER_DAY, zone, 4)
    lengths = np.bincount(local.day - local.day[0])[1:-1] / STEPS_PER_HOUR
    assert sorted(set(lengths)) == sorted({24, hours})
    series = site(6, per_step=400, start=start, zone=zone)
    later = np.arange(4 * STEPS_PER_DAY, 5 * STEPS_PER_DAY, STEPS_PER_HOUR)
    truth = hour_sums(series)[later]

    def error(named: str) -> float:
        told = replace(series, zone=named)
        return float(np.abs(Structural(4).expect(told, later, [1]).median[:, 0] - truth).sum())

    assert error(zone) < error("UTC")


def test_a_band_follows_a_level_of_error_that_it_has_not_seen() -> None:
    rng = np.random.default_rng(3)
    score = np.abs(rng.normal(size=600)) * np.repeat([1.0, 3.0], 300)
    used = track(score, delay=1)
    assert ((score <= used)[100:300].mean(), (score <= used)[360:].mean()) == pytest.approx((0.9, 0.9), abs=0.03)


def test_a_band_moves_only_by_outcomes_that_are_known() -> None:
    score = np.array([9.0, 0.0, 0.0, np.nan])
    assert track(score, delay=2, start=1.0) == pytest.approx([1.0, 1.0, np.exp(0.15 * 0.9), np.exp(0.15 * 0.8)])
    assert track(score, delay=1, start=1.0)[1:3] == pytest.approx(np.exp([0.35 * 0.9, 0.35 * 0.8]))
    assert scores(np.array([10.0]), np.array([10.0]), np.array([0.2])).tolist() == [0.0]


def test_wape_and_coverage_by_hand() -> None:
    clicks = np.repeat([10.0, 20.0, 30.0, 20.0], STEPS_PER_HOUR * 12) / STEPS_PER_HOUR
    series = ClickSeries(MONDAY, clicks, np.ones(len(clicks), np.bool_))
    test = backtest(LastValue(), series, STEPS_PER_DAY, 2 * STEPS_PER_DAY, [1])[1]
    assert len(test.target) == 24
    assert test.wape() == pytest.approx((10 + 10) / (12 * 30 + 12 * 20))
    assert test.coverage() == 1.0  # the band of a model without a belief is wide
