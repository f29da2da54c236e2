"""``field=column,…``: the column of a file that fills each field of an article or event."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from recsys.errors import ImportRefused
from recsys.names import nearest

CONTEXT_PREFIX = "context."
_MAX_SHOWN = 500  # characters of a map in a log line
ARTICLE_FIELDS = (
    "id",
    "title",
    "body",
    "url",
    "image",
    "source",
    "language",
    "category",
    "subcategory",
    "entities",
    "published_at",
    "expires_at",
    "hidden",
)
EVENT_FIELDS = (
    "event_id",
    "kind",
    "article",
    "reader",
    "session",
    "time",
    "slot",
    "position",
    "impression",
    "dwell_ms",
    "context",
)
# Beside an article: whether it was shown, whether it was clicked. Without one: lists of articles, as is a history.
UNFOLDED_FIELDS = ("shown", "clicked", "history", "history_time")
RECORD_KINDS = ("articles", "events", "clicks", "both")


class FieldSource(NamedTuple):
    """Source of a field: a column of the file, or the same text in every row.

    Attributes:
        column: name of the column.
        constant: the text.
        is_address: the column holds an article's address instead of its id (``article=@url``).
    """

    column: str | None
    constant: str | None
    is_address: bool = False


FieldMap = dict[str, FieldSource]
ValueMaps = dict[str, dict[str, str]]  # field -> value of the file -> value of ours


class MapOption(NamedTuple):
    """Content of ``--map``: the source of each field, and for some fields the meaning of their values."""

    fields: FieldMap
    values: ValueMaps


def parse_map(texts: Iterable[str]) -> MapOption:
    """Read the ``--map`` options.

    Args:
        texts: each ``field=column``, ``field=:constant`` or ``field.VALUE=value``, or several with commas between.

    Returns:
        The source of each field, and the meaning of the values that are given one.

    Raises:
        ImportRefused: an entry has no ``=``, or a field is given twice or is unknown.
    """
    option = MapOption({}, {})
    fields = {*ARTICLE_FIELDS, *EVENT_FIELDS, *UNFOLDED_FIELDS}
    for entry in (entry.strip() for text in texts for entry in text.split(",")):
        if not entry:
            continue
        field, equals, column = (part.strip() for part in entry.partition("="))
        if not equals or not field or not column:
            raise ImportRefused("field=column or field=:constant", repr(entry), "For example --map time=clicked_at.")
        name, dot, value = field.partition(".")
        if dot and value and name in fields and name != "context":
            option.values.setdefault(name, {})[value.casefold()] = column
            continue
        if field not in fields and not (field.startswith(CONTEXT_PREFIX) and field != CONTEXT_PREFIX):
            raise ImportRefused("a field of an article or an event", repr(field), nearest(field, fields))
        if field in option.fields:
            raise ImportRefused("each field once", f"{field!r} twice", "Remove one of them.")
        option.fields[field] = _source(column)
    return option


def _source(text: str) -> FieldSource:
    if text.startswith(":"):
        return FieldSource(None, text[1:])
    return FieldSource(text[1:], None, is_address=True) if text.startswith("@") else FieldSource(text, None)


def kind_of_records(mapping: FieldMap, names: Sequence[str]) -> str:
    """Kind of records in a file, by the fields it can fill: ``articles``, ``events`` (a kind each) or ``clicks``."""
    have = {*mapping, *names}
    if "article" in have:
        return "events" if have & {"kind", "shown", "clicked"} else "clicks"
    lists = have & {"shown", "clicked", "history"}
    return "events" if lists and "title" not in have else "articles"


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields that a kind of record has, and those that lists of a row are unfolded into it by."""
    if kind == "both":  # the article is the event's
        return (*EVENT_FIELDS, *(field for field in ARTICLE_FIELDS if field != "id"))
    return ARTICLE_FIELDS if kind == "articles" else (*EVENT_FIELDS, *UNFOLDED_FIELDS)


def complete(given: FieldMap, names: Sequence[str], kind: str, is_open: bool) -> FieldMap:
    """Check the map against a file's columns, and add the fields that have a column of their own name.

    Args:
        given: the source of each field that ``--map`` names.
        names: the file's columns.
        kind: articles, events, clicks, or both (each row an event and its article).
        is_open: later rows may have columns beside those named; a file without times is then told by its first rows.

    Returns:
        The source of every field that the file can fill.

    Raises:
        ImportRefused: a column is not there (the nearest one is named), or a field is of the other kind of record.
    """
    fields = fields_of(kind)
    for field, source in given.items():
        if field not in fields and not (kind != "articles" and field.startswith(CONTEXT_PREFIX)):
            raise ImportRefused(f"a field of {kind}", repr(field), nearest(field, fields))
        if source.column is not None and source.column not in names:
            raise ImportRefused(
                f"a column for {field!r}", f"no column {source.column!r}", nearest(source.column, names)
            )
    told_by_rows = ("time", *UNFOLDED_FIELDS)
    own = [field for field in fields if field in names or (is_open and field not in told_by_rows)]
    if any(field.startswith(CONTEXT_PREFIX) for field in given):
        own = [field for field in own if field != "context"]
    whole = {field: FieldSource(field, None) for field in own} | given
    if "article" not in given and "article" not in names and whole.keys() & {"shown", "clicked", "history"}:
        whole.pop("article", None)  # each row has lists of them
    if kind == "clicks" and not whole.keys() & {"shown", "clicked", "history"}:
        whole["kind"] = FieldSource(None, "click")
    return whole


def missing(mapping: FieldMap, names: Sequence[str], kind: str) -> str:
    """A field that the records need and no column can fill; empty if there is none."""
    filled = {field for field, source in mapping.items() if source.column is None or source.column in names}
    if kind == "articles":
        needed: tuple[str, ...] = () if filled & {"id", "url"} else ("title",)
    elif "article" not in filled and filled & {"shown", "clicked", "history"}:
        needed = ()
    elif kind == "both" or filled & {"shown", "clicked"}:
        needed = ("article",)
    else:
        needed = ("article", "kind")
    return next((field for field in needed if field not in filled), "")


def shown_map(mapping: FieldMap, values: ValueMaps, names: Sequence[str]) -> str:
    """A map as ``--map`` would say it, without the fields that no column fills, and the columns that fill none."""
    used = {field: source for field, source in mapping.items() if source.column is None or source.column in names}
    entries = [f"{field}={written(source)}" for field, source in used.items()]
    entries += [f"{field}.{value}={ours}" for field, meanings in values.items() for value, ours in meanings.items()]
    text = ",".join(entries)
    left = [name for name in names if name not in {source.column for source in used.values()}]
    return f"{text}; unused: {', '.join(left)}"[:_MAX_SHOWN] if left else text[:_MAX_SHOWN]


def written(source: FieldSource) -> str:
    """A source as ``--map`` says it."""
    return f":{source.constant}" if source.column is None else f"{'@' * source.is_address}{source.column}"
