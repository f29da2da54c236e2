"""``field=column,…``: which column of a file becomes which field of an article or event."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from recsys.config import nearest
from recsys.errors import ImportRefused

CONTEXT = "context."
MAX_SHOWN = 500  # characters of a map in a log line
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


class Source(NamedTuple):
    """Where a field comes from: a column of the file, or the same text in every row.

    Attributes:
        column: name of the column.
        constant: the text.
        is_address: the column holds an article's address instead of its id (``article=@url``).
    """

    column: str | None
    constant: str | None
    is_address: bool = False


Mapping = dict[str, Source]


def parse_map(texts: Iterable[str]) -> Mapping:
    """Read the ``--map`` options.

    Args:
        texts: each ``field=column`` or ``field=:constant``, or several with commas between them.

    Returns:
        The source of each field.

    Raises:
        ImportRefused: an entry has no ``=``, or a field is given twice or is unknown.
    """
    mapping: Mapping = {}
    for entry in (entry.strip() for text in texts for entry in text.split(",")):
        if not entry:
            continue
        field, equals, column = (part.strip() for part in entry.partition("="))
        if not equals or not field or not column:
            raise ImportRefused("field=column or field=:constant", repr(entry), "For example --map time=clicked_at.")
        known = {*ARTICLE_FIELDS, *EVENT_FIELDS}
        if field not in known and not (field.startswith(CONTEXT) and field != CONTEXT):
            raise ImportRefused("a field of an article or an event", repr(field), nearest(field, known))
        if field in mapping:
            raise ImportRefused("each field once", f"{field!r} twice", "Remove one of them.")
        mapping[field] = _source(column)
    return mapping


def _source(text: str) -> Source:
    if text.startswith(":"):
        return Source(None, text[1:])
    return Source(text[1:], None, is_address=True) if text.startswith("@") else Source(text, None)


def kind_of_records(mapping: Mapping, names: Sequence[str]) -> str:
    """Whether a file holds ``articles``, ``events`` (a kind in each row) or ``clicks``, by the fields it can fill."""
    have = {*mapping, *names}
    if "article" in have:
        return "events" if "kind" in have else "clicks"
    return "articles"


def complete(mapping: Mapping, names: Sequence[str], kind: str, is_open: bool) -> Mapping:
    """Check the map against a file's columns, and add the fields that have a column of their own name.

    Args:
        mapping: what was asked for.
        names: the file's columns.
        kind: articles, events or clicks.
        is_open: later rows may have columns beside those named; a file without times is then told by its first rows.

    Returns:
        The source of every field that the file can fill.

    Raises:
        ImportRefused: a column is not there (the nearest one is named), a field is of the other kind of record, or
            one that every record needs is missing.
    """
    fields = ARTICLE_FIELDS if kind == "articles" else EVENT_FIELDS
    for field, source in mapping.items():
        if field not in fields and not (kind != "articles" and field.startswith(CONTEXT)):
            raise ImportRefused(f"a field of {kind}", repr(field), nearest(field, fields))
        if source.column is not None and source.column not in names:
            raise ImportRefused(
                f"a column for {field!r}", f"no column {source.column!r}", nearest(source.column, names)
            )
    own = [field for field in fields if field in names or (is_open and field != "time")]
    if any(field.startswith(CONTEXT) for field in mapping):
        own = [field for field in own if field != "context"]
    whole = {field: Source(field, None) for field in own} | mapping
    if kind == "clicks":
        whole["kind"] = Source(None, "click")
    needed = ("kind", "article") if kind != "articles" else () if _names_articles(mapping, names) else ("title",)
    for field in needed:
        if field not in names and whole.get(field, Source(field, None)) == Source(field, None):
            raise ImportRefused(
                f"a column for {field!r}, which {kind} need",
                f"the columns {', '.join(names)[:300]}",
                f"Say which it is with --map {field}=COLUMN; if a CSV file's first line names no columns, count them: "
                f"--no-header --map {field}=2.",
            )
    return whole


def _names_articles(mapping: Mapping, names: Sequence[str]) -> bool:
    """Whether rows say which article they are of, so that they can correct one without its title."""
    return any(field in mapping or field in names for field in ("id", "url"))


def shown_map(mapping: Mapping, names: Sequence[str]) -> str:
    """A map as ``--map`` would say it, without the fields that no column fills, and the columns that fill none."""
    used = {field: source for field, source in mapping.items() if source.column is None or source.column in names}
    text = ",".join(f"{field}={_shown(source)}" for field, source in used.items())
    left = [name for name in names if name not in {source.column for source in used.values()}]
    return f"{text}; unused: {', '.join(left)}"[:MAX_SHOWN] if left else text[:MAX_SHOWN]


def _shown(source: Source) -> str:
    return f":{source.constant}" if source.column is None else f"{'@' * source.is_address}{source.column}"
