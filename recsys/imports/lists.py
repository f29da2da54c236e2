"""A value that stands for several -> a list: of Parquet and JSON, or written out in a cell of a table."""

import json
import re
from typing import Any

from recsys.imports.values import BadValue, shown
from recsys.missing import is_missing

_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)"|([^\s,'"]+)""")  # how Python and NumPy print the elements of a list
_SEPARATORS = "|;,"
_ID_KEYS = ("id", "article", "article_id", "articleId", "item_id", "itemId", "news_id", "content_id")
_CUT = ("...", "…")
_SEVERAL = re.compile(r"[\w.-]*\d[\w.-]*(?:\s*[\s,;|]\s*[\w.-]*\d[\w.-]*)+")  # words of which each has a digit
_BETWEEN = re.compile(r"[\s,;|]")


def list_of(value: Any) -> list[Any]:
    """The elements of a list.

    Args:
        value: a list, or one as JSON, Python, NumPy or PostgreSQL write it, or its elements with blanks, commas,
            semicolons or bars between them; one identifier is a list of one.

    Raises:
        BadValue: it cannot be a list, or it was cut short when it was printed.
    """
    if isinstance(value, list | tuple):
        return [_element(element) for element in value if not _is_absent(element)]
    if is_missing(value):
        return []
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadValue(f"not a list: {shown(value)}")
    return [element for element in _written(value) if not is_missing(element)] if isinstance(value, str) else [value]


def aligned_list(value: Any) -> list[Any] | None:
    """The elements of a list that stand beside those of another, those that are nothing too; None if it is none."""
    if isinstance(value, list | tuple):
        return list(value)
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] == "[":
        return _bracketed(text)
    separator = next((mark for mark in _SEPARATORS if mark in text), None)
    if separator is None and not re.fullmatch(r"\d+(\s+\d+)+", text):  # a time may have blanks inside
        return None
    return [part.strip() for part in text.split(separator)]


def is_several(value: Any) -> bool:
    """True if a value that should be one identifier is a list of them, such as ``90 91 92``."""
    if isinstance(value, str):
        text = value.strip()
        return (text[:1] == "[" and text[-1:] == "]") or (
            bool(_BETWEEN.search(text)) and bool(_SEVERAL.fullmatch(text))
        )
    return isinstance(value, list | tuple)


def _written(text: str) -> list[Any]:
    text = text.strip()
    if text[0] in "[({":
        return [_element(element) for element in _bracketed(text)]
    separator = next((mark for mark in _SEPARATORS if mark in text), None)
    elements = [part.strip() for part in text.split(separator)]
    if any(element in _CUT for element in elements):
        raise BadValue(f"a list that was cut short: {shown(text)}")
    return elements


def _bracketed(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = [next(filter(None, groups), "") for groups in _QUOTED.findall(text[1:-1])]
    if not isinstance(value, list):
        if value:
            raise BadValue(f"not a list: {shown(text)}")
        return []  # {}, as PostgreSQL writes an empty one
    if any(element in _CUT for element in value):
        raise BadValue(f"a list that was cut short: {shown(text)}")
    return value


def _element(value: Any) -> Any:
    """An element's identifier, if it is an object that has one."""
    if isinstance(value, dict):
        key = next((key for key in _ID_KEYS if key in value), None)
        if key is None:
            raise BadValue(f"a list of objects without {', '.join(_ID_KEYS[:3])}: {shown(value)}")
        return value[key]
    if isinstance(value, list | tuple):
        raise BadValue(f"a list of lists: {shown(value)}")
    return value


def _is_absent(value: Any) -> bool:
    return not isinstance(value, list | tuple | dict) and is_missing(value)
