"""Rank each article's words by the votes that they give each other: TextRank on word vectors.

Reads tokens and word vectors; produces ranked keywords, and how many articles each word stands in. A vote is the cosine
of two word vectors, so that words support each other from any distance. Three things keep generic words from winning
(docs/design.md): the vectors are centred on the corpus mean, each word votes only for the few that are nearest to it, and
the walk restarts at words that are frequent here, rare elsewhere and early in the text.
Source: Mihalcea & Tarau 2004, "TextRank", section 2; Florescu & Caragea 2017, "PositionRank", section 3 (the restarts).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from recsys.config import Section
from recsys.errors import DegenerateInput
from recsys.tokens import LANGUAGES, Tokens
from recsys.tokens.stopwords import STOP_WORDS
from recsys.words import Matrix, Rows, WordVectors
from recsys.workspace import load_npy, read_json, same_space, save_npy, write_json

CHINESE_TAGS = ("n", "v", "a", "eng", "i", "j", "l")  # nouns, verbs, adjectives, Latin words, idioms, abbreviations
CHINESE_PATTERN = f"^({'|'.join(CHINESE_TAGS)})"
MIN_CHARS = {"en": 3, "zh": 2, "other": 3}  # shorter words are hardly ever a subject
COMMON_FROM = 20  # articles; a smaller catalogue cannot tell which words are common
TOLERANCE = 1e-6  # summed change of all scores at which the iteration ends
MAX_ITERATIONS = 200  # 0.85 ** 200 is far below the tolerance: never reached with the default damping
BATCH_ROWS = 1024  # articles held in memory at once

SCHEMA = pa.schema([("id", pa.string()), ("keywords", pa.list_(pa.string())), ("weights", pa.list_(pa.float32()))])

Vector = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Bounds = npt.NDArray[np.int64]
Track = Callable[[int], None]


class KeywordsConfig(Section):
    """How keywords are ranked."""

    k: int = Field(20, ge=1)
    damping: float = Field(0.85, ge=0, lt=1)
    top_edges: int = Field(10, ge=1)
    max_candidates: int = Field(300, ge=2)
    max_article_share: float = Field(0.3, gt=0, le=1)


@dataclass(frozen=True, eq=False)
class Frequencies:
    """How common words are.

    Attributes:
        by_word: int32 (V,), articles that each word of the word space stands in.
        articles: language -> articles counted.
    """

    by_word: Rows
    articles: dict[str, int]


class Keywords(NamedTuple):
    """One article's keywords, best first.

    Attributes:
        words: at most ``k``; none when the text has no known word that could be one.
        weights: float32, as many; shares of all candidates' votes, so their sum is at most 1.
    """

    words: list[str]
    weights: Vector


class Ranker:
    """What ranking needs to know of the corpus: centred unit vectors, rarity, and the words that can be keywords."""

    def __init__(self, words: WordVectors, frequencies: Frequencies, config: KeywordsConfig) -> None:
        self.words, self.frequencies, self.config = words, frequencies, config
        self.unit = unit_rows(words.vectors - words.mean)  # float32 (V, D)
        self.rarity = {name: _rarity(frequencies, name) for name in LANGUAGES}  # float32 (V,)
        self.eligible = {name: _eligible(words.words, frequencies, name, config) for name in LANGUAGES}

    def extract(self, text: Tokens) -> Keywords:
        """Rank one article's words; an article without known words has no keywords, which is no error."""
        useful = np.array([tag.startswith(CHINESE_TAGS) for tag in text.tags], dtype=bool) if text.tags else None
        return self.rank(self.words.rows(text.title + text.body), text.language, useful)

    def rank(self, rows: Rows, language: str, useful: Mask | None = None) -> Keywords:
        """Rank the words of one text.

        Args:
            rows: int32 (T,), the row of each token in reading order, -1 for unknown words.
            language: "zh", "en" or "other".
            useful: bool (T,), tokens whose part of speech can be a keyword; None when unknown.

        Returns:
            The keywords.
        """
        able = (rows >= 0) & self.eligible[language][rows]
        places = np.flatnonzero(able if useful is None else able & useful)
        found, first, counts = np.unique(rows[places], return_index=True, return_counts=True)
        start = counts * self.rarity[language][found] / np.sqrt(1 + places[first])
        if len(found) > self.config.max_candidates:
            kept = np.sort(np.argsort(-start, kind="stable")[: self.config.max_candidates])
            found, start = found[kept], start[kept]
        if not len(found):
            return Keywords([], np.zeros(0, dtype=np.float32))
        teleport = (start / start.sum()).astype(np.float32)
        settings = self.config
        scores = keyword_scores(self.unit[found], teleport, damping=settings.damping, top_edges=settings.top_edges)
        best = np.argsort(-scores, kind="stable")[: settings.k]
        return Keywords([self.words.words[row] for row in found[best]], scores[best])


