"""Expected clicks of a site and its sections for the days to come, as a release carries them.

Reads clicks with the section of each; writes and reads ``expected.parquet`` (one row per series and step) and
``forecast.json`` (how wide each series' band is, and how good its forecasts of a day ahead have been). An expectation
is of the step; one of an hour is the sum of its steps.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import CorruptArtefact
from recsys.forecast.bands import NORMAL_90, Band, band, scores, track
from recsys.forecast.calendar import calendar
from recsys.forecast.contract import hour_sums
from recsys.forecast.series import STEP_MS, STEPS_PER_DAY, STEPS_PER_HOUR, ClickSeries, FloatArray, click_series
from recsys.forecast.structural import Structural, first_state, follow, loadings_of, project
from recsys.units import HOUR_MS
from recsys.workspace import read_json, read_table, write_json, write_table

WHOLE_SITE = ""  # the name of the series of all clicks; a section has its own
AHEAD_DAYS = 8  # a run that fails for a week leaves something to compare with
HISTORY_DAYS = 56  # that are followed: eight of each weekday
MAX_SECTIONS = 50
LEAST_PER_DAY = 24.0  # clicks of a section: below, an hour without any is nothing to wonder at
JUDGED_DAYS = 7
MAKE_ANEW = "Run: python -m jobs forecast --fresh"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ExpectedClicks:
    """Expectations of S series over T steps.

    Attributes:
        start: ms UTC of the first step; that before it is the last that the log knew whole.
        names: of the series; the site's is ``WHOLE_SITE``, the first. Empty where the log has no dated click.
        median: float32 (S, T), clicks of a step.
        spread: float32 (S, T), standard deviation of the logarithm of the rate.
        quantile: by series: deviations that a band of 90 % reaches to either side.
        facts: by series: days of history, and of the last week's forecasts of a day ahead ``wape`` and ``coverage``;
            ``peak``, the clicks that the fullest hour to come is not expected to exceed.
    """

    start: int
    names: list[str]
    median: Floats
    spread: Floats
    quantile: dict[str, float]
    facts: dict[str, dict[str, float | None]]

    @property
    def end(self) -> int:
        """Ms UTC at which the last step ends."""
        return self.start + int(self.median.shape[1]) * STEP_MS

    def rate(self, name: str, begin: int, end: int) -> tuple[float, float] | None:
        """Expected clicks between two times, and the spread of their logarithm; None where nothing is expected.

        Args:
            name: of a series.
            begin: ms UTC, within the steps.
            end: ms UTC, likewise; parts of a step count as parts.
        """
        if name not in self.quantile or begin < self.start or end > self.end or end <= begin:
            return None
        row = self.names.index(name)
        edges = np.clip(np.arange(self.median.shape[1] + 1) * STEP_MS, begin - self.start, end - self.start)
        share = np.diff(edges) / STEP_MS  # (T,)
        inside = share > 0
        return float(self.median[row] @ share), float(self.spread[row, inside].mean())

    def band(self, name: str, begin: int, end: int) -> tuple[float, float, float] | None:
        """Median and the ends of the 90 % band of the clicks between two times; see ``rate``."""
        told = self.rate(name, begin, end)
        if told is None:
            return None
        low, high = band(np.array(told[:1]), np.array(told[1:]), self.quantile[name])
        return told[0], float(low[0]), float(high[0])


def expect_clicks(
    times: npt.NDArray[np.int64], section: npt.NDArray[Any], names: list[str], zone: str
) -> ExpectedClicks:
    """Expectations of a site and its sections.

    Args:
        times: int64 (C,), ms UTC, ascending; dated clicks.
        section: int (C,), code of each click's section; negative for none.
        names: of the codes.
        zone: of the site.
    """
    if not len(times):
        return ExpectedClicks(0, [], np.empty((0, 0), np.float32), np.empty((0, 0), np.float32), {}, {})
    end = int(times[-1]) // STEP_MS * STEP_MS  # the last step has only begun
    begin = max(int(times[0]), end - HISTORY_DAYS * STEPS_PER_DAY * STEP_MS) // HOUR_MS * HOUR_MS
    end = max(end, begin + HOUR_MS)  # of a log of minutes
    days = max(1.0, (end - begin) / (STEPS_PER_DAY * STEP_MS))
    recent = (times >= begin) & (section >= 0)
    counts = np.bincount(section[recent], minlength=len(names))
    largest = [int(code) for code in np.argsort(-counts, kind="stable")[:MAX_SECTIONS]]
    rows = {WHOLE_SITE: np.ones(len(times), np.bool_)}
    rows |= {names[code]: section == code for code in largest if counts[code] >= LEAST_PER_DAY * days}
    series = {name: click_series(times[kept], zone=zone, start=begin, end=end) for name, kept in rows.items()}
    made = {name: _expected(one) for name, one in series.items()}
    return ExpectedClicks(
        end,
        list(made),
        np.stack([one[0] for one in made.values()]).astype(np.float32),
        np.stack([one[1] for one in made.values()]).astype(np.float32),
        {name: one[2] for name, one in made.items()},
        {name: one[3] for name, one in made.items()},
    )


def save_expected(expected: ExpectedClicks, folder: Path) -> None:
    """Write the expectations."""
    S, T = expected.median.shape
    columns = {
        "series": np.repeat(np.array(expected.names, object), T),
        "start": np.tile(expected.start + np.arange(T) * STEP_MS, S),
        "median": expected.median.ravel(),
        "spread": expected.spread.ravel(),
    }
    types = {"series": pa.string(), "start": pa.int64(), "median": pa.float32(), "spread": pa.float32()}
    write_table(folder / "expected.parquet", pa.table({name: pa.array(columns[name], types[name]) for name in types}))
    facts = {"start": expected.start, "names": expected.names, "quantile": expected.quantile, "series": expected.facts}
    write_json(folder / "forecast.json", facts)


def load_expected(folder: Path) -> ExpectedClicks:
    """Read what ``save_expected`` wrote.

    Raises:
        CorruptArtefact: the table and the facts are not of the same series.
    """
    facts, table = read_json(folder / "forecast.json"), read_table(folder / "expected.parquet")
    names = facts["names"]
    S = len(names)
    if S and (len(table) % S or table["series"].to_pylist()[:: len(table) // S] != names):
        raise CorruptArtefact(f"steps of {S} series", f"{len(table)} rows of others", MAKE_ANEW)
    shape = S, len(table) // max(1, S)
    median, spread = (table[name].to_numpy().reshape(shape) for name in ("median", "spread"))
    return ExpectedClicks(facts["start"], names, median, spread, facts["quantile"], facts["series"])


def _expected(series: ClickSeries) -> tuple[FloatArray, FloatArray, float, dict[str, float | None]]:
    """Medians and spreads of the steps to come, the band's quantile, and facts."""
    model, N, T = Structural().fit(series), len(series), AHEAD_DAYS * STEPS_PER_DAY
    days = calendar(series.start, N + T + 1, series.zone, model.quiet_hour)
    loadings = loadings_of(days)
    state = follow(first_state(series), series, loadings, days, 0, N)
    mean, variance = project(state, loadings, days, N, np.arange(N, N + T))
    median, spread = np.exp(mean), np.sqrt(variance)
    quantile, facts = _checked(model, series)
    hours = median.reshape(-1, STEPS_PER_HOUR).sum(axis=1)
    fullest: Band = band(hours[:24], spread[: 24 * STEPS_PER_HOUR : STEPS_PER_HOUR], quantile)
    return median, spread, quantile, facts | {"peak": round(float(fullest.high.max()), 1)}


