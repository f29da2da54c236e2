"""Editors' decisions at a moment: the pins, boosts and buries that hold, by row.

Reads the decisions of the store and the rows of their articles; produces ``EditorialRows``, a part of an
``Eligibility``. When a decision is over is decided by the clock of whoever answers, each time that a moment is asked
for, so that no job has to end it and a clock that is put back brings back what ended too early.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.store import Decision, DecisionKind
from recsys.tags.index import Rows


class Pin(NamedTuple):
    """A row with the place where it shall stand, from 1, and the slot whose lists these are, None for every list.

    Without a place the article is guaranteed one, and the ranking says which.
    """

    row: int
    place: int | None
    slot: str | None


@dataclass(frozen=True, eq=False)
class EditorialRows:
    """The decisions that hold at a moment.

    Attributes:
        pins: the last one first.
        boosted: int32 (N,), rising.
        factors: float64 (N,), of the odds.
        buried: int32 (M,).
        ends: int64 (E,), ms, when the decisions end, also those that are over.
    """

    pins: tuple[Pin, ...]
    boosted: Rows
    factors: npt.NDArray[np.float64]
    buried: Rows
    ends: npt.NDArray[np.int64]

    @classmethod
    def at(cls, now: int, decisions: Sequence[Decision], row_of: Callable[[str], int | None]) -> "EditorialRows":
        """The decisions that hold at ``now`` (ms) on articles that have a row.

        Args:
            now: ms.
            decisions: the first one first.
            row_of: gives the row of an article id, None where it has none.
        """
        if not decisions:
            return NO_DECISIONS
        held = [(row_of(one.article), one) for one in decisions if one.until > now]
        by_row = [(row, one) for row, one in held if row is not None]
        pins = (Pin(row, one.place, one.slot) for row, one in reversed(by_row) if one.kind is DecisionKind.PIN)
        boosts = sorted((row, one.factor or 1.0) for row, one in by_row if one.kind is DecisionKind.BOOST)
        return cls(
            pins=tuple(pins),
            boosted=np.array([row for row, _ in boosts], np.int32),
            factors=np.array([factor for _, factor in boosts], np.float64),
            buried=np.array([row for row, one in by_row if one.kind is DecisionKind.BURY], np.int32),
            ends=np.array([one.until for one in decisions], np.int64),
        )


_NO_ROWS: Rows = np.empty(0, np.int32)
NO_DECISIONS = EditorialRows((), _NO_ROWS, np.empty(0, np.float64), _NO_ROWS, np.empty(0, np.int64))
