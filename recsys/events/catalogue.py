"""The catalogue beside the log: every article as the store had it when the log was last appended to."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path

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


def write_catalogue(articles: Iterable[StoredArticle], file: Path) -> int:
    """Write articles as Parquet, a batch at a time.

    Args:
        articles: sorted by id.
        file: where to write.

    Returns:
        How many there were.
    """
    count = 0
    with pq.ParquetWriter(file, _SCHEMA, compression="zstd") as writer:
        stream = iter(articles)
        while rows := [asdict(article) for article in islice(stream, _BATCH_ARTICLES)]:
            writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
            count += len(rows)
    return count