def _checked(model: Structural, series: ClickSeries) -> tuple[float, dict[str, float | None]]:
    """The last week's forecasts of a day ahead: the width that their outcomes ask for, and how good they were."""
    days = len(series) / STEPS_PER_DAY
    first = max(STEPS_PER_DAY, len(series) - (JUDGED_DAYS + 1) * STEPS_PER_DAY)
    origins = np.arange(first, len(series) - STEPS_PER_DAY + 1, STEPS_PER_HOUR)
    facts: dict[str, float | None] = {"days": round(days, 2), "wape": None, "coverage": None}
    if not len(origins):
        return NORMAL_90, facts
    told, begins = model.expect(series, origins, [24]), origins + STEPS_PER_DAY - STEPS_PER_HOUR
    clicks, median, spread = hour_sums(series)[begins], told.median[:, 0], told.spread[:, 0]
    quantile = track(scores(clicks, median, spread), delay=24)
    low, high = band(median, spread, quantile)
    known = ~np.isnan(clicks)
    if known.any() and clicks[known].sum() > 0:
        facts["wape"] = round(float(np.abs(clicks - median)[known].sum() / clicks[known].sum()), 4)
        facts["coverage"] = round(float(((clicks >= low) & (clicks <= high))[known].mean()), 4)
    return float(quantile[-1]), facts
