"""Memory of one reader: the last clicks, impressions, dismissed and seen articles, in bounded space.

An array that a state holds is never changed: whatever is learned takes the place of the arrays that were there. So a
copy of a state costs nothing, and an answer may go on with one while the other learns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events import UNDATED
from recsys.events.people import REPEAT_MS
from recsys.events.visits import same_visit
from recsys.readers.config import MAX_IMPRESSIONS, ReadersConfig
from recsys.readers.replay import CLICK, DISMISS, IMPRESSION, Kept, replayed
from recsys.units import UNKNOWN_ROW

MAX_SEEN = 5_000  # articles kept per reader as clicked or dismissed, which are not shown again; bounds memory
CLICK_POSITION = -2  # the position of a click among impressions

Rows = npt.NDArray[np.int32]
Times = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int16]
Number = TypeVar("Number", bound=np.generic)


class ReaderEvent(NamedTuple):
    """One event of a reader.

    Attributes:
        kind: index into ``KINDS``.
        row: article row.
        time: ms since the epoch, or UNDATED.
        context: text of a JSON object; None where unknown.
        position: of an impression, its place in the list from 0; -1 for unknown.
    """

    kind: int
    row: int
    time: int
    context: str | None = None
    position: int = -1


@dataclass(slots=True)
class ImpressionWindow:
    """The last impressions and clicks of one reader, in one window, so that those are a share of these.

    Attributes:
        size: kept at most; the oldest go first.
        rows: int32 (n,), article rows, in the order in which they came.
        times: int64 (n,), ms since the epoch.
        positions: int16 (n,), place in the list from 0, -1 for unknown, CLICK_POSITION for a click.
    """

    size: int
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    times: Times = field(default_factory=lambda: np.empty(0, np.int64))
    positions: Positions = field(default_factory=lambda: np.empty(0, np.int16))

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: int, time: int, position: int) -> None:
        """Take one impression or click in; an undated one says nothing."""
        if time == UNDATED:
            return
        self.rows = _followed(self.rows, row, self.size)
        self.times = _followed(self.times, time, self.size)
        self.positions = _followed(self.positions, position, self.size)

    def moved(self, new_rows: Rows, size: int) -> "ImpressionWindow":
        """The last ``size`` over the rows of another release, see ``ReaderState.moved``."""
        rows = new_rows[self.rows]
        there = np.flatnonzero(rows != UNKNOWN_ROW)[-size:]
        return ImpressionWindow(size, rows[there], self.times[there], self.positions[there])

    def before(self, now: int) -> tuple[Rows, Positions]:
        """Rows and positions of all that is dated before ``now`` (ms): int32 (n,), int16 (n,)."""
        past = self.times < now
        return self.rows[past], self.positions[past]


@dataclass(slots=True)
class ReaderState:
    """Memory of one reader, bounded however much they click.

    Attributes:
        clicks: int32 (n,), article rows, oldest first, the last ``history``.
        times: int64 (n,), ms since the epoch of each of ``clicks``, UNDATED where unknown.
        dismissed: int32 (d,), rows that the reader did not want, each once.
        seen: int32 (s,), rows clicked or dismissed, each once, in the order in which they first came; beyond
            ``MAX_SEEN`` the first half is forgotten, dismissed ones too.
        history: clicks kept.
        impressions: the last impressions and clicks.
        context: of the last click, the text of a JSON object; None where unknown.
    """

    clicks: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    times: Times = field(default_factory=lambda: np.empty(0, np.int64))
    dismissed: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    seen: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    history: int = 50
    impressions: ImpressionWindow = field(default_factory=lambda: ImpressionWindow(MAX_IMPRESSIONS))
    context: str | None = None

    @classmethod
    def empty(cls, config: ReadersConfig) -> "ReaderState":
        """A reader of whom nothing is known yet."""
        return cls(history=config.max_history, impressions=ImpressionWindow(MAX_IMPRESSIONS))

    @classmethod
    def of(cls, config: ReadersConfig, events: Iterable[ReaderEvent]) -> "ReaderState":
        """A reader who did all this, in this order; a click that repeats one is left out.

        The same as ``observe`` of each one that does not repeat another, in a tenth of the time.
        """
        done = list(events)
        if not done:
            return cls.empty(config)
        kinds, rows, times, contexts, positions = zip(*done, strict=True)
        return cls.of_columns(config, np.array((kinds, rows, times), np.int64), positions, contexts)

    @classmethod
    def of_columns(
        cls, config: ReadersConfig, events: Times, positions: Sequence[int], contexts: Sequence[str | None]
    ) -> "ReaderState":
        """The same of columns.

        Args:
            config: holds the bounds.
            events: int64 (3, n), kinds, rows and times as in ``ReaderEvent``.
            positions: of each.
            contexts: of each.
        """
        kinds, rows, times = events
        kept = Kept(*replayed(kinds, rows, times, config.max_history, MAX_IMPRESSIONS, MAX_SEEN))
        places = np.array(positions, np.int16)
        places[kinds == CLICK] = CLICK_POSITION
        short, clicks, window = rows.astype(np.int32), kept.clicks, kept.window
        return cls(
            short[clicks],
            times[clicks],
            kept.dismissed.copy(),
            kept.seen.copy(),
            config.max_history,
            ImpressionWindow(MAX_IMPRESSIONS, short[window], times[window], places[window]),
            contexts[clicks[-1]] if len(clicks) else None,
        )

    def copied(self) -> "ReaderState":
        """The same, to be changed by itself."""
        window = self.impressions
        return ReaderState(
            self.clicks,
            self.times,
            self.dismissed,
            self.seen,
            self.history,
            ImpressionWindow(window.size, window.rows, window.times, window.positions),
            self.context,
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
            self.clicks = _followed(self.clicks, row, self.history)
            self.times = _followed(self.times, time, self.history)
        elif kind == DISMISS:
            if row not in self.dismissed:
                self.dismissed = np.append(self.dismissed, np.int32(row))
        else:
            return
        if row not in self.seen:
            self._see(row)

    def visit(self, now: int, gap_ms: int) -> int:
        """Start in ``clicks`` of the visit that goes on at ``now`` (ms); the end of ``clicks`` when none does.

        A visit ends after a pause of more than ``gap_ms``; undated clicks belong to none.
        """
        return _visit_start(self.times, now, gap_ms)

    def repeats(self, kind: int, row: int, time: int) -> bool:
        """True for a click that repeats one and is not learned from, see ``recsys.events.people``."""
        if kind != CLICK or row not in self.seen:
            return False
        return any(abs(time - clicked_at) < REPEAT_MS for clicked_at in self.times[self.clicks == row].tolist())

    def moved(self, new_rows: Rows, config: ReadersConfig) -> "ReaderState":
        """The same reader over the rows of another release.

        Args:
            new_rows: int32 (A,), by old row; UNKNOWN_ROW for an article that is forgotten.
            config: of the new release.
        """
        clicks, window = new_rows[self.clicks], self.impressions
        clicked, n = clicks != UNKNOWN_ROW, config.max_history
        dismissed, seen = new_rows[self.dismissed], new_rows[self.seen]
        return ReaderState(
            clicks[clicked][-n:],
            self.times[clicked][-n:],
            dismissed[dismissed != UNKNOWN_ROW],
            seen[seen != UNKNOWN_ROW],
            n,
            window.moved(new_rows, MAX_IMPRESSIONS),
            self.context,
        )

    def _see(self, row: int) -> None:
        seen = np.append(self.seen, np.int32(row))
        if len(seen) > MAX_SEEN:
            forgotten, seen = np.split(seen, [max(1, MAX_SEEN // 2)])
            self.dismissed = self.dismissed[~np.isin(self.dismissed, forgotten)]
        self.seen = seen


@compiled
def _visit_start(times: Times, now: int, gap_ms: int) -> int:
    start, later = len(times), now
    while start > 0 and same_visit(times[start - 1], later, gap_ms):
        start -= 1
        later = times[start]
    return start


def _followed(array: npt.NDArray[Number], value: int, most: int) -> npt.NDArray[Number]:
    """The last ``most`` of an array and a value behind it."""
    kept = min(len(array), most - 1)
    out = np.empty(kept + 1, array.dtype)
    out[:kept] = array[len(array) - kept :]
    out[kept] = value
    return out
