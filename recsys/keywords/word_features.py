"""Features of a word, whatever its form: its row in the word space, its document frequency, its eligibility.

"bank" and "banks" are two forms of one word: counted together, merged in phrases. A batch looks each word up once.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.keywords.frequencies import WordForms
from recsys.tokens.scripts import is_japanese_word, is_korean_sentence_end
from recsys.words import Rows, WordVectors

_MIN_CHARS = {"zh": 1}  # of a word within a keyword; in other languages two: one letter is a bullet or an initial
_MAX_CHARS = {"ja": 12}  # a longer run of kanji or katakana is a whole headline
_UNCOUNTED = 1  # document frequency of a word that was not counted: the article at hand

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class WordFeatures(NamedTuple):
    """Features of the U words of a batch.

    Attributes:
        rows: int64 (U,), in the word space; -1 for unknown ones.
        forms: int64 (U,), the same number for all forms of a word; unknown ones have numbers behind all others.
        document_frequency: int64 (languages, U), articles that the word stands in, in any form.
        eligible: bool (languages, U), words that can be part of a keyword.
    """

    rows: Ints
    forms: Ints
    document_frequency: Ints
    eligible: Mask


class WordLookup:
    """Lookup of words in the word space, with their forms and document frequencies.

    Args:
        words: the word space.
        by_word: by language, int32 (V,), articles that each word stands in, in any form.
        max_articles: by language, articles that an eligible word stands in at most.
        stop_words: by language, the words that are no part of a keyword.
        merge_forms: plurals are the same word as their singulars.
    """

    def __init__(
        self,
        words: WordVectors,
        by_word: Mapping[str, Rows],
        max_articles: Mapping[str, float],
        stop_words: Mapping[str, Collection[str]],
        merge_forms: bool,
    ) -> None:
        self._words, self._row_of = words.words, words.row_of
        self._forms = WordForms(words, merge_forms=merge_forms)
        self._max_articles, self._stop_words = max_articles, stop_words
        self._document_frequency: dict[str, Ints] = {}
        self._eligible: dict[str, Mask] = {}
        for language, counts in by_word.items():
            frequency = np.full(len(self._forms) + 1, _UNCOUNTED, np.int64)  # the last: words outside the space
            np.maximum.at(frequency, self._forms.numbers, counts)
            self._document_frequency[language] = frequency

    def find(self, words: Sequence[str], languages: Sequence[str]) -> WordFeatures:
        """Look up different words.

        Args:
            words: U of them.
            languages: of the articles in which they stand; all words of one that was not counted are rare.
        """
        rows = np.array([self._row_of.get(word, -1) for word in words], np.int64)
        inside, outside = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)  # the word space
        names = [words[place] for place in outside.tolist()]
        forms = np.empty(len(rows), np.int64)
        forms[inside] = self._forms.numbers[rows[inside]]
        forms[outside] = self._forms.outside(names)
        uncounted = np.full(len(self._forms) + 1, _UNCOUNTED, np.int64)
        places = np.minimum(forms, len(self._forms))
        frequency = np.empty((len(languages), len(rows)), np.int64)
        eligible = np.empty((len(languages), len(rows)), bool)
        for number, language in enumerate(languages):
            frequency[number] = self._document_frequency.get(language, uncounted)[places]
            eligible[number, inside] = self._eligible_of(language)[rows[inside]]
            eligible[number, outside] = is_eligible(names, language, self._stop_words.get(language, ()))
            eligible[number] &= frequency[number] <= self._max_articles.get(language, np.inf)
        return WordFeatures(rows, forms, frequency, eligible)

    def _eligible_of(self, language: str) -> Mask:
        """bool (V,): words of the word space that can be part of a keyword in a language, however common."""
        if language not in self._eligible:
            self._eligible[language] = is_eligible(self._words, language, self._stop_words.get(language, ()))
        return self._eligible[language]


def is_eligible(words: Sequence[str], language: str, stop_words: Collection[str]) -> Mask:
    """bool (N,), words that can be part of a keyword: no stop word, no number, not too short, no whole headline."""
    shortest, longest = _MIN_CHARS.get(language, 2), _MAX_CHARS.get(language, 1 << 20)
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
