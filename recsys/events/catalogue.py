"""The catalogue beside the log: every article as the store had it when the log was last appended to."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.store import StoredArticle

_BATCH_ARTICLES = 5_000  # articles in memory at a time
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "title", "body", "url", "image", "source", "language")),
        *((name, pa.string()) for name in ("category", "subcategory")),
        *((name, pa.int64()) for name in ("published_at", "expires_at")),
        ("hidden", pa.bool_()),
        ("entities", pa.list_(pa.string())),
    ]
)


class Catalogued(NamedTuple):
    """Outcome of writing a catalogue: the number of its articles, and ``id`` and ``got`` of those left out of it."""

    articles: int
    set_aside: list[dict[str, Any]]


def write_catalogue(articles: Iterable[StoredArticle], file: Path) -> Catalogued:
    """Write articles as Parquet, a batch at a time, without those that no importer could have written.

    Args:
        articles: sorted by id.
        file: where to write.
    """
    count, set_aside = 0, list[dict[str, Any]]()
    with pq.ParquetWriter(file, _SCHEMA, compression="zstd") as writer:
        stream = iter(articles)
        while rows := [asdict(article) for article in islice(stream, _BATCH_ARTICLES)]:
            try:
                table = pa.Table.from_pylist(rows, _SCHEMA)
            except (pa.ArrowException, OverflowError):
                table = pa.concat_tables([_SCHEMA.empty_table(), *_one_by_one(rows, set_aside)])
            writer.write_table(table)
            count += table.num_rows
    return Catalogued(count, set_aside)


def _one_by_one(rows: Iterable[dict[str, Any]], set_aside: list[dict[str, Any]]) -> Iterable[pa.Table]:
    for row in rows:
        try:
            yield pa.Table.from_pylist([row], _SCHEMA)
        except (pa.ArrowException, OverflowError) as error:
            set_aside.append({"id": f"{row['id']!r:.80}", "got": f"{error}"})
