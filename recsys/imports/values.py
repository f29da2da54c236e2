"""One value of a file -> one value of an article or event; what cannot be one raises ``BadValue`` with the reason."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from recsys.errors import BadReader
from recsys.store import Kind, clean_text, compact_json, identifier
from recsys.times import EARLIEST

Convert = Callable[[Any], Any]
FAR = 253_402_300_799_000  # the end of the year 9999, ms UTC: what databases and datetimes can hold
SECONDS_BELOW = 10**11  # as seconds it is the year 5138, as milliseconds 1973: no news site has events of either
MAX_CONTEXT = 4096  # characters of one event's context
KINDS = {kind.value: kind for kind in Kind}
TRUE, FALSE = ("1", "true", "yes", "y", "t"), ("", "0", "false", "no", "n", "f")
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Reading:
    """How an import reads values that do not say it themselves.

    Attributes:
        zone: of times that name none.
        time_format: strptime's form of times, None for the known ones.
        earliest: int ms UTC; no earlier time of an event or publication is believed.
        latest: int ms UTC; no later time of an event is believed.
        base_url: of relative addresses, empty for none.
        dwell_unit_ms: ms in one unit of a dwell time.
        language: code of articles that name none, None when nobody said it.
    """

    zone: tzinfo = UTC
    time_format: str | None = None
    earliest: int = EARLIEST
    latest: int = FAR
    base_url: str = ""
    dwell_unit_ms: int = 1
    language: str | None = None


class BadValue(ValueError):
    """A value that cannot be used; the text is the reason."""


def id_of(value: Any) -> str | None:
    """An identifier, from a text or a whole number; None when there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, str):
        raise BadValue(f"not an identifier: {shown(value)}")
    try:
        return identifier(value, "identifier")
    except BadReader as error:
        raise BadValue(f"not an identifier: {error.got}") from None


def text_of(value: Any) -> str | None:
    """A text; NUL is removed and a lone surrogate becomes U+FFFD. None when nothing is left."""
    if value is None or value != value:
        return None
    if not isinstance(value, str | int | float):
        raise BadValue(f"not a text: {shown(value)}")
    return clean_text(str(value)).strip() or None


def link_of(value: Any) -> str | None:
    """A web address, or a path on the site itself: anything else (``javascript:``) could run in a reader's browser."""
    text = text_of(value)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        raise BadValue(f"not a web address: {shown(text)}") from None
    elsewhere = parts.scheme in ("http", "https") and parts.netloc
    here = text[0] == "/" and text[1:2] not in ("/", "\\")  # browsers take //host and /\host for another site
    if elsewhere or here:
        return text
    raise BadValue(f"not a web address (http, https or /path): {shown(text)}")


def language_of(value: Any) -> str | None:
    """The first part of a BCP 47 tag in lower case: ``zh-CN`` is ``zh``."""
    text = text_of(value)
    tag = re.split("[-_]", text.lower())[0] if text else ""
    if text and not re.fullmatch("[a-z]{2,3}", tag):
        raise BadValue(f"not a language: {shown(value)}")
    return tag or None


def kind_of(value: Any) -> Kind | None:
    """A kind of event by its name."""
    if value is None or value == "":
        return None
    kind = KINDS.get(str(value).strip().lower())
    if kind is None:
        raise BadValue(f"not a kind of event ({', '.join(KINDS)}): {shown(value)}")
    return kind


def flag_of(value: Any) -> bool:
    """Yes or no."""
    text = "" if value is None else str(value).strip().lower()
    if text not in TRUE + FALSE:
        raise BadValue(f"not yes or no: {shown(value)}")
    return text in TRUE


def whole(most: int) -> Convert:
    """Make the converter for whole numbers from 0 to ``most``."""

    def whole_of(value: Any) -> int | None:
        if value is None or value == "" or value != value:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise BadValue(f"not a number: {shown(value)}") from None
        if not (0 <= number <= most and number.is_integer()):
            raise BadValue(f"not a whole number from 0 to {most}: {shown(value)}")
        return int(number)

    return whole_of


def entities_of(value: Any) -> tuple[str, ...]:
    """Names from a list, or from a text that is a JSON list."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise BadValue(f"not a JSON list: {shown(value)}") from None
    if not isinstance(value, list) or not all(isinstance(entity, str | int) for entity in value):
        raise BadValue(f"not a list of texts: {shown(value)}")
    return tuple(clean_text(str(entity)) for entity in value)


def moment_before(latest: int) -> Convert:
    """Make the converter for times.

    Args:
        latest: int ms UTC; a later time is refused.

    Returns:
        A function from an epoch number (seconds or milliseconds, told apart by size), an ISO 8601 text, an RFC 2822
        text or a datetime to int milliseconds UTC. A time without a zone is UTC.
    """

    def moment_of(value: Any) -> int | None:
        if type(value) is not int or value < SECONDS_BELOW:  # the frequent case first: milliseconds
            if value is None or value == "":
                return None
            value = _milliseconds(value)
        if value > latest:
            raise BadValue(f"a time in the future: {_iso(value)}")
        return int(value)

    return moment_of


def context_of(names: tuple[str, ...], *values: Any) -> str | None:
    """The text of a JSON object from names and values, those without a value left out."""
    try:
        return _context(names, *values)
    except TypeError:  # a list or an object inside: too rare to be worth a place in the cache
        return _context.__wrapped__(names, *values)


# typed: 1, 1.0 and True are equal to a cache, and not the same to a reader.
@lru_cache(maxsize=65_536, typed=True)
def _context(names: tuple[str, ...], *values: Any) -> str | None:
    pairs = zip(names, values, strict=True)
    return context_text({clean_text(name): value for name, value in pairs if value is not None and value != ""})


def context_text(value: Any) -> str | None:
    """The text of a JSON object from an object, or from such a text."""
    if not value:
        return None
    try:
        value = json.loads(value) if isinstance(value, str) else value
        text = compact_json(value)
    except (ValueError, TypeError, RecursionError):
        raise BadValue(f"not a JSON object: {shown(value)}") from None
    if not isinstance(value, dict):
        raise BadValue(f"not a JSON object: {shown(value)}")
    if len(text) > MAX_CONTEXT:
        raise BadValue(f"a context of {len(text):,} characters; at most {MAX_CONTEXT:,}")
    return text


def shown(value: Any) -> str:
    """A value, short and in ASCII, for a reason."""
    return ascii(value)[:80]


def _milliseconds(value: Any) -> int | float:
    if isinstance(value, datetime | date):
        return _of_datetime(value)
    number = _number(value)
    if number is None:
        return _of_datetime(_parsed(value))
    if isinstance(number, float) and not math.isfinite(number):
        raise BadValue(f"not a time: {shown(value)}")
    if number < 0:
        raise BadValue(f"a negative time: {shown(value)}")
    return int(number * 1000) if number < SECONDS_BELOW else int(number)


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        raise BadValue(f"not a time: {shown(value)}")
    if isinstance(value, int | float):
        return value
    try:
        return int(value) if str(value).isdigit() else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _parsed(value: Any) -> datetime:
    if isinstance(value, str):
        for parse in (datetime.fromisoformat, parsedate_to_datetime):
            try:
                return parse(value.strip())
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
    raise BadValue(f"not a time (epoch, ISO 8601 or RFC 2822): {shown(value)}")


def _of_datetime(value: date) -> int:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    milliseconds = int(moment.timestamp() * 1000)
    if milliseconds < 0:
        raise BadValue(f"a time before 1970: {value.isoformat()}")
    return milliseconds


def _iso(milliseconds: int) -> str:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{shown(milliseconds)} ms"
