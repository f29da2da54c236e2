"""Forms of written times: a date, a time of day, a zone -> a naive datetime or int ms UTC.

Source: ISO 8601, RFC 2822 (zone names), and the forms of BigQuery, Apache, JavaScript, Go, Java, Oracle and MIND.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MAX_TEXT = 100  # characters; no form is longer
_REMEDY = "say its form with --time-format, such as '%d.%m.%Y %H:%M'"

_MONTHS = {name: n for n, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), 1)}
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YMD = r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})(?!\d)"
_COMPACT = r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?=$|[tT\s])"
_HAN = r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日号號일]"
_DAY_NAME = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s/-]*{_MONTH}[\s/,-]*(?P<year>\d{{4}}(?!\d)|\d{{2}}(?![\d:.]))"
_NAME_DAY = rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?!\d)"
_DOTS = r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?!\d)"
_EITHER = r"(?P<a>\d{1,2})(?P<sep>[-/])(?P<b>\d{1,2})(?P=sep)(?P<year>\d{4})(?!\d)"
_DATES = [re.compile(form, re.IGNORECASE) for form in (_YMD, _COMPACT, _HAN, _DAY_NAME, _NAME_DAY, _DOTS, _EITHER)]
_RFC_2822 = _DATES[3]  # after a weekday; Java and Unix write the month first, and by CST the zone of their machine
_WEEKDAY = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+|(?:星期|周|週)[一二三四五六日天]\s*",
    re.I,
)
_CTIME = re.compile(r"([a-z]+)\s+(\d{1,2})\s+(\d{1,2}:[\d:.]+)\s*(.*?)\s+(\d{4})", re.IGNORECASE)
_BETWEEN = re.compile(
    r"(?:[\sT,:]|at\s|um\s|[(（](?:星期|周|週)?[一二三四五六日天][)）]|(?:星期|周|週)[一二三四五六日天])*", re.I
)
_CLOCK = re.compile(
    r"(?P<half>上午|下午|凌晨|清晨|早上|早晨|中午|傍晚|晚上|午前|午後|오전|오후)?\s*(?P<hour>\d{1,2})(?!\d)"
    r"(?:\s*[:.h时時点點시]\s*(?P<minute>\d{1,2})?(?!\d)\s*[分분]?"
    r"(?:\s*[:.]?\s*(?P<second>\d{1,2})(?!\d)\s*[秒초]?(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?:\s*uhr\b)?\s*(?P<ampm>[ap]\.?\s?m\b\.?)?",
    re.IGNORECASE,
)
_AFTER_NOON = frozenset(("下午", "傍晚", "晚上", "午後", "오후"))
_ZONE = re.compile(
    r"(?P<utc>z|utc|gmt|ut)?\s*(?:(?P<sign>[+\-−])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?::?\d{2})?)?"
    r"(?:\s+[a-z]{2,5}|\s*\([^()]*\)|\s*\[[^\[\]]*\])?",
    re.IGNORECASE,
)
# Those of RFC 2822 and those that name one zone in the world; CST, IST, BST and AST name several.
_NAMED = {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "WET": 0, "WEST": 1, "CET": 1}
_NAMED |= {"MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9}
_RFC_2822_ONLY = {"CST": -6}


class BadTime(ValueError):
    """A value that is no time; the text is the reason."""


class NoTime(BadTime):
    """A database's way to write that there is no time: 0 or 0000-00-00."""


class AmbiguousDay(BadTime):
    """A date that is another day when day and month are read the other way round."""


def shown(value: object) -> str:
    """A value, short and in ASCII, for a reason."""
    return ascii(value)[:80]


