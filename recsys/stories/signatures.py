"""MinHash: units -> a signature; a table of signatures -> the texts that share shingles with a new one.

Source: Broder 1997, "On the resemblance and containment of documents"; Li & König 2010, "b-bit minwise hashing".
"""

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.stories.text import Keys

_SEED = 20_261_130  # of the hash functions: signatures of two releases, and of night and service, are comparable
HASHES = 32  # a text that holds .2 of the shingles of both is missed by _LEAST in 1 of 40 cases
_LEAST = 3  # equal values that make a candidate: a resemblance of about .1, the first eighth of a text
_SHINGLE = (7, 4)  # characters, words: so long that two texts of one topic share few
MAX_COMPARED_ROWS = 256  # texts with a value that are looked at: thousands share those of a template or of a phrase
_VALUES = 1 << 16  # of a hash: two different minima are equal once in 65,536

Signature = npt.NDArray[np.uint16]
Rows = npt.NDArray[np.int32]

_generator = np.random.default_rng(_SEED)
_FACTORS = _generator.integers(1, 1 << 63, HASHES, np.uint64) | np.uint64(1)
_TERMS = _generator.integers(0, 1 << 63, HASHES, np.uint64)
_BASE = np.uint64(0x9E3779B97F4A7C15)


def signature(keys: Keys, spaced: bool) -> Signature:
    """The MinHash signature of a text's shingles.

    Args:
        keys: uint32 (U,), the text's units.
        spaced: whether these are words.

    Returns:
        uint16 (HASHES,), of each hash function 16 bits of the least value; all alike for the same shingles. A text
        that is shorter than a shingle is one shingle.
    """
    k = min(_SHINGLE[spaced], max(1, len(keys)))
    wide = _mixed(keys.astype(np.uint64) + np.uint64(1))
    count = max(0, len(wide) - k + 1)
    shingles = np.zeros(count, np.uint64)
    for offset in range(k):
        shingles = shingles * _BASE + wide[offset : offset + count]
    if not count:
        return np.zeros(HASHES, np.uint16)
    values = _mixed(shingles)[:, None] * _FACTORS + _TERMS  # (S, HASHES)
    return np.asarray(_mixed(values.min(axis=0)) & np.uint64(_VALUES - 1), np.uint16)


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread values over 64 bits (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class SignatureTable:
    """Signatures by row, searched by their values: one band for each hash function, a chain of rows for each value.

    192 bytes a text, and 8 MiB once.

    Attributes:
        size: rows taken.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.size = 0
        self._values = np.zeros((capacity, HASHES), np.uint16)
        self._before = np.zeros((capacity, HASHES), np.int32)
        self._last = np.full((HASHES, _VALUES), -1, np.int32)
        self._shared = np.zeros(capacity, np.int16)

    @classmethod
    def of(cls, values: npt.NDArray[np.uint16]) -> "SignatureTable":
        """A table of signatures, uint16 (N, HASHES), with some room for more."""
        table, n = cls(len(values) + len(values) // 8 + 1024), len(values)
        table._values[:n], table.size = values, n
        for band in range(HASHES):
            order = np.argsort(values[:, band], kind="stable").astype(np.int32)
            sorted_values = values[order, band]
            same = np.flatnonzero(sorted_values[1:] == sorted_values[:-1])
            table._before[:n, band] = -1
            table._before[order[same + 1], band] = order[same]
            ends = np.append(sorted_values[1:] != sorted_values[:-1], True)[:n]
            table._last[band, sorted_values[ends]] = order[ends]
        return table

    def add(self, values: Signature) -> int:
        """Add a signature; returns its row."""
        if self.size == len(self._values):
            self._grow()
        row, bands = self.size, np.arange(HASHES)
        self._values[row] = values
        self._before[row] = self._last[bands, values]
        self._last[bands, values] = row
        self.size += 1
        return row

    def values(self, first: int) -> npt.NDArray[np.uint16]:
        """The signatures from a row on: uint16 (n, HASHES)."""
        return self._values[first : self.size].copy()

    def like(self, values: Signature, n: int) -> list[int]:
        """The ``n`` rows that share most values with a signature, at least ``_LEAST``; of equal ones the earliest.

        The share of equal values is an unbiased estimate of the Jaccard resemblance of the two sets of shingles.
        """
        rows = _sharing(values, self._before, self._last, self._shared)
        shared = (self._values[rows] == values).sum(axis=1)
        return [int(rows[rank]) for rank in np.lexsort((rows, -shared))[:n]]

    def _grow(self) -> None:
        more = len(self._values)
        self._values = np.concatenate([self._values, np.zeros((more, HASHES), np.uint16)])
        self._before = np.concatenate([self._before, np.zeros((more, HASHES), np.int32)])
        self._shared = np.concatenate([self._shared, np.zeros(more, np.int16)])


@compiled
def _sharing(values: Signature, before: Rows, last: Rows, shared: npt.NDArray[np.int16]) -> Rows:
    """Rows with at least ``_LEAST`` of the values; ``shared``, int16 (A,), is 0 before and after."""
    for band in range(len(values)):
        row, steps = last[band, values[band]], 0
        while row >= 0 and steps < MAX_COMPARED_ROWS:
            shared[row] += 1
            row, steps = before[row, band], steps + 1
    rows = np.empty(len(values) * MAX_COMPARED_ROWS // _LEAST, np.int32)
    count = 0
    for band in range(len(values)):
        row, steps = last[band, values[band]], 0
        while row >= 0 and steps < MAX_COMPARED_ROWS:
            if shared[row] >= _LEAST:
                rows[count] = row
                count += 1
            shared[row] = 0
            row, steps = before[row, band], steps + 1
    return rows[:count]
