"""Word classes: part-of-speech-like tags of English words, induced from unlabelled text.

Reads token tables; produces ``classes.parquet``, ``endings.parquet`` and ``contexts.npy``. A word's class is learned
from how often which function words stand beside it ("the", "to", "of" ...) and from its ending, starting from a
grammar's common knowledge (``recsys.tokens.grammar``): expectation maximisation over tokens, in which a word has one
share per class, and each neighbour one likelihood per class. No labelled data, no shipped model; a word that was never
seen is judged by its ending.
Source: Merialdo 1994, "Tagging English Text with a Probabilistic Model", with the neighbours' commonest classes in
place of hidden ones; endings as in Brants 2000, "TnT", section 2.3.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import CorruptArtefact
from recsys.tokens.grammar import (
    AFTER_CLASS,
    BEFORE_CLASS,
    ENDINGS,
    FUNCTION_WORDS,
    LEFT_OF,
    NUMBER_WORDS,
    OTHERWISE,
    RIGHT_OF,
    SURE_WORDS,
)
from recsys.tokens.sample import Sample, sample
from recsys.workspace import load_npy, read_table, save_npy, write_table

OPEN = "nvad"  # noun, verb, adjective, adverb: the classes that are learned
FUNCTION, NUMBER = "u", "m"  # the others, which are listed
JOIN = "_"  # within a joined word, which is of its last part's class
ROUNDS = 6  # of expectation maximisation; the tags hardly change after the fourth
ENDING_TOKENS = 4.0  # tokens of evidence that a word's ending is worth against its own neighbours
SURE_TOKENS = 30.0  # what being one of the sure words is worth
CONTEXT_TOKENS = 50.0  # what is known of the words beside a function word
CLASS_TOKENS = 2000.0  # and beside a class of words, which holds a small corpus up
ENDING_WORDS = 15.0  # words of evidence that a shorter ending is worth against a longer one
LONGEST = 4  # characters of a learned ending
MIN_WORDS = 3  # words that share an ending, from which it is kept
MIN_COUNT = 2  # tokens from which a word is kept; a rarer one is judged by its ending
LEAST_SHARE = 0.01  # of all tokens that a class is taken to have; in a few lines there may be no adverb at all
CHUNK = 250_000  # tokens at a time, which bounds memory

_GROUPS = ("ing", "ed", "ly", "s")  # endings that tell content words apart as neighbours; else the last group
_EDGE = len(FUNCTION_WORDS)  # neighbours: first the function words, then nothing (the edge of a sentence),
_NUMBER = _EDGE + 1  # a number,
_CONTENT = _EDGE + 2  # and a content word, by class and group
CONTEXTS = _CONTENT + len(OPEN) * (len(_GROUPS) + 1)
_FUNCTION_ROW = {word: row for row, word in enumerate(FUNCTION_WORDS)}
_LETTERS = np.array([*OPEN, FUNCTION, NUMBER], object)
_MIN_LETTERS = 3  # from which a word that begins with a digit is no number: 24-hour

Table = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class WordClasses:
    """The classes of V words, E endings and K neighbours.

    Attributes:
        words: V words.
        shares: float64 (V, 4), how much each word is a noun, verb, adjective, adverb; rows sum to 1.
        endings: E endings of one to four characters.
        evidence: float64 (E, 4), words with that ending, by class.
        contexts: float64 (2, K, 4), how much oftener than elsewhere a class stands behind, and before, a neighbour.
    """

    words: list[str]
    shares: Table
    endings: list[str]
    evidence: Table
    contexts: Table

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def _ending_row(self) -> dict[str, int]:
        return {ending: row for row, ending in enumerate(self.endings)}

    def tags(self, words: Sequence[str]) -> list[str]:
        """The commonest class of each word, whatever stands beside it.

        Args:
            words: lower-cased, in any order.

        Returns:
            As many of "n", "v", "a", "d", "u" (function word) and "m" (number).
        """
        return list(_LETTERS[_classes(_kinds(words), self._shares(words))])

    def in_context(self, codes: Codes, words: Sequence[str], starts: Mask) -> Labels:
        """The class of each token, judged by the word and its two neighbours: "to report", "the report".

        Args:
            codes: int64 (T,), the word of each token in reading order; several texts may follow each other.
            words: lower-cased words by code.
            starts: bool (T,), tokens that nothing stands before: of a text, or behind punctuation.

        Returns:
            object (T,), as many tags.
        """
        kinds, shares = _kinds(words), self._shares(words)
        neighbours = _neighbours(words, kinds, shares)
        tags = np.empty(len(codes), object)
        for begin, part, left, right in _in_parts(codes, starts, neighbours):
            likely = shares[part] * self.contexts[0, left] * self.contexts[1, right]
            tags[begin : begin + len(part)] = _LETTERS[_classes(kinds[part], likely)]
        return tags

    def _shares(self, words: Sequence[str]) -> Table:
        rows = np.array([self._row_of.get(word, -1) for word in words], np.int64)
        shares = np.empty((len(rows), len(OPEN)))
        shares[rows >= 0] = self.shares[rows[rows >= 0]]
        strange = [word for word, row in zip(words, rows.tolist(), strict=True) if row < 0]
        shares[rows < 0] = _by_ending(strange, self._ending_row, self.evidence)
        return shares

    def save(self, folder: Path) -> None:
        """Write the classes to ``folder``."""
        for name, column, names, table in (
            ("classes", "word", self.words, self.shares),
            ("endings", "ending", self.endings, self.evidence),
        ):
            columns = {column: pa.array(names, pa.string())} | {OPEN[c]: table[:, c] for c in range(len(OPEN))}
            write_table(folder / f"{name}.parquet", pa.table(columns))
        save_npy(folder / "contexts.npy", self.contexts)


def load_classes(folder: Path) -> WordClasses:
    """Read the classes from ``folder``.

    Raises:
        CorruptArtefact: they were made for other contexts.
    """
    contexts = load_npy(folder / "contexts.npy")
    if contexts.shape != (2, CONTEXTS, len(OPEN)):
        raise CorruptArtefact(
            f"contexts (2, {CONTEXTS}, {len(OPEN)}) in {folder}", f"{contexts.shape}", "Run: python -m jobs tokens"
        )
    tables = [read_table(folder / f"{name}.parquet") for name in ("classes", "endings")]
    words, endings = (table.column(0).to_pylist() for table in tables)
    shares, evidence = (
        np.stack([table[letter].to_numpy() for letter in OPEN], axis=1).astype(np.float64) for table in tables
    )
    return WordClasses(words, shares, endings, evidence, contexts)


def induce(batches: Iterable[pa.RecordBatch]) -> WordClasses:
    """Learn the classes of English words.

    Args:
        batches: rows of the tokens table; only the English ones are read, and of many an even sample.

    Returns:
        The classes; without any English text what a grammar knows.
    """
    text = sample(batches)
    kinds = _kinds(text.words)
    if not (kinds == _OPEN_KIND).any():
        return NO_CLASSES
    known = _known_contexts()
    sure = _sure(text.words)
    contexts = known / known.mean(axis=1, keepdims=True)
    shares = _normal(sure + ENDING_TOKENS * _by_ending(text.words, {}, np.empty((0, len(OPEN)))))
    endings: list[str] = []
    evidence = np.empty((0, len(OPEN)))
    for _ in range(ROUNDS):
        counts, beside = _expected(text, kinds, shares, contexts)
        endings, evidence = _learned_endings(text.words, counts)
        by_ending = _by_ending(text.words, {ending: row for row, ending in enumerate(endings)}, evidence)
        shares = _normal(counts + ENDING_TOKENS * by_ending + sure)
        contexts = _normal(beside + known) / np.maximum(_normal(counts.sum(axis=0)), LEAST_SHARE)
    kept = np.flatnonzero((kinds == _OPEN_KIND) & (np.bincount(text.codes, minlength=len(kinds)) >= MIN_COUNT))
    return WordClasses([text.words[row] for row in kept.tolist()], shares[kept], endings, evidence, contexts)


def _expected(text: Sample, kinds: Codes, shares: Table, contexts: Table) -> tuple[Table, Table]:
    """One expectation: tokens of each word by class (V, 4), and tokens behind and before each neighbour (2, K, 4)."""
    counts, beside = np.zeros_like(shares), np.zeros((2, CONTEXTS, len(OPEN)))
    neighbours = _neighbours(text.words, kinds, shares)
    for _, part, *sides in _in_parts(text.codes, text.starts, neighbours):
        able = kinds[part] == _OPEN_KIND
        part, left, right = part[able], sides[0][able], sides[1][able]
        likely = _normal(shares[part] * contexts[0, left] * contexts[1, right])
        for c in range(len(OPEN)):
            counts[:, c] += np.bincount(part, likely[:, c], len(counts))
            beside[0, :, c] += np.bincount(left, likely[:, c], CONTEXTS)
            beside[1, :, c] += np.bincount(right, likely[:, c], CONTEXTS)
    return counts, beside


def _in_parts(codes: Codes, starts: Mask, neighbours: Codes) -> Iterator[tuple[int, Codes, Codes, Codes]]:
    """Parts of a text: where each begins, its words, and the neighbours to the left and to the right of each."""
    for begin in range(0, len(codes), CHUNK):
        part = codes[begin : begin + CHUNK]
        left, right = np.full((2, len(part)), _EDGE)
        first, last = max(begin, 1), min(begin + CHUNK, len(codes) - 1)
        left[first - begin :] = neighbours[codes[first - 1 : begin + len(part) - 1]]
        right[: last - begin] = neighbours[codes[begin + 1 : last + 1]]
        left[starts[begin : begin + CHUNK]] = _EDGE
        right[: last - begin][starts[begin + 1 : last + 1]] = _EDGE
        yield begin, part, left, right


_OPEN_KIND, _NUMBER_KIND = -1, -2


def _kinds(words: Sequence[str]) -> Codes:
    """int64 (V,): the row of a function word, -2 for a number, -1 for a word of an open class."""
    return np.array([_FUNCTION_ROW.get(word, _NUMBER_KIND if _is_number(word) else _OPEN_KIND) for word in words], int)


def _is_number(word: str) -> bool:
    return word in NUMBER_WORDS or (word[:1].isdigit() and sum(map(str.isalpha, word)) < _MIN_LETTERS)


def _classes(kinds: Codes, likely: Table) -> Codes:
    """The class of each word: its row in ``_LETTERS``."""
    return np.where(kinds >= 0, len(OPEN), np.where(kinds == _NUMBER_KIND, len(OPEN) + 1, likely.argmax(axis=1)))


def _neighbours(words: Sequence[str], kinds: Codes, shares: Table) -> Codes:
    """What each word is to the word beside it: a row of the contexts."""
    groups = [
        next((row for row, end in enumerate(_GROUPS) if word.endswith(end) and len(word) > len(end) + 2), len(_GROUPS))
        for word in words
    ]
    content = _CONTENT + shares.argmax(axis=1) * (len(_GROUPS) + 1) + np.array(groups, int)
    return np.where(kinds >= 0, kinds, np.where(kinds == _NUMBER_KIND, _NUMBER, content))


def _by_ending(words: Sequence[str], row_of: dict[str, int], evidence: Table) -> Table:
    """The shares of words as their endings have them, the longest known ending weighing most.

    Args:
        words: any words.
        row_of: learned ending -> row.
        evidence: float64 (E, 4), words by class.

    Returns:
        float64 (N, 4); rows sum to 1.
    """
    names = [word.rpartition(JOIN)[2] for word in words]
    shares = _normal(np.array([_grammar(name) for name in names]).reshape(-1, len(OPEN)))
    impossible = shares == 0
    for length in range(1, LONGEST + 1) if row_of else ():
        rows = np.array([row_of.get(name[-length:], -1) if len(name) > length + 1 else -1 for name in names], int)
        able = rows >= 0
        shares[able] = _normal(evidence[rows[able]] + ENDING_WORDS * shares[able])
    shares[impossible] = 0
    return _normal(shares)


def _grammar(word: str) -> tuple[float, float, float, float]:
    for length in range(min(9, len(word) - 1), 0, -1):
        if (found := ENDINGS.get(word[-length:])) and (len(word) > length + 1 or word[-length] == "-"):
            return found if not word.endswith("ss") else OTHERWISE
    return OTHERWISE


def _learned_endings(words: Sequence[str], counts: Table) -> tuple[list[str], Table]:
    """Endings that several words share, and how many of those are of each class; frequent words count a little more."""
    total = counts.sum(axis=1, keepdims=True)
    weight = counts / np.maximum(total, 1e-9) * np.minimum(total, np.maximum(1, np.log1p(total)))  # (V, 4)
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(total[:, 0] > 0).tolist():
        name = words[row].rpartition(JOIN)[2]
        for length in range(1, min(LONGEST, len(name) - 2) + 1):
            groups.setdefault(name[-length:], []).append(row)
    kept = {ending: rows for ending, rows in groups.items() if len(rows) >= MIN_WORDS}
    evidence = [weight[rows].sum(axis=0) for rows in kept.values()]
    return list(kept), np.array(evidence).reshape(-1, len(OPEN))


def _sure(words: Sequence[str]) -> Table:
    """float64 (V, 4), tokens of evidence for the classes of the sure words."""
    found = np.zeros((len(words), len(OPEN)))
    row_of = {word: row for row, word in enumerate(words)}
    for c, sure in enumerate(SURE_WORDS):
        found[[row_of[word] for word in sure if word in row_of], c] = SURE_TOKENS
    return found


def _known_contexts() -> Table:
    """float64 (2, K, 4), tokens of evidence for what stands beside each neighbour."""
    known = np.full((2, CONTEXTS, len(OPEN)), 0.5)
    for side, classes in enumerate((AFTER_CLASS, BEFORE_CLASS)):
        known[side, _CONTENT:] += CLASS_TOKENS * np.repeat(np.array(classes), len(_GROUPS) + 1, axis=0)
    for side, contexts in enumerate((LEFT_OF, RIGHT_OF)):
        for word, shares in contexts.items():
            known[side, _FUNCTION_ROW[word]] += CONTEXT_TOKENS * np.array(shares)
    return known


def _normal(table: Table) -> Table:
    """Rows scaled to sum to 1."""
    scaled: Table = table / table.sum(axis=-1, keepdims=True)
    return scaled


def _untaught() -> WordClasses:
    known = _known_contexts()
    words = [word for sure in SURE_WORDS for word in sure]
    shares = _normal(_sure(words) + ENDING_TOKENS * _by_ending(words, {}, np.empty((0, len(OPEN)))))
    return WordClasses(words, shares, [], np.empty((0, len(OPEN))), _normal(known) * len(OPEN))


NO_CLASSES = _untaught()
