"""From an article's words to its vector, in three ways.

Reads tokens, keywords and word vectors; produces float32 rows of unit length. ``keywords`` is the mean of the top
keywords' vectors. ``idf-mean`` is the mean of all words' vectors, rare words first, without the direction that all
articles share. ``doc2vec`` is the text's own vector under a space that was trained with texts.
Source: Arora, Liang & Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings" (the shared direction);
Le & Mikolov 2014, "Distributed Representations of Sentences and Documents" (doc2vec).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.articles.config import ArticlesConfig
from recsys.keywords import DocumentFrequencies, Keywords, load_frequencies
from recsys.words import Matrix, WordVectors, load_words, unit_rows
from recsys.words.doc2vec import DocumentInference, load_inference
from recsys.workspace import load_arrays, read_json, same_space, save_arrays

COMMON_FROM = 50  # articles of a language; fewer do not tell what they share from what they are about

Vector = npt.NDArray[np.float32]


class Texts(NamedTuple):
    """B articles.

    Attributes:
        languages: their codes.
        tokens: the words of title and body.
        keywords: of each.
    """

    languages: list[str]
    tokens: list[list[str]]
    keywords: list[Keywords]


class TextVectors:
    """What makes vectors: the word space, how rare its words are, and what the encoder needs besides.

    Attributes:
        common: float32 (D,), a unit vector by language: the direction that is taken out, of ``idf-mean``.
        documents: what doc2vec infers with, None for the other encoders.
    """

    def __init__(
        self,
        words: WordVectors,
        frequencies: DocumentFrequencies,
        config: ArticlesConfig,
        documents: DocumentInference | None = None,
    ) -> None:
        self.words, self.frequencies, self.config, self.documents = words, frequencies, config, documents
        self.common: dict[str, Vector] = {}

    def of(self, texts: Texts) -> Matrix:
        """float32 (B, D), unit rows; NaN rows where nothing of a text is known, or where its words cancel out."""
        if self.config.encoder == "keywords":
            return keyword_means(texts.keywords, self.words, self.config.top_keywords)
        if self.documents is not None:
            raw = [self.documents.infer(self.words.rows(tokens)) for tokens in texts.tokens]
            return _unit_or_nan(np.array(raw, dtype=np.float32).reshape(len(raw), self.words.embedding_dim))
        return self.without_common(idf_means(texts, self.words, self.frequencies), texts.languages)

    def learn_common(self, vectors: Matrix, languages: Sequence[str]) -> None:
        """Find the direction that the articles of each language share, from vectors float32 (A, D)."""
        spoken = np.array(languages)
        for language in sorted(set(languages)):
            known = vectors[(spoken == language) & np.isfinite(vectors).all(axis=1)]
            if self.config.encoder == "idf-mean" and len(known) >= COMMON_FROM:
                self.common[language] = np.linalg.eigh(known.T @ known)[1][:, -1].astype(np.float32)

    def without_common(self, vectors: Matrix, languages: Sequence[str]) -> Matrix:
        """Take out of float32 (B, D) rows what the articles of their language share; unit rows again."""
        nothing = np.zeros(self.words.embedding_dim, dtype=np.float32)
        common = np.array([self.common.get(language, nothing) for language in languages]).reshape(vectors.shape)
        return _unit_or_nan(vectors - (vectors * common).sum(axis=1, keepdims=True) * common)

    def save(self, folder: Path) -> None:
        """Write the shared directions."""
        save_arrays(folder / "common.safetensors", self.common)


def text_vectors(words: Path, keywords: Path, config: ArticlesConfig) -> TextVectors:
    """What makes the vectors of a catalogue.

    Args:
        words: folder of the words artefact.
        keywords: folder of the keywords artefact.
        config: which encoder.

    Raises:
        SpaceMismatch: the keywords were ranked in another space.
        MissingArtefact: doc2vec is asked for, and the words were trained otherwise.
    """
    space = load_words(words)
    documents = load_inference(words) if config.encoder == "doc2vec" else None
    return TextVectors(space, load_frequencies(keywords, space), config, documents)


def load_text_vectors(words: Path, keywords: Path, articles: Path, config: ArticlesConfig) -> TextVectors:
    """What makes the vectors of articles that come after the catalogue, ``articles`` being its folder.

    Raises:
        SpaceMismatch: the catalogue's vectors live in another space.
    """
    made = text_vectors(words, keywords, config)
    same_space(("articles", read_json(articles / "space.json")["space"]), ("words", made.words.space))
    made.common = load_arrays(articles / "common.safetensors")
    return made


def keyword_means(keywords: Sequence[Keywords], words: WordVectors, top: int) -> Matrix:
    """The mean of the top keywords' centred unit vectors, each with the square root of its keyword weight.

    The root stands between the plain mean, where the last keyword counts like the first, and the weights themselves,
    where two or three words decide alone; on every set measured it was best or half a point from it (docs/design.md).

    Args:
        keywords: of B articles.
        words: the word space.
        top: keywords of each that count.

    Returns:
        float32 (B, D), unit or NaN rows.
    """
    # a phrase's words count like the phrase
    parts = [[name.split(" ") for name in one.parts[:top]] for one in keywords]
    tokens = [list(chain.from_iterable(names)) for names in parts]
    weights = [
        np.repeat(np.sqrt(one.weights[:top]), [len(name) for name in names])
        for one, names in zip(keywords, parts, strict=True)
    ]
    return weighted_means(tokens, np.concatenate([np.zeros(0, np.float32), *weights]), words)


def idf_means(texts: Texts, words: WordVectors, frequencies: DocumentFrequencies) -> Matrix:
    """The mean of all words' centred unit vectors, each with its TF-IDF weight, in which the tf is logarithmic.

    Returns:
        float32 (B, D), unit or NaN rows.
    """
    counted = [Counter(tokens) for tokens in texts.tokens]
    rows = words.rows(list(chain.from_iterable(counted)))
    often = np.fromiter(chain.from_iterable(one.values() for one in counted), dtype=np.float64)
    articles = np.array([frequencies.articles.get(language, 0) for language in texts.languages])
    beside = np.repeat(articles, [len(one) for one in counted])
    stands_in = np.zeros(len(rows), np.int64)
    spoken = np.repeat(np.array(texts.languages, object), [len(one) for one in counted])
    for language, counts in frequencies.by_word.items():
        mine = np.flatnonzero((spoken == language) & (rows >= 0))
        stands_in[mine] = counts[rows[mine]]
    rarity = np.maximum(np.log((1 + beside) / (1 + stands_in)), 0)
    return weighted_means([list(one) for one in counted], (1 + np.log(often)) * rarity, words)


def weighted_means(tokens: Sequence[Sequence[str]], weights: npt.NDArray[np.floating], words: WordVectors) -> Matrix:
    """Weighted means of words' centred unit vectors; words without a vector are left out.

    Args:
        tokens: of B articles, T together.
        weights: (T,), non-negative.
        words: the word space.

    Returns:
        float32 (B, D), unit rows; NaN where there is no word, or where the vectors cancel each other out.
    """
    row_of: dict[str, int] = {}
    rows = np.fromiter((row_of.setdefault(word, len(row_of)) for word in chain.from_iterable(tokens)), dtype=np.int64)
    vectors = words.centred_of(list(row_of))  # (distinct words, D)
    counted = np.where(np.isfinite(vectors[:, 0])[rows], weights, 0).astype(np.float32)
    sizes = np.array([len(one) for one in tokens])
    total = np.zeros((len(tokens), words.embedding_dim), dtype=np.float32)
    if len(rows):
        parts = np.nan_to_num(vectors)[rows] * counted[:, None]  # (T, D)
        total[sizes > 0] = np.add.reduceat(parts, (np.cumsum(sizes) - sizes)[sizes > 0], axis=0)
    return _unit_or_nan(total)


def _unit_or_nan(matrix: Matrix) -> Matrix:
    """Rows of unit length; a row of zeros, which points nowhere, becomes NaN."""
    rows = unit_rows(matrix)
    rows[~rows.any(axis=1)] = np.nan
    return rows
