"""Bounds of an article's fields, at the one door that every input passes: imports, feeds, the API, the demo.

Reads the fields of a patch; produces the same within bounds, and what was done. A title of four megabytes would stand
on everybody's front page and in every answer, and a body of fifty would stop the worker that looks for its keywords.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

# Far above what newsrooms write: a headline has 50 to 100 characters, a long report 60,000.
MAX_TITLE = 500
MAX_BODY = 200_000
MAX_ADDRESS = 2_048  # what browsers and proxies take
MAX_NAME = 200  # of a source, a category, an entity
MAX_LANGUAGE = 35  # the longest code that RFC 5646 tells a program to expect
MAX_ENTITIES = 200

_CUT_MARK = "…"
_NEAR_END = 0.9  # a blank after this share of a text is where it is cut


class BoundedFields(NamedTuple):
    """Fields within bounds, and by field what was done to its value, such as "cut to 500 characters"."""

    fields: Mapping[str, Any]
    repaired: dict[str, str]


def bounded(fields: Mapping[str, Any]) -> BoundedFields:
    """The fields of an article within their bounds: texts are cut, addresses left out, for a cut one leads astray.

    Args:
        fields: by the names of an ``Article``'s fields; those that are not there stay so.
    """
    over = {name: bound for name, bound in _BOUNDS.items() if (value := fields.get(name)) and bound.is_over(value)}
    if not over:
        return BoundedFields(fields, {})
    kept = {
        name: over[name].cut(value) if name in over else value
        for name, value in fields.items()
        if name not in over or over[name].cut is not _left_out
    }
    return BoundedFields(kept, {name: bound.says for name, bound in over.items()})


class _Bound(NamedTuple):
    is_over: Callable[[Any], bool]
    cut: Callable[[Any], Any]
    says: str


def _left_out(value: Any) -> None:
    """Nothing: what is stored stays."""


def _text(most: int) -> _Bound:
    return _Bound(lambda text: len(text) > most, lambda text: _cut(text, most), f"cut to {most:,} characters")


def _whole(most: int) -> _Bound:
    return _Bound(lambda text: len(text) > most, _left_out, f"left out, longer than {most:,} characters")


def _cut(text: str, most: int) -> str:
    """The beginning of a text, up to a blank if one is near the end, and a mark that it goes on."""
    kept = text[: most - len(_CUT_MARK)]
    blank = max(kept.rfind(" "), kept.rfind("\n"))
    return (kept[:blank] if blank > len(kept) * _NEAR_END else kept).rstrip() + _CUT_MARK


def _cut_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name[:MAX_NAME] for name in names[:MAX_ENTITIES]))


_BOUNDS = {
    "title": _text(MAX_TITLE),
    "body": _text(MAX_BODY),
    "url": _whole(MAX_ADDRESS),
    "image": _whole(MAX_ADDRESS),
    "source": _text(MAX_NAME),
    "category": _text(MAX_NAME),
    "subcategory": _text(MAX_NAME),
    "language": _whole(MAX_LANGUAGE),
    "entities": _Bound(
        lambda names: len(names) > MAX_ENTITIES or max(map(len, names)) > MAX_NAME,
        _cut_names,
        f"cut to {MAX_ENTITIES} names of {MAX_NAME} characters",
    ),
}
