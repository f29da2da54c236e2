"""AutoETS of statsforecast as a forecaster, run by an interpreter that has it."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from recsys.forecast.calendar import Ints
from recsys.forecast.contract import Expectation, Forecaster
from recsys.forecast.naive import LastValue, SameHour
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_HOUR, FloatArray

NAIVE: dict[str, Forecaster] = {"last_value": LastValue(), "day_ago": SameHour(1), "week_ago": SameHour(7)}
PROGRAM = Path(__file__).with_name("ets.py")
SEASON = 24


def has_statsforecast(python: str) -> bool:
    """True where an interpreter can import statsforecast."""
    command = [python, "-c", "import statsforecast.models"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def ets_medians(python: str, series: ClickSeries, begin: int, end: int) -> FloatArray:
    """Medians of AutoETS by hour and hours ahead, refitted each day: float64 (H, 24).

    An hour that was not observed has the value of a day before, since the package takes no gap.

    Raises:
        RuntimeError: the program failed.
    """
    hourly = series.hourly()
    clicks = hourly["clicks"].where(hourly["observed"])
    clicks = clicks.fillna(clicks.shift(SEASON)).ffill().fillna(0.0)
    with tempfile.TemporaryDirectory() as folder:
        job, out = Path(folder) / "job.npz", Path(folder) / "out.npz"
        whole = {"begin": begin // STEPS_PER_HOUR, "end": end // STEPS_PER_HOUR, "season": SEASON, "refit": SEASON}
        hours: dict[str, Any] = {name: np.array(value) for name, value in whole.items()}
        np.savez(job, clicks=clicks.to_numpy(), allow_pickle=False, **hours)
        done = subprocess.run([python, str(PROGRAM), str(job), str(out)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"AutoETS failed: {done.stderr.strip()[-2000:]}")
        with np.load(out) as made:
            medians: FloatArray = made["median"]
            return medians


@dataclass(frozen=True)
class Precomputed:
    """Forecasts that were made elsewhere, from each origin's past.

    Attributes:
        medians: float64 (H, 24), by hour of the origin and hours ahead.
    """

    medians: FloatArray

    def fit(self, series: ClickSeries) -> Self:
        """Nothing to learn."""
        return self

    def expect(self, series: ClickSeries, origins: Ints, ahead: Sequence[int]) -> Expectation:
        """See ``recsys.forecast.contract.Forecaster``."""
        median = self.medians[origins // STEPS_PER_HOUR][:, np.asarray(ahead) - 1]
        return Expectation(median, np.ones_like(median))
