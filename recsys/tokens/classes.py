"""Word classes: part-of-speech-like tags of English words, by their shares of each class, endings and neighbours.

Reads and writes ``classes.parquet``, ``endings.parquet`` and ``contexts.npy``. The classes are induced from unlabelled
text (``recsys.tokens.induction``), and no model is shipped; before any text there is a grammar's common knowledge, and
a word that was never seen is judged by its ending.
Source: Brants 2000, "TnT", section 2.3 (endings).
"""

from collections.abc import Iterator, Sequence
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
    ENGLISH_FUNCTION_WORDS,
    LEFT_OF,
    NUMBER_WORDS,
    OTHERWISE,
    RIGHT_OF,
    SURE_WORDS,
)
from recsys.tokens.table import JOINT
from recsys.workspace import load_npy, read_table, save_npy, write_table

OPEN_CLASSES = "nvad"  # noun, verb, adjective, adverb: the classes that are learned
OPEN_COUNT = len(OPEN_CLASSES)
_FUNCTION, _NUMBER_TAG = "u", "m"  # the others, which are listed
ENDING_TOKENS = 4.0  # tokens of evidence that a word's ending is worth against its own neighbours
_SURE_TOKENS = 30.0  # evidence that one of the sure words counts as
_CONTEXT_TOKENS = 50.0  # prior for the words beside a function word
_CLASS_TOKENS = 2000.0  # and beside a class of words, which holds a small corpus up
_ENDING_WORDS = 15.0  # words of evidence that a shorter ending is worth against a longer one
LONGEST_ENDING = 4  # characters of a learned ending
TOKENS_AT_ONCE = 250_000  # tokens at a time, which bounds memory

_GROUPS = ("ing", "ed", "ly", "s")  # endings that tell content words apart as neighbours; else the last group
_EDGE = len(ENGLISH_FUNCTION_WORDS)  # neighbours: first the function words, then nothing (the edge of a sentence),
_NUMBER = _EDGE + 1  # a number,
_CONTENT = _EDGE + 2  # and a content word, by class and group
CONTEXT_ROWS = _CONTENT + OPEN_COUNT * (len(_GROUPS) + 1)
_FUNCTION_ROW = {word: row for row, word in enumerate(ENGLISH_FUNCTION_WORDS)}
_LETTERS = np.array([*OPEN_CLASSES, _FUNCTION, _NUMBER_TAG], object)
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
        return list(_LETTERS[_classes(word_kinds(words), self._shares(words))])

    def tags_in_context(self, codes: Codes, words: Sequence[str], starts: Mask) -> Labels:
        """The class of each token, judged by the word and its two neighbours: "to report", "the report".

        Args:
            codes: int64 (T,), the word of each token in reading order; several texts may follow each other.
            words: lower-cased words by code.
            starts: bool (T,), tokens that nothing stands before: of a text, or behind punctuation.

        Returns:
            object (T,), as many tags.
        """
        kinds, shares = word_kinds(words), self._shares(words)
        neighbours = neighbour_rows(words, kinds, shares)
        tags = np.empty(len(codes), object)
        for begin, part, left, right in in_parts(codes, starts, neighbours):
            likely = shares[part] * self.contexts[0, left] * self.contexts[1, right]
            tags[begin : begin + len(part)] = _LETTERS[_classes(kinds[part], likely)]
        return tags

    def _shares(self, words: Sequence[str]) -> Table:
        rows = np.array([self._row_of.get(word, -1) for word in words], np.int64)
        shares = np.empty((len(rows), OPEN_COUNT))
        shares[rows >= 0] = self.shares[rows[rows >= 0]]
        strange = [word for word, row in zip(words, rows.tolist(), strict=True) if row < 0]
        shares[rows < 0] = shares_by_ending(strange, self._ending_row, self.evidence)
        return shares

    def save(self, folder: Path) -> None:
        """Write the classes to ``folder``."""
        for name, column, names, table in (
            ("classes", "word", self.words, self.shares),
            ("endings", "ending", self.endings, self.evidence),
        ):
            columns = {column: pa.array(names, pa.string())} | {OPEN_CLASSES[c]: table[:, c] for c in range(OPEN_COUNT)}
            write_table(folder / f"{name}.parquet", pa.table(columns))
        save_npy(folder / "contexts.npy", self.contexts)


def load_classes(folder: Path) -> WordClasses:
    """Read the classes from ``folder``.

    Raises:
        CorruptArtefact: they were made for other contexts.
    """
    contexts = load_npy(folder / "contexts.npy")
    if contexts.shape != (2, CONTEXT_ROWS, OPEN_COUNT):
        raise CorruptArtefact(
            f"contexts (2, {CONTEXT_ROWS}, {OPEN_COUNT}) in {folder}",
            f"{contexts.shape}",
            "Run: python -m jobs tokens",
        )
    tables = [read_table(folder / f"{name}.parquet") for name in ("classes", "endings")]
    words, endings = (table.column(0).to_pylist() for table in tables)
    shares, evidence = (
        np.stack([table[letter].to_numpy() for letter in OPEN_CLASSES], axis=1).astype(np.float64) for table in tables
    )
    return WordClasses(words, shares, endings, evidence, contexts)


