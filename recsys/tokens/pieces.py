"""Cut articles as flat arrays: all words of a batch behind one another, by code."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PIECES = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("words", pa.list_(pa.dictionary(pa.int32(), pa.string()))),  # of title + body
        ("title", pa.int32()),  # how many of them are the title's
        ("breaks", pa.list_(pa.int32())),  # as in recsys.tokens.table.Tokens
        ("odd", pa.list_(pa.string())),  # what was strange about the article, see recsys.tokens.clean
    ]
)

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Flat(NamedTuple):
    """The T words of a batch of A articles.

    Attributes:
        codes: int64 (T,), each word's place in ``names``.
        names: the different words.
        article: int64 (T,), the article of each word.
        spoken: int64 (T,), its language, as a place in ``languages``.
        starts: bool (T,), words that no phrase reaches from the left: an article's first, and those behind a break.
        bounds: int64 (A + 1,), where each article begins, and where the last one ends.
        breaks: int64, the breaks of all articles, counted from the first word of the batch.
        break_bounds: int64 (A + 1,), where each article's breaks begin.
        languages: the codes of the batch, sorted.
    """

    codes: Codes
    names: pa.Array
    article: Codes
    spoken: Codes
    starts: Mask
    bounds: Codes
    breaks: Codes
    break_bounds: Codes
    languages: list[str]


def flatten(batch: pa.RecordBatch) -> Flat:
    """Take a batch of ``PIECES`` apart."""
    bounds, break_bounds = _offsets(batch.column("words")), _offsets(batch.column("breaks"))
    words = batch.column("words").flatten()
    article = np.repeat(np.arange(batch.num_rows), np.diff(bounds))
    languages, spoken = codes_of(batch.column("language"))
    breaks = batch.column("breaks").flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    breaks += np.repeat(bounds[:-1], np.diff(break_bounds))
    starts = np.zeros(bounds[-1] + 1, bool)
    starts[bounds] = starts[breaks] = True
    return Flat(
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
