"""Visitors: the rules of ``recsys.events.people`` for one event after the other, in bounded memory and constant time.

A visitor's clicks of the last 24 hours are remembered, and since nobody may make more than ``MAX_CLICKS_A_DAY`` of them
without being odd, that is all that is needed to say what repeats one.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from recsys.events.outcomes import Outcomes
from recsys.events.people import (
    CLICK,
    DAY_HOURS,
    IMPRESSION,
    MAX_SHOWN_AN_HOUR,
    REPEAT_CLICK,
    REPEAT_MS,
    UNPROVEN,
    OddReason,
    oddity,
)
from recsys.events.vouching import HeldClick, Vouching
from recsys.store import Evidence
from recsys.store.events import ANONYMOUS_REPEAT_MS
from recsys.units import HOUR_MS, UNDATED

MAX_CLICKS = 300  # remembered of one visitor: a day's that are not odd, and undated ones
MAX_ODD_VISITORS = 10_000  # odd visitors remembered; the one that was odd first is forgotten first
MAX_SHOWN = 50_000  # visitors with an article and an hour of which it is remembered how often it was shown: some 12 MB


class Click(NamedTuple):
    """One click: ms or UNDATED, article row, and whether it counted."""

    time: int
    row: int
    counted: bool


class CountedEvent(NamedTuple):
    """Outcome of one event: the kind that it counts as, and what it undoes.

    Attributes:
        kind: that it counts as: its own, ``REPEAT_CLICK`` for a click that repeats one, ``UNPROVEN`` for what is its
            reader's alone; None when nothing of it counts.
        undone: clicks that counted until this event showed that no person makes them.
        confirmed: clicks that were held until this event vouched for their reader, to be seen again.
        outcome: that it adds, see ``recsys.events.outcomes``.
    """

    kind: int | None
    undone: tuple[Click, ...] = ()
    confirmed: tuple[HeldClick, ...] = ()
    outcome: int = 0


class Visitors:
    """At most ``size`` visitors; the one without a click for longest goes first. Not safe for threads.

    Attributes:
        odd: who is left out.
        vouching: who is vouched for, and what is held.
        outcomes: what came of articles that visitors opened, and what they hid.
    """

    def __init__(self, size: int, odd: Iterable[str] = ()) -> None:
        self.size = size
        self.odd: OrderedDict[str, None] = OrderedDict.fromkeys(odd)
        self.vouching, self.outcomes = Vouching(), Outcomes()
        self._clicks: OrderedDict[str, list[Click]] = OrderedDict()
        self._shown: OrderedDict[tuple[str, int, int], int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clicks)

    def see(
        self,
        kind: int,
        row: int,
        time: int,
        visitor: str | None,
        context: str | None,
        proof: int | None = None,
        position: int = -1,
        listed: str | None = None,
        dwell_ms: int | None = None,
    ) -> CountedEvent:
        """Take one event in.

        Args:
            kind: index into ``KINDS``.
            row: article row.
            time: ms, or UNDATED.
            visitor: the reader, else the session, with a letter of their own; None for nobody known.
            context: text of a JSON object, by which clicks of nobody are kept apart.
            proof: a ``Evidence``, None where there is nothing to doubt.
            position: place in the list, from 0; -1 for unknown.
            listed: the list's token, by which nobody known is somebody who had it.
            dwell_ms: for which the article was looked at, None for unknown.
        """
        if visitor is not None and visitor in self.odd:
            return CountedEvent(None)
        if proof == Evidence.CROWDED and kind in (CLICK, IMPRESSION):
            return CountedEvent(UNPROVEN)
        signed = proof == Evidence.SIGNED
        whose = f"i{listed}" if visitor is None and signed and listed is not None else visitor
        confirmed = self.vouching.vouch(whose) if signed and kind == IMPRESSION and whose is not None else ()
        if (signed or proof == Evidence.UNSIGNED) and whose not in self.vouching:
            return self._stranger(kind, HeldClick(row, time, position, context), whose)
        if visitor is None and signed:
            return CountedEvent(kind, confirmed=confirmed)  # whoever had the list, who clicks an article of it once
        counted = self._known(kind, row, time, visitor, context)
        tells = counted.kind is not None and proof != Evidence.CROWDED
        outcome = self.outcomes.see(kind, row, time, visitor, dwell_ms) if tells else 0
        return counted._replace(confirmed=confirmed, outcome=outcome)

    def _stranger(self, kind: int, click: HeldClick, visitor: str | None) -> CountedEvent:
        """An event of whom nothing vouches for."""
        if kind == CLICK:
            self.vouching.hold(visitor, click)
        return CountedEvent(UNPROVEN if kind in (CLICK, IMPRESSION) else kind)

    def _known(self, kind: int, row: int, time: int, visitor: str | None, context: str | None) -> CountedEvent:
        if kind == IMPRESSION and visitor is not None and time != UNDATED and self._too_often(visitor, row, time):
            return self._left_out(visitor, self._clicks.get(visitor, []))
        if kind != CLICK:
            return CountedEvent(kind)
        if visitor is None:
            return CountedEvent(self._nobodys(f"?{row} {context}", row, time))
        past = self._clicks.get(visitor, [])
        newest = max((click.time for click in past), default=time) // HOUR_MS
        past = [click for click in past if newest - click.time // HOUR_MS <= DAY_HOURS or click.time == UNDATED]
        repeats = any(click.counted and click.row == row and abs(time - click.time) < REPEAT_MS for click in past)
        past.append(Click(time, row, not repeats))
        if _reason(past):
            return self._left_out(visitor, past[:-1])
        self._keep(visitor, past[-MAX_CLICKS:])
        return CountedEvent(REPEAT_CLICK if repeats else CLICK)

    def forget(self, is_forgotten: Callable[[str], bool]) -> set[str]:
        """Drop the visitors of whom ``is_forgotten`` says so, and return those of whom anything was known."""
        forgotten = {visitor for visitor in (*self._clicks, *self.odd) if is_forgotten(visitor)}
        for visitor in forgotten:
            self._clicks.pop(visitor, None)
            self.odd.pop(visitor, None)
        for shown in [shown for shown in self._shown if is_forgotten(shown[0])]:
            del self._shown[shown]
        self.vouching.forget(is_forgotten)
        self.outcomes.forget(is_forgotten)
        return forgotten

    def _nobodys(self, key: str, row: int, time: int) -> int:
        past = self._clicks.get(key, [])
        if past and abs(time - past[0].time) < ANONYMOUS_REPEAT_MS:
            return REPEAT_CLICK
        self._keep(key, [Click(time, row, True)])
        return CLICK

    def _keep(self, key: str, clicks: list[Click]) -> None:
        self._clicks[key] = clicks
        self._clicks.move_to_end(key)
        if len(self._clicks) > self.size:
            self._clicks.popitem(last=False)

    def _too_often(self, visitor: str, row: int, time: int) -> bool:
        key = (visitor, row, time // HOUR_MS)
        self._shown[key] = self._shown.pop(key, 0) + 1
        if len(self._shown) > MAX_SHOWN:
            self._shown.popitem(last=False)
        return self._shown[key] > MAX_SHOWN_AN_HOUR

    def _left_out(self, visitor: str, past: list[Click]) -> CountedEvent:
        """Nothing of a visitor counts from now on; what did is undone."""
        self._clicks.pop(visitor, None)
        self.odd[visitor] = None
        if len(self.odd) > MAX_ODD_VISITORS:
            self.odd.popitem(last=False)
        return CountedEvent(None, tuple(click for click in past if click.counted and click.time != UNDATED))


def _reason(clicks: list[Click]) -> OddReason:
    """Reason why a visitor is odd by their dated clicks, in the hours of the clock that end with the newest."""
    hours = [click.time // HOUR_MS for click in clicks if click.time != UNDATED]
    return oddity(Counter(hour for hour in hours if hour > max(hours) - DAY_HOURS)) if hours else OddReason.NONE
