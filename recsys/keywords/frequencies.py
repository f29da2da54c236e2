"""Stop words of any language, learned from its own texts: common, short, and hardly ever the end of a phrase.

Reads token arrays; produces a set of words for every language but Chinese and English, whose lists are complete. What
is frequent is short (Zipf's law of abbreviation), so that a long word must be far commoner than a short one to be taken
for a function word; and articles, prepositions, conjunctions and auxiliaries lead to a word behind them, which a noun
does not need. Learned from English as if it were unknown, it finds 87 % of the stop-word tokens of 120 BBC articles.
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

MAX_ARTICLES = 20_000  # of a language that are looked at; more say the same
MIN_ARTICLES = 30  # fewer cannot tell what is common
MIN_TIMES = 5  # articles that a stop word stands in, at least
SHARE = 0.02  # of the articles that a word of two letters stands in; each further letter doubles it
SHORT = 2  # letters
MAX_FINAL = 0.15  # share of a word's places that end a phrase
WIDE = "\u2e80"  # from here on a character says as much as three letters
LETTERS = 3

PLURALS_FROM = 4  # letters; shorter words in -s are hardly ever plurals

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DocumentFrequencies:
    """How common words are.

    Attributes:
        by_word: language -> int32 (V,), its articles that each word of the word space stands in, in any of its forms.
        articles: language -> articles counted.
        stop_words: language -> words that say nothing about its subjects; for others what is listed.
    """

    by_word: Mapping[str, Rows]
    articles: Mapping[str, int]
    stop_words: Mapping[str, Collection[str]] = field(default_factory=dict)


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


class StopWordLearner:
    """Counts in how many articles each word stands, and how often it ends a phrase."""

    def __init__(self) -> None:
        self._articles: dict[str, int] = {}
        self._words: dict[str, dict[str, int]] = {}
        self._counts: dict[str, Ints] = {}  # (words, 3): articles, places, places that end a phrase

    def add(self, language: str, text: TokenArrays, article: Ints, mine: Mask) -> None:
        """Count the articles of one language in a batch.

        Args:
            language: its code.
            text: the batch.
            article: int64 (T,), the article of each token.
            mine: bool (T,), the tokens of that language's articles.
        """
        if language in COMPLETE or self._articles.get(language, 0) >= MAX_ARTICLES:
            return
        final = np.append(text.starts[1:], True)
        codes, U = text.codes[mine], len(text.words)
        pairs = np.unique(article[mine] * U + codes)
        counted = [pairs % max(U, 1), codes, text.codes[mine & final]]
        counts = np.stack([np.bincount(of, minlength=U) for of in counted], axis=1)
        rows = self._words.setdefault(language, {})
        used = np.flatnonzero(counts[:, 1])
        places = np.array([rows.setdefault(text.words[code], len(rows)) for code in used.tolist()], np.int64)
        table = np.zeros((len(rows), 3), np.int64)
        before = self._counts.get(language, table[:0])
        table[: len(before)] = before
        table[places] += counts[used]
        self._counts[language] = table
        self._articles[language] = self._articles.get(language, 0) + len(np.unique(article[mine]))

    def stop_words(self) -> Mapping[str, frozenset[str]]:
        """The stop words by language: those learned, with those of its list if there is one."""
        return {language: self._learned(language) | STOP_WORDS.get(language, frozenset()) for language in self._words}

    def _learned(self, language: str) -> frozenset[str]:
        articles = self._articles[language]
        if articles < MIN_ARTICLES:
            return frozenset()
        letters = np.array([_letters(word) for word in self._words[language]], np.int64)
        stands, places, final = self._counts[language].T
        least = np.maximum(MIN_TIMES, SHARE * articles * 2.0 ** np.maximum(letters - SHORT, 0))
        found = (stands >= least) & (final <= MAX_FINAL * places)
        return frozenset(word for word, stop in zip(self._words[language], found.tolist(), strict=True) if stop)


def _letters(word: str) -> int:
    return sum(LETTERS if character >= WIDE else 1 for character in word)


def count_articles(batches: Iterable[pa.RecordBatch], words: WordVectors) -> DocumentFrequencies:
    """Count the articles that each word stands in, in any of its forms.

    Args:
        batches: the tokens artefact's articles.
        words: the word space.
    """
    fold_of: dict[str, int] = {}
    folds = fold_words(words.words, fold_of, merge_forms=True)
    by_fold: dict[str, Ints] = {}
    articles: Counter[str] = Counter()
    learner = StopWordLearner()
    for batch in batches:
        text = token_arrays(batch)
        rows = words.rows(text.words)
        fold = np.where(rows >= 0, folds[rows] if len(folds) else -1, -1)[text.codes]
        article = np.repeat(np.arange(batch.num_rows), np.diff(text.bounds))
        languages, spoken = codes_of(batch.column("language"))
        articles.update(batch.column("language").to_pylist())
        for number, language in enumerate(languages):
            mine = spoken[article] == number
            pairs = np.unique((article * len(fold_of) + fold)[mine & (fold >= 0)])
            counts = np.bincount(pairs % max(len(fold_of), 1), minlength=len(fold_of))
            by_fold[language] = by_fold.get(language, 0) + counts
            learner.add(language, text, article, mine)
    by_word = {language: counts[folds].astype(np.int32) for language, counts in by_fold.items()}
    return DocumentFrequencies(by_word, dict(articles), learner.stop_words())


def save_frequencies(frequencies: DocumentFrequencies, space: str, folder: Path) -> None:
    """Write how common words are: int32 (languages, V), and the rest as JSON."""
    languages = sorted(frequencies.by_word)
    rows = [frequencies.by_word[language] for language in languages]
    save_npy(folder / "documents.npy", np.stack(rows) if rows else np.zeros((0, 0), np.int32))
    stop_words = {language: sorted(words) for language, words in frequencies.stop_words.items()}
    facts = {"articles": dict(frequencies.articles), "languages": languages, "stop_words": stop_words, "space": space}
    write_json(folder / "keywords.json", facts)


def load_frequencies(folder: Path, words: WordVectors) -> DocumentFrequencies:
    """Read how common words are.

    Raises:
        SpaceMismatch: they were counted for another word space.
    """
    facts = read_json(folder / "keywords.json")
    same_space(("keywords", facts["space"]), ("words", words.space))
    by_word = dict(zip(facts["languages"], load_npy(folder / "documents.npy"), strict=True))
    stop_words = {language: frozenset(found) for language, found in facts["stop_words"].items()}
    return DocumentFrequencies(by_word, facts["articles"], stop_words)
