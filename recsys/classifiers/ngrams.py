"""N-grams: words and characters as 64-bit hashes, and the vocabulary that gives each of them a row.

Reads tokens; produces rows per document. Nothing here loops over words: a text is one array of code points, and a hash
is a difference of running sums, so that the live path and a night's training share one code. 64 bits are enough for two
n-grams of a site never to meet.
Source: Karp and Rabin 1987 (hashes of substrings); Bojanowski et al. 2017 (bags of n-grams).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.classifiers import EncodedDocuments

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]

_LONGEST_WORD = 4096  # code points that have a power of their own; tokens are a hundred times shorter
_HAN = (0x3400, 0x9FFF)  # code points of a script without spaces between words
_BATCH = 2048  # documents that are hashed at once: bounds memory

_BASE = np.uint64(0x9E3779B97F4A7C15)
_POWERS = np.cumprod(np.full(_LONGEST_WORD, _BASE))
_CHARACTER = np.uint64(0x5555555555555555)  # a character is not the word of one character


class Bags(NamedTuple):
    """Numbers of B documents, one document behind the other.

    Attributes:
        values: (N,), hashes or rows.
        starts: int64 (B + 1,), where each document's begin; the last one is N.
    """

    values: npt.NDArray[np.uint64] | Places
    starts: Places


def hashes_of(words: Sequence[str]) -> Hashes:
    """Hashes of words, uint64 (N,): equal words have equal ones, on every machine and in every process."""
    sizes = _sizes(words)
    starts = _starts(sizes)
    codes = _codes("".join(words))
    inside = np.arange(len(codes)) - np.repeat(starts[:-1], sizes)
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(_mixed(codes) * _POWERS[inside % _LONGEST_WORD], out=sums[1:])
    return _mixed(sums[starts[1:]] - sums[starts[:-1]])


def is_spaceless(texts: Sequence[Sequence[str]]) -> bool:
    """True for texts mostly of a script without spaces, where words are a guess."""
    codes = _codes("".join(chain.from_iterable(texts[:_BATCH])))
    return bool(len(codes)) and bool(np.mean((codes >= _HAN[0]) & (codes <= _HAN[1])) > 0.5)


def word_bags(texts: Sequence[Sequence[str]], longest: int) -> Bags:
    """Hashes of the word n-grams of documents, 1 <= n <= ``longest``."""
    words = hashes_of(list(chain.from_iterable(texts)))
    return _bags(words, _starts(_sizes(texts)), longest)


def character_bags(texts: Sequence[Sequence[str]], longest: int) -> Bags:
    """Hashes of the character n-grams of documents, over the borders of words."""
    whole = ["".join(text) for text in texts]
    return _bags(_mixed(_codes("".join(whole)) ^ _CHARACTER), _starts(_sizes(whole)), longest)


def _bags(units: Hashes, starts: Places, longest: int) -> Bags:
    """All n-grams of a row of units, none over the border of a document, sorted by document and n."""
    document = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    grams, owners = [units], [document]
    for n in range(2, longest + 1):
        ends = len(units) - n + 1
        if ends <= 0:
            break
        whole = document[:ends] == document[n - 1 :]
        gram = np.full(int(whole.sum()), n, np.uint64)
        for offset in range(n):
            gram = gram * _BASE + units[offset : offset + ends][whole]  # Horner: a polynomial in _BASE modulo 2^64
        grams.append(_mixed(gram))
        owners.append(document[:ends][whole])
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return Bags(np.concatenate(grams)[order], _starts(np.bincount(owner, minlength=len(starts) - 1)))


def joined(bags: Sequence[Bags]) -> Bags:
    """Bags of the same documents, each document's behind each other."""
    owner = np.concatenate([np.repeat(np.arange(len(bag.starts) - 1), np.diff(bag.starts)) for bag in bags])
    order = np.argsort(owner, kind="stable")
    starts = np.sum([bag.starts for bag in bags], axis=0)
    return Bags(np.concatenate([bag.values for bag in bags])[order], starts)


def in_batches(texts: Sequence[list[str]]) -> Iterator[Sequence[list[str]]]:
    """The documents, ``_BATCH`` at a time."""
    return (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))


def texts_of(documents: EncodedDocuments, most: int) -> list[list[str]]:
    """Title and body of each document as one text of at most ``most`` tokens."""
    return [[*title, *body][:most] for title, body in zip(documents.titles, documents.bodies, strict=True)]


@dataclass(frozen=True, eq=False)
class NgramVocabulary:
    """Vocabulary of the n-grams of a training set.

    Attributes:
        hashes: uint64 (V,), ascending; an n-gram's row is its place here.
    """

    hashes: Hashes

    def __len__(self) -> int:
        """V."""
        return len(self.hashes)

    def known(self, bags: Bags) -> Bags:
        """Hashes -> rows; what was not seen in training is left out."""
        if not len(self):
            return Bags(np.empty(0, np.int64), np.zeros_like(bags.starts))
        rows = np.minimum(np.searchsorted(self.hashes, bags.values), len(self) - 1)
        seen = self.hashes[rows] == bags.values
        ends = np.zeros(len(seen) + 1, np.int64)
        np.cumsum(seen, out=ends[1:])
        return Bags(rows[seen], ends[bags.starts])

    @staticmethod
    def of(batches: Iterable[Bags], articles: int, least: int, most: int) -> tuple["NgramVocabulary", Weights]:
        """Vocabulary of some documents.

        Args:
            batches: hashes of all documents, some documents at a time.
            articles: how many documents there are.
            least: documents that an n-gram must stand in.
            most: n-grams that are kept, the most frequent ones.

        Returns:
            The vocabulary; float32 (V,), how rare each n-gram is: log((1 + articles) / (1 + documents)) + 1.
        """
        hashes, counts = np.empty(0, np.uint64), np.empty(0, np.int64)
        for bags in batches:
            fresh, number = np.unique(distinct(bags)[0].values, return_counts=True)
            hashes, place = np.unique(np.concatenate([hashes, fresh]), return_inverse=True)
            counts = np.bincount(place, np.concatenate([counts, number]), len(hashes)).astype(np.int64)
        kept = np.flatnonzero(counts >= least)
        if len(kept) > most:
            kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:most]])
        return NgramVocabulary(hashes[kept]), (np.log((1 + articles) / (1 + counts[kept])) + 1).astype(np.float32)


def distinct(bags: Bags) -> tuple[Bags, Weights]:
    """Each value once per document, ascending, and float32, how often it stands there."""
    owner = np.repeat(np.arange(len(bags.starts) - 1), np.diff(bags.starts))
    hashes: Hashes = np.empty(0, np.uint64)
    rows: Places = np.asarray(bags.values, dtype=np.int64)
    if bags.values.dtype == np.uint64:
        hashes, rows = np.unique(bags.values, return_inverse=True)
    most = int(rows.max(initial=0)) + 1
    cells: Places = np.sort(owner * most + rows)  # one sort of one key: four times as fast as of two
    places = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(np.append(places, len(cells))).astype(np.float32)
    owner, rows = cells[places] // most, cells[places] % most
    starts = _starts(np.bincount(owner, minlength=len(bags.starts) - 1))
    return (Bags(hashes[rows], starts) if len(hashes) else Bags(rows, starts)), counts


def _codes(text: str) -> Hashes:
    """Code points, uint64 (N,); lone surrogates pass."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """A bijection of 64 bits in which every bit decides about every other (splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _sizes(parts: Sequence[Sequence[str]] | Sequence[str]) -> Places:
    return np.fromiter(map(len, parts), np.int64, len(parts))


def _starts(sizes: Places) -> Places:
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts
