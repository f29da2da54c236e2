"""A column of times: read one by one, judged as a whole."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from recsys.imports.values import BadValue, ParseOptions
from recsys.missing import is_missing
from recsys.times import EARLIEST, AmbiguousDay, BadTime, NoTime, believable, day_order, milliseconds, parsed
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS

_MAX_OFFSET_MS = 15 * HOUR_MS  # zones lie up to 14 hours ahead of UTC
_FRESH_MS = 5 * MINUTE_MS  # age of a file's newest row up to which it tells zones of half an hour, too

Order = Callable[[], bool | None]


class TimeColumn:
    """Converter of one column of times, which remembers what a person should know of it.

    Args:
        options: zone and form of times that do not say them.
        name: of the field, for notes.
        earliest: int ms UTC; no earlier time is believed.
        latest: int ms UTC; no later time is believed.
        now: int ms UTC.
        order: tells by the whole column whether it writes the day first; asked once, when a value needs it.
    """

    def __init__(
        self, options: ParseOptions, name: str, earliest: int, latest: int, now: int, order: Order = lambda: None
    ) -> None:
        self._options, self._name, self._now = options, name, now
        self._earliest, self._latest = max(earliest, EARLIEST), latest
        self._order, self._order_is_known = order, False
        self._day_first: bool | None = None
        self.naive = self.ahead = self.lead = 0

    def __call__(self, value: Any) -> int | None:
        """A time as int ms UTC, or None for nothing.

        Raises:
            BadValue: it is none, or lies outside the window.
        """
        if type(value) is int and self._earliest <= value <= self._now:  # the frequent case first: milliseconds
            return value
        if is_missing(value):
            return None
        try:
            return self._moment(value)
        except NoTime as reason:
            raise NoValue(str(reason)) from None
        except BadTime as reason:
            raise BadValue(str(reason)) from None

    def column(self, values: Iterable[Any]) -> list[int | None]:
        """A whole column, or ``BadValue`` at the first that is none, without a trace in what is remembered."""
        remembered = (self.naive, self.ahead, self.lead)
        try:
            return list(map(self, values))
        except BadValue:
            self.naive, self.ahead, self.lead = remembered
            raise

    def notes(self) -> list[str]:
        """Notes for a person: whole sentences."""
        notes = []
        if self.naive:
            notes.append(f"Times without a zone were read as {zone_name(self._options)} (--timezone says another).")
        if self._day_first is not None:
            order = "day" if self._day_first else "month"
            notes.append(f"Dates like 03/11/2024 were read with the {order} first, as other rows of the file show.")
        if self.ahead and self.lead <= _MAX_OFFSET_MS and self.naive:
            notes.append(self._shifted())
        elif self.ahead:
            days = self.lead / DAY_MS
            far = f"{days:,.0f} days" if days >= 2 else f"{self.lead / HOUR_MS:.1f} hours"
            notes.append(f"{self.ahead:,} times of {self._name!r} lie ahead of now, up to {far}.")
        return notes

    def _shifted(self) -> str:
        return (
            f"{self.ahead:,} times of {self._name!r} lie ahead of now, the last by "
            f"{self.lead / HOUR_MS:.1f} hours: all times of this file seem to lie {_hours(self.lead):g} hours ahead."
            " They have no zone and"
            f" were read as {zone_name(self._options)}; say the right one with --timezone, such as --timezone "
            "Asia/Shanghai, and import the file again."
        )

    def _moment(self, value: Any) -> int:
        try:
            moment = parsed(value, format=self._options.time_format, day_first=self._day_first)
        except AmbiguousDay:
            if self._order_is_known:
                raise
            self._order_is_known, self._day_first = True, self._order()
            moment = parsed(value, format=self._options.time_format, day_first=self._day_first)
        if isinstance(moment, datetime):
            self.naive += 1
            moment = milliseconds(moment, self._options.zone)
        if moment > self._now:
            self.ahead += 1
            self.lead = max(self.lead, moment - self._now)
        return believable(moment, self._earliest, self._latest)


class NoValue(BadValue):
    """A value that a database writes where there is none, such as 0 or 0000-00-00."""


def _hours(lead: int) -> float:
    """The offset of a zone, in hours, whose newest row is a little old already."""
    quarters = -(-lead // (15 * MINUTE_MS))
    return quarters / 4 if quarters * 15 * MINUTE_MS - lead <= _FRESH_MS else -(-lead // HOUR_MS)


def zone_name(options: ParseOptions) -> str:
    """The zone's name as a person writes it."""
    return getattr(options.zone, "key", None) or str(options.zone)


def day_order_of(values: Iterable[Any]) -> bool | None:
    """True if a column writes the day first, by the values that show it; None when none does or they disagree."""
    shown = {order for value in values if (order := day_order(value)) is not None}
    return shown.pop() if len(shown) == 1 else None
