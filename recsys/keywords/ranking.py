"""Rank the phrases of articles: what each is worth by itself, then the votes that they give each other.

Reads token tables and the word space; produces ranked keywords. A batch of articles goes through the same array
operations as a single one, so that an article that is posted gets the keywords that the nightly job would give it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.keywords.candidates import CandidatePhrases, find_candidates
from recsys.keywords.config import KeywordsConfig
from recsys.keywords.frequencies import DocumentFrequencies, save_frequencies
from recsys.keywords.graph import votes
from recsys.keywords.token_batch import TokenBatch, read_token_batch, shown
from recsys.keywords.word_features import WordLookup
from recsys.tokens import Tokens
from recsys.tokens.stopwords import STOP_WORDS
from recsys.tokens.table import as_table
from recsys.words import Matrix, WordVectors, unit_rows

MIN_CHARS = {"zh": 2, "en": 2, "ja": 2, "ko": 2}  # of a whole phrase; of other languages three
COMMON_FROM = 50  # articles; a smaller catalogue cannot tell which words are common
LEAST_RARITY = 0.1  # of a word that stands in all articles: it may still be part of a phrase
HEADLINE = 20.0  # words; position counts from about a headline's length on, so that the first words are alike
PART_OF = "of"  # "number of votes", "end of the war": what stands before it is a part or a measure of what follows

Ints = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "language": pa.string(),
        "keywords": pa.list_(pa.string()),
        "weights": pa.list_(pa.float32()),
        "parts": pa.list_(pa.string()),
    }
)


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

    def __init__(self, words: WordVectors, frequencies: DocumentFrequencies, config: KeywordsConfig) -> None:
        self.words, self.frequencies, self.config = words, frequencies, config
        limits = {
            language: config.max_article_share * articles
            for language, articles in frequencies.articles.items()
            if articles >= COMMON_FROM
        }
        stop_words = {**STOP_WORDS, **frequencies.stop_words}
        self._lookup = WordLookup(words, frequencies.by_word, limits, stop_words, config.merge_forms)
        self._vectors = words.centred if config.centred else unit_rows(words.vectors)

    def extract(self, text: Tokens) -> Keywords:
        """Rank one article's phrases; a text without any candidate has no keywords, which is no error."""
        row = self.rank(as_table(pa.array([""]), [text]).to_batches()[0]).to_pylist()[0]
        return Keywords(row["keywords"], np.array(row["weights"], np.float32), row["parts"])

    def rank(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rank the phrases of each article.

        Args:
            batch: rows of the tokens table.

        Returns:
            As many rows: lists ``keywords``, ``weights`` and ``parts``.
        """
        page = read_token_batch(batch, self._lookup, self.config)
        phrases = find_candidates(page.inside, page.heads, page.starts, page.article, page.folds, self.config.max_words)
        rarity = self._rarity(page)
        phrases, worth = _heaviest(phrases, self._worth(phrases, page, rarity), self.config.max_candidates)
        scores = worth / np.bincount(phrases.article, worth)[phrases.article] if len(worth) else worth
        if self.config.damping and self.words.words:
            vectors = self._phrase_vectors(phrases, rarity, page.rows)
            scores = votes(phrases, scores, vectors, page.folds, batch.num_rows, self.config)
        chosen, lengths = self._best(phrases, scores, batch.num_rows)
        return shown(page, phrases.tokens[chosen], scores[chosen], lengths, page.spoken[phrases.article[chosen]])

    def _rarity(self, page: TokenBatch) -> Weights:
        """float64 (T,), the logarithm of how few articles the word of each piece stands in, in any form."""
        counted = np.array([self.frequencies.articles.get(name, 0) for name in page.languages], np.float64)
        articles = counted[page.spoken[page.article]]
        rarity = np.log((articles + 1) / (page.articles + 0.5))
        weights: Weights = np.maximum(rarity, LEAST_RARITY) ** self.config.rarity
        return weights

    def _worth(self, phrases: CandidatePhrases, page: TokenBatch, rarity: Weights) -> Weights:
        """float64 (P,), what each phrase is worth by itself; 0 for one that is too short to be a keyword."""
        config, present = self.config, phrases.tokens >= 0
        length, first = present.sum(axis=1), phrases.tokens[:, 0]
        worth = _summed(rarity * _times(page), phrases.tokens)
        worth *= phrases.counts**config.frequency / length**config.length_discount
        worth /= (HEADLINE + first - page.text.bounds[phrases.article]) ** config.position
        chars = _summed(np.array([len(word) for word in page.text.words])[page.text.codes], phrases.tokens)
        worth *= (chars / length) ** config.word_chars
        worth[length == 1] *= config.single_word
        if PART_OF in page.text.words:
            of = np.append((page.text.codes == page.text.words.index(PART_OF)) & ~page.text.starts, False)
            worth[of[first + length]] *= config.before_of
        shortest = np.array([MIN_CHARS.get(name, 3) for name in page.languages], np.int64)[page.spoken[phrases.article]]
        return np.where(chars < shortest, 0, worth)

    def _phrase_vectors(self, phrases: CandidatePhrases, rarity: Weights, rows: Ints) -> Matrix:
        """float32 (P, D), unit rows: each phrase's words by their rarity; zero where none of them is known."""
        total = np.zeros((len(phrases.article), self.words.embedding_dim), np.float32)
        for tokens in phrases.tokens.T:
            known = np.flatnonzero((tokens >= 0) & (rows[tokens] >= 0))
            total[known] += rarity[tokens[known], None].astype(np.float32) * self._vectors[rows[tokens[known]]]
        return unit_rows(total)

    def _best(self, phrases: CandidatePhrases, scores: Weights, articles: int) -> tuple[Ints, Ints]:
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


def _times(page: TokenBatch) -> Ints:
    """int64 (T,), how often each piece's word stands in its article as a possible part of a phrase, in any form."""
    times = np.zeros(len(page.inside), np.int64)
    keys = (page.article * (page.folds.max(initial=0) + 1) + page.folds)[page.inside]
    _, word, counts = np.unique(keys, return_inverse=True, return_counts=True)
    times[page.inside] = counts[word]
    return times


def _summed(values: npt.NDArray[np.generic], tokens: Ints) -> Weights:
    """float64 (P,), the sum over each phrase's pieces."""
    summed: Weights = np.append(values, 0)[tokens].sum(axis=1, dtype=np.float64)  # behind the last piece stands -1
    return summed


def _heaviest(phrases: CandidatePhrases, worth: Weights, most: int) -> tuple[CandidatePhrases, Weights]:
    """Each article's phrases that are worth most, ``most`` at most; those that are worth nothing are left out."""
    order = np.lexsort((-worth, phrases.article))
    lengths = np.bincount(phrases.article)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = (rank < most) & (worth > 0)
    place = np.cumsum(kept) - 1
    pairs = kept[phrases.inner] & kept[phrases.outer]
    inner, outer = place[phrases.inner[pairs]], place[phrases.outer[pairs]]
    return CandidatePhrases(phrases.article[kept], phrases.tokens[kept], phrases.counts[kept], inner, outer), worth[
        kept
    ]


def write_keywords(batches: Iterable[pa.RecordBatch], ranker: Ranker, folder: Path) -> dict[str, int]:
    """Rank the phrases of every article, one batch in memory at a time.

    Args:
        batches: the tokens artefact's articles.
        ranker: what is known of the corpus.
        folder: where ``keywords.parquet`` and the frequencies go.

    Returns:
        Counts: articles, keywords, articles without a keyword.
    """
    save_frequencies(ranker.frequencies, ranker.words.space, folder)
    counts = {"articles": 0, "keywords": 0, "without_keywords": 0}
    with pq.ParquetWriter(folder / "keywords.parquet", _SCHEMA, compression="zstd") as table:
        for batch in batches:
            ranked = ranker.rank(batch)
            columns = [batch.column("id"), batch.column("language"), *ranked.columns]
            table.write_table(pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), schema=_SCHEMA))
            lengths = pc.list_value_length(ranked.column("keywords"))
            counts["articles"] += batch.num_rows
            counts["keywords"] += pc.sum(lengths).as_py() or 0
            counts["without_keywords"] += pc.sum(pc.equal(lengths, 0)).as_py() or 0
    return counts
