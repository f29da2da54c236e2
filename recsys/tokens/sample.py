"""An even sample of a catalogue's English tokens, small enough to hold in memory."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.tokens.table import token_arrays

MAX_TOKENS = 2_000_000  # more text changes no word's class that matters

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Sample(NamedTuple):
    """T tokens of V words.

    Attributes:
        words: V words.
        codes: int64 (T,), the word of each token, in reading order, one text after the other.
        starts: bool (T,), tokens that nothing stands before: of a text, or behind punctuation.
    """

    words: list[str]
    codes: Codes
    starts: Mask


def sample(batches: Iterable[pa.RecordBatch], max_tokens: int = MAX_TOKENS) -> Sample:
    """Take all English tokens, or those of every second, fourth ... batch where there are too many.

    Args:
        batches: rows of the tokens table.
        max_tokens: held at most, give or take a batch.
    """
    code_of: dict[str, int] = {}
    codes, starts = [np.empty(0, np.int64)], [np.empty(0, bool)]
    step = 1
    for number, batch in enumerate(batches):
        if number % step:
            continue
        text = token_arrays(batch.filter(pc.equal(batch.column("language"), "en")))
        rows = np.array([code_of.setdefault(word, len(code_of)) for word in text.words], np.int64)
        codes.append(rows[text.codes])
        starts.append(text.starts)
        while sum(map(len, codes)) > max_tokens and len(codes) > 2:
            codes, starts, step = [codes[0], *codes[1::2]], [starts[0], *starts[1::2]], step * 2
    return Sample(list(code_of), np.concatenate(codes), np.concatenate(starts))
