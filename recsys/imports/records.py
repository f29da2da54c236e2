"""Batches of columns -> articles and events, with the reason for each row that cannot be one."""

import hashlib
from functools import partial
from typing import Any

from recsys.imports import values
from recsys.imports.mapping import ARTICLE_FIELDS, CONTEXT, EVENT_FIELDS, Mapping
from recsys.imports.tables import Batch, Reject
from recsys.imports.values import BadValue, Convert
from recsys.store import Article, Event

ID_BYTES = 10  # 80 bits: among a thousand million rows of one millisecond the chance of two alike is 4 in 10 million
MAX_DWELL_MS = 2**31 - 1
MAX_POSITION = 2**15 - 1
TIME = Event._fields.index("time")
Columns = dict[str, list[Any]]


class Records:
    """Turns batches into records by a map.

    Args:
        mapping: the source of each field; see ``mapping.complete``.
        site: the site that the records belong to.
        latest: int ms UTC; a later time is refused.
    """

    def __init__(self, mapping: Mapping, site: str, latest: int) -> None:
        self.mapping, self.site = mapping, site
        self.wanted = sorted({source.column for source in mapping.values() if source.column is not None})
        self._converts = converters(latest)

    def articles(self, batch: Batch, reject: Reject) -> list[Article]:
        """The articles of a batch."""
        columns = self._converted(batch, ARTICLE_FIELDS, ("title",), reject)
        ids = map(article_id, columns["id"], columns["url"], columns["title"])
        rest = [columns[field] for field in ARTICLE_FIELDS if field not in ("id", "title", "body")]
        bodies = (body or "" for body in columns["body"])
        return [
            Article(id, self.site, title, body, *others)
            for id, title, body, *others in zip(ids, columns["title"], bodies, *rest, strict=True)
        ]

    def events(self, batch: Batch, reject: Reject) -> list[Event]:
        """The events of a batch."""
        required = ("kind", "article", "time") if "time" in self.mapping else ("kind", "article")
        columns = self._converted(batch, EVENT_FIELDS, required, reject)
        columns["site"] = [self.site] * len(columns["kind"])
        rows = zip(*(columns[field] for field in Event._fields), strict=True)
        if "event_id" in self.mapping:
            return [Event._make(row) if row[0] else event_of(row) for row in rows]
        return list(map(event_of, rows))

    def _converted(self, batch: Batch, fields: tuple[str, ...], required: tuple[str, ...], reject: Reject) -> Columns:
        problems: dict[int, str] = {}
        size = len(batch.lines)
        columns = {field: self._column(field, batch, size, problems) for field in fields if field != "context"}
        if "context" in fields:
            columns["context"] = self._contexts(batch, size, problems)
        for field in required:
            if None in columns[field]:
                for i in (i for i, value in enumerate(columns[field]) if value is None):
                    problems.setdefault(i, f"no {field}")
        for i in sorted(problems):
            reject(batch.lines[i], problems[i], batch.row(i))
        if problems:
            keep = [i for i in range(size) if i not in problems]
            columns = {field: [column[i] for i in keep] for field, column in columns.items()}
        return columns

    def _column(self, field: str, batch: Batch, size: int, problems: dict[int, str]) -> list[Any]:
        source, convert = self.mapping.get(field), self._converts[field]
        if source is None or source.column is None:
            return [convert(source.constant if source else None)] * size
        return _each(convert, [batch.columns[source.column]], field, problems)

    def _contexts(self, batch: Batch, size: int, problems: dict[int, str]) -> list[str | None]:
        parts = {field[len(CONTEXT) :]: source for field, source in self.mapping.items() if field.startswith(CONTEXT)}
        if "context" in self.mapping:
            return self._column("context", batch, size, problems)
        if not parts:
            return [None] * size
        columns = [batch.columns[part.column] if part.column else [part.constant] * size for part in parts.values()]
        return _each(partial(values.context_of, tuple(parts)), columns, "context", problems)


def converters(latest: int) -> dict[str, Convert]:
    """How the value of each field is read.

    Args:
        latest: int ms UTC; a later time of an event or a publication is refused.
    """
    texts = ("title", "body", "source", "category", "subcategory")
    identifiers = ("id", "event_id", "article", "reader", "session", "slot", "impression")
    return {
        **dict.fromkeys(texts, values.text_of),
        **dict.fromkeys(identifiers, values.id_of),
        **dict.fromkeys(("url", "image"), values.link_of),
        **dict.fromkeys(("time", "published_at"), values.moment_before(latest)),
        "expires_at": values.moment_before(values.FAR),
        "language": values.language_of,
        "entities": values.entities_of,
        "hidden": values.flag_of,
        "kind": values.kind_of,
        "position": values.whole(MAX_POSITION),
        "dwell_ms": values.whole(MAX_DWELL_MS),
        "context": values.context_text,
    }


def article_id(id: str | None, url: str | None, title: str) -> str:
    """An article's identifier: its own, or a hash of its address, or a hash of its title."""
    return id or _digest(url or title)


def event_of(row: tuple[Any, ...]) -> Event:
    """An event whose identifier is made of its other fields, so that the same row gives the same one each time.

    The time comes first in it: identifiers that grow keep the unique index of the database narrow, which makes an
    import in the order of time almost twice as fast.

    Args:
        row: the fields of an ``Event``; the first one is not looked at.
    """
    rest = row[1:]
    return Event._make((f"{row[TIME] or 0:011x}{_digest(repr(rest))}", *rest))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=ID_BYTES).hexdigest()


def _each(convert: Convert, columns: list[list[Any]], field: str, problems: dict[int, str]) -> list[Any]:
    try:
        return list(map(convert, *columns))
    except BadValue:
        pass  # at least one row cannot be used: once more, one by one
    converted = []
    for i, row in enumerate(zip(*columns, strict=True)):
        try:
            converted.append(convert(*row))
        except BadValue as reason:
            problems.setdefault(i, f"{field}: {reason}")
            converted.append(None)
    return converted
