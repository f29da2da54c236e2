"""Name keywords: as readers see them, and as the word space knows their words."""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.keywords.page import Page

_BLANK = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")  # between Chinese words; Latin ones keep theirs

Ints = npt.NDArray[np.int64]


def shown(page: Page, tokens: Ints, weights: npt.NDArray[np.float64], lengths: Ints, spoken: Ints) -> pa.RecordBatch:
    """Name the keywords of a batch.

    Args:
        page: the batch.
        tokens: int64 (K, L), the pieces of each keyword, -1 behind the last; each article's best first.
        weights: float64 (K,).
        lengths: int64 (B,), keywords of each article.
        spoken: int64 (K,), the language of each keyword's article.

    Returns:
        B rows: lists ``keywords``, ``weights`` and ``parts``.
    """
    present = tokens >= 0
    sizes = present.sum(axis=1)
    words = pa.array(page.text.words, pa.string()).take(pa.array(page.text.codes[tokens[present]]))
    bounds = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    parts = pc.binary_join(pa.ListArray.from_arrays(bounds, words), " ").to_pylist()
    names = list(parts)
    for place in np.flatnonzero((np.array(page.languages, object)[spoken] == "zh") & (sizes > 1)).tolist():
        names[place] = _BLANK.sub("", names[place])
    if len(page.token) > len(page.whole.codes):
        _join_again(parts, tokens, page)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    columns = [pa.array(names, pa.string()), pa.array(weights.astype(np.float32)), pa.array(parts, pa.string())]
    lists = [pa.ListArray.from_arrays(offsets, column) for column in columns]
    return pa.record_batch(lists, names=["keywords", "weights", "parts"])


def _join_again(parts: list[str], tokens: Ints, page: Page) -> None:
    """Put the joined words back; one that the keyword holds only a part of stays apart."""
    sizes = np.bincount(page.token)
    joined = (sizes[page.token[tokens]] > 1) & (tokens >= 0)
    for place in np.flatnonzero(joined.any(axis=1)).tolist():
        of = page.token[tokens[place][tokens[place] >= 0]].tolist()
        words = parts[place].split(" ")
        whole = {token: page.whole.words[page.whole.codes[token]] for token in of if of.count(token) == sizes[token]}
        kept = [i for i, token in enumerate(of) if token not in whole or i == of.index(token)]
        parts[place] = " ".join(whole.get(of[i], words[i]) for i in kept)
