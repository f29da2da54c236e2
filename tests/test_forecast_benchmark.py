"""The benchmark of forecasts: what it judges of a file, and the program on a small one."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.forecast import __main__ as program
from benchmarks.forecast.data import trimmed
from recsys.forecast.series import click_series
from recsys.forecast.steps import STEP_MS, STEPS_PER_DAY
from recsys.units import DAY_MS, HOUR_MS
from tests.test_forecast import MONDAY, site

ALARMS = {"alerts_on_quiet_days": 0, "rising_on_quiet_days": 0, "quiet_days": 1, "outages": {"site": {"planted": 1}}}


def click_file(file: Path, days: float = 6) -> Path:
    """Clicks of a small site in G1's format: few articles, sessions of one click, a tail of late clicks."""
    series, rng = site(days, per_step=3.0), np.random.default_rng(2)
    steps = np.repeat(np.arange(len(series)), series.clicks.astype(int))
    times = np.append(MONDAY + steps * STEP_MS + rng.integers(STEP_MS, size=len(steps)), MONDAY + 20 * DAY_MS)
    n = len(times)
    columns = {
        "user_id": rng.integers(200, size=n),
        "session_id": np.arange(n),
        "click_article_id": rng.integers(300, size=n),
        "click_timestamp": times,
    }
    pq.write_table(pa.table(columns), file)
    return file


def test_the_clicks_that_run_out_after_the_end_of_a_file_are_cut_however_long_they_take() -> None:
    steady = np.arange(MONDAY, MONDAY + 3 * DAY_MS, 60_000)
    gone = (steady >= MONDAY + DAY_MS + 10 * HOUR_MS) & (steady < MONDAY + DAY_MS + 12 * HOUR_MS)
    for days in (1, 20):
        tail = MONDAY + 3 * DAY_MS + np.arange(24 * days) * HOUR_MS
        series = trimmed(click_series(np.append(steady[~gone], tail)))
        assert len(series) == 3 * STEPS_PER_DAY
        assert (~series.observed).sum() == 12 + 2  # the outage is a gap, and the steps beside it


def test_the_program_prints_ours_and_baselines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = click_file(tmp_path / "clicks.parquet")
    monkeypatch.setattr(program, "MODELS", {program.USED: program.MODELS[program.USED]})
    monkeypatch.setattr(program, "measure_alarms", lambda _: ALARMS)
    monkeypatch.setattr(program, "has_statsforecast", lambda _: False)
    monkeypatch.setattr(sys, "argv", ["benchmark", "--clicks", str(file)])
    program.main()
    printed = capsys.readouterr().out
    result = json.loads(printed.splitlines()[-1])
    assert "auto_ets: left out" in printed
    assert set(result["baselines"]) == {"last_value", "day_ago", "week_ago"}
    assert result["hours"] == 54
    assert result["baselines"]["week_ago"]["wape_1h"] is None  # the file is shorter
    assert result["best"]["wape_1h"] < result["baselines"]["last_value"]["wape_1h"]
    assert result["best"]["wape_24h"] < result["baselines"]["day_ago"]["wape_24h"]
    assert 0.8 < result["best"]["coverage_90"] <= 1
