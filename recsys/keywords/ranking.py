"""Rank the phrases of articles: what each is worth by itself, then the votes that they give each other.

Reads token tables and the word space; produces ranked keywords. A batch of articles goes through the same array
operations as a single one, so that an article that is posted gets the keywords that the nightly job would give it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from recsys.config import Section
from recsys.keywords.candidates import Candidates, find_candidates
from recsys.keywords.graph import phrase_scores
from recsys.keywords.lookup import Lookup
from recsys.keywords.pieces import Pieces, take_apart
from recsys.keywords.show import shown
from recsys.tokens import LANGUAGES, Tokens
from recsys.tokens.reading import Reading, read_batch
from recsys.tokens.table import as_table
from recsys.words import Matrix, Rows, WordVectors, unit_rows

PHRASE_TAGS = {"zh": ("n", "v", "a", "eng", "i", "j", "l"), "en": ("n", "a")}  # parts of speech within a phrase
HEAD_TAGS = {"zh": ("n", "v", "a", "eng", "i", "j", "l"), "en": ("n",)}  # and at its end
WORD_TAGS = {"zh": ("n", "v", "a", "eng", "i", "j", "l"), "en": ("n", "v", "a")}  # and as a word of its own
MIN_CHARS = {"zh": 2, "en": 2, "other": 3}  # of a whole phrase
COMMON_FROM = 50  # articles; a smaller catalogue cannot tell which words are common
LEAST_RARITY = 0.1  # of a word that stands in all articles: it may still be part of a phrase
HEADLINE = 20.0  # words; position counts from about a headline's length on, so that the first words are alike
STACK = 2_000_000  # votes of a stack of articles: 8 MB, which stays near the processor

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


class KeywordsConfig(Section):
    """How keywords are ranked; every lever can be switched off by the value that its line in config.yaml names."""

    style: str = Field("phrases", pattern="^(phrases|words)$")
    k: int = Field(40, ge=1)
    max_words: int = Field(5, ge=1, le=10)
    word_classes: bool = True
    merge_forms: bool = True
    drop_contained: bool = True
    max_article_share: float = Field(0.5, gt=0, le=1)
    max_candidates: int = Field(300, ge=2)
    rarity: float = Field(1.0, ge=0, le=4)
    position: float = Field(1.0, ge=0, le=4)
    frequency: float = Field(0.5, ge=0, le=4)
    length_discount: float = Field(0.25, ge=0, le=1)
    single_word: float = Field(0.3, gt=0, le=1)
    damping: float = Field(0.5, ge=0, lt=1)
    top_edges: int = Field(0, ge=0)
    centred: bool = True
    distinct_votes: bool = True


@dataclass(frozen=True, eq=False)
class Frequencies:
    """How common words are.

    Attributes:
        by_word: int32 (V,), articles that each word of the word space stands in, in any of its forms.
        articles: language -> articles counted.
    """

    by_word: Rows
    articles: dict[str, int]


class Keywords(NamedTuple):
    """One article's keywords, best first.

    Attributes:
        words: at most ``k``, as a reader sees them: "interest rate", "人工智能".
        weights: float32, as many; shares of all candidates' votes, so their sum is at most 1.
        parts: as many, the words of the word space that each is made of, joined by a blank: "new_york stock".
    """

    words: list[str]
    weights: Vector
    parts: list[str]


class Ranker:
    """What ranking needs to know of the corpus: word vectors, rarity, and the words that can be keywords."""

    def __init__(self, words: WordVectors, frequencies: Frequencies, config: KeywordsConfig) -> None:
        self.words, self.frequencies, self.config = words, frequencies, config
        self._articles = np.array([frequencies.articles.get(name, 0) for name in LANGUAGES], np.float64)
        limits = np.where(self._articles >= COMMON_FROM, config.max_article_share * self._articles, np.inf)
        self._lookup = Lookup(words, frequencies.by_word, limits.tolist(), config.merge_forms)
        self._vectors = words.centred if config.centred else unit_rows(words.vectors)

    def extract(self, text: Tokens) -> Keywords:
        """Rank one article's phrases; a text without any candidate has no keywords, which is no error."""
        row = self.rank(as_table(pa.array([""]), [text]).combine_chunks().to_batches()[0]).to_pylist()[0]
        return Keywords(row["keywords"], np.array(row["weights"], np.float32), row["parts"])

    def rank(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rank the phrases of each article.

        Args:
            batch: rows of the tokens table.

        Returns:
            As many rows: lists ``keywords``, ``weights`` and ``parts``.
        """
        whole = read_batch(batch)
        text, token = take_apart(whole)
        article = np.repeat(np.arange(batch.num_rows), np.diff(text.bounds))
        spoken = np.array([LANGUAGES.index(name) for name in batch.column("language").to_pylist()], np.int64)
        found, joined = self._lookup.find(text.words), self._lookup.find(whole.words)
        able, heads, starts = self._usable(
            batch, text, joined.able[spoken[article], whole.codes[token]], spoken[article], token
        )
        folds, rows = found.folds[text.codes], joined.rows[whole.codes[token]]
        phrases = find_candidates(able, heads, starts, article, folds, self.config.max_words)
        articles = np.where(found.rows[text.codes] < 0, joined.articles[whole.codes[token]], found.articles[text.codes])
        rarity = self._rarity(articles, spoken[article])
        weights = rarity * _times(able, article, folds)
        start = self._start(phrases, weights, phrases.tokens[:, 0] - text.bounds[phrases.article])
        start[_chars(phrases, text) < np.array([MIN_CHARS[name] for name in LANGUAGES])[spoken[phrases.article]]] = 0
        phrases, start = _heaviest(phrases, start, self.config.max_candidates)
        scores = self._votes(phrases, start, rarity, rows, folds)
        chosen, lengths = self._best(phrases, scores, batch.num_rows)
        return shown(
            whole, Pieces(text, token), phrases.tokens[chosen], scores[chosen], lengths, spoken[phrases.article[chosen]]
        )

    def _usable(
        self, batch: pa.RecordBatch, text: Reading, able: Mask, spoken: Ints, token: Ints
    ) -> tuple[Mask, Mask, Mask]:
        """Tokens that can be in a phrase, that can end one, and that no phrase reaches from the left."""
        single = self.config.style == "words"
        inside, end = able.copy(), able.copy()
        tags = batch.column("tags").flatten().dictionary_encode()
        names, codes = tags.dictionary.to_pylist(), tags.indices.to_numpy(zero_copy_only=False)[token]
        for language in PHRASE_TAGS if self.config.word_classes else ():
            mine = spoken == LANGUAGES.index(language)
            for mask, allowed in ((inside, PHRASE_TAGS), (end, HEAD_TAGS)):
                useful = [name.startswith((WORD_TAGS if single else allowed)[language]) for name in names]
                mask[mine] &= np.array(useful, bool)[codes[mine]]
        alone = (spoken == LANGUAGES.index("other")) | single  # no tags, no stop words: no telling where a phrase ends
        return inside, end, text.starts | alone

    def _rarity(self, articles: Ints, spoken: Ints) -> Weights:
        """float64 (T,), the logarithm of how few articles the word of each token stands in, in any form."""
        rarity = np.log((self._articles[spoken] + 1) / (articles + 0.5))
        weights: Weights = np.maximum(rarity, LEAST_RARITY) ** self.config.rarity
        return weights

    def _start(self, phrases: Candidates, weights: Weights, place: Ints) -> Weights:
        """float64 (P,), what each phrase is worth by itself: its words, how often it stands there, and how early."""
        present = phrases.tokens >= 0
        length = present.sum(axis=1)
        worth = np.where(present, weights[phrases.tokens], 0).sum(axis=1) if len(place) else np.zeros(0)
        worth *= phrases.counts**self.config.frequency / (HEADLINE + place) ** self.config.position
        worth /= length**self.config.length_discount
        return np.where(length == 1, self.config.single_word, 1.0) * worth

    def _votes(self, phrases: Candidates, start: Weights, rarity: Weights, rows: Ints, folds: Ints) -> Weights:
        """float64 (P,), the score of each phrase; an article's scores sum to 1."""
        lengths = np.bincount(phrases.article)
        share = start / np.bincount(phrases.article, start)[phrases.article] if len(start) else start
        if not self.config.damping or not len(self.words.words):
            return share
        scores = np.empty(len(start))
        vectors = self._phrase_vectors(phrases, rarity, rows)
        one, other = _sharing(phrases, folds) if self.config.distinct_votes else (np.empty(0, int), np.empty(0, int))
        place = np.arange(len(start)) - (np.cumsum(lengths) - lengths)[phrases.article]  # within the article
        padded = _padded(lengths)
        for size in np.unique(padded[lengths > 0]).tolist():
            articles = np.flatnonzero((padded == size) & (lengths > 0))
            for few in np.array_split(articles, -(-len(articles) * size * size // STACK)):
                row = np.full(len(lengths), -1)
                row[few] = np.arange(len(few))
                mine = np.flatnonzero(row[phrases.article] >= 0)
                at = row[phrases.article[mine]], place[mine]
                stack = np.zeros((len(few), size, vectors.shape[1]), np.float32)
                stack[at] = vectors[mine]
                begin = np.zeros((len(few), size), np.float32)
                begin[at] = share[mine]
                apart = np.broadcast_to(~np.eye(size, dtype=bool), (len(few), size, size)).copy()
                near = row[phrases.article[one]] >= 0 if len(one) else np.zeros(0, bool)
                apart[row[phrases.article[one[near]]], place[one[near]], place[other[near]]] = False
                found = phrase_scores(stack, begin, apart, damping=self.config.damping, top_edges=self.config.top_edges)
                scores[mine] = found[at]
        return scores

    def _phrase_vectors(self, phrases: Candidates, rarity: Weights, rows: Ints) -> Matrix:
        """float32 (P, D), unit rows: each phrase's words by their rarity; zero where none of them is known."""
        total = np.zeros((len(phrases.article), self.words.embedding_dim), np.float32)
        for tokens in phrases.tokens.T:
            known = np.flatnonzero((tokens >= 0) & (rows[tokens] >= 0))
            total[known] += rarity[tokens[known], None].astype(np.float32) * self._vectors[rows[tokens[known]]]
        return unit_rows(total)

    def _best(self, phrases: Candidates, scores: Weights, articles: int) -> tuple[Ints, Ints]:
        """The phrases to keep, each article's best first, and how many each article has."""
        order = np.lexsort((-scores, phrases.article))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        kept = scores > 0
        if self.config.drop_contained:
            kept[phrases.inner[rank[phrases.outer] < rank[phrases.inner]]] = False
        order = order[kept[order]]
        lengths = np.bincount(phrases.article[order], minlength=articles)
        within = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return order[within < self.config.k], np.minimum(lengths, self.config.k)


def _times(able: Mask, article: Ints, folds: Ints) -> Ints:
    """int64 (T,), how often the word of each able token stands in its article, in any form; 0 for the others."""
    times = np.zeros(len(able), np.int64)
    if able.any():
        keys = article[able] * (folds.max() + 1) + folds[able]
        _, word, counts = np.unique(keys, return_inverse=True, return_counts=True)
        times[able] = counts[word]
    return times


def _chars(phrases: Candidates, text: Reading) -> Ints:
    sizes = np.array([len(word) for word in text.words], np.int64)[text.codes]
    return np.where(phrases.tokens >= 0, sizes[phrases.tokens], 0).sum(axis=1) if len(sizes) else np.zeros(0, np.int64)


def _heaviest(phrases: Candidates, start: Weights, most: int) -> tuple[Candidates, Weights]:
    """Each article's phrases with the largest start, ``most`` at most; those with none are left out."""
    order = np.lexsort((-start, phrases.article))
    lengths = np.bincount(phrases.article)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = (rank < most) & (start > 0)
    if kept.all():
        return phrases, start
    place = np.cumsum(kept) - 1
    pairs = kept[phrases.inner] & kept[phrases.outer]
    inner, outer = place[phrases.inner[pairs]], place[phrases.outer[pairs]]
    return Candidates(phrases.article[kept], phrases.tokens[kept], phrases.counts[kept], inner, outer), start[kept]


def _sharing(phrases: Candidates, folds: Ints) -> tuple[Ints, Ints]:
    """Pairs of phrases of one article that share a word, in any form; both orders."""
    phrase, step = np.nonzero(phrases.tokens >= 0)
    words = folds[phrases.tokens[phrase, step]]
    order = np.lexsort((words, phrases.article[phrase]))
    phrase, words = phrase[order], words[order]
    article = phrases.article[phrase]
    fresh = np.flatnonzero(np.diff(article, prepend=-1) | np.diff(words, prepend=-1))
    sizes = np.diff(np.append(fresh, len(phrase)))
    begin, size = np.repeat(fresh, sizes), np.repeat(sizes, sizes)
    one = np.repeat(np.arange(len(phrase)), size)
    other = np.repeat(begin, size) + np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size)
    return phrase[one], phrase[other]


def _padded(lengths: Ints) -> Ints:
    """The size of the stack that an article goes into: few sizes, so that stacks are large; the same in any batch."""
    return np.where(lengths <= 64, -(-lengths // 16) * 16, -(-lengths // 64) * 64)
