"""Counting with bounded memory: words, neighbours, neighbours of neighbours, over a corpus of any size."""

from collections import Counter, defaultdict

import numpy as np
import numpy.typing as npt

from recsys.tokens.table import SegmentArrays

_MAX_WORDS = 2_000_000  # different words of a language in memory, some 250 MB; the rarest are forgotten above it
MAX_KEYS = 4_000_000  # different keys of ``KeyedSums`` in memory, 100 MB with what merging takes
_BUCKETS = 1 << 25  # of the sketch, one byte each; ten million different pairs seldom share one
_BUFFER_KEYS = 1 << 20  # keys that wait to be merged

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class WordCounts:
    """Counts of the words of the corpus by language."""

    def __init__(self) -> None:
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, flat: SegmentArrays) -> None:
        """Count a batch."""
        words = flat.names.to_pylist()
        for number, language in enumerate(flat.languages):
            counts = np.bincount(flat.codes[flat.language == number], minlength=len(words))
            used = np.flatnonzero(counts)
            totals = self.counts[language]
            for code, count in zip(used.tolist(), counts[used].tolist(), strict=True):
                totals[words[code]] += count
            floor = 1
            while len(totals) > _MAX_WORDS:
                totals = self.counts[language] = Counter({name: n for name, n in totals.items() if n > floor})
                floor += 1


class KeyedSums:
    """Sums by key; above ``MAX_KEYS`` keys the smallest are forgotten.

    Args:
        columns: values summed for each key.
    """

    def __init__(self, columns: int) -> None:
        self.keys = np.zeros(0, np.int64)
        self.values = np.zeros((0, columns), np.int64)
        self._buffer: list[tuple[Codes, Codes]] = []
        self._size = 0

    def add(self, keys: Codes, values: Codes) -> None:
        """Add to the sums.

        Args:
            keys: int64 (N,).
            values: int64 (N, columns).
        """
        self._buffer.append((keys, values))
        self._size += len(keys)
        if self._size > _BUFFER_KEYS:
            self.merge()

    def merge(self) -> None:
        """Merge the buffer; call it before reading ``keys``, which are sorted then, and ``values``."""
        keys = np.concatenate([self.keys, *(keys for keys, _ in self._buffer)])
        values = np.concatenate([self.values, *(values for _, values in self._buffer)])
        self._buffer, self._size = [], 0
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        self.keys, self.values = keys[first], np.add.reduceat(values, first) if len(first) else values
        floor = 1
        while len(self.keys) > MAX_KEYS:
            kept = self.values[:, 0] > floor
            self.keys, self.values, floor = self.keys[kept], self.values[kept], floor + 1


class BigramCounter:
    """Counts of neighbours, and of the articles in which they meet.

    Pairs are first counted in a sketch, one byte per bucket, and exactly from the moment on at which they reach the
    least count that is asked for: what is rare, which is nearly everything, takes no memory of its own.

    Args:
        size: codes are smaller than this.
        least: pairs that meet less often may be left out.

    Source: Einziger & Friedman 2017, "TinyLFU" (a sketch that decides what is counted).
    """

    def __init__(self, size: int, least: int) -> None:
        self._size, self._least = size, min(least, 100)
        self._sketch = np.zeros((_BUCKETS, 2), np.uint8)  # times and articles, at most 255
        self._sums = KeyedSums(2)

    def add(self, codes: Codes, meeting: Mask, article: Codes) -> None:
        """Count a batch.

        Args:
            codes: int64 (T,), words.
            meeting: bool (T - 1,), words that are neighbours of the next one.
            article: int64 (T,), the article of each word; an article is in one batch.
        """
        places = np.flatnonzero(meeting)
        if not len(places):
            return
        keys = codes[places] * self._size + codes[places + 1]
        articles = int(article[-1]) + 1
        pairs, counts = np.unique(keys * articles + article[places], return_counts=True)  # pair and article in one key
        pairs //= articles
        first = np.flatnonzero(np.diff(pairs, prepend=-1))
        keys = pairs[first]
        fresh = np.stack([np.add.reduceat(counts, first), np.diff(first, append=len(pairs))], axis=1)  # (P, 2)
        hashed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: the upper bits mix best
        bucket = (hashed >> np.uint64(39)).astype(np.int64)  # 25 bits are left: _BUCKETS
        before = self._sketch[bucket].astype(np.int64)
        after = before + fresh
        self._sketch[bucket] = np.minimum(after, 255)
        counted, enter = before[:, 0] >= self._least, after[:, 0] >= self._least
        self._sums.add(keys[enter], np.where(counted[enter, None], fresh[enter], after[enter]))

    def pairs(self) -> tuple[Codes, Codes, Codes, Codes]:
        """Left word, right word, times and articles of each pair that met often enough."""
        self._sums.merge()
        keys, values = self._sums.keys, self._sums.values
        return keys // self._size, keys % self._size, values[:, 0], values[:, 1]


class NeighbourCounter:
    """Entropy of the words beside each of some pairs.

    A neighbour beyond a break, or too rare to have a code, counts as one that stands there only once.

    Args:
        pairs: how many pairs there are.
        size: codes are smaller than this.
    """

    def __init__(self, pairs: int, size: int) -> None:
        self._pairs, self._size = pairs, size
        self._sums = KeyedSums(1)
        self._total = np.zeros(pairs, np.int64)

    def add(self, pair: Codes, neighbour: Codes) -> None:
        """Count neighbours.

        Args:
            pair: int64 (N,), the pair that each stands beside.
            neighbour: int64 (N,), its code; -1 for none.
        """
        self._total += np.bincount(pair, minlength=self._pairs)
        coded = neighbour >= 0
        keys, counts = np.unique(pair[coded] * self._size + neighbour[coded], return_counts=True)
        self._sums.add(keys, counts[:, None])

    def entropy(self) -> npt.NDArray[np.float64]:
        """float64 (pairs,), in nats; 0 for a pair that was never seen."""
        self._sums.merge()
        pair, counts = self._sums.keys // self._size, self._sums.values[:, 0].astype(np.float64)
        total = np.maximum(self._total, 1).astype(np.float64)
        alone = self._total - np.bincount(pair, counts, self._pairs)
        weighted = np.bincount(pair, counts * np.log(counts), self._pairs)
        return np.asarray(np.log(total) - weighted / total) * (alone + weighted >= 0)
