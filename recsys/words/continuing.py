"""Which articles a continued training has not seen yet.

Reads the tokens table and the last space's ``articles.parquet``; produces a corpus of the new texts alone.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.tokens import LINE_TOKENS
from recsys.workspace import read_table, write_table

SEEN = "articles.parquet"
BATCH_ROWS = 1024  # articles in memory at once


def save_seen(table: pq.ParquetFile, folder: Path) -> None:
    """Write the ids of the articles that a space was learned from."""
    write_table(folder / SEEN, table.read(columns=["id"]))


def write_new_texts(table: pq.ParquetFile, last: Path, corpus: Path) -> int:
    """Write the words of the articles that the last space was not learned from, one article per line.

    Args:
        table: the tokens table.
        last: the last space's folder; one without a list of articles has seen none.
        corpus: the file to write, in the form of ``corpus.txt``.

    Returns:
        How many articles are new.
    """
    seen = set(read_table(last / SEEN)["id"].to_pylist()) if (last / SEEN).is_file() else set()
    new = 0
    with corpus.open("w", encoding="utf-8") as file:
        for batch in table.iter_batches(BATCH_ROWS, columns=["id", "title", "body"]):
            for row in batch.filter(pa.array([key not in seen for key in batch.column("id").to_pylist()])).to_pylist():
                words = row["title"] + row["body"]
                parts = range(0, len(words), LINE_TOKENS)
                file.writelines(" ".join(words[start : start + LINE_TOKENS]) + "\n" for start in parts)
                new += 1
    return new
