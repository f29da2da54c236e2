"""Times as people and programs write them -> int milliseconds UTC.

One reader for files and for the event API. A zone that is written is used; without one the caller's zone holds. What
could mean two days (03/11/2024) or two zones (CST) is refused with the remedy, never guessed.
"""

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from recsys.times.forms import AmbiguousDay, BadTime, NoTime, day_order, milliseconds, of_text, shown

__all__ = [
    "EARLIEST",
    "AmbiguousDay",
    "BadTime",
    "NoTime",
    "believable",
    "day_order",
    "iso",
    "milliseconds",
    "parsed",
    "read_time",
]

EARLIEST = 788_918_400_000  # 1995-01-01, ms UTC: no news site is older, and every wrong unit or default lies before
_SECONDS_BELOW, _MS_BELOW, _US_BELOW = (
    10**11,
    10**14,
    10**17,
)  # an epoch number's unit by its size: each ends in year 5138
_AROUND = " \t\r\n'\""  # what stands around a time that was quoted twice on its way
_EXCEL = "excel"
_MAX_DAYS = 100_000  # since 1899-12-30: the year 2173; as seconds these lie on 1970-01-02
_DAY_0 = datetime(1899, 12, 30)
_MAX_NUMBER = 10**20  # ns; beyond is no time in any unit


def read_time(value: Any, *, zone: tzinfo, format: str | None = None, day_first: bool | None = None) -> int:
    """Moment of a written time.

    Args:
        value: an epoch number (s, ms, µs or ns by its size), a compact number (20241103183000), a text in one of the
            known forms, or a datetime or date.
        zone: of a time that names none.
        format: strptime's form of texts, instead of the known ones; ``_EXCEL`` for days as spreadsheets count them.
        day_first: how 03/11/2024 is read; None: refused.

    Returns:
        int ms UTC; it need not be believable.

    Raises:
        BadTime: it is none; ``AmbiguousDay`` when ``day_first`` would settle it.
    """
    moment = parsed(value, format=format, day_first=day_first)
    return moment if isinstance(moment, int) else milliseconds(moment, zone)


def parsed(value: Any, *, format: str | None = None, day_first: bool | None = None) -> int | datetime:
    """A written time as int ms UTC, or as a naive datetime when it names no zone. See ``read_time``."""
    if isinstance(value, datetime):
        return value if value.tzinfo is None else milliseconds(value, UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise BadTime(f"not a time: {shown(value)}")
    if isinstance(value, str):
        value = value.strip(_AROUND)
    number = _number(value)
    if format == _EXCEL:
        return _of_days(number) if number else parsed(value, day_first=day_first)
    if format is not None and isinstance(value, str | int) and (moment := _by_format(value, format)) is not None:
        return moment
    return _of_number(number) if number is not None else of_text(str(value), day_first)


def believable(moment: int, earliest: int, latest: int) -> int:
    """The moment itself, where it lies within the window.

    Args:
        moment: int ms UTC.
        earliest: int ms UTC.
        latest: int ms UTC.

    Raises:
        BadTime: it lies outside.
    """
    if moment < earliest:
        raise BadTime(f"a time before {iso(earliest)[:10]}: {iso(moment)}")
    if moment > latest:
        raise BadTime(f"a time in the future: {iso(moment)}")
    return moment


def iso(moment: float) -> str:
    """A moment (ms UTC) as ISO 8601, or as its number when no calendar holds it."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return f"{shown(moment)} ms"


def _number(value: Any) -> int | float | None:
    if not isinstance(value, str):
        return value if isinstance(value, int) else float(value)
    try:
        return int(value) if value.isdecimal() else float(value.replace("_", "x"))  # Python reads 1_0, nobody writes it
    except ValueError:
        return None


def _of_number(number: int | float) -> int | datetime:
    if number > _MAX_NUMBER or not math.isfinite(number):
        raise BadTime(f"not a time: {shown(number)}")
    if number == 0:
        raise NoTime(f"0 is no date: {shown(number)}")
    if number < 0:
        raise BadTime(f"a negative time: {shown(number)}")
    if number == int(number) and (moment := _of_digits(str(int(number)))) is not None:
        return moment
    if number < 10_000:
        raise BadTime(f"a number that is no time (only a year?): {shown(number)}")
    if number < _MAX_DAYS:
        raise BadTime(f"a number that is no time (days of a spreadsheet? --time-format {_EXCEL}): {shown(number)}")
    for below, in_ms in ((_SECONDS_BELOW, 1_000), (_MS_BELOW, 1)):
        if number < below:
            return int(number * in_ms)
    return int(number // (1_000 if number < _US_BELOW else 1_000_000))


def _of_days(days: float) -> datetime:
    if not 0 < days < _MAX_DAYS:
        raise BadTime(f"not a count of days: {shown(days)}")
    return _DAY_0 + timedelta(seconds=round(days * 86_400))  # a day's 15 digits hold seconds and no ms


def _of_digits(digits: str) -> datetime | None:
    """20241103, 202411031830 or 20241103183000; as epoch numbers these lie in 1970, in 1976 and in the year 2611."""
    if len(digits) not in (8, 12, 14) or not "1900" <= digits[:4] <= "2100":
        return None
    try:
        return datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None


def _by_format(value: str | int, format: str) -> int | datetime | None:
    text = str(value).strip()
    try:
        moment = datetime.strptime(text, format)
    except ValueError:
        if isinstance(value, int):
            return None
        raise BadTime(f"not a time of the form {format}: {shown(text)}") from None
    return milliseconds(moment, UTC) if moment.tzinfo is not None else moment
