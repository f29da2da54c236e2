"""Readers: what a reader clicked last -> one vector of what they like.

Reads clicks and dismisses in time order and a table of vectors; produces ``ReaderState`` and the reader vector, a mean
of the last clicks in which the newest weighs most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Section
from recsys.events import KINDS

Vectors = npt.NDArray[np.float32]

CLICK, DISMISS = KINDS.index("click"), KINDS.index("dismiss")


class ReadersConfig(Section):
    """What is remembered of a reader, and how fast an old click stops to matter."""

    history: int = Field(50, ge=1, le=10_000)
    half_life_clicks: float = Field(8.0, gt=0)
    remembered: int = Field(5_000, ge=1)


@dataclass(slots=True)
class ReaderState:
    """What is known of one reader; bounded, however much they click.

    Attributes:
        clicks: article rows, oldest first, the last ``history``.
        times: ms since the epoch of each of ``clicks``, UNDATED where unknown.
        dismissed: rows that the reader did not want.
        seen: every row ever clicked or dismissed; beyond ``remembered`` the oldest half is forgotten.
        history: clicks kept.
        remembered: rows kept in ``seen``.
    """

    clicks: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    dismissed: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    history: int = 50
    remembered: int = 5_000
    _order: list[int] = field(default_factory=list, repr=False)  # the rows of seen, oldest first

    @classmethod
    def empty(cls, config: ReadersConfig) -> "ReaderState":
        """A reader of whom nothing is known yet."""
        return cls(history=config.history, remembered=config.remembered)

    def observe(self, kind: int, row: int, time: int) -> None:
        """Learn from one event; impressions and dwells say nothing here. Events count in the order they arrive.

        Args:
            kind: index into ``KINDS``.
            row: article row.
            time: ms since the epoch, or UNDATED.
        """
        if kind == CLICK:
            self.clicks.append(row)
            self.times.append(time)
            if len(self.clicks) > self.history:
                del self.clicks[0], self.times[0]
        elif kind == DISMISS:
            self.dismissed.add(row)
        else:
            return
        if row not in self.seen:
            self.seen.add(row)
            self._order.append(row)
            if len(self._order) > self.remembered:
                self._forget(max(1, self.remembered // 2))

    def _forget(self, n: int) -> None:
        old = self._order[:n]
        del self._order[:n]
        self.seen.difference_update(old)
        self.dismissed.difference_update(old)


def weights(n: int, half_life_clicks: float) -> Vectors:
    """How much each of the last ``n`` clicks counts: half as much every ``half_life_clicks`` clicks back.

    Args:
        n: number of clicks, oldest first.
        half_life_clicks: in clicks.

    Returns:
        float32 (n,), rising, sums to 1; empty for n = 0.
    """
    back = np.arange(n - 1, -1, -1, dtype=np.float32)
    raw = np.exp2(-back / np.float32(half_life_clicks))
    return np.asarray(raw / raw.sum() if n else raw, np.float32)


def reader_vector(vectors: Vectors, rows: Sequence[int], half_life_clicks: float) -> Vectors:
    """The direction in which a reader's last clicks lie.

    Args:
        vectors: float32 (A, D), unit or NaN rows.
        rows: article rows clicked, oldest first; rows without a vector or outside the table are skipped.
        half_life_clicks: see ``weights``.

    Returns:
        float32 (D,), unit length; NaN when no clicked article has a vector, or when they cancel out.
    """
    unknown = np.full(vectors.shape[1], np.nan, np.float32)
    inside = np.asarray(rows, np.int64)
    known = vectors[inside[(inside >= 0) & (inside < len(vectors))]]
    known = known[~np.isnan(known[:, 0])] if vectors.shape[1] else known  # (n, D)
    if not len(known) or not vectors.shape[1]:
        return unknown
    mean = weights(len(known), half_life_clicks) @ known
    norm = float(np.linalg.norm(mean))
    return (mean / norm).astype(np.float32) if norm > 1e-6 else unknown
