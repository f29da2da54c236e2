"""Rows of a table -> the store, batch by batch, and what a person should know of the file as a whole."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from recsys.imports.known import known_addresses, share_known
from recsys.imports.mapping import Mapping
from recsys.imports.moments import day_order_of
from recsys.imports.records import Placed, Records, clicks_by_article
from recsys.imports.rejects import Tally
from recsys.imports.tables import Batch, Table
from recsys.imports.target import Target
from recsys.imports.values import HOUR_MS
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
) -> None:
    """Import the rows of a table.

    Args:
        target: where to.
        table: the rows.
        mapping: the source of each field.
        kind: articles, events or clicks.
        tally: counts them.
        order: by the name of a column, whether it writes the day first.
    """
    records = Records(
        mapping,
        target.site,
        replace(target.reading, latest=target.latest, earliest=_earliest(target)),
        tally,
        now=now_ms(),
        addresses=partial(known_addresses, target.store, target.site),
        order=order,
    )
    clicks = Counter[str]()
    for batch in table.batches(records.wanted, tally.reject):
        if kind == "articles":
            _merge(target, batch, records.articles(batch), tally)
        else:
            events = records.events(batch)
            clicks.update(clicks_by_article(events))
            tally.wrote(len(events), target.add(events))
        target.progress(*table.progress)
    for sentence in records.notes():
        tally.note(sentence)
    if kind != "articles":
        remedy = f"--map article=@{mapping['article'].column}"
        tally.know(share_known(clicks, target.store.article_names(target.site)), remedy)


def _merge(target: Target, batch: Batch, placed: Sequence[Placed], tally: Tally) -> None:
    merged = target.merge([one.patch for one in placed])
    for place in merged.untitled:
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
