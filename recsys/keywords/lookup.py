"""What ranking knows of each word, whatever its form: its row in the word space, its rarity, whether it can be one.

"bank" and "banks" are one word here: counted together, merged in phrases. Looked up once per batch and different word.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.tokens import LANGUAGES
from recsys.tokens.stopwords import STOP_WORDS
from recsys.words import Rows, WordVectors

MIN_CHARS = {"en": 2, "zh": 1, "other": 2}  # a single Latin letter is a list's bullet or an initial
UNCOUNTED = 1  # articles that a word stands in that the counts don't know: the one at hand
PLURALS_FROM = 4  # letters; shorter words in -s are hardly ever plurals

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


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
        by_word: int32 (V,), articles that each word stands in, in any form.
        limits: by language, the articles that a word may stand in at most.
        merge_forms: whether plurals are the same word as their singulars.
    """

    def __init__(self, words: WordVectors, by_word: Rows, limits: Sequence[float], merge_forms: bool) -> None:
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
        known, strange = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        names = [words[place] for place in strange.tolist()]
        folds = np.empty(len(rows), np.int64)
        folds[known] = self._folds[rows[known]]
        folds[strange] = self._strange_folds(names)
        articles = np.append(self._articles, UNCOUNTED)[np.minimum(folds, len(self._articles))]
        able = np.empty((len(LANGUAGES), len(rows)), bool)
        able[:, known] = self._able[:, rows[known]]
        able[:, strange] = can_be_keyword(names) & (articles[strange] <= self._limits)
        return Found(rows, folds, articles, able)

    def _strange_folds(self, names: Sequence[str]) -> Ints:
        """Words that are not in the word space may have a form that is; the others get numbers of their own."""
        new: dict[str, int] = {}
        forms = (fold(name) if self._merge else name for name in names)
        size = len(self._fold_of)
        found = (self._fold_of.get(form, -1 - new.setdefault(form, len(new))) for form in forms)
        folds = np.fromiter(found, np.int64, len(names))
        return np.where(folds < 0, size - 1 - folds, folds)


def fold_words(words: Sequence[str], fold_of: dict[str, int], merge_forms: bool) -> Ints:
    """Number words by their forms, and note the numbers in ``fold_of``."""
    forms = (fold(word) if merge_forms else word for word in words)
    return np.fromiter((fold_of.setdefault(form, len(fold_of)) for form in forms), np.int64, len(words))


def fold(word: str) -> str:
    """The form that stands for a word and its plural: "banks" -> "bank", "stories" -> "story", "classes" -> "class".

    Only the regular endings of English; what merely looks like a plural stays as it is ("news", "virus", "crisis").
    """
    if len(word) < PLURALS_FROM or word[-1] != "s" or not word.isascii() or word.endswith(("ss", "us", "is", "news")):
        return word
    if word.endswith("ies") and len(word) > PLURALS_FROM:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zzes")) else word[:-1]


def can_be_keyword(words: Sequence[str]) -> Mask:
    """bool (languages, N): whether a word can be part of a keyword: no stop word, no number, not too short."""
    able = np.empty((len(LANGUAGES), len(words)), bool)
    letters = np.array([any(map(str.isalpha, word)) for word in words], bool)
    for number, language in enumerate(LANGUAGES):
        stop, shortest = STOP_WORDS[language], MIN_CHARS[language]
        able[number] = letters & np.array([len(word) >= shortest and word not in stop for word in words], bool)
    return able
