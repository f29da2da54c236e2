"""Co-occurrence counts of words that stand near each other: a sparse matrix, counted in bounded memory.

Reads ``corpus.txt``; produces ``Cells``. A pair that stands d words apart counts 1/d, within a line only; words without
a row are passed over before distances are taken, as word2vec does. Source: Pennington et al. 2014, "GloVe: Global
Vectors for Word Representation", section 4.2.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.words.corpus import CORPUS_BLOCK

_MAX_CELLS = 12_000_000  # pairs of words in memory, at most: 1 GiB while two sets of them are joined
_DISTANCE_BITS = 6  # a window is at most 63 words

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Cells(NamedTuple):
    """The upper triangle of a symmetric matrix, its filled cells in the order of rows and columns.

    Attributes:
        rows: int64 (N,).
        columns: int64 (N,), each at least as large as its row.
        values: float32 (N,), positive.
        forgotten: the sum of the values of rare pairs that did not fit into memory.
    """

    rows: Ints
    columns: Ints
    values: Floats
    forgotten: float


def count_pairs(corpus: Path, row_of: Mapping[str, int], window: int, max_cells: int = _MAX_CELLS) -> Cells:
    """Count the pairs of words that stand at most ``window`` words apart.

    Args:
        corpus: one article, or a part of one, per line.
        row_of: word -> row.
        window: words, at most 63.
        max_cells: pairs in memory; when there are more, those with the smallest values are forgotten, half of all.
    """
    keys, values = np.empty(0, np.int64), np.empty(0, np.float32)
    waiting: list[tuple[Ints, Floats]] = []
    forgotten = 0.0
    for rows, lines in _blocks(corpus, row_of):
        waiting.append(_pairs(rows, lines, len(row_of), window))
        if sum(len(run) for run, _ in waiting) >= max(len(keys), max_cells // 4):
            keys, values = _join([(keys, values), *waiting])
            waiting = []
            if len(keys) > max_cells:
                keep = np.sort(np.argsort(-values, kind="stable")[: max_cells // 2])
                forgotten += float(values.sum(dtype=np.float64) - values[keep].sum(dtype=np.float64))
                keys, values = keys[keep], values[keep]
    keys, values = _join([(keys, values), *waiting])
    return Cells(*np.divmod(keys, max(len(row_of), 1)), values, forgotten)


def _blocks(corpus: Path, row_of: Mapping[str, int]) -> Iterator[tuple[Ints, Ints]]:
    """Rows of the words in the vocabulary, and the number of the line of each, a block of lines at a time."""
    with corpus.open(encoding="utf-8") as file:
        while block := file.readlines(CORPUS_BLOCK):
            lines = [[row for word in line.split() if (row := row_of.get(word, -1)) >= 0] for line in block]
            flat = np.array([row for rows in lines for row in rows], dtype=np.int64)
            yield flat, np.repeat(np.arange(len(lines)), [len(rows) for rows in lines])


def _pairs(rows: Ints, lines: Ints, words: int, window: int) -> tuple[Ints, Floats]:
    """Add up the pairs of one block.

    Returns:
        int64 keys (row × V + column), ascending; float32 values.
    """
    runs = []
    for distance in range(1, min(window, len(rows) - 1) + 1):
        near = lines[:-distance] == lines[distance:]
        left, right = rows[:-distance][near], rows[distance:][near]
        runs.append((np.minimum(left, right) * words + np.maximum(left, right)) << _DISTANCE_BITS | distance)
    packed = np.sort(np.concatenate(runs)) if runs else np.empty(0, np.int64)  # sorting bare numbers is fastest
    keys = packed >> _DISTANCE_BITS
    distances = (packed & ((1 << _DISTANCE_BITS) - 1)).astype(np.float32)
    return _added(keys, np.float32(1) / distances)


def _join(runs: list[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """Add up several sorted runs."""
    keys = np.concatenate([run for run, _ in runs])
    order = np.argsort(keys, kind="stable")  # merges runs that are sorted already
    return _added(keys[order], np.concatenate([values for _, values in runs])[order])


def _added(keys: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Add up the values of equal neighbours."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    sums = np.add.reduceat(values, starts) if len(keys) else values
    return keys[starts], sums.astype(np.float32, copy=False)
