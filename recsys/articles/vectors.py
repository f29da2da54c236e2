"""Encoders from an article's words to its vector.

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

_TOP_KEYWORDS = 40  # in the mean: fewer lose what a long text is about, more gain nothing on titles
_MIN_ARTICLES = 50  # articles of a language; fewer do not tell what they share from what they are about

Vector = npt.NDArray[np.float32]


class Texts(NamedTuple):
    """B articles, as an encoder reads them.

    Attributes:
        languages: of each.
        tokens: words of title and body of each.
        keywords: of each.
    """

    languages: list[str]
    tokens: list[list[str]]
    keywords: list[Keywords]


class TextVectors:
    """Encoder of texts, by the word space and the document frequencies of its words.

    Attributes:
        common: float32 (D,), a unit vector by language: the direction that ``idf-mean`` takes out.
        inference: of doc2vec; None for the other encoders.
    """

    def __init__(
        self,
        words: WordVectors,
        frequencies: DocumentFrequencies,
        config: ArticlesConfig,
        inference: DocumentInference | None = None,
    ) -> None:
        self.words, self.frequencies, self.config, self.inference = words, frequencies, config, inference
        self.common: dict[str, Vector] = {}

    def of(self, texts: Texts) -> Matrix:
        """float32 (B, D), unit rows; NaN rows where no word of a text has a vector, or where its words cancel out."""
        if self.config.encoder == "keywords":
            return keyword_means(texts.keywords, self.words, _TOP_KEYWORDS)
        if self.inference is not None:
            raw = [self.inference.infer(self.words.rows(tokens)) for tokens in texts.tokens]
            return _unit_or_nan(np.array(raw, dtype=np.float32).reshape(len(raw), self.words.embedding_dim))
        return self.without_common(idf_means(texts, self.words, self.frequencies), texts.languages)

    def learn_common(self, vectors: Matrix, languages: Sequence[str]) -> None:
        """Find the direction that the articles of each language share, from vectors float32 (A, D)."""
        spoken = np.array(languages)
        for language in sorted(set(languages)):
            rows = vectors[(spoken == language) & np.isfinite(vectors).all(axis=1)]
            if self.config.encoder == "idf-mean" and len(rows) >= _MIN_ARTICLES:
                self.common[language] = np.linalg.eigh(rows.T @ rows)[1][:, -1].astype(np.float32)  # the largest

    def without_common(self, vectors: Matrix, languages: Sequence[str]) -> Matrix:
        """Take the direction that the articles of a language share out of float32 (B, D) rows; unit rows again."""
        none = np.zeros(self.words.embedding_dim, dtype=np.float32)
        common = np.array([self.common.get(language, none) for language in languages]).reshape(vectors.shape)
        return _unit_or_nan(vectors - (vectors * common).sum(axis=1, keepdims=True) * common)

    def save(self, folder: Path) -> None:
        """Write the shared directions."""
        save_arrays(folder / "common.safetensors", self.common)

    def load_common(self, folder: Path) -> None:
        """Read the shared directions that ``save`` wrote."""
        self.common = load_arrays(folder / "common.safetensors")


def text_vectors(words: Path, keywords: Path, config: ArticlesConfig) -> TextVectors:
    """Encoder of a catalogue.

    Args:
        words: folder of the words artefact.
        keywords: folder of the keywords artefact.
        config: names the encoder.

    Raises:
        SpaceMismatch: the keywords were ranked in another space.
        MissingArtefact: doc2vec is asked for, and the words were trained otherwise.
    """
    space = load_words(words, mapped=True)
    inference = load_inference(words) if config.encoder == "doc2vec" else None
    return TextVectors(space, load_frequencies(keywords, space), config, inference)


def load_text_vectors(words: Path, keywords: Path, articles: Path, config: ArticlesConfig) -> TextVectors:
    """Encoder of articles that come after the catalogue, whose folder ``articles`` is.

    Raises:
        SpaceMismatch: the catalogue's vectors live in another space.
    """
    vectors = text_vectors(words, keywords, config)
    space = read_json(articles / "space.json")
    same_space(("articles", space.get("words", space["space"])), ("words", vectors.words.space))
    if not config.pretrained:
        vectors.load_common(articles)
    return vectors


def keyword_means(keywords: Sequence[Keywords], words: WordVectors, top: int) -> Matrix:
    """The mean of the top keywords' centred unit vectors, each with the square root of its keyword weight.

    The root stands between the plain mean, where the last keyword counts like the first, and the weights themselves,
    where two or three words decide alone; on every set measured it was best or half a point from it (docs/text.md).

    Args:
        keywords: of B articles.
        words: the word space.
        top: keywords of each that count.

    Returns:
        float32 (B, D), unit or NaN rows.
    """
    # a phrase's words count like the phrase
    parts = [[name.split(" ") for name in ranked.parts[:top]] for ranked in keywords]
    tokens = [list(chain.from_iterable(names)) for names in parts]
    weights = [
        np.repeat(np.sqrt(ranked.weights[:top]), [len(name) for name in names])
        for ranked, names in zip(keywords, parts, strict=True)
    ]
    return weighted_means(tokens, np.concatenate([np.zeros(0, np.float32), *weights]), words)


def idf_means(texts: Texts, words: WordVectors, frequencies: DocumentFrequencies) -> Matrix:
    """The mean of all words' centred unit vectors, each with its TF-IDF weight, in which the tf is logarithmic.

    Returns:
        float32 (B, D), unit or NaN rows.
    """
    counters = [Counter(tokens) for tokens in texts.tokens]
    sizes = [len(counter) for counter in counters]
    rows = words.rows(list(chain.from_iterable(counters)))
    tf = np.fromiter(chain.from_iterable(counter.values() for counter in counters), dtype=np.float64)
    articles = np.repeat([frequencies.articles.get(language, 0) for language in texts.languages], sizes)
    df = np.zeros(len(rows), np.int64)
    spoken = np.repeat(np.array(texts.languages, object), sizes)
    for language, counts in frequencies.by_word.items():
        places = np.flatnonzero((spoken == language) & (rows >= 0))
        df[places] = counts[rows[places]]
    idf = np.maximum(np.log((1 + articles) / (1 + df)), 0)
    return weighted_means([list(counter) for counter in counters], (1 + np.log(tf)) * idf, words)


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
    weights = np.where(np.isfinite(vectors[:, 0])[rows], weights, 0).astype(np.float32)
    sizes = np.array(list(map(len, tokens)))
    total = np.zeros((len(tokens), words.embedding_dim), dtype=np.float32)
    if len(rows):
        parts = np.nan_to_num(vectors)[rows] * weights[:, None]  # (T, D)
        total[sizes > 0] = np.add.reduceat(parts, (np.cumsum(sizes) - sizes)[sizes > 0], axis=0)
    return _unit_or_nan(total)


def _unit_or_nan(matrix: Matrix) -> Matrix:
    """Rows of unit length; a row of zeros, which points nowhere, becomes NaN."""
    rows = unit_rows(matrix)
    rows[~rows.any(axis=1)] = np.nan
    return rows
