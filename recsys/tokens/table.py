"""A tokenised article, and the table that holds many of them."""

from typing import Any, NamedTuple

import pyarrow as pa

LINE_TOKENS = 10_000  # gensim drops what stands behind the 10,000th token of a line
BATCH_ROWS = 1024  # articles held in memory at once

SCHEMA = pa.schema(
    [("id", pa.string()), ("language", pa.string())]
    + [(name, pa.list_(pa.string())) for name in ("title", "body", "tags")]
    + [("breaks", pa.list_(pa.int32()))]
)


class Tokens(NamedTuple):
    """One article's words.

    Attributes:
        language: its code, "und" when nobody can tell.
        title: lower-cased words of the title; a joined collocation is one word ("new_york"), and no other holds a "_".
        body: lower-cased words of the body.
        tags: the part of speech of each word of title + body: jieba's tags in Chinese, the induced word classes in
            English, which begin with the same letters; "" in other languages.
        breaks: ascending places p in title + body, 0 < p < T, such that no phrase reaches from word p - 1 to word p:
            punctuation, the end of a line or of the title stands between them.
    """

    language: str
    title: list[str]
    body: list[str]
    tags: list[str]
    breaks: list[int]


def as_table(ids: pa.Array, rows: list[Tokens]) -> pa.Table:
    """Articles' words as the table of ``articles.parquet``."""
    columns: dict[str, Any] = {"id": ids}
    columns |= {name: [getattr(row, name) for row in rows] for name in Tokens._fields}
    return pa.table(columns, schema=SCHEMA)
