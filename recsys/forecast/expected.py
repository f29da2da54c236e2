"""Expected clicks of a site and its sections for the days to come, as a release carries them.

Writes and reads ``expected.parquet`` (one row per series and step) and
``forecast.json`` (how wide each series' band is, and how good its forecasts of a day ahead have been). An expectation
is of the step; one of an hour is the sum of its steps.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import CorruptArtefact
from recsys.forecast.bands import band
from recsys.forecast.steps import STEP_MS
from recsys.workspace import read_json, read_table, write_json, write_table

WHOLE_SITE = ""  # the name of the series of all clicks; a section has its own
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
            ``peak``, the clicks that the fullest hour of the next day is not expected to exceed, and ``quiet_hour``,
            the local hour with the fewest: when to retrain.
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
