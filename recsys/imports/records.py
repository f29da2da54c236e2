"""Batches of columns -> patches of articles, and events. A row that can be neither is rejected with its reason."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from recsys.errors import ImportRefused
from recsys.imports import texts, values
from recsys.imports.mapping import ARTICLE_FIELDS, CONTEXT_PREFIX, EVENT_FIELDS, FieldMap, FieldSource
from recsys.imports.moments import NoValue, Order, TimeColumn
from recsys.imports.rejects import RecordTally
from recsys.imports.tables import RowBatch
from recsys.imports.values import BadValue, Convert, ParseOptions
from recsys.missing import is_missing
from recsys.store import ArticlePatch, Event, Kind
from recsys.store.addresses import address_id, made_id, normal_address
from recsys.store.records import title_of
from recsys.times import EARLIEST
from recsys.units import DAY_MS

_MAX_DWELL_MS = 2**31 - 1
_MAX_POSITION = 2**15 - 1
_EMBARGO_MS = 2 * 366 * DAY_MS  # how far ahead a publication may be planned; more is an error
_IMPORTED = tuple(field for field in Event._fields if field != "proof")
_TIME = Event._fields.index("time")
_KIND_TEXT = {kind: repr(kind) for kind in Kind}
_TIMES = ("time", "published_at", "expires_at")
_NEEDED = frozenset(("id", "title", "kind", "article", "time"))  # a bad value of these rejects its row
_LEFT_OUT: Any = object()  # a value that could not be used: what is stored stays
Columns = dict[str, list[Any]]


class PlacedPatch(NamedTuple):
    """A patch, its row in the batch, and a title that is a word for nothing: of a new article it may be the title."""

    row: int
    patch: ArticlePatch
    last_resort: str | None = None

    @property
    def with_last_resort(self) -> ArticlePatch:
        """The patch with that word as its title."""
        return replace(self.patch, fields={**self.patch.fields, "title": self.last_resort})


class RecordBuilder:
    """Turns batches into records by a map.

    Args:
        mapping: the source of each field; see ``mapping.complete``.
        site: the site that the records belong to.
        options: how values are read that do not say it themselves.
        tally: is told of what is rejected, repaired and left out.
        now: int ms UTC.
        addresses: normal address -> id of the articles that the store has; new ones are added.
        order: by the name of a column, whether it writes the day first.
    """

    def __init__(
        self,
        mapping: FieldMap,
        site: str,
        options: ParseOptions,
        tally: RecordTally,
        *,
        now: int,
        addresses: Callable[[], dict[str, str]] = dict,
        order: Callable[[str], bool | None] = lambda column: None,
    ) -> None:
        self.mapping, self.site, self._options, self._tally = mapping, site, options, tally
        self.wanted = sorted({source.column for source in mapping.values() if source.column is not None})
        self.moments = {
            field: TimeColumn(options, field, *_window(field, options, now), now, _order(mapping.get(field), order))
            for field in _TIMES
            if field in mapping
        }
        self._converts = converters(options, tally.repair) | self.moments
        self._load_addresses, self._addresses = addresses, dict[str, str]()
        self._bodies: dict[str, int] = {}
        self._thrown_together = 0

    def articles(self, batch: RowBatch) -> list[PlacedPatch]:
        """The articles of a batch, as patches of the fields that the file has."""
        problems: dict[int, str] = {}
        fields = [field for field in ARTICLE_FIELDS if field in self.mapping]
        columns = {field: self._one_by_one(field, batch, problems) for field in fields}
        placed = []
        for i in range(len(batch.lines)):
            filled = {field: column[i] for field, column in columns.items() if column[i] is not _LEFT_OUT}
            word = self._word(batch, i)
            title = filled.get("title") or title_of(filled.get("body") or "") or word or ""
            id = filled.pop("id", None) or self._made_id(filled, title)
            if i in problems or id is None:
                self._tally.reject(batch.lines[i], problems.get(i, "no title"), batch.row(i))
                continue
            if self._options.language is not None and filled.get("language") is None:
                filled["language"] = self._options.language
            if filled.get("url"):
                self._addresses_by_url().setdefault(normal_address(filled["url"]) or "", id)
            placed.append(PlacedPatch(i, ArticlePatch(id, self.site, filled), word))
        return placed

    def events(self, batch: RowBatch) -> list[Event]:
        """The events of a batch."""
        problems: dict[int, str] = {}
        columns = {field: self._column(field, batch, problems) for field in EVENT_FIELDS if field != "context"}
        columns["context"] = self._contexts(batch, problems)
        for field in ("kind", "article"):
            if None in columns[field]:
                for i in (i for i, value in enumerate(columns[field]) if value is None):
                    problems.setdefault(i, f"no {field}")
        for i in sorted(problems):
            self._tally.reject(batch.lines[i], problems[i], batch.row(i))
        if problems:
            keep = [i for i in range(len(batch.lines)) if i not in problems]
            columns = {field: [column[i] for i in keep] for field, column in columns.items()}
        columns["site"] = [self.site] * len(columns["kind"])
        rows = zip(*(columns[field] for field in _IMPORTED), strict=True)
        if "event_id" in self.mapping:
            return [Event(*row) if row[0] else event_of(row) for row in rows]
        return list(map(event_of, rows))

    def notes(self) -> Iterator[str]:
        """Notes for a person on the columns as a whole: sentences."""
        for moments in self.moments.values():
            yield from moments.notes()
        if self._thrown_together:
            yield (
                f"{self._thrown_together:,} rows without an id or an address have title and date of another row but"
                " another text; they were taken for the same article. Map an id or an address to keep them apart."
            )

    def _word(self, batch: RowBatch, i: int) -> str | None:
        """A title such as "None": mostly nothing, but the headline of an article that has no other."""
        source = self.mapping.get("title")
        value = batch.columns[source.column][i] if source is not None and source.column is not None else None
        return value.strip() or None if isinstance(value, str) and is_missing(value) else None

    def _made_id(self, fields: dict[str, Any], title: str) -> str | None:
        """The identifier of an article without one: by its address, or by title and date."""
        if url := fields.get("url"):
            return self._addresses_by_url().get(normal_address(url) or "") or address_id(url)
        if not title:
            return None
        date = fields.get("published_at")
        id = made_id(title if date is None else f"{title}\n{date}")
        body = hash(fields.get("body") or "")
        self._thrown_together += self._bodies.setdefault(id, body) != body
        return id

    def _addresses_by_url(self) -> dict[str, str]:
        if not self._addresses:
            self._addresses = self._load_addresses()
        return self._addresses

    def _source(self, field: str, batch: RowBatch) -> list[Any]:
        source = self.mapping.get(field)
        if source is None or source.column is None:
            return [source.constant if source else None] * len(batch.lines)
        return batch.columns[source.column]

    def _one_by_one(self, field: str, batch: RowBatch, problems: dict[int, str]) -> list[Any]:
        convert, column = self._converts[field], self.mapping[field].column
        converted = []
        for i, value in enumerate(self._source(field, batch)):
            if value is None and column is not None and not batch.has(i, column):
                converted.append(_LEFT_OUT)
                continue
            try:
                converted.append(convert(value))
            except BadValue as reason:
                converted.append(self._unusable(field, i, reason, problems))
        return converted

    def _column(self, field: str, batch: RowBatch, problems: dict[int, str]) -> list[Any]:
        source, convert = self.mapping.get(field), self._converts[field]
        if source is None or source.column is None:
            return [_constant(field, source, convert)] * len(batch.lines)
        if source.is_address:
            convert = self._resolved
        return self._each(convert, [batch.columns[source.column]], field, problems)

    def _resolved(self, value: Any) -> str | None:
        """The id of the article with an address; an article that comes later is found by the one that is made here."""
        address = values.address_of(value)
        return None if address is None else self._addresses_by_url().get(address) or made_id(address)

    def _contexts(self, batch: RowBatch, problems: dict[int, str]) -> list[str | None]:
        parts = {
            field[len(CONTEXT_PREFIX) :]: source
            for field, source in self.mapping.items()
            if field.startswith(CONTEXT_PREFIX)
        }
        if "context" in self.mapping:
            return self._column("context", batch, problems)
        if not parts:
            return [None] * len(batch.lines)
        columns = [
            batch.columns[part.column] if part.column else [part.constant] * len(batch.lines) for part in parts.values()
        ]
        return self._each(partial(values.context_of, tuple(parts)), columns, "context", problems)

    def _each(self, convert: Convert, columns: list[list[Any]], field: str, problems: dict[int, str]) -> list[Any]:
        try:
            if isinstance(convert, TimeColumn):
                return convert.column(columns[0])
            return list(map(convert, *columns))
        except BadValue:
            pass  # at least one row cannot be used: once more, one by one
        converted = []
        for i, row in enumerate(zip(*columns, strict=True)):
            try:
                converted.append(convert(*row))
            except BadValue as reason:
                self._unusable(field, i, reason, problems)
                converted.append(None)
        return converted

    def _unusable(self, field: str, i: int, reason: BadValue, problems: dict[int, str]) -> Any:
        """A needed value rejects its row; a time of an event too, since the row can be imported with the remedy."""
        if field in _NEEDED and not isinstance(reason, NoValue):
            problems.setdefault(i, f"{field}: {reason}")
        else:
            self._tally.repair(field, f"left out, {reason}")
        return _LEFT_OUT


def converters(options: ParseOptions, repair: Callable[[str, str], None]) -> dict[str, Convert]:
    """Converter of each field's value; those of times are in ``RecordBuilder.moments``.

    Args:
        options: how values are read that do not say it themselves.
        repair: takes a field and what was done to its value.
    """
    identifiers = ("id", "event_id", "article", "reader", "session", "slot", "impression")
    links = {field: texts.link_of(options.base_url, partial(repair, field)) for field in ("url", "image")}
    names = {field: texts.name_of(partial(repair, field)) for field in ("category", "subcategory", "source")}
    return {
        **dict.fromkeys(identifiers, values.id_of),
        **dict.fromkeys(_TIMES, lambda value: None),
        **links,
        **names,
        "title": texts.plain_of(partial(repair, "title")),
        "body": texts.plain_of(partial(repair, "body"), paragraphs=True),
        "language": texts.language_of,
        "entities": texts.entities_of,
        "hidden": values.flag_of,
        "kind": values.kind_of,
        "position": values.whole(_MAX_POSITION),
        "dwell_ms": values.whole(_MAX_DWELL_MS, options.dwell_unit_ms),
        "context": values.context_text,
    }


def event_of(row: tuple[Any, ...]) -> Event:
    """An event whose identifier is made of its other fields, so that the same row gives the same one each time.

    The time comes first in it: identifiers that grow keep the unique index of the database narrow, which makes an
    import in the order of time almost twice as fast.

    Args:
        row: the fields of an ``Event`` but its proof, for an import needs none; the first one is not looked at.
    """
    text = f"({row[1]!r}, {_KIND_TEXT[row[2]]}, {repr(row[3:])[1:]}"  # repr(row[1:]), in two thirds of the time
    return Event(f"{row[_TIME] or 0:011x}{made_id(text)}", *row[1:])


def clicks_by_article(events: list[Event]) -> Counter[str]:
    """Clicks of each article."""
    return Counter(event.article for event in events if event.kind is Kind.CLICK)


def _window(field: str, options: ParseOptions, now: int) -> tuple[int, int]:
    if field == "time":
        return options.earliest, options.latest
    return EARLIEST, now + _EMBARGO_MS if field == "published_at" else values.LATEST_STORABLE_MS


def _order(source: FieldSource | None, order: Callable[[str], bool | None]) -> Order:
    column = source.column if source else None
    return (lambda: None) if column is None else partial(order, column)


def _constant(field: str, source: FieldSource | None, convert: Convert) -> Any:
    try:
        return convert(source.constant if source else None)
    except BadValue as reason:
        raise ImportRefused(f"a value for {field!r}", str(reason), "Correct --map.") from None
