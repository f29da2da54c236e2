"""What is remembered of one reader: the last clicks, what was shown, what was dismissed, what was seen."""

from dataclasses import dataclass, field

from recsys.events import KINDS, UNDATED
from recsys.events.people import REPEAT_MS
from recsys.readers.config import ReadersConfig
from recsys.readers.looks import OPENED, Looks

IMPRESSION, CLICK, DISMISS = (KINDS.index(kind) for kind in ("impression", "click", "dismiss"))


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
        looks: the last impressions and clicks.
        context: of the last click, the text of a JSON object; None where unknown.
    """

    clicks: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    dismissed: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    history: int = 50
    remembered: int = 5_000
    looks: Looks = field(default_factory=lambda: Looks(300))
    context: str | None = None
    _order: list[int] = field(default_factory=list, repr=False)  # the rows of seen, oldest first

    @classmethod
    def empty(cls, config: ReadersConfig) -> "ReaderState":
        """A reader of whom nothing is known yet."""
        return cls(history=config.history, remembered=config.remembered, looks=Looks(config.looks))

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
            self.looks.add(row, time, OPENED if kind == CLICK else position)
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
            if len(self._order) > self.remembered:
                self._forget(max(1, self.remembered // 2))

    def visit(self, now: int, gap_ms: int) -> int:
        """Where in ``clicks`` the visit that goes on at ``now`` (ms) begins; the end of ``clicks`` when none does.

        A visit ends after a pause of more than ``gap_ms``; undated clicks belong to none.
        """
        start, later = len(self.clicks), now
        while start > 0 and self.times[start - 1] != UNDATED and later - self.times[start - 1] <= gap_ms:
            start -= 1
            later = self.times[start]
        return start

    def repeats(self, kind: int, row: int, time: int) -> bool:
        """Whether an event is a click that repeats one and is not learned from, see ``recsys.events.people``."""
        past = zip(self.clicks, self.times, strict=True) if kind == CLICK and row in self.seen else ()
        return any(one == row and abs(time - at) < REPEAT_MS for one, at in past)

    def _forget(self, n: int) -> None:
        old = self._order[:n]
        del self._order[:n]
        self.seen.difference_update(old)
        self.dismissed.difference_update(old)
