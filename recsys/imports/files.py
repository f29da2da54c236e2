"""The imports themselves: open, check, turn into records, write batch by batch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from recsys.config import Section
from recsys.errors import ImportRefused
from recsys.imports.formats import opened
from recsys.imports.jsonl import JsonTable
from recsys.imports.mapping import (
    ARTICLE_FIELDS,
    EVENT_FIELDS,
    Mapping,
    complete,
    kind_of_records,
    parse_map,
    shown_map,
)
from recsys.imports.mind import Behaviors, article_of
from recsys.imports.records import Records
from recsys.imports.rejects import Summary, Tally
from recsys.imports.sources import UTF8, Line, TextSource
from recsys.imports.tables import Limits, has_text
from recsys.imports.values import MINUTE_MS, BadValue, moment_before
from recsys.store import Article, Event, Store, Written
from recsys.store.engine import now_ms

Made = TypeVar("Made")
Progress = Callable[[int, int], None]  # done and total, in bytes of a text file or rows of a Parquet file
KINDS = ("articles", "events", "clicks")


class ImportsConfig(Section):
    """What an import holds in memory at once, and what it takes for an error."""

    batch_rows: int = Field(50_000, ge=1)
    cache_mib: int = Field(256, ge=2, le=65_536)
    batch_bytes: int = Field(16_000_000, ge=1_000)
    max_line_bytes: int = Field(4_000_000, ge=1_000)
    max_future_minutes: int = Field(10, ge=0)


def _time_or_before(event: Event) -> int:
    return -1 if event.time is None else event.time


def _silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Target:
    """Where an import writes.

    Attributes:
        store: the database.
        site: the site that the records belong to.
        rejects: folder for files of rejected rows.
        config: the limits.
        dry_run: write nothing but the rejects.
        progress: called after each batch.
    """

    store: Store
    site: str
    rejects: Path
    config: ImportsConfig = field(default_factory=ImportsConfig)
    dry_run: bool = False
    progress: Progress = _silent

    @property
    def limits(self) -> Limits:
        """The limits of memory."""
        return Limits(self.config.batch_rows, self.config.batch_bytes, self.config.max_line_bytes)

    @property
    def latest(self) -> int:
        """The latest time that is not taken for an error: int ms UTC."""
        return now_ms() + self.config.max_future_minutes * MINUTE_MS

    def put(self, records: Sequence[Article]) -> Written:
        """Write articles, or say what would happen."""
        return self.store.preview_articles(records) if self.dry_run else self.store.put_articles(records)

    def add(self, records: Sequence[Event]) -> Written:
        """Write events in the order of time, undated ones first and as they came; or say what would happen.

        The importers' identifiers begin with the time, so this is also the order of the database's unique index, and
        an index that is filled in its own order is filled fastest.
        """
        records = sorted(records, key=_time_or_before)
        return self.store.preview_events(records) if self.dry_run else self.store.add_events(records)


def import_file(
    target: Target,
    path: Path,
    format: str,
    maps: Iterable[str] = (),
    kind: str | None = None,
    encoding: str = UTF8,
    *,
    has_header: bool = True,
    records: str | None = None,
) -> Summary:
    """Import a CSV, JSON or Parquet file.

    Args:
        target: where to.
        path: the file.
        format: ``csv``, ``jsonl`` or ``parquet``.
        maps: ``field=column`` or ``field=:constant``, several with commas; a field with a column of its own name
            needs none. ``context.NAME=column`` adds to an event's context.
        kind: ``articles``, ``events`` or ``clicks``; by default what the columns can fill.
        encoding: of a text file without a byte order mark.
        has_header: of CSV: the first line names the columns; else they are called by their numbers from 1.
        records: of JSON: keys with dots between them that lead from a wrapper object to the list of records.

    Raises:
        ImportRefused: the file is empty, of another format or damaged, or the map does not fit its columns.
    """
    if kind is not None and kind not in KINDS:
        raise ImportRefused(f"one of {', '.join(KINDS)}", repr(kind), "Correct --kind.")
    asked = parse_map(maps)
    with (
        opened(path, format, encoding, target.limits, has_header=has_header, records=records) as table,
        Tally(target.rejects, path.name, target.dry_run) as tally,
    ):
        if isinstance(table, JsonTable):
            fields = {source.column or field for field, source in asked.items()} | {*ARTICLE_FIELDS, *EVENT_FIELDS}
            table.refuse_wrapper(fields, [_column(asked, field) for field in ("title", "article")])
        kind = kind or kind_of_records(asked, table.names)
        mapping = complete(asked, table.names, kind, table.is_open)
        tally.records, tally.mapping = kind, shown_map(mapping, table.names)
        converter = Records(mapping, target.site, target.latest)
        for batch in table.batches(converter.wanted, tally.reject):
            if kind == "articles":
                articles = converter.articles(batch, tally.reject)
                tally.wrote(len(articles), target.put(articles))
            else:
                events = converter.events(batch, tally.reject)
                tally.wrote(len(events), target.add(events))
            target.progress(*table.progress)
        return tally.summary()


def _column(asked: Mapping, field: str) -> str:
    source = asked.get(field)
    return source.column or field if source else field


def import_mind(target: Target, folder: Path) -> Summary:
    """Import a folder of MIND: ``news.tsv`` and ``behaviors.tsv``. Its times have no zone; they are taken as UTC.

    Args:
        target: where to.
        folder: the folder.

    Returns:
        The numbers of both files together: rows are lines, records are articles and events.

    Raises:
        ImportRefused: a file is missing, empty or of another format.
    """
    for name in ("news.tsv", "behaviors.tsv"):
        if not (folder / name).is_file():
            raise ImportRefused("a folder with news.tsv and behaviors.tsv", f"no {folder / name}", "Check the path.")
    with Tally(target.rejects, folder.resolve().name, target.dry_run) as tally:
        tally.records = "articles and events"
        _import_news(target, folder / "news.tsv", tally)
        _import_behaviors(target, folder / "behaviors.tsv", tally)
        return tally.summary()


def _import_news(target: Target, path: Path, tally: Tally) -> None:
    with TextSource(path, "MIND's news.tsv", UTF8, target.config.max_line_bytes) as source:
        for lines in _batches(source, target.limits):
            articles = list(_converted(lines, partial(article_of, site=target.site), tally))
            tally.wrote(len(articles), target.put(articles))
            target.progress(source.done, source.size)


def _import_behaviors(target: Target, path: Path, tally: Tally) -> None:
    behaviors = Behaviors(target.site, moment_before(target.latest))
    with TextSource(path, "MIND's behaviors.tsv", UTF8, target.config.max_line_bytes) as source:
        rows, events = 0, list[Event]()
        for some in _converted(filter(has_text, source.lines()), behaviors.events, tally):
            rows += 1
            events += some
            if len(events) >= target.config.batch_rows:
                tally.wrote(rows, target.add(events))
                target.progress(source.done, source.size)
                rows, events = 0, []
        tally.wrote(rows, target.add(events))


def _converted(lines: Iterable[Line], convert: Callable[[Line], Made], tally: Tally) -> Iterator[Made]:
    for line in lines:
        try:
            yield convert(line)
        except BadValue as reason:
            tally.reject(line.number, str(reason), line.text)


def _batches(source: TextSource, limits: Limits) -> Iterator[list[Line]]:
    batch: list[Line] = []
    held = 0
    for line in filter(has_text, source.lines()):
        batch.append(line)
        held += len(line.text)
        if len(batch) >= limits.batch_rows or held >= limits.batch_bytes:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
