"""Rows of a table -> the store, batch by batch, and what a person should know of the file as a whole."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from recsys.imports.known import known_addresses, share_known
from recsys.imports.mapping import ARTICLE_FIELDS, Mapping, ValueMaps
from recsys.imports.moments import day_order_of
from recsys.imports.records import Placed, Records, clicks_by_article
from recsys.imports.rejects import Tally
from recsys.imports.shape import Shape
from recsys.imports.tables import Batch, Table, origin_of, part_of
from recsys.imports.target import Target
from recsys.imports.values import HOUR_MS
from recsys.nothing import is_nothing
from recsys.store.engine import now_ms
from recsys.times import EARLIEST

BEFORE_FIRST_ARTICLE_MS = 3 * 365 * 24 * HOUR_MS  # a log may be older than the articles that are left of its time


def write_rows(
    target: Target,
    table: Table,
    mapping: Mapping,
    kind: str,
    tally: Tally,
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
    shape = Shape(mapping, values or {}, tally)

    def records_of(fields: Mapping) -> Records:
        return Records(
            fields,
            target.site,
            replace(target.reading, latest=target.latest, earliest=_earliest(target)),
            tally,
            now=now_ms(),
            addresses=partial(known_addresses, target.store, target.site),
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
        tally.know(share_known(clicks, target.store.article_names(target.site)), remedy)


def _of_article(mapping: Mapping) -> Mapping:
    """The fields of the article that an event is of."""
    fields = {field: source for field, source in mapping.items() if field in ARTICLE_FIELDS}
    return fields | {"id": mapping["article"]}


def _with_article(batch: Batch, mapping: Mapping, tally: Tally) -> Batch:
    """The rows that name an article; those of front pages and sections do not, and are no errors."""
    column = batch.columns[mapping["article"].column or ""]
    keep = [i for i, value in enumerate(column) if not is_nothing(value)]
    if len(keep) == len(column):
        return batch
    tally.leave_out("rows without an article, such as views of the front page", len(column) - len(keep))
    return part_of(batch, keep)


def _describe(target: Target, batch: Batch, described: Records, tally: Tally) -> None:
    """Merge what rows of events say of their articles: the last word on each."""
    column = batch.columns[described.mapping["title"].column or ""] if "title" in described.mapping else list[Any]()
    titled = [i for i, value in enumerate(column) if not is_nothing(value)]
    last = {one.patch.id: one.patch for one in described.articles(part_of(batch, titled))}
    tally.merged(0, target.merge(list(last.values())))


def _merge(target: Target, batch: Batch, placed: Sequence[Placed], tally: Tally) -> None:
    merged = target.merge([one.patch for one in placed])
    again = [placed[place] for place in merged.untitled if placed[place].last_resort]
    if again:
        tally.merged(len(again), target.merge([one.with_last_resort for one in again]))
    for place in (place for place in merged.untitled if not placed[place].last_resort):
        tally.reject(batch.lines[placed[place].row], "no title", batch.row(placed[place].row))
    tally.merged(len(placed) - len(merged.untitled), merged)


def _earliest(target: Target) -> int:
    """No event is believed that lies years before the site's first article."""
    first = target.store.first_published(target.site)
    return EARLIEST if first is None else max(EARLIEST, first - BEFORE_FIRST_ARTICLE_MS)


def day_order(reopened: Callable[[], AbstractContextManager[Table]], path: Path, column: str) -> bool | None:
    """Whether a column writes the day first, by all of its values: the file is read once more.

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
