"""Rows of a table -> the store, batch by batch, and what a person should know of the file as a whole."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from recsys.imports.mapping import ARTICLE_FIELDS, FieldMap, ValueMaps
from recsys.imports.matching import addresses_of, match_clicks
from recsys.imports.moments import day_order_of
from recsys.imports.records import PlacedPatch, RecordBuilder, clicks_by_article
from recsys.imports.rejects import ImportTally
from recsys.imports.shape import RowShaper
from recsys.imports.tables import RowBatch, RowReader, origin_of, part_of
from recsys.imports.target import Target
from recsys.missing import is_missing
from recsys.times import EARLIEST
from recsys.units import DAY_MS, now_ms

_BEFORE_FIRST_ARTICLE_MS = 3 * 365 * DAY_MS  # a log may be older than the articles that are left of its time


def write_rows(
    target: Target,
    table: RowReader,
    mapping: FieldMap,
    kind: str,
    tally: ImportTally,
    order: Callable[[str], bool | None] = lambda column: None,
    values: ValueMaps | None = None,
) -> None:
    """Import the rows of a table.

    Args:
        target: where to.
        table: the rows.
        mapping: the source of each field.
        kind: articles, events, clicks, or both: each row an event and its article.
        tally: counts them.
        order: by the name of a column, whether it writes the day first.
        values: by field, what values mean.
    """
    shape = RowShaper(mapping, values or {}, tally)

    def records_of(fields: FieldMap) -> RecordBuilder:
        return RecordBuilder(
            fields,
            target.site,
            replace(target.options, latest=target.latest, earliest=_earliest(target)),
            tally,
            now=now_ms(),
            addresses=partial(addresses_of, target.store, target.site),
            order=lambda column: order(origin_of(column)),
        )

    records = records_of(shape.mapping)
    described = records_of(_of_article(shape.mapping)) if kind == "both" else None
    clicks = Counter[str]()
    for rows in table.batches(shape.wanted, tally.reject):
        before = tally.read
        batch = shape.batch(rows)
        if kind == "articles":
            _merge(target, batch, records.articles(batch), tally)
        else:
            batch = _with_article(batch, records.mapping, tally) if described else batch
            events = records.events(batch)
            clicks.update(clicks_by_article(events))
            tally.wrote(len(rows.lines) - (tally.read - before), target.add(events))
            if described:
                _describe(target, batch, described, tally)
        target.progress(*table.progress)
    for sentence in records.notes():
        tally.note(sentence)
    if kind != "articles":
        remedy = f"--map article=@{origin_of(shape.mapping['article'].column or '') or 'COLUMN'}"
        tally.match(match_clicks(clicks, target.store.article_names(target.site)), remedy)


def _of_article(mapping: FieldMap) -> FieldMap:
    """The fields of the article that an event is of."""
    fields = {field: source for field, source in mapping.items() if field in ARTICLE_FIELDS}
    return fields | {"id": mapping["article"]}


def _with_article(batch: RowBatch, mapping: FieldMap, tally: ImportTally) -> RowBatch:
    """The rows that name an article; those of front pages and sections do not, and are no errors."""
    column = batch.columns[mapping["article"].column or ""]
    keep = [i for i, value in enumerate(column) if not is_missing(value)]
    if len(keep) == len(column):
        return batch
    tally.leave_out("rows without an article, such as views of the front page", len(column) - len(keep))
    return part_of(batch, keep)


def _describe(target: Target, batch: RowBatch, described: RecordBuilder, tally: ImportTally) -> None:
    """Merge what rows of events say of their articles: the last word on each."""
    column = batch.columns[described.mapping["title"].column or ""] if "title" in described.mapping else list[Any]()
    titled = [i for i, value in enumerate(column) if not is_missing(value)]
    last = {item.patch.id: item.patch for item in described.articles(part_of(batch, titled))}
    tally.merged(0, target.merge(list(last.values())))


def _merge(target: Target, batch: RowBatch, placed: Sequence[PlacedPatch], tally: ImportTally) -> None:
    merged = target.merge([item.patch for item in placed])
    again = [placed[place] for place in merged.untitled if placed[place].last_resort]
    if again:
        tally.merged(len(again), target.merge([item.with_last_resort for item in again]))
    for place in (place for place in merged.untitled if not placed[place].last_resort):
        tally.reject(batch.lines[placed[place].row], "no title", batch.row(placed[place].row))
    tally.merged(len(placed) - len(merged.untitled), merged)


def _earliest(target: Target) -> int:
    """No event is believed that lies years before the site's first article."""
    first = target.store.first_published(target.site)
    return EARLIEST if first is None else max(EARLIEST, first - _BEFORE_FIRST_ARTICLE_MS)


def day_order(reopened: Callable[[], AbstractContextManager[RowReader]], path: Path, column: str) -> bool | None:
    """True if a column writes the day first, by all of its values: the file is read once more.

    Args:
        reopened: opens the file anew.
        path: the file; a pipe cannot be read twice.
        column: its name.
    """
    if not path.is_file():
        return None
    with reopened() as table:
        batches = table.batches([column], lambda line, reason, row: None)
        return day_order_of(value for batch in batches for value in batch.columns[column])
