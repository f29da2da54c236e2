"""One value of a file -> one value of an article or event; what cannot be one raises ``BadValue`` with the reason."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any

from recsys.errors import BadReader
from recsys.missing import is_missing
from recsys.store import Kind, clean_text, compact_json, normal_id
from recsys.store.addresses import normal_address
from recsys.times import EARLIEST

Convert = Callable[[Any], Any]
LATEST_STORABLE_MS = 253_402_300_799_000  # the end of the year 9999, ms UTC: what databases and datetimes can hold
MAX_CONTEXT = 4096  # characters of one event's context
_KINDS = {kind.value: kind for kind in Kind}
# Words of databases (-1 of Access and Visual Basic), and of the content systems WordPress, Drupal, Ghost and Strapi.
_TRUE = frozenset(("1", "-1", "true", "yes", "y", "t", "on"))
_FALSE = frozenset(("", "0", "false", "no", "n", "f", "off"))
HIDDEN_STATES = frozenset(
    ("hidden", "draft", "auto-draft", "unpublished", "private", "trash", "trashed", "deleted", "removed")
)
HIDDEN_STATES |= frozenset(("archived", "pending", "future", "scheduled", "withdrawn", "retracted", "expired"))
VISIBLE_STATES = frozenset(("visible", "shown", "published", "publish", "public", "live"))


@dataclass(frozen=True)
class ParseOptions:
    """Options of reading values that do not say it themselves.

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
    latest: int = LATEST_STORABLE_MS
    base_url: str = ""
    dwell_unit_ms: int = 1
    language: str | None = None


class BadValue(ValueError):
    """A value that cannot be used; the text is the reason."""


def id_of(value: Any) -> str | None:
    """An identifier in its normal form, or None when there is none."""
    if type(value) is int:
        return str(value)
    try:
        return normal_id(value)
    except BadReader as error:
        raise BadValue(f"not an identifier: {error.got}") from None


def address_of(value: Any) -> str | None:
    """An article's address in its normal form."""
    if is_missing(value):
        return None
    address = normal_address(value) if isinstance(value, str) else None
    if address is None:
        raise BadValue(f"not a web address: {shown(value)}")
    return address


def kind_of(value: Any) -> Kind | None:
    """A kind of event by its name."""
    if is_missing(value):
        return None
    kind = _KINDS.get(str(value).strip().lower())
    if kind is None:
        raise BadValue(f"not a kind of event ({', '.join(_KINDS)}): {shown(value)}")
    return kind


def flag_of(value: Any) -> bool:
    """Yes or no, in the words of databases and content systems."""
    text = "" if is_missing(value) else str(value).strip().lower()
    text = text.removesuffix(".0")  # what a data frame makes of a column with gaps
    if text in _TRUE or text in HIDDEN_STATES:
        return True
    if text in _FALSE or text in VISIBLE_STATES:
        return False
    raise BadValue(f"not yes or no: {shown(value)}")


def whole(most: int, unit: float = 1) -> Convert:
    """Make the converter for whole numbers from 0 to ``most``.

    Args:
        most: the largest one.
        unit: what 1 in the file is; other than 1, the product is rounded.
    """

    def whole_of(value: Any) -> int | None:
        if is_missing(value):
            return None
        try:
            number = float(value) * unit
        except (TypeError, ValueError, OverflowError):
            raise BadValue(f"not a number: {shown(value)}") from None
        if unit != 1 and math.isfinite(number):
            number = round(number)
        if isinstance(value, bool) or not 0 <= number <= most or number != int(number):
            raise BadValue(f"not a whole number from 0 to {most}: {shown(value)}")
        return int(number)

    return whole_of


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
    return context_text({clean_text(name): value for name, value in pairs if not is_missing(value)})


def context_text(value: Any) -> str | None:
    """The text of a JSON object from an object, or from such a text."""
    if not value or is_missing(value):
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
