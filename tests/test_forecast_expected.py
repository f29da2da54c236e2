"""What is expected of a site and its sections, its files, and the alerts that come of it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.forecast import alarms
from recsys.errors import CorruptArtefact
from recsys.forecast.alerts import BINS_OF_HOUR, rising, silent
from recsys.forecast.expected import WHOLE_SITE, ExpectedClicks, load_expected, save_expected
from recsys.forecast.expecting import expect_clicks, local_hour
from recsys.forecast.steps import STEP_MS
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS
from recsys.workspace import read_table, write_table

START = alarms.START
NOON = START + 8 * DAY_MS + 12 * HOUR_MS  # a Tuesday


@pytest.fixture(scope="module")
def site() -> alarms.SimulatedSite:
    return alarms.simulated_site(9, np.random.default_rng(7))


@pytest.fixture(scope="module")
def expected(site: alarms.SimulatedSite) -> ExpectedClicks:
    return alarms.expected_at(site, 8)


def flat(per_step: float, names: tuple[str, ...] = (WHOLE_SITE, "home")) -> ExpectedClicks:
    """An expectation of as many clicks in every step, with a narrow band."""
    shape = len(names), 2 * 144
    median, spread = np.full(shape, per_step, np.float32), np.full(shape, 0.1, np.float32)
    return ExpectedClicks(NOON - DAY_MS, list(names), median, spread, dict.fromkeys(names, 1.645), {})


def test_the_next_day_lies_within_its_bands(site: alarms.SimulatedSite, expected: ExpectedClicks) -> None:
    assert expected.names[0] == WHOLE_SITE
    assert set(expected.names[1:]) == set(alarms.SECTIONS)
    for row, name in enumerate(site.names):
        hours = site.minutes[row, 8 * 1440 :].reshape(24, 60).sum(axis=1)
        inside = 0
        for hour, clicks in enumerate(hours):
            begin = START + 8 * DAY_MS + hour * HOUR_MS
            told = expected.band(name, begin, begin + HOUR_MS)
            assert told is not None
            inside += told[1] <= clicks <= told[2]
        assert inside >= 18
    facts = expected.facts[WHOLE_SITE]
    assert facts["days"] == pytest.approx(8, abs=0.02)
    assert 0.7 <= (facts["coverage"] or 0) <= 1
    hours = site.minutes[:, 8 * 1440 :].sum(axis=0).reshape(24, 60).sum(axis=1)
    assert (facts["peak"] or 0) >= hours.max() * 0.8
    assert hours[int(facts["quiet_hour"] or 0)] <= np.sort(hours)[3]  # among the four quietest of the day that came


def test_the_quiet_hour_is_one_of_the_sites_clock() -> None:
    assert local_hour(START + 5 * HOUR_MS, "UTC") == (START + 5 * HOUR_MS) // HOUR_MS % 24
    assert local_hour(START, "Asia/Shanghai") == (START // HOUR_MS + 8) % 24


def test_an_expectation_is_the_same_from_its_files_and_of_other_rows_it_is_refused(
    expected: ExpectedClicks, tmp_path: Path
) -> None:
    save_expected(expected, tmp_path)
    again = load_expected(tmp_path)
    assert (again.start, again.names, again.quantile) == (expected.start, expected.names, expected.quantile)
    np.testing.assert_array_equal(again.median, expected.median)
    table = read_table(tmp_path / "expected.parquet")
    write_table(tmp_path / "expected.parquet", table.set_column(0, "series", pa.array(["x"] * len(table))))
    with pytest.raises(CorruptArtefact, match="jobs forecast"):
        load_expected(tmp_path)


def test_parts_of_steps_count_as_parts_and_beyond_the_days_nothing_is_expected() -> None:
    told = flat(10.0)
    begin = told.start + STEP_MS // 2
    assert told.rate("home", begin, begin + STEP_MS) == pytest.approx((10.0, 0.1))
    assert told.rate("home", begin, begin + 3 * STEP_MS) == pytest.approx((30.0, 0.1))
    assert told.rate("home", told.start - 1, begin) is None
    assert told.rate("home", begin, told.end + 1) is None
    assert told.rate("chess", begin, begin + STEP_MS) is None


@pytest.mark.parametrize("times", [[], [START], [START, START + 5 * MINUTE_MS, START + 3 * DAY_MS]])
def test_a_log_of_next_to_nothing_expects_next_to_nothing(times: list[int], tmp_path: Path) -> None:
    told = expect_clicks(np.array(times, np.int64), np.zeros(len(times), np.int64), ["home"], "UTC")
    save_expected(told, tmp_path)
    assert load_expected(tmp_path).names == ([WHOLE_SITE] if times else [])
    if times:
        band = told.band(WHOLE_SITE, told.start, told.start + HOUR_MS)
        assert band is not None
        assert np.isfinite(band).all()
        assert silent(told, {}, told.start + HOUR_MS) == []


def test_a_planted_outage_is_found_within_ten_minutes(site: alarms.SimulatedSite, expected: ExpectedClicks) -> None:
    for hour in (9, 13, 18, 21):
        minute = 8 * 1440 + hour * 60 + 17
        assert alarms.minutes_to_find(site, expected, WHOLE_SITE, minute) <= 10
        assert alarms.minutes_to_find(site, expected, "home", minute) <= 10


def test_a_quiet_day_has_no_alert(site: alarms.SimulatedSite, expected: ExpectedClicks) -> None:
    minutes = range(8 * 1440 + 60, 9 * 1440, 5)
    assert [silent(expected, alarms.last_hour(site, one), alarms.at(one)) for one in minutes] == [[]] * len(minutes)


def test_a_silent_site_is_said_once_and_a_silent_section_by_its_name() -> None:
    told, full, none = flat(60.0), [30] * BINS_OF_HOUR, [0] * BINS_OF_HOUR
    assert [one.name for one in silent(told, {WHOLE_SITE: none, "home": none}, NOON)] == [WHOLE_SITE]
    broken = silent(told, {WHOLE_SITE: full, "home": [*full[:-1], 0]}, NOON)
    assert [(one.kind, one.name, one.minutes, one.clicks, round(one.expected)) for one in broken] == [
        ("silent", "home", 5, 0, 30)
    ]
    assert silent(told, {WHOLE_SITE: full, "home": [*full[:-1], 15]}, NOON) == []  # half is a slow minute
    assert (
        silent(told, {WHOLE_SITE: full, "home": [12] * BINS_OF_HOUR}, NOON) == []
    )  # as half the band's end would have


def test_a_slow_day_is_no_outage() -> None:
    third = [8] * BINS_OF_HOUR  # of thirty expected, steadily; half the band's lower end is at twelve
    assert silent(flat(60.0), {WHOLE_SITE: third, "home": third}, NOON)
    wide = flat(60.0)
    wide = ExpectedClicks(wide.start, wide.names, wide.median, wide.spread * 5, wide.quantile, {})
    assert silent(wide, {WHOLE_SITE: third, "home": third}, NOON) == []


def test_an_article_breaks_above_its_section_and_above_its_own_hour() -> None:
    told, steady = flat(60.0), [40] * BINS_OF_HOUR
    sudden = [2] * 10 + [50, 60]
    found = rising(told, {"a": sudden, "b": steady, "c": [0] * 10 + [5, 5]}, {"a": "home", "b": None}, NOON)
    assert [(one.kind, one.name, one.minutes, one.clicks) for one in found] == [("rising", "a", 10, 110)]
    assert rising(told, {"a": sudden}, {"a": "home"}, NOON, bins=6) == []


def test_a_section_that_is_back_is_not_silent_any_more() -> None:
    told, back = flat(60.0), [30] + [0] * 10 + [30]
    assert silent(told, {WHOLE_SITE: back, "home": back}, NOON) == []


def test_an_outage_of_a_log_is_one_stretch(site: alarms.SimulatedSite) -> None:
    counts = site.minutes[:, : 3 * 1440].sum(axis=0)
    first = 2 * 1440 + 13 * 60 + 3
    counts[first : first + 90] = 0
    times = np.repeat(START + np.arange(len(counts)) * MINUTE_MS, counts)
    (said,) = alarms.replayed_alarms(times)
    assert first < said["minute"] <= first + 10
    assert 80 < said["minutes"] <= 96
    assert said["empty_since"] == said["minute"] - first


def test_figures_of_alarms_are_of_planted_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "QUIET_DAYS", 1)
    monkeypatch.setattr(alarms, "LEARNED_DAYS", 3)
    monkeypatch.setattr(alarms, "OUTAGES", 4)
    told = alarms.measure_alarms(3)
    assert told["alerts_on_quiet_days"] == told["rising_on_quiet_days"] == 0
    assert sum(one["planted"] for one in told["outages"].values()) == 4
