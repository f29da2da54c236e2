"""A batch of tokenised articles as arrays: each different word once, each token as its number."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Reading(NamedTuple):
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


def read_batch(batch: pa.RecordBatch) -> Reading:
    """Turn rows of the tokens table into arrays."""
    title, title_bounds = _flat(batch.column("title"))
    body, body_bounds = _flat(batch.column("body"))
    encoded = pa.concat_arrays([title, body]).dictionary_encode()
    found = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    bounds = title_bounds + body_bounds
    codes = np.empty(bounds[-1], np.int64)
    codes[np.arange(len(title)) + np.repeat(body_bounds[:-1], np.diff(title_bounds))] = found[: len(title)]
    codes[np.arange(len(body)) + np.repeat(title_bounds[1:], np.diff(body_bounds))] = found[len(title) :]
    breaks, break_bounds = _flat(batch.column("breaks"))
    starts = np.zeros(bounds[-1] + 1, bool)
    starts[bounds] = True
    starts[breaks.to_numpy(zero_copy_only=False) + np.repeat(bounds[:-1], np.diff(break_bounds))] = True
    return Reading(encoded.dictionary.to_pylist(), codes, bounds, starts[:-1])


def _flat(column: pa.ListArray) -> tuple[pa.Array, Codes]:
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    return column.flatten(), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
