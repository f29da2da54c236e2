"""An origin and an hour ahead -> columns of calendar and lags, all relative to the level of the last day.

Relative, a column means the same at any level: what is learned on a busy week holds in a quiet one. Weekends are lifted
by the prior of the structural model first, since three days of history have no weekend to learn from.
"""

from typing import NamedTuple

import numpy as np

from recsys.forecast.calendar import Calendar, Ints, calendar, quietest_hour
from recsys.forecast.contract import hour_sums
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEPS_PER_DAY, STEPS_PER_HOUR, FloatArray
from recsys.forecast.structural import WEEKEND

RECENT = (1, 2, 3, 6)  # hours that end at the origin or before
STEPS = (1, 2, 3)  # steps that end at the origin or before
DAYS = (1, 2, 7)  # before the target
WAVES = 3
HISTORY_HOURS = 48  # that a recurrent network reads
SEQUENCE_COLUMNS = 4


class LagTable(NamedTuple):
    """A series by its steps, for columns of any origin.

    Attributes:
        logs: float64 (N + horizon,), logarithm of the clicks of the hour that begins at a step, lifted; NaN if cut.
        steps: float64 (N,), logarithm of the clicks of an hour like the step, lifted; NaN for a gap.
        level: float64 (N + 1,), mean of the logarithms of the hours of the day before a step.
        days: calendar of N + horizon steps.
        lift: float64 (N + horizon,), what was added to the logarithms on weekends.
    """

    logs: FloatArray
    steps: FloatArray
    level: FloatArray
    days: Calendar
    lift: FloatArray


def lag_table(series: ClickSeries, horizon: int, quiet_hour: int | None = None) -> LagTable:
    """Prepare a series for targets up to ``horizon`` hours after its end."""
    extra = horizon * STEPS_PER_HOUR
    quiet = quietest_hour(series) if quiet_hour is None else quiet_hour
    days = calendar(series.start, len(series) + extra, series.zone, quiet)
    lift = -WEEKEND * days.weekend.astype(np.float64)
    logs = np.append(np.log(hour_sums(series) + 0.5), np.full(extra, np.nan)) + lift
    known = ~np.isnan(logs[: len(series)])
    total = np.append(0.0, np.cumsum(np.where(known, logs[: len(series)], 0.0)))
    count = np.append(0, np.cumsum(known))
    step = np.arange(len(series) + 1)
    end, begin = np.maximum(0, step - STEPS_PER_HOUR + 1), np.maximum(0, step - STEPS_PER_DAY)
    mean: FloatArray = (total[end] - total[begin]) / np.maximum(1, count[end] - count[begin])
    overall = total[-1] / max(1, count[-1])
    level = np.where(count[end] > count[begin], mean, overall)
    steps = np.where(series.observed, np.log(STEPS_PER_HOUR * series.clicks + 0.5), np.nan)
    return LagTable(logs, steps + lift[: len(series)], level, days, lift)


def lag_columns(table: LagTable, origins: Ints, hour: int) -> FloatArray:
    """Columns of one hour ahead: float64 (O, F); what is not known is 0, and a column says so."""
    target = origins + (hour - 1) * STEPS_PER_HOUR
    level = table.level[origins]
    columns = [_relative(table, origins - ago * STEPS_PER_HOUR, origins, level) for ago in RECENT]
    columns += [_relative(table, target - ago * STEPS_PER_DAY, origins, level) for ago in DAYS]
    columns += [_relative(table, origins - STEPS_PER_HOUR - ago * STEPS_PER_DAY, origins, level) for ago in DAYS]
    columns += [np.where(origins >= ago, table.steps[np.maximum(0, origins - ago)], np.nan) - level for ago in STEPS]
    values = np.column_stack(columns)  # (O, 13)
    days, middle = table.days, np.minimum(target + STEPS_PER_HOUR // 2, len(table.days.hour) - 1)
    angles = 2 * np.pi / 24 * days.hour[middle][:, None] * np.arange(1, WAVES + 1)
    known = ~np.isnan(values)
    return np.hstack((np.where(known, values, 0.0), known[:, 4:7], np.sin(angles), np.cos(angles)))


def sequences(table: LagTable, origins: Ints) -> FloatArray:
    """The hours before each origin, oldest first: float64 (O, HISTORY_HOURS, SEQUENCE_COLUMNS)."""
    begins = origins[:, None] - STEPS_PER_HOUR * np.arange(HISTORY_HOURS, 0, -1)  # (O, T)
    inside = np.clip(begins, 0, None)
    logs = table.logs[inside] - table.level[origins][:, None]
    known = ~np.isnan(logs) & (begins >= 0)
    angle = 2 * np.pi / 24 * table.days.hour[inside]
    parts = (np.where(known, logs, 0.0), known, np.sin(angle), np.cos(angle))
    return np.stack(parts, axis=2).astype(np.float64)


def _relative(table: LagTable, begins: Ints, origins: Ints, level: FloatArray) -> FloatArray:
    """Logarithms of hours relative to a level; NaN for hours that the origin does not know whole."""
    known = (begins >= 0) & (begins + STEPS_PER_HOUR <= origins)
    values: FloatArray = np.where(known, table.logs[np.clip(begins, 0, len(table.logs) - 1)], np.nan) - level
    return values


def lifted_level(table: LagTable, origins: Ints, hour: int) -> FloatArray:
    """Levels to which relative logarithms are added, for clicks of an hour ahead: float64 (O,)."""
    level: FloatArray = table.level[origins] - table.lift[origins + (hour - 1) * STEPS_PER_HOUR]
    return level
