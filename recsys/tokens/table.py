"""What a tokenised article is, the table that holds many of them, and the room's settings."""

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pydantic import Field, model_validator

from recsys.config import Section
from recsys.tokens.dictionary import read_dictionary, user_entries

LINE_TOKENS = 10_000  # gensim drops what stands behind the 10,000th token of a line
BATCH_ROWS = 1024  # articles held in memory at once

SCHEMA = pa.schema(
    [("id", pa.string()), ("language", pa.string())]
    + [(name, pa.list_(pa.string())) for name in ("title", "body", "tags")]
    + [("breaks", pa.list_(pa.int32()))]
)


class TokensConfig(Section):
    """How text is cut into words."""

    max_body_chars: int = Field(1_000_000, ge=100)
    max_word_chars: int = Field(40, ge=1)
    simplify: bool = True
    user_dictionary: str = ""
    user_words: tuple[str, ...] = ()
    new_words: bool = True
    min_count: int = Field(10, ge=2)
    min_articles: int = Field(5, ge=1)
    min_cohesion: float = Field(0.5, ge=-1, le=1)
    min_freedom: float = Field(1.0, ge=0)
    workers: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _take_dictionary_in(self) -> "TokensConfig":
        """Read the file now: a change of it is a change of the settings then, and a release has its words."""
        lines = read_dictionary(Path(self.user_dictionary)) if self.user_dictionary else []
        self.__dict__ |= {"user_dictionary": "", "user_words": (*self.user_words, *lines)}
        user_entries(self.user_words)
        return self


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
