"""Memory of one reader: the last clicks, impressions, dismissed and seen articles, in bounded space."""

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.events import KINDS, UNDATED
from recsys.events.people import REPEAT_MS
from recsys.events.visits import same_visit
from recsys.readers.config import ReadersConfig

IMPRESSION, CLICK, DISMISS = (KINDS.index(kind) for kind in ("impression", "click", "dismiss"))
MAX_SEEN = 5_000  # articles kept per reader as clicked or dismissed, which are not shown again; bounds memory
CLICK_POSITION = -2  # the position of a click among impressions


@dataclass(slots=True)
class ImpressionWindow:
    """The last impressions and clicks of one reader, in one window, so that those are a share of these.

    Attributes:
        size: kept at most; the oldest go first.
        rows: article rows, in the order in which they came.
        times: ms since the epoch.
        positions: place in the list from 0, -1 for unknown, CLICK_POSITION for a click.
    """

    size: int
    rows: "array[int]" = field(default_factory=lambda: array("i"))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    positions: "array[int]" = field(default_factory=lambda: array("h"))

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: int, time: int, position: int) -> None:
        """Take one impression or click in; an undated one says nothing."""
        if time == UNDATED:
            return
        self.rows.append(row)
        self.times.append(time)
        self.positions.append(position)
        if len(self.rows) > self.size:
            del self.rows[0], self.times[0], self.positions[0]

    def before(self, now: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16]]:
        """Rows and positions of all that is dated before ``now`` (ms): int32 (n,), int16 (n,)."""
        past = np.array(self.times, np.int64) < now
        return np.array(self.rows, np.int32)[past], np.array(self.positions, np.int16)[past]


@dataclass(slots=True)
class ReaderState:
    """Memory of one reader, bounded however much they click.

    Attributes:
        clicks: article rows, oldest first, the last ``history``.
        times: ms since the epoch of each of ``clicks``, UNDATED where unknown.
        dismissed: rows that the reader did not want.
        seen: rows clicked or dismissed; beyond ``MAX_SEEN`` the first half is forgotten, dismissed ones too.
        history: clicks kept.
        impressions: the last impressions and clicks.
        context: of the last click, the text of a JSON object; None where unknown.
    """

    clicks: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    dismissed: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    history: int = 50
    impressions: ImpressionWindow = field(default_factory=lambda: ImpressionWindow(300))
    context: str | None = None
    _order: list[int] = field(default_factory=list, repr=False)  # the rows of seen, oldest first

    @classmethod
    def empty(cls, config: ReadersConfig) -> "ReaderState":
        """A reader of whom nothing is known yet."""
        window = ImpressionWindow(config.max_impressions)
        return cls(history=config.max_history, impressions=window)

    def copied(self) -> "ReaderState":
        """The same, to be changed by itself."""
        held = self.impressions
        return ReaderState(
            self.clicks.copy(),
            self.times.copy(),
            self.dismissed.copy(),
            self.seen.copy(),
            self.history,
            ImpressionWindow(held.size, held.rows[:], held.times[:], held.positions[:]),
            self.context,
            self._order.copy(),
        )

    def observe(self, kind: int, row: int, time: int, context: str | None = None, position: int = -1) -> None:
        """Learn from one event; dwells say nothing here. Events count in the order they arrive.

        Args:
            kind: index into ``KINDS``.
            row: article row.
            time: ms since the epoch, or UNDATED.
            context: text of a JSON object.
            position: of an impression, its place in the list from 0; -1 for unknown.
        """
        if kind in (IMPRESSION, CLICK):
            self.impressions.add(row, time, CLICK_POSITION if kind == CLICK else position)
        if kind == CLICK:
            self.context = context
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
            if len(self._order) > MAX_SEEN:
                self._forget(max(1, MAX_SEEN // 2))

    def visit(self, now: int, gap_ms: int) -> int:
        """Start in ``clicks`` of the visit that goes on at ``now`` (ms); the end of ``clicks`` when none does.

        A visit ends after a pause of more than ``gap_ms``; undated clicks belong to none.
        """
        start, later = len(self.clicks), now
        while start > 0 and same_visit(self.times[start - 1], later, gap_ms):
            start -= 1
            later = self.times[start]
        return start

    def repeats(self, kind: int, row: int, time: int) -> bool:
        """True for a click that repeats one and is not learned from, see ``recsys.events.people``."""
        past = zip(self.clicks, self.times, strict=True) if kind == CLICK and row in self.seen else ()
        return any(clicked == row and abs(time - clicked_at) < REPEAT_MS for clicked, clicked_at in past)

    def _forget(self, n: int) -> None:
        oldest = self._order[:n]
        del self._order[:n]
        self.seen.difference_update(oldest)
        self.dismissed.difference_update(oldest)