def keyword_scores(vectors: Matrix, teleport: Vector, *, damping: float = 0.85, top_edges: int = 10) -> Vector:
    """Rank the candidate words of one text by the votes that they give each other.

    A vote is the cosine of two word vectors, however far apart the words stand in the text; a negative one is none.

    Args:
        vectors: float32 (N, D), unit rows, one per candidate word.
        teleport: float32 (N,), non-negative, sums to 1: where a vote goes when it is not passed on.
        damping: share of each vote that follows an edge, in [0, 1).
        top_edges: edges kept per word; the complete graph ranks like the centroid (see docs/design.md).

    Returns:
        float32 (N,), sums to 1.

    Raises:
        DegenerateInput: a row is not finite.

    Source: Mihalcea & Tarau 2004, section 2; edges by embedding cosine.
    """
    if not np.isfinite(vectors).all():
        raise DegenerateInput(
            "finite vectors of candidate words", "NaN or infinity", "Run: python -m jobs words --fresh"
        )
    steps = vote_matrix(vectors, top_edges)
    passing = (damping * steps.any(axis=1)).astype(np.float32)  # a word without edges passes all its votes back
    steps *= damping
    scores = teleport
    for _ in range(MAX_ITERATIONS):
        before, scores = scores, scores @ steps + (1 - scores @ passing) * teleport
        if np.abs(scores - before).sum() < TOLERANCE:
            break
    return scores / scores.sum()


def vote_matrix(vectors: Matrix, top_edges: int) -> Matrix:
    """Who votes for whom.

    Args:
        vectors: float32 (N, D), unit rows.
        top_edges: the strongest edges that each word keeps.

    Returns:
        float32 (N, N), row i: the shares of word i's vote; a row sums to 1, or to 0 when nothing is like word i.
    """
    votes = np.maximum(vectors @ vectors.T, 0)
    np.fill_diagonal(votes, 0)
    if len(votes) > top_edges:
        weakest = np.partition(votes, len(votes) - top_edges, axis=1)[:, len(votes) - top_edges]
        votes[votes < weakest[:, None]] = 0
    total = votes.sum(axis=1, keepdims=True)
    return np.divide(votes, total, out=votes, where=total > 0)


def unit_rows(matrix: Matrix) -> Matrix:
    """Rows scaled to length 1, in float32; a row of zeros stays zero."""
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, length, out=np.zeros_like(matrix, dtype=np.float32), where=length > 0)


def _rarity(frequencies: Frequencies, language: str) -> Vector:
    articles = frequencies.articles.get(language, 0)
    inverse = np.log((1 + articles) / (1 + frequencies.by_word.astype(np.float64)))
    return (1 + np.maximum(inverse, 0)).astype(np.float32)


def _eligible(words: list[str], frequencies: Frequencies, language: str, config: KeywordsConfig) -> Mask:
    """Which words can be a keyword at all: no stop word, no number, not too short, and not in too many articles."""
    stop, shortest = STOP_WORDS[language], MIN_CHARS[language]
    able = [len(word) >= shortest and word not in stop and not word[0].isdigit() for word in words]
    articles = frequencies.articles.get(language, 0)
    limit = config.max_article_share * articles if articles >= COMMON_FROM else np.inf
    return np.array(able, dtype=bool) & (frequencies.by_word <= limit)


def count_articles(batches: Iterable[pa.RecordBatch], words: WordVectors) -> Frequencies:
    """Count the articles that each word stands in.

    Args:
        batches: the tokens artefact's articles.
        words: the word space.
    """
    size, vocabulary = len(words.words), pa.array(words.words)
    by_word = np.zeros(size, dtype=np.int64)
    articles: dict[str, int] = dict.fromkeys(LANGUAGES, 0)
    for batch in batches:
        rows, bounds = token_rows(batch, vocabulary)
        article = np.repeat(np.arange(batch.num_rows), np.diff(bounds))
        pairs = np.unique((article * size + rows)[rows >= 0])
        by_word += np.bincount(pairs % size, minlength=size)
        for language in batch.column("language").to_pylist():
            articles[language] += 1
    return Frequencies(by_word.astype(np.int32), articles)


