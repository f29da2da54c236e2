"""Rank each article's words by the votes that they give each other: TextRank on word vectors.

Reads tokens and word vectors; produces ranked keywords, and how many articles each word stands in. A vote is the cosine
of two word vectors, so that words support each other from any distance. Three things keep generic words from winning
(docs/design.md): the vectors are centred on the corpus mean, only the strongest edges of each word are kept, and votes
and restarts favour words that are frequent here, rare elsewhere and early in the text.
Source: Mihalcea & Tarau 2004, "TextRank", section 2; Florescu & Caragea 2017, "PositionRank", section 3 (restarts).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Section
from recsys.errors import DegenerateInput
from recsys.tokens import LANGUAGES, Tokens
from recsys.tokens.stopwords import STOP_WORDS
from recsys.words import Matrix, Rows, WordVectors
from recsys.workspace import load_npy, read_json, same_space, save_npy, write_json

CHINESE_TAGS = ("n", "v", "a", "eng", "i", "j", "l")  # nouns, verbs, adjectives, Latin words, idioms, abbreviations
MIN_CHARS = {"en": 3, "zh": 2, "other": 3}  # shorter words are hardly ever a subject
COMMON_FROM = 50  # articles; a smaller catalogue cannot tell which words are common
TOLERANCE = 1e-6  # summed change of all scores at which the iteration ends
MAX_ITERATIONS = 200  # a damping of 0.85 needs 85 at most to come below the tolerance

Vector = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class KeywordsConfig(Section):
    """How keywords are ranked."""

    k: int = Field(40, ge=1)
    damping: float = Field(0.5, ge=0, lt=1)
    top_edges: int = Field(10, ge=1)
    max_candidates: int = Field(300, ge=2)
    max_article_share: float = Field(0.5, gt=0, le=1)


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
    """What ranking needs to know of the corpus: word vectors, rarity, and the words that can be keywords."""

    def __init__(self, words: WordVectors, frequencies: Frequencies, config: KeywordsConfig) -> None:
        self.words, self.frequencies, self.config = words, frequencies, config
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
        able = rows >= 0
        able[able] = self.eligible[language][rows[able]]
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
        scores = keyword_scores(
            self.words.centred[found], teleport, damping=settings.damping, top_edges=settings.top_edges
        )
        best = np.argsort(-scores, kind="stable")[: settings.k]
        return Keywords([self.words.words[row] for row in found[best]], scores[best])


def keyword_scores(vectors: Matrix, teleport: Vector, *, damping: float = 0.5, top_edges: int = 10) -> Vector:
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
    steps = vote_matrix(vectors, teleport, top_edges)
    passing = (damping * steps.any(axis=1)).astype(np.float32)  # a word without edges passes all its votes back
    steps *= damping
    scores = teleport
    for _ in range(MAX_ITERATIONS):
        before, scores = scores, scores @ steps + (1 - scores @ passing) * teleport
        if np.abs(scores - before).sum() < TOLERANCE:
            break
    shares: Vector = scores / scores.sum()
    return shares


def vote_matrix(vectors: Matrix, teleport: Vector, top_edges: int) -> Matrix:
    """Who votes for whom.

    An edge stays when it is among the strongest of either end: kept by one end only, the edges lead to a few rare words
    that are everybody's neighbour. Each vote counts as much as the word that gets it weighs in ``teleport``.

    Args:
        vectors: float32 (N, D), unit rows.
        teleport: float32 (N,), the weight of each word.
        top_edges: the strongest edges that each word keeps.

    Returns:
        float32 (N, N), row i: the shares of word i's vote; a row sums to 1, or to 0 when nothing is like word i.
    """
    votes = np.maximum(vectors @ vectors.T, 0)
    np.fill_diagonal(votes, 0)
    if len(votes) > top_edges:
        weakest = np.partition(votes, len(votes) - top_edges, axis=1)[:, len(votes) - top_edges, None]
        votes[votes < np.minimum(weakest, weakest.T)] = 0
    votes *= teleport
    total = votes.sum(axis=1, keepdims=True)
    shares: Matrix = np.divide(votes, total, out=votes, where=total > 0)
    return shares


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
