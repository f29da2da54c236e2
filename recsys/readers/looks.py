"""Looks: the last cards that a reader was shown, and opened."""

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.events import UNDATED

OPENED = -2  # the place of a click


@dataclass(slots=True)
class Looks:
    """One window of impressions and clicks, so that those are a share of these; the oldest go first.

    Attributes:
        size: kept at most.
        rows: article rows, in the order in which they came.
        times: ms since the epoch.
        places: place in the list from 0, -1 for unknown, OPENED for a click.
    """

    size: int
    rows: "array[int]" = field(default_factory=lambda: array("i"))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("h"))

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: int, time: int, place: int) -> None:
        """Take one impression or click in; an undated one says nothing."""
        if time == UNDATED:
            return
        self.rows.append(row)
        self.times.append(time)
        self.places.append(place)
        if len(self.rows) > self.size:
            del self.rows[0], self.times[0], self.places[0]

    def before(self, now: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16]]:
        """Rows and places of what is dated before ``now`` (ms): int32 (n,), int16 (n,)."""
        past = np.array(self.times, np.int64) < now
        return np.array(self.rows, np.int32)[past], np.array(self.places, np.int16)[past]
