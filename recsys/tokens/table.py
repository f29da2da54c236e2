"""Tables of segments and of tokens, and their arrays.

A segment is a word as the segmenter cuts it, or punctuation; a token is a word of the tokens table, in which the
entries of the lexicon are joined and every word is tagged.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

LINE_TOKENS = 10_000  # gensim drops what stands behind the 10,000th token of a line
JOINT = "_"  # between the parts of a joined word: "new_york"
BATCH_ARTICLES = 1024  # articles held in memory at once

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

TOKENS_SCHEMA = pa.schema(
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
    return pa.table(columns, schema=TOKENS_SCHEMA)


SEGMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("words", pa.list_(pa.dictionary(pa.int32(), pa.string()))),  # of title + body
        ("title", pa.int32()),  # number of them that are the title's
        ("breaks", pa.list_(pa.int32())),  # as in recsys.tokens.table.Tokens
        ("odd", pa.list_(pa.string())),  # kinds of odd input, see recsys.tokens.clean
    ]
)


class SegmentArrays(NamedTuple):
    """The T words of a batch of A articles.

    Attributes:
        codes: int64 (T,), each word's place in ``names``.
        names: the different words.
        article: int64 (T,), the article of each word.
        language: int64 (T,), that of its article, as a place in ``languages``.
        starts: bool (T,), words that no phrase reaches from the left: an article's first, and those behind a break.
        bounds: int64 (A + 1,), where each article begins, and where the last one ends.
        breaks: int64, the breaks of all articles, counted from the first word of the batch.
        break_bounds: int64 (A + 1,), where each article's breaks begin.
        languages: the codes of the batch, sorted.
    """

    codes: Codes
    names: pa.Array
    article: Codes
    language: Codes
    starts: Mask
    bounds: Codes
    breaks: Codes
    break_bounds: Codes
    languages: list[str]


def segment_arrays(batch: pa.RecordBatch) -> SegmentArrays:
    """Arrays of a batch of ``SEGMENTS``."""
    bounds, break_bounds = _offsets(batch.column("words")), _offsets(batch.column("breaks"))
    words = batch.column("words").flatten()
    article = np.repeat(np.arange(batch.num_rows), np.diff(bounds))
    languages, spoken = codes_of(batch.column("language"))
    breaks = batch.column("breaks").flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    breaks += np.repeat(bounds[:-1], np.diff(break_bounds))
    starts = np.zeros(bounds[-1] + 1, bool)
    starts[bounds] = starts[breaks] = True
    return SegmentArrays(
        words.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        words.dictionary,
        article,
        spoken[article],
        starts[:-1],
        bounds,
        breaks,
        break_bounds,
        languages,
    )


def codes_of(column: pa.Array) -> tuple[list[str], Codes]:
    """The different languages of some articles, sorted, and int64 (A,): each article's place among them."""
    names = column.to_pylist()
    languages = sorted(set(names))
    place = {name: number for number, name in enumerate(languages)}
    return languages, np.array([place[name] for name in names], np.int64)


def _offsets(column: pa.ListArray) -> Codes:
    offsets = column.offsets.to_numpy().astype(np.int64)
    from_first: Codes = offsets - offsets[0]
    return from_first


class TokenArrays(NamedTuple):
    """B articles of T tokens together, and the U different words among them.

    Attributes:
        words: U words.
        codes: int64 (T,), the word of each token; title before body, article after article.
        bounds: int64 (B + 1,), where each article begins, and where the last one ends.
        starts: bool (T,), tokens that no phrase reaches from the left: of a text, of its body, or behind punctuation.
    """

    words: list[str]
    codes: Codes
    bounds: Codes
    starts: Mask


def token_arrays(batch: pa.RecordBatch) -> TokenArrays:
    """Arrays of rows of the tokens table."""
    title, title_bounds = _values_and_bounds(batch.column("title"))
    body, body_bounds = _values_and_bounds(batch.column("body"))
    encoded = pa.concat_arrays([title, body]).dictionary_encode()
    coded = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    bounds = title_bounds + body_bounds
    codes = np.empty(bounds[-1], np.int64)
    codes[np.arange(len(title)) + np.repeat(body_bounds[:-1], np.diff(title_bounds))] = coded[: len(title)]
    codes[np.arange(len(body)) + np.repeat(title_bounds[1:], np.diff(body_bounds))] = coded[len(title) :]
    breaks, break_bounds = _values_and_bounds(batch.column("breaks"))
    starts = np.zeros(bounds[-1] + 1, bool)
    starts[bounds] = True
    starts[breaks.to_numpy(zero_copy_only=False) + np.repeat(bounds[:-1], np.diff(break_bounds))] = True
    return TokenArrays(encoded.dictionary.to_pylist(), codes, bounds, starts[:-1])


def _values_and_bounds(column: pa.ListArray) -> tuple[pa.Array, Codes]:
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    return column.flatten(), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
