"""Discovery of new words and collocations: frequent neighbours that hang together become one word.

Reads cut articles three times, a batch in memory at once; produces entries of the lexicon. Neighbours hang together
when they meet far oftener than by chance (NPMI: normalised pointwise mutual information), and they are a whole when
many different words stand to their left and to their right (the smaller branching entropy): "york times" has a high
NPMI, but always follows "new". A second round looks at the neighbours of what hangs together, so that an entry can have
up to four parts.
Source: Bouma 2009, "Normalized (pointwise) mutual information in collocation extraction"; Jin & Tanaka-Ishii 2006,
"Unsupervised segmentation of Chinese text by use of branching entropy".
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.tokens.counting import BigramCounter, NeighbourCounter
from recsys.tokens.lexicon import Joiner, LexiconEntry, joined_name
from recsys.tokens.stopwords import STOP_WORDS
from recsys.tokens.table import SegmentArrays, segment_arrays

_MIN_COUNT = 10  # of two neighbours in the corpus: fewer say nothing about whether they are one word
_MIN_ARTICLES = 5  # two neighbours that stand in fewer are no word but what one text repeats
_MIN_NPMI = 0.5  # from -1 to 1: phrases below it are merely common
_MIN_BRANCHING_ENTROPY = 1.0  # nats, left and right of a new word; less means that it is part of a longer one
_MAX_WORDS = 1 << 18  # words of a language that are told apart, the most frequent ones
_MAX_PAIRS = 100_000  # pairs whose neighbours are counted, the most frequent ones
_MAX_CACHED_CODES = 20_000_000  # codes kept from one reading to the next, 80 MB
_MAX_CHARS = {"zh": 8, "en": 40}  # longer ones are slogans
_MIN_PART_CHARS = {"zh": 1, "en": 2}
_CHINESE_TAGS = ("n", "v", "a", "b", "j", "k", "h", "i", "l", "s", "g", "z", "eng", "x")  # tags of words with content

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Reader = Callable[[], Iterable[pa.RecordBatch]]
Join = Callable[[Codes, SegmentArrays], tuple[Codes, Mask, Codes]]


class NgramCounts(NamedTuple):
    """The words of one language.

    Attributes:
        names: V words or sequences of words: its parts.
        counts: int64 (V,), of each in the corpus.
        usable: bool (V,), words that can be part of an entry: no stop word, no number, frequent enough.
        total: words in the corpus.
    """

    names: list[tuple[str, ...]]
    counts: Codes
    usable: Mask
    total: int


class Bigrams(NamedTuple):
    """P pairs of neighbours that hang together, by the codes of a vocabulary; npmi is float64 (P,)."""

    left: Codes
    right: Codes
    counts: Codes
    npmi: npt.NDArray[np.float64]


def new_words(read: Reader, counts: dict[str, int], language: str, tags: Callable[[str], str]) -> list[LexiconEntry]:
    """Find the entries of one language.

    Args:
        read: gives the batches of ``SEGMENTS``, from the first one on, each time it is called.
        counts: of each word in them.
        language: "zh" or "en".
        tags: the part of speech of a Chinese word.

    Returns:
        The entries, the highest NPMI first.
    """
    words = _vocabulary(counts, language, tags)
    if not words.usable.any():
        return []
    coded = _Coded(read, language, words)
    bigrams = BigramCounter(len(words.names), _MIN_COUNT)
    for flat, codes in coded:
        bigrams.add(codes, _meeting(codes, words.usable, flat.starts), flat.article)
    pairs = _cohesive_pairs(bigrams, words, language)
    if not len(pairs.left):
        return []
    joined = words._replace(
        names=words.names + _names(pairs, words),
        counts=np.concatenate([words.counts, pairs.counts]),
        usable=np.concatenate([words.usable, np.ones(len(pairs.left), bool)]),
    )
    entropy, bigrams = BranchingEntropy(pairs, len(words.names)), BigramCounter(len(joined.names), _MIN_COUNT)
    join = _joiner(pairs, words)
    for flat, codes in coded:
        entropy.add(codes, flat.starts)
        codes, starts, article = join(codes, flat)
        new = (codes[:-1] >= len(words.names)) | (codes[1:] >= len(words.names))
        bigrams.add(codes, _meeting(codes, joined.usable, starts) & new, article)
    longer = _cohesive_pairs(bigrams, joined, language)
    entries = _entries(pairs, words, entropy, language) + _longer_entries(longer, joined, coded, join)
    return sorted(entries, key=lambda entry: (-entry.npmi, entry.parts))


def _longer_entries(pairs: Bigrams, joined: NgramCounts, coded: "_Coded", join: Join) -> list[LexiconEntry]:
    """Entries of three or four parts: pairs of which at least one is a pair itself."""
    entropy = BranchingEntropy(pairs, len(joined.names))
    for flat, codes in coded if len(pairs.left) else ():
        codes, starts, _ = join(codes, flat)
        entropy.add(codes, starts)
    return _entries(pairs, joined, entropy, coded.language)


class BranchingEntropy:
    """Entropy of the words that stand beside some pairs.

    Args:
        pairs: the pairs.
        size: codes are smaller than this.
    """

    def __init__(self, pairs: Bigrams, size: int) -> None:
        self._size, keys = size, pairs.left * size + pairs.right
        self._order = np.argsort(keys)
        self._keys = keys[self._order]
        self._left, self._right = (NeighbourCounter(len(keys), size) for _ in range(2))

    def add(self, codes: Codes, starts: Mask) -> None:
        """Count a batch: codes int64 (T,), -1 for words without a code; starts bool (T,), words behind a break."""
        keys = codes[:-1] * self._size + codes[1:]
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        places = np.flatnonzero((self._keys[at] == keys) & ~starts[1:] & (codes[:-1] >= 0) & (codes[1:] >= 0))
        pair = self._order[at[places]]
        ends = np.append(starts, True)
        around = np.concatenate([[-1], codes, [-1]])  # [p] is left of the pair at p, [p + 3] right of it
        self._left.add(pair, np.where(starts[places], -1, around[places]))
        self._right.add(pair, np.where(ends[places + 2], -1, around[places + 3]))

    def least(self) -> npt.NDArray[np.float64]:
        """float64 (P,): the smaller one of the entropies to the left and to the right, in nats."""
        return np.minimum(self._left.entropy(), self._right.entropy())


def _vocabulary(counts: dict[str, int], language: str, tags: Callable[[str], str]) -> NgramCounts:
    names = sorted((name for name in counts if counts[name] > 1), key=lambda name: (-counts[name], name))[:_MAX_WORDS]
    stop, shortest = STOP_WORDS[language], _MIN_PART_CHARS[language]
    usable = [
        counts[name] >= _MIN_COUNT
        and name not in stop
        and len(name) >= shortest
        and not any(char.isdigit() for char in name)
        and (language != "zh" or tags(name).startswith(_CHINESE_TAGS))
        for name in names
    ]
    sizes = np.array([counts[name] for name in names], np.int64)
    return NgramCounts([(name,) for name in names], sizes, np.array(usable, bool), sum(counts.values()))


class _Coded:
    """The words of one language, batch by batch, by their codes, -1 for unknown ones; can be read several times."""

    def __init__(self, read: Reader, language: str, words: NgramCounts) -> None:
        self._read, self.language = read, language
        self._code = {name[0]: place for place, name in enumerate(words.names)}
        self._cached: list[npt.NDArray[np.int32]] = []  # the codes of each batch's different words
        self._room = _MAX_CACHED_CODES

    def __iter__(self) -> Iterator[tuple[SegmentArrays, Codes]]:
        for number, batch in enumerate(self._read()):
            flat = segment_arrays(batch)
            language = flat.languages.index(self.language) if self.language in flat.languages else -1
            kept = flat.language == language
            codes = self._codes(number, flat.names)[flat.codes[kept]].astype(np.int64)
            if len(codes):
                yield flat._replace(codes=flat.codes[kept], article=flat.article[kept], starts=flat.starts[kept]), codes

    def _codes(self, number: int, names: pa.Array) -> npt.NDArray[np.int32]:
        if number < len(self._cached):
            return self._cached[number]
        codes = np.array([self._code.get(name, -1) for name in names.to_pylist()], np.int32)
        if number == len(self._cached) and self._room >= len(codes):
            self._cached.append(codes)
            self._room -= len(codes)
        return codes


def _meeting(codes: Codes, usable: Mask, starts: Mask) -> Mask:
    """bool (T - 1,): neighbours that can be one word, with no break between them."""
    able = usable[codes] & (codes >= 0)
    meeting: Mask = able[:-1] & able[1:] & ~starts[1:]
    return meeting


def _cohesive_pairs(meetings: BigramCounter, words: NgramCounts, language: str) -> Bigrams:
    left, right, counts, articles = meetings.pairs()
    joint = np.log(words.total / counts)  # -log p(a, b)
    independent = np.log(words.total / words.counts[left]) + np.log(words.total / words.counts[right])  # -log p(a) p(b)
    npmi = np.divide(independent - joint, joint, out=np.ones(len(counts)), where=joint > 0)
    short = [
        sum(map(len, words.names[a] + words.names[b])) <= _MAX_CHARS[language]
        for a, b in zip(left.tolist(), right.tolist(), strict=True)
    ]
    kept = (counts >= _MIN_COUNT) & (articles >= _MIN_ARTICLES) & (npmi >= _MIN_NPMI)
    kept = np.flatnonzero(kept & np.array(short, bool))
    kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")][:_MAX_PAIRS])
    return Bigrams(left[kept], right[kept], counts[kept], npmi[kept])


def _names(pairs: Bigrams, words: NgramCounts) -> list[tuple[str, ...]]:
    return [words.names[a] + words.names[b] for a, b in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)]


def _joiner(pairs: Bigrams, words: NgramCounts) -> Join:
    """A function that joins cohesive pairs, whatever their branching entropy, and codes them behind the words."""
    order, names = np.argsort(-pairs.npmi, kind="stable").tolist(), _names(pairs, words)
    joiner = Joiner([names[place] for place in order])
    parts = np.append(joiner.parts([name[0] for name in words.names]), -1)  # the last one is for unknown words

    def join(codes: Codes, flat: SegmentArrays) -> tuple[Codes, Mask, Codes]:
        kept, codes = np.ones(len(codes), bool), codes.copy()
        for place, _, entry in joiner.find(parts[codes], flat.starts):
            codes[place] = len(words.names) + order[entry]
            kept[place + 1] = False
        return codes[kept], flat.starts[kept], flat.article[kept]

    return join


def _entries(pairs: Bigrams, words: NgramCounts, entropy: BranchingEntropy, language: str) -> list[LexiconEntry]:
    least = entropy.least()
    return [
        LexiconEntry(joined_name(parts), language, parts, int(pairs.counts[i]), float(pairs.npmi[i]), float(least[i]))
        for i, parts in enumerate(_names(pairs, words))
        if least[i] >= _MIN_BRANCHING_ENTROPY
    ]
