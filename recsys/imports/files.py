"""One file -> the store: open, look at its columns, turn its rows into records."""

import shlex
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from recsys.errors import ImportRefused
from recsys.imports.diagnosis import ColumnDiagnosis
from recsys.imports.formats import opened
from recsys.imports.jsonl import JsonReader
from recsys.imports.mapping import (
    ARTICLE_FIELDS,
    EVENT_FIELDS,
    RECORD_KINDS,
    UNFOLDED_FIELDS,
    FieldMap,
    complete,
    kind_of_records,
    parse_map,
    shown_map,
)
from recsys.imports.rejects import ImportTally, Summary
from recsys.imports.rows import day_order, write_rows
from recsys.imports.sources import UTF8
from recsys.imports.tables import RowReader
from recsys.imports.target import Target


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
            needs none. ``context.NAME=column`` adds to an event's context; ``kind.VIEW=click`` gives a value a meaning.
        kind: ``articles``, ``events``, ``clicks`` or ``both``; by default what the columns can fill.
        encoding: of a text file without a byte order mark.
        has_header: of CSV: the first line names the columns; else they are called by their numbers from 1.
        records: of JSON: keys with dots between them that lead from a wrapper object to the list of records.

    Raises:
        ImportRefused: the file is empty, of another format or damaged, or the map does not fit its columns; the
            remedy has the map that most likely does.
    """
    if kind is not None and kind not in RECORD_KINDS:
        raise ImportRefused(f"one of {', '.join(RECORD_KINDS)}", repr(kind), "Correct --kind.")
    option = parse_map(maps)
    reopened = partial(opened, path, format, encoding, target.limits, has_header=has_header, records=records)
    with reopened() as table, ImportTally(target.rejects, path.name, target.dry_run) as tally:
        _refuse_wrapper(table, option.fields)
        sample = table.sample()
        taken = kind or kind_of_records(option.fields, table.names)
        mapping = complete(option.fields, table.names, taken, table.is_open)
        command = f"python -m jobs import {format} {shlex.quote(str(path))}" + ("" if has_header else " --no-header")
        diagnosis = ColumnDiagnosis(table.names, sample, option, mapping, taken, command)
        diagnosis.refuse(is_told=kind is not None or "kind" in option.fields)
        for sentence in diagnosis.notes():
            tally.note(sentence)
        tally.records, tally.mapping = taken, shown_map(mapping, option.values, table.names)
        write_rows(target, table, mapping, taken, tally, partial(day_order, reopened, path), option.values)
        return tally.summary()


def _refuse_wrapper(table: RowReader, given: FieldMap) -> None:
    if isinstance(table, JsonReader):
        fields = {*ARTICLE_FIELDS, *EVENT_FIELDS, *UNFOLDED_FIELDS}
        columns = {given[field].column or field if field in given else field for field in fields}
        table.refuse_wrapper(columns, [given[f].column or f if f in given else f for f in ("title", "article")])