def in_parts(codes: Codes, starts: Mask, neighbours: Codes) -> Iterator[tuple[int, Codes, Codes, Codes]]:
    """Parts of a text: where each begins, its words, and the neighbours to the left and to the right of each."""
    for begin in range(0, len(codes), TOKENS_AT_ONCE):
        part = codes[begin : begin + TOKENS_AT_ONCE]
        left, right = np.full((2, len(part)), _EDGE)
        first, last = max(begin, 1), min(begin + TOKENS_AT_ONCE, len(codes) - 1)
        left[first - begin :] = neighbours[codes[first - 1 : begin + len(part) - 1]]
        right[: last - begin] = neighbours[codes[begin + 1 : last + 1]]
        left[starts[begin : begin + TOKENS_AT_ONCE]] = _EDGE
        right[: last - begin][starts[begin + 1 : last + 1]] = _EDGE
        yield begin, part, left, right


OPEN_KIND, _NUMBER_KIND = -1, -2


def word_kinds(words: Sequence[str]) -> Codes:
    """int64 (V,): the row of a function word, -2 for a number, -1 for a word of an open class."""
    return np.array([_FUNCTION_ROW.get(word, _NUMBER_KIND if _is_number(word) else OPEN_KIND) for word in words], int)


def _is_number(word: str) -> bool:
    return word in NUMBER_WORDS or (word[:1].isdigit() and sum(map(str.isalpha, word)) < _MIN_LETTERS)


def _classes(kinds: Codes, likely: Table) -> Codes:
    """The class of each word: its row in ``_LETTERS``."""
    return np.where(kinds >= 0, OPEN_COUNT, np.where(kinds == _NUMBER_KIND, OPEN_COUNT + 1, likely.argmax(axis=1)))


def neighbour_rows(words: Sequence[str], kinds: Codes, shares: Table) -> Codes:
    """The context that each word is to the word beside it: a row of the contexts."""
    groups = [
        next((row for row, end in enumerate(_GROUPS) if word.endswith(end) and len(word) > len(end) + 2), len(_GROUPS))
        for word in words
    ]
    content = _CONTENT + shares.argmax(axis=1) * (len(_GROUPS) + 1) + np.array(groups, int)
    return np.where(kinds >= 0, kinds, np.where(kinds == _NUMBER_KIND, _NUMBER, content))


def shares_by_ending(words: Sequence[str], row_of: dict[str, int], evidence: Table) -> Table:
    """The shares of words as their endings have them, the longest known ending weighing most.

    Args:
        words: any words.
        row_of: learned ending -> row.
        evidence: float64 (E, 4), words by class.

    Returns:
        float64 (N, 4); rows sum to 1.
    """
    names = [word.rpartition(JOINT)[2] for word in words]
    shares = normalised(np.array([_grammar(name) for name in names]).reshape(-1, OPEN_COUNT))
    impossible = shares == 0
    for length in range(1, LONGEST_ENDING + 1) if row_of else ():
        rows = np.array([row_of.get(name[-length:], -1) if len(name) > length + 1 else -1 for name in names], int)
        able = rows >= 0
        shares[able] = normalised(evidence[rows[able]] + _ENDING_WORDS * shares[able])
    shares[impossible] = 0
    return normalised(shares)


def _grammar(word: str) -> tuple[float, float, float, float]:
    for length in range(min(9, len(word) - 1), 0, -1):
        if (shares := ENDINGS.get(word[-length:])) and (len(word) > length + 1 or word[-length] == "-"):
            return shares if not word.endswith("ss") else OTHERWISE
    return OTHERWISE


def sure_evidence(words: Sequence[str]) -> Table:
    """float64 (V, 4), tokens of evidence for the classes of the sure words."""
    evidence = np.zeros((len(words), OPEN_COUNT))
    row_of = {word: row for row, word in enumerate(words)}
    for c, sure in enumerate(SURE_WORDS):
        evidence[[row_of[word] for word in sure if word in row_of], c] = _SURE_TOKENS
    return evidence


def prior_contexts() -> Table:
    """float64 (2, K, 4), tokens of evidence for the classes beside each neighbour."""
    prior = np.full((2, CONTEXT_ROWS, OPEN_COUNT), 0.5)
    for side, classes in enumerate((AFTER_CLASS, BEFORE_CLASS)):
        prior[side, _CONTENT:] += _CLASS_TOKENS * np.repeat(np.array(classes), len(_GROUPS) + 1, axis=0)
    for side, contexts in enumerate((LEFT_OF, RIGHT_OF)):
        for word, shares in contexts.items():
            prior[side, _FUNCTION_ROW[word]] += _CONTEXT_TOKENS * np.array(shares)
    return prior


def normalised(table: Table) -> Table:
    """Rows scaled to sum to 1."""
    scaled: Table = table / table.sum(axis=-1, keepdims=True)
    return scaled


def _from_grammar() -> WordClasses:
    prior = prior_contexts()
    words = [word for sure in SURE_WORDS for word in sure]
    shares = normalised(sure_evidence(words) + ENDING_TOKENS * shares_by_ending(words, {}, np.empty((0, OPEN_COUNT))))
    return WordClasses(words, shares, [], np.empty((0, OPEN_COUNT)), normalised(prior) * OPEN_COUNT)


NO_CLASSES = _from_grammar()
