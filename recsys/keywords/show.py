"""Name keywords: as readers see them, and as the word space knows their words."""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.keywords.pieces import Pieces
from recsys.tokens import LANGUAGES
from recsys.tokens.reading import Reading

_BLANK = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")  # between Chinese words; Latin ones keep theirs

Ints = npt.NDArray[np.int64]


def shown(
    whole: Reading, pieces: Pieces, tokens: Ints, weights: npt.NDArray[np.float64], lengths: Ints, spoken: Ints
) -> pa.RecordBatch:
    """Name the keywords of a batch.

    Args:
        whole: the batch's tokens.
        pieces: the same, joined words taken apart.
        tokens: int64 (K, L), the pieces of each keyword, -1 behind the last; each article's best first.
        weights: float64 (K,).
        lengths: int64 (B,), keywords of each article.
        spoken: int64 (K,), the language of each keyword's article.

    Returns:
        B rows: lists ``keywords``, ``weights`` and ``parts``.
    """
    text, present = pieces.text, tokens >= 0
    words = pa.array(text.words, pa.string()).take(pa.array(text.codes[tokens[present]]))
    bounds = pa.array(np.concatenate([[0], np.cumsum(present.sum(axis=1))]), pa.int32())
    parts = pc.binary_join(pa.ListArray.from_arrays(bounds, words), " ")
    names = parts.to_pylist()
    for place in np.flatnonzero((spoken == LANGUAGES.index("zh")) & (present.sum(axis=1) > 1)).tolist():
        names[place] = _BLANK.sub("", names[place])
    if len(text.codes) > len(whole.codes):
        parts = pa.array(_joined_again(parts.to_pylist(), tokens, whole, pieces), pa.string())
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    columns = [pa.array(names, pa.string()), pa.array(weights.astype(np.float32)), parts]
    lists = [pa.ListArray.from_arrays(offsets, column) for column in columns]
    return pa.record_batch(lists, names=["keywords", "weights", "parts"])


def _joined_again(names: list[str], tokens: Ints, whole: Reading, pieces: Pieces) -> list[str]:
    """The words of the word space in each keyword; a joined word that the keyword holds only a part of stays apart."""
    sizes = np.bincount(pieces.token)
    for place in np.flatnonzero((sizes[pieces.token[tokens]] > 1).any(axis=1)).tolist():
        of = pieces.token[tokens[place][tokens[place] >= 0]]
        parts: list[str] = []
        for token, word in zip(of.tolist(), names[place].split(" "), strict=True):
            if (of == token).sum() < sizes[token]:
                parts.append(word)
            elif not parts or parts[-1] != whole.words[whole.codes[token]]:
                parts.append(whole.words[whole.codes[token]])
        names[place] = " ".join(parts)
    return names
