"""Document frequencies of words, whatever their form, and the stop words that a language's own texts tell.

Reads the tokens table; produces ``DocumentFrequencies``, which ranking an article that comes later needs as well. Stop
words are learned for every language but Chinese and English, whose lists are complete: common, short, and hardly ever
the end of a phrase. What is frequent is short (Zipf's law of abbreviation), so that a long word must be far commoner
than a short one to be taken for a function word; and articles, prepositions, conjunctions and auxiliaries lead to a
word behind them, which a noun does not need. Learned from English as if it were unknown, it finds 87 % of the stop-word
tokens of 120 BBC articles.
Source: Zipf 1935, "The Psycho-Biology of Language"; Manning, Raghavan & Schütze 2008, section 2.2.2.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.tokens.stopwords import COMPLETE, STOP_WORDS
from recsys.tokens.table import TokenArrays, codes_of, token_arrays
from recsys.words import Rows, WordVectors
from recsys.workspace import load_npy, read_json, same_space, save_npy, write_json

_MAX_ARTICLES = 20_000  # of a language that are looked at; more say the same
_MIN_ARTICLES = 30  # fewer cannot tell what is common
_MIN_STANDS = 5  # articles that a stop word stands in, at least
_SHARE = 0.02  # of the articles that a word of two letters stands in; each further letter doubles it
_SHORT = 2  # letters
_MAX_FINAL = 0.15  # share of a word's places that end a phrase
_WIDE = "\u2e80"  # from here on a character says as much as three letters
_WIDE_LETTERS = 3

_MIN_PLURAL = 4  # letters; shorter words in -s are hardly ever plurals

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DocumentFrequencies:
    """Document frequencies of words by language.

    Attributes:
        by_word: language -> int32 (V,), its articles that each word of the word space stands in, in any of its forms.
        articles: language -> articles counted.
        stop_words: language -> stop words learned; the other languages have listed ones.
    """

    by_word: Mapping[str, Rows]
    articles: Mapping[str, int]
    stop_words: Mapping[str, Collection[str]] = field(default_factory=dict)


class WordForms:
    """Numbers of words by their form: of the word space's words the row of the singular, if that is a word of it.

    Args:
        words: the word space.
        merge_forms: plurals have the number of their singulars; else each word has its own row.

    Attributes:
        numbers: int64 (V,), by row.
    """

    def __init__(self, words: WordVectors, *, merge_forms: bool) -> None:
        self._row_of, self._merge_forms = words.row_of, merge_forms
        self._absent: dict[str, int] = {}  # singulars that only plurals of theirs are words of the space
        self.numbers: Ints = np.arange(len(words.words))
        if merge_forms:
            for row, word in enumerate(words.words):
                if word[-1:] == "s" and (form := singular(word)) != word:
                    self.numbers[row] = self._row_of.get(form, self._absent.get(form, len(self)))
                    if self.numbers[row] == len(self):
                        self._absent[form] = len(self)

    def __len__(self) -> int:
        return len(self.numbers) + len(self._absent)

    def outside(self, words: Sequence[str]) -> Ints:
        """int64 (N,): the same of different words that are not in the space; forms that are new have numbers behind."""
        new: dict[str, int] = {}
        forms = [singular(word) if self._merge_forms else word for word in words]
        known = (self._row_of.get(form, self._absent.get(form)) for form in forms)
        numbers = [
            len(self) + new.setdefault(form, len(new)) if number is None else number
            for form, number in zip(forms, known, strict=True)
        ]
        return np.array(numbers, np.int64)


def singular(word: str) -> str:
    """Singular form of a word: "banks" -> "bank", "stories" -> "story", "classes" -> "class".

    Only the regular endings of English; what merely looks like a plural stays as it is ("news", "virus", "crisis").
    """
    if len(word) < _MIN_PLURAL or word[-1] != "s" or not word.isascii() or word.endswith(("ss", "us", "is", "news")):
        return word
    if word.endswith("ies") and len(word) > _MIN_PLURAL:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zzes")) else word[:-1]


class StopWordLearner:
    """Counts of the articles in which a word stands, and of the phrases that it ends."""

    def __init__(self) -> None:
        self._articles: dict[str, int] = {}
        self._words: dict[str, dict[str, int]] = {}
        self._counts: dict[str, Ints] = {}  # (words, 3): articles, occurrences, occurrences that end a phrase

    def add(self, language: str, text: TokenArrays, article: Ints, in_language: Mask) -> None:
        """Count the articles of one language in a batch.

        Args:
            language: its code.
            text: the batch.
            article: int64 (T,), the article of each token.
            in_language: bool (T,), tokens of that language's articles.
        """
        if language in COMPLETE or self._articles.get(language, 0) >= _MAX_ARTICLES:
            return
        final = np.append(text.starts[1:], True)
        codes, U = text.codes[in_language], len(text.words)
        pairs = np.unique(article[in_language] * U + codes)
        counted = [pairs % max(U, 1), codes, text.codes[in_language & final]]
        counts = np.stack([np.bincount(of, minlength=U) for of in counted], axis=1)
        rows = self._words.setdefault(language, {})
        used = np.flatnonzero(counts[:, 1])
        places = np.array([rows.setdefault(text.words[code], len(rows)) for code in used.tolist()], np.int64)
        table = np.zeros((len(rows), 3), np.int64)
        before = self._counts.get(language, table[:0])
        table[: len(before)] = before
        table[places] += counts[used]
        self._counts[language] = table
        self._articles[language] = self._articles.get(language, 0) + len(np.unique(article[in_language]))

    def stop_words(self) -> Mapping[str, frozenset[str]]:
        """The stop words by language: those learned, with those of its list if there is one."""
        return {language: self._learned(language) | STOP_WORDS.get(language, frozenset()) for language in self._words}

    def _learned(self, language: str) -> frozenset[str]:
        articles = self._articles[language]
        if articles < _MIN_ARTICLES:
            return frozenset()
        letters = np.array([_letters(word) for word in self._words[language]], np.int64)
        stands, places, final = self._counts[language].T
        least = np.maximum(_MIN_STANDS, _SHARE * articles * 2.0 ** np.maximum(letters - _SHORT, 0))
        is_stop_word = (stands >= least) & (final <= _MAX_FINAL * places)
        return frozenset(word for word, stop in zip(self._words[language], is_stop_word.tolist(), strict=True) if stop)


def _letters(word: str) -> int:
    return sum(_WIDE_LETTERS if character >= _WIDE else 1 for character in word)


def count_articles(batches: Iterable[pa.RecordBatch], words: WordVectors) -> DocumentFrequencies:
    """Count the articles that each word stands in, in any of its forms.

    Args:
        batches: the tokens artefact's articles.
        words: the word space.
    """
    all_forms = WordForms(words, merge_forms=True)
    forms, F = all_forms.numbers, len(all_forms)
    by_form: dict[str, Ints] = {}
    articles: Counter[str] = Counter()
    learner = StopWordLearner()
    for batch in batches:
        text = token_arrays(batch)
        rows = words.rows(text.words)
        form = np.where(rows >= 0, forms[rows] if len(forms) else -1, -1)[text.codes]
        article = np.repeat(np.arange(batch.num_rows), np.diff(text.bounds))
        languages, spoken = codes_of(batch.column("language"))
        articles.update(batch.column("language").to_pylist())
        for number, language in enumerate(languages):
            in_language = spoken[article] == number
            pairs = np.unique((article * F + form)[in_language & (form >= 0)])
            counts = np.bincount(pairs % max(F, 1), minlength=F)
            by_form[language] = by_form.get(language, 0) + counts
            learner.add(language, text, article, in_language)
    by_word = {language: counts[forms].astype(np.int32) for language, counts in by_form.items()}
    return DocumentFrequencies(by_word, dict(articles), learner.stop_words())


def save_frequencies(frequencies: DocumentFrequencies, space: str, folder: Path) -> None:
    """Write document frequencies: int32 (languages, V), and the rest as JSON."""
    languages = sorted(frequencies.by_word)
    rows = [frequencies.by_word[language] for language in languages]
    save_npy(folder / "document_frequencies.npy", np.stack(rows) if rows else np.zeros((0, 0), np.int32))
    stop_words = {language: sorted(words) for language, words in frequencies.stop_words.items()}
    summary = {"articles": dict(frequencies.articles), "languages": languages, "stop_words": stop_words, "space": space}
    write_json(folder / "keywords.json", summary)


def load_frequencies(folder: Path, words: WordVectors) -> DocumentFrequencies:
    """Read document frequencies.

    Raises:
        SpaceMismatch: they were counted for another word space.
    """
    summary = read_json(folder / "keywords.json")
    same_space(("keywords", summary["space"]), ("words", words.space))
    by_word = dict(zip(summary["languages"], load_npy(folder / "document_frequencies.npy"), strict=True))
    stop_words = {language: frozenset(listed) for language, listed in summary["stop_words"].items()}
    return DocumentFrequencies(by_word, summary["articles"], stop_words)
