"""Expecting: the clicks of a site and its sections -> what is expected of the days to come.

Reads clicks with the section of each; produces ``ExpectedClicks``, which says how good its forecasts of a day ahead
have been in the last week.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from recsys.forecast.bands import NORMAL_90, Band, band, scores, track
from recsys.forecast.calendar import calendar
from recsys.forecast.contract import hour_sums
from recsys.forecast.expected import WHOLE_SITE, ExpectedClicks
from recsys.forecast.series import ClickSeries, click_series
from recsys.forecast.steps import STEP_MS, STEPS_PER_DAY, STEPS_PER_HOUR, FloatArray
from recsys.forecast.structural import Structural, first_state, follow, loadings_of, project
from recsys.units import HOUR_MS

AHEAD_DAYS = 8  # a run that fails for a week leaves something to compare with
HISTORY_DAYS = 56  # that are followed: eight of each weekday
MAX_SECTIONS = 50
LEAST_PER_DAY = 24.0  # clicks of a section: below, an hour without any is nothing to wonder at
JUDGED_DAYS = 7


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
    quietest = series.end + int(hours[:24].argmin()) * HOUR_MS
    facts |= {"peak": round(float(fullest.high.max()), 1), "quiet_hour": local_hour(quietest, series.zone)}
    return median, spread, quantile, facts


def local_hour(ms: int, zone: str) -> float:
    """The hour of the day at a time, 0 to 23, by a site's clock."""
    return float(datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).hour)


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
