"""What ranking knows of each word, whatever its form: its row in the word space, its rarity, whether it can be one.

"bank" and "banks" are one word here: counted together, merged in phrases. Looked up once per batch and different word.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.tokens import LANGUAGES
from recsys.tokens.stopwords import STOP_WORDS
from recsys.words import WordVectors

MIN_CHARS = {"en": 2, "zh": 1, "other": 2}  # a single Latin letter is a list's bullet or an initial
UNCOUNTED = 1  # articles that a word stands in that the counts don't know: the one at hand

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.float64]


class Found(NamedTuple):
    """U words of a batch.

    Attributes:
        rows: int64 (U,), in the word space; -1 for unknown ones.
        folds: int64 (U,), the same number for all forms of a word; unknown ones have numbers behind all others.
        articles: int64 (U,), articles that the word stands in, in any form.
        able: bool (languages, U), whether it can be part of a keyword.
    """

    rows: Ints
    folds: Ints
    articles: Ints
    able: Mask


class Lookup:
    """The words of the word space, with their forms and counts.

    Args:
        words: the word space.
        by_word: int (V,), articles that each word stands in, in any form.
        limits: by language, the articles that a word may stand in at most.
        merge_forms: whether plurals are the same word as their singulars.
    """

    def __init__(
        self, words: WordVectors, by_word: npt.NDArray[np.int32], limits: Sequence[float], merge_forms: bool
    ) -> None:
        self._row_of, self._merge = words.row_of, merge_forms
        self._fold_of: dict[str, int] = {}
        self._folds = fold_words(words.words, self._fold_of, merge_forms)
        self._articles = np.full(len(self._fold_of), UNCOUNTED, np.int64)
        np.maximum.at(self._articles, self._folds, by_word)
        self._limits = np.array(limits)[:, None]
        self._able = can_be_keyword(words.words) & (self._articles[self._folds] <= self._limits)

    def find(self, words: Sequence[str]) -> Found:
        """Look up different words."""
        rows = np.array([self._row_of.get(word, -1) for word in words], np.int64)
        strange = np.flatnonzero(rows < 0)
        names = [words[place] for place in strange.tolist()]
        folds = np.empty(len(rows), np.int64)
        folds[rows >= 0] = self._folds[rows[rows >= 0]]
        new: dict[str, int] = {}
        for place, name in zip(strange.tolist(), names, strict=True):
            form = fold(name) if self._merge else name
            number = self._fold_of.get(form)
            folds[place] = new.setdefault(form, len(self._fold_of) + len(new)) if number is None else number
        articles = np.full(len(rows), UNCOUNTED, np.int64)
        known = folds < len(self._fold_of)
        articles[known] = self._articles[folds[known]]
        able = np.empty((len(LANGUAGES), len(rows)), bool)
        able[:, rows >= 0] = self._able[:, rows[rows >= 0]]
        able[:, strange] = can_be_keyword(names) & (articles[strange] <= self._limits)
        return Found(rows, folds, articles, able)


def fold_words(words: Sequence[str], fold_of: dict[str, int], merge_forms: bool) -> Ints:
    """Number words by their forms, and note the numbers in ``fold_of``."""
    forms = (fold(word) if merge_forms else word for word in words)
    return np.array([fold_of.setdefault(form, len(fold_of)) for form in forms], np.int64)


def fold(word: str) -> str:
    """The form that stands for a word and its plural: "banks" -> "bank", "stories" -> "story", "classes" -> "class".

    Only the regular endings of English; other words stay as they are, and so does what merely looks like a plural
    ("news", "gas", "crisis").
    """
    if len(word) < 4 or word[-1] != "s" or word.endswith(("ss", "us", "is", "news")) or not word.isascii():
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


def can_be_keyword(words: Sequence[str]) -> Mask:
    """bool (languages, N): whether a word can be part of a keyword: no stop word, no number, not too short."""
    able = np.empty((len(LANGUAGES), len(words)), bool)
    for number, language in enumerate(LANGUAGES):
        stop, shortest = STOP_WORDS[language], MIN_CHARS[language]
        able[number] = [len(word) >= shortest and word not in stop and any(map(str.isalpha, word)) for word in words]
    return able