def token_rows(batch: pa.RecordBatch, vocabulary: pa.Array) -> tuple[Rows, Bounds]:
    """Look up a batch's words at once.

    Returns:
        int32 (T,), the rows of all articles' title and body words, -1 for unknown ones; int64 (B + 1,), where each
        article begins.
    """
    title, title_bounds = _looked_up(batch.column("title"), vocabulary)
    body, body_bounds = _looked_up(batch.column("body"), vocabulary)
    rows = np.empty(len(title) + len(body), dtype=np.int32)
    rows[np.arange(len(title)) + np.repeat(body_bounds[:-1], np.diff(title_bounds))] = title
    rows[np.arange(len(body)) + np.repeat(title_bounds[1:], np.diff(body_bounds))] = body
    return rows, title_bounds + body_bounds


def _looked_up(column: pa.ListArray, vocabulary: pa.Array) -> tuple[Rows, Bounds]:
    rows = pc.fill_null(pc.index_in(column.flatten(), value_set=vocabulary), -1)
    return rows.to_numpy(zero_copy_only=False), _bounds(column)


def _bounds(column: pa.ListArray) -> Bounds:
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def rank_batch(batch: pa.RecordBatch, ranker: Ranker, vocabulary: pa.Array) -> Iterator[Keywords]:
    """Rank the words of each article of a batch of the tokens artefact."""
    rows, bounds = token_rows(batch, vocabulary)
    tags = batch.column("tags")
    useful = pc.match_substring_regex(tags.flatten(), CHINESE_PATTERN).to_numpy(zero_copy_only=False)
    tag_bounds = _bounds(tags)
    for i, language in enumerate(batch.column("language").to_pylist()):
        tagged = useful[tag_bounds[i] : tag_bounds[i + 1]]
        yield ranker.rank(rows[bounds[i] : bounds[i + 1]], language, tagged if len(tagged) else None)


def write_keywords(
    tokens: Path, words: WordVectors, folder: Path, config: KeywordsConfig, track: Track | None = None
) -> dict[str, int]:
    """Rank the words of every article, one batch in memory at a time.

    Args:
        tokens: ``articles.parquet`` of the tokens artefact.
        words: the word space.
        folder: where ``keywords.parquet``, ``documents.npy`` and ``keywords.json`` go.
        config: how to rank.
        track: called with the articles done so far.

    Returns:
        Counts: articles, keywords, articles without a keyword.
    """
    source = pq.ParquetFile(tokens)
    ranker = Ranker(words, count_articles(source.iter_batches(BATCH_ROWS), words), config)
    save_frequencies(ranker.frequencies, words.space, folder)
    vocabulary = pa.array(words.words)
    counts = {"articles": 0, "keywords": 0, "without_keywords": 0}
    with pq.ParquetWriter(folder / "keywords.parquet", SCHEMA, compression="zstd") as table:
        for batch in source.iter_batches(BATCH_ROWS):
            ranked = list(rank_batch(batch, ranker, vocabulary))
            columns = [batch.column("id"), [row.words for row in ranked], [row.weights for row in ranked]]
            table.write_table(pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA))
            counts["articles"] += len(ranked)
            counts["keywords"] += sum(len(row.words) for row in ranked)
            counts["without_keywords"] += sum(not row.words for row in ranked)
            if track:
                track(counts["articles"])
    return counts


def save_frequencies(frequencies: Frequencies, space: str, folder: Path) -> None:
    """Write how common words are, which ranking a live article needs as well."""
    save_npy(folder / "documents.npy", frequencies.by_word)
    write_json(folder / "keywords.json", {"articles": frequencies.articles, "space": space})


def load_frequencies(folder: Path, words: WordVectors) -> Frequencies:
    """Read how common words are.

    Raises:
        SpaceMismatch: they were counted for another word space.
    """
    facts = read_json(folder / "keywords.json")
    same_space(("keywords", facts["space"]), ("words", words.space))
    return Frequencies(load_npy(folder / "documents.npy"), facts["articles"])
