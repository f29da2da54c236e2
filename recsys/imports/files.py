"""The imports themselves: open, check, turn into records, write batch by batch."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

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
from recsys.imports.moments import Moments
from recsys.imports.rejects import Summary, Tally
from recsys.imports.rows import day_order, write_rows
from recsys.imports.sources import UTF8, Line, TextSource
from recsys.imports.tables import Limits, has_text
from recsys.imports.target import Target
from recsys.imports.values import BadValue
from recsys.store import Event
from recsys.store.engine import now_ms
from recsys.times import EARLIEST

Made = TypeVar("Made")
KINDS = ("articles", "events", "clicks")


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
        reopened = partial(opened, path, format, encoding, target.limits, has_header=has_header, records=records)
        write_rows(target, table, mapping, kind, tally, partial(day_order, reopened, path))
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
    behaviors = Behaviors(target.site, Moments(target.reading, "time", EARLIEST, target.latest, now_ms()))
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
