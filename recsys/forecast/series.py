"""Clicks at their times -> counts in even steps, and the steps in which nothing was counted.

The grid is of UTC, so that a day on which the clocks change has 23 or 25 hours and no hour twice; local hours and
days are columns beside it (``calendar``).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import DegenerateInput
from recsys.forecast.steps import STEP_MS, STEPS_PER_DAY, STEPS_PER_HOUR, FloatArray, Mask
from recsys.units import HOUR_MS

Times = npt.NDArray[np.int64]

MAX_STEPS = 10 * 366 * STEPS_PER_DAY  # ten years: a wrong clock would make a grid of any length
MISSED_CLICKS = 20.0  # that a run without any would have had: chance does this once in e^20 runs
FIRST_DAY = 6 * STEPS_PER_HOUR  # steps from which on a series has a median worth asking


@dataclass(frozen=True)
class ClickSeries:
    """Clicks of a site, of a section or of an article in even steps.

    Attributes:
        start: ms UTC at which the first step begins, a whole hour.
        clicks: float64 (N,) in each step of ``STEP_MS``.
        observed: bool (N,), False where nothing was counted: the step is neither learned from nor judged.
        zone: name of the site's time zone.
    """

    start: int
    clicks: FloatArray
    observed: Mask
    zone: str = "UTC"

    def __len__(self) -> int:
        return len(self.clicks)

    @property
    def end(self) -> int:
        """Ms UTC at which the last step ends."""
        return self.start + len(self) * STEP_MS

    def until(self, step: int) -> "ClickSeries":
        """The steps before one."""
        return replace(self, clicks=self.clicks[:step], observed=self.observed[:step])

    def hourly(self) -> pd.DataFrame:
        """Whole hours as a table.

        Returns:
            By the hour's begin in the site's zone: ``clicks``, and ``observed`` where each step of the hour was.
        """
        hours = len(self) // STEPS_PER_HOUR
        shape = hours, STEPS_PER_HOUR
        index = pd.to_datetime(self.start + np.arange(hours) * HOUR_MS, unit="ms", utc=True).tz_convert(self.zone)
        cut = hours * STEPS_PER_HOUR
        clicks = self.clicks[:cut].reshape(shape).sum(axis=1)  # (H,)
        return pd.DataFrame({"clicks": clicks, "observed": self.observed[:cut].reshape(shape).all(axis=1)}, index=index)


def click_series(
    times: Any, *, zone: str = "UTC", start: int | None = None, end: int | None = None, find_gaps: bool = True
) -> ClickSeries:
    """Count clicks in steps, and find the gaps.

    Args:
        times: int64 (C,), ms UTC, in any order.
        zone: name of the site's time zone.
        start: ms UTC, rounded down to a whole hour; default: the first click.
        end: ms UTC, rounded down to a whole step; default: the end of the last click's hour.
        find_gaps: whether runs of empty steps may be gaps (see ``gaps``).

    Raises:
        DegenerateInput: there is no click and no start and end, or the times span more than ten years.
    """
    at: Times = np.asarray(times, np.int64)
    if not len(at) and (start is None or end is None):
        raise DegenerateInput("clicks with times", "none", "Import clicks first.")
    first = int(at.min() if start is None else start) // HOUR_MS * HOUR_MS
    last = int(at.max()) // HOUR_MS * HOUR_MS + HOUR_MS if end is None else end
    steps = (last - first) // STEP_MS
    if not 0 < steps <= MAX_STEPS:
        raise DegenerateInput("clicks of at most ten years", f"{steps:,} steps of ten minutes", "Look at their times.")
    step = (at - first) // STEP_MS
    clicks = np.bincount(step[(step >= 0) & (step < steps)], minlength=steps).astype(np.float64)
    observed = ~gaps(clicks) if find_gaps else np.ones(steps, np.bool_)
    return ClickSeries(first, clicks, observed, zone)


def gaps(clicks: FloatArray) -> Mask:
    """Runs of empty steps in which clicks are missing, not readers.

    A run is one if by the median of the same steps of other days it would have had ``MISSED_CLICKS`` clicks. The steps
    on both sides, which it may have cut, go with it. A series that is empty throughout has none: nobody came.

    Args:
        clicks: float64 (N,).

    Returns:
        bool (N,).
    """
    usual = _usual(clicks)
    empty = clicks == 0
    begins = np.flatnonzero(empty & ~np.append(False, empty[:-1]))
    ends = np.flatnonzero(empty & ~np.append(empty[1:], False)) + 1
    missed = np.zeros(len(clicks), np.bool_)
    for begin, end in zip(begins, ends, strict=True):
        if usual[begin:end].sum() >= MISSED_CLICKS:
            missed[max(0, begin - 1) : end + 1] = True
    return missed


def _usual(clicks: FloatArray) -> FloatArray:
    """The median of the steps at the same time of day that have clicks: float64 (N,)."""
    N = len(clicks)
    if N < FIRST_DAY:
        return np.zeros(N)
    days = -(-N // STEPS_PER_DAY)
    table = np.append(clicks, np.zeros(days * STEPS_PER_DAY - N)).reshape(days, STEPS_PER_DAY)
    often = (table > 0).sum(axis=0) * 2 > max(1, days - 1)  # where most days have clicks
    by_step = pd.DataFrame(table).where(table > 0).median().fillna(0.0).to_numpy() * often  # (STEPS_PER_DAY,)
    usual: FloatArray = np.tile(by_step, days)[:N]
    return usual