def milliseconds(moment: datetime, zone: tzinfo) -> int:
    """A datetime as int ms UTC; ``zone`` holds when it names none."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    try:
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    except OverflowError:
        raise BadTime(f"not a time: {shown(moment.isoformat())}") from None


def day_order(value: object) -> bool | None:
    """True if a text like 29/01/2024 shows that its column writes the day first; None when it shows nothing."""
    match = _DATES[-1].search(value) if isinstance(value, str) and len(value) <= _MAX_TEXT else None
    if match is None:
        return None
    a, b = int(match["a"]), int(match["b"])
    return (a > 12) if (a > 12) != (b > 12) else None


def of_text(text: str, day_first: bool | None) -> int | datetime:
    """The time of a text; see ``recsys.times.read_time``."""
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":  # as a line of a log has it
        text = text[1:-1].strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if not text or len(text) > _MAX_TEXT:
            raise BadTime(f"not a time: {shown(text)}") from None
        return _of_form(unicodedata.normalize("NFKC", text), day_first)
    return moment if moment.tzinfo is None else milliseconds(moment, UTC)


def _of_form(text: str, day_first: bool | None) -> int | datetime:
    weekday = _WEEKDAY.match(text)
    rest = text[weekday.end() :] if weekday else text
    if ctime := _CTIME.fullmatch(rest):
        rest = "{0} {1} {4} {2} {3}".format(*ctime.groups())
    match = next((match for form in _DATES if (match := form.match(rest))), None)
    if match is None:
        raise BadTime(f"not a time in a known form: {shown(text)}; {_REMEDY}")
    between = _BETWEEN.match(rest, match.end())
    clock = _clock(rest[between.end() if between else match.end() :], text)
    if re.match(r"[0\s:./T-]+$", rest):
        raise NoTime(f"0 is no date: {shown(text)}")
    year, month, day = _date(match, clock.is_english_half, day_first, text)
    try:
        moment = datetime(year, month, day) + clock.since_midnight
    except (ValueError, OverflowError):
        raise BadTime(f"no day of the calendar: {shown(text)}") from None
    is_rfc_2822 = weekday is not None and match.re is _RFC_2822
    zone = _zone(clock.zone, is_rfc_2822, text)
    return moment if zone is None else milliseconds(moment, zone)


def _date(match: re.Match[str], is_english_half: bool, day_first: bool | None, text: str) -> tuple[int, int, int]:
    parts = match.groupdict()
    year = int(parts["year"])
    if "a" in parts:
        a, b = int(parts["a"]), int(parts["b"])
        order = day_order(match[0]) if day_order(match[0]) is not None else day_first
        if order is None and (is_english_half or a == b):
            order = False  # with AM or PM it is the American form
        if order is None:
            raise AmbiguousDay(f"day first or month first? {shown(text)}; {_REMEDY}")
        return (year, b, a) if order else (year, a, b)
    if len(parts["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    month = _MONTHS[parts["name"][:3].lower()] if "name" in parts else int(parts["month"])
    return year, month, int(parts["day"])


class _Clock(NamedTuple):
    since_midnight: timedelta
    is_english_half: bool
    zone: str


def _clock(rest: str, text: str) -> _Clock:
    rest = rest.replace("点半", "点30").replace("點半", "點30")
    match = _CLOCK.match(rest)
    if match is None:
        return _Clock(timedelta(0), False, rest.strip())
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    half, ampm = match["half"], (match["ampm"] or "")[:1].lower()
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)) or (ampm == "a" and hour > 12):
        raise BadTime(f"no time of a day: {shown(text)}")
    if (ampm == "p" or half in _AFTER_NOON or (half == "中午" and hour < 11)) and hour < 12:
        hour += 12
    elif (ampm == "a" or (half and half not in (*_AFTER_NOON, "中午"))) and hour == 12:
        hour = 0
    elif half == "晚上" and hour == 12:
        hour = 24
    fraction = int((match["fraction"] or "0")[:3].ljust(3, "0"))
    since = timedelta(hours=hour, minutes=minute, seconds=min(second, 59), milliseconds=fraction)
    return _Clock(since, bool(ampm), rest[match.end() :].strip())


def _zone(name: str, is_rfc_2822: bool, text: str) -> tzinfo | None:
    if not name:
        return None
    if (match := _ZONE.fullmatch(name)) and (match["sign"] or match["utc"]):
        offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
        if offset < timedelta(hours=24):
            return timezone(offset if match["sign"] in ("+", None) else -offset)
    hours = (_NAMED | _RFC_2822_ONLY if is_rfc_2822 else _NAMED).get(name.upper())
    if hours is not None:
        return timezone(timedelta(hours=hours))
    if "/" in name:
        try:
            return ZoneInfo(name.strip("[]"))
        except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
            pass
    raise BadTime(f"a zone that is not known or names several: {shown(text)}; write an offset such as +08:00")
