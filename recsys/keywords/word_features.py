"""What ranking knows of each word, whatever its form: its row in the word space, its rarity, whether it can be one.

"bank" and "banks" are one word here: counted together, merged in phrases. Looked up once per batch and different word.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.keywords.frequencies import fold, fold_words
from recsys.tokens.scripts import is_japanese_word, is_korean_sentence_end
from recsys.words import Rows, WordVectors

MIN_CHARS = {"zh": 1}  # of a word within a keyword; of other languages two: one letter is a list's bullet or an initial
MAX_CHARS = {"ja": 12}  # a longer run of kanji or katakana is a whole headline
UNCOUNTED = 1  # articles that a word stands in that the counts don't know: the one at hand

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class WordFeatures(NamedTuple):
    """U words of a batch.

    Attributes:
        rows: int64 (U,), in the word space; -1 for unknown ones.
        folds: int64 (U,), the same number for all forms of a word; unknown ones have numbers behind all others.
        articles: int64 (languages, U), articles that the word stands in, in any form.
        able: bool (languages, U), whether it can be part of a keyword.
    """

    rows: Ints
    folds: Ints
    articles: Ints
    able: Mask


class WordLookup:
    """The words of the word space, with their forms and counts.

    Args:
        words: the word space.
        by_word: by language, int32 (V,), articles that each word stands in, in any form.
        limits: by language, the articles that a word may stand in at most.
        stop_words: by language, the words that are no part of a keyword.
        merge_forms: whether plurals are the same word as their singulars.
    """

    def __init__(
        self,
        words: WordVectors,
        by_word: Mapping[str, Rows],
        limits: Mapping[str, float],
        stop_words: Mapping[str, Collection[str]],
        merge_forms: bool,
    ) -> None:
        self._words, self._row_of, self._merge = words.words, words.row_of, merge_forms
        self._fold_of: dict[str, int] = {}
        self._folds = fold_words(words.words, self._fold_of, merge_forms)
        self._limits, self._stop_words = limits, stop_words
        self._articles: dict[str, Ints] = {}
        self._able: dict[str, Mask] = {}
        for language, counts in by_word.items():
            self._articles[language] = np.full(len(self._fold_of) + 1, UNCOUNTED, np.int64)  # the last: unknown words
            np.maximum.at(self._articles[language], self._folds, counts)

    def find(self, words: Sequence[str], languages: Sequence[str]) -> WordFeatures:
        """Look up different words.

        Args:
            words: U of them.
            languages: in which they may stand; one that was not counted has rare words alone.
        """
        rows = np.array([self._row_of.get(word, -1) for word in words], np.int64)
        known, strange = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        names = [words[place] for place in strange.tolist()]
        folds = np.empty(len(rows), np.int64)
        folds[known] = self._folds[rows[known]]
        folds[strange] = self._strange_folds(names)
        uncounted = np.full(len(self._fold_of) + 1, UNCOUNTED, np.int64)
        places = np.minimum(folds, len(self._fold_of))
        articles = np.empty((len(languages), len(rows)), np.int64)
        able = np.empty((len(languages), len(rows)), bool)
        for number, language in enumerate(languages):
            articles[number] = self._articles.get(language, uncounted)[places]
            able[number, known] = self._able_of(language)[rows[known]]
            able[number, strange] = can_be_keyword(names, language, self._stop_words.get(language, ()))
            able[number] &= articles[number] <= self._limits.get(language, np.inf)
        return WordFeatures(rows, folds, articles, able)

    def _able_of(self, language: str) -> Mask:
        """bool (V,): words of the word space that can be part of a keyword in a language, however common."""
        if language not in self._able:
            self._able[language] = can_be_keyword(self._words, language, self._stop_words.get(language, ()))
        return self._able[language]

    def _strange_folds(self, names: Sequence[str]) -> Ints:
        """Words that are not in the word space may have a form that is; the others get numbers of their own."""
        new: dict[str, int] = {}
        forms = (fold(name) if self._merge else name for name in names)
        size = len(self._fold_of)
        found = (self._fold_of.get(form, -1 - new.setdefault(form, len(new))) for form in forms)
        folds = np.fromiter(found, np.int64, len(names))
        return np.where(folds < 0, size - 1 - folds, folds)


def can_be_keyword(words: Sequence[str], language: str, stop_words: Collection[str]) -> Mask:
    """bool (N,): whether a word can be part of a keyword: no stop word, no number, not too short, no whole headline."""
    shortest, longest = MIN_CHARS.get(language, 2), MAX_CHARS.get(language, 1 << 20)
    return np.array(
        [
            shortest <= len(word) <= longest
            and word not in stop_words
            and any(map(str.isalpha, word))
            and (language != "ja" or is_japanese_word(word))
            and (language != "ko" or not is_korean_sentence_end(word))
            for word in words
        ],
        bool,
    )
