"""Article vectors: the mean of an article's top keywords' vectors.

Reads keywords and word vectors; produces one vector per article, and the ``Encoder`` that takes one article from its
text to its vector when it is posted, through the same functions as the batch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from recsys.config import Section
from recsys.keywords import Keywords, KeywordsConfig, Ranker, load_frequencies
from recsys.keywords.batch import BATCH_ROWS
from recsys.tokens import TokensConfig, tokenize
from recsys.words import Matrix, WordVectors, load_words
from recsys.workspace import save_npy, write_json, write_table

Vector = npt.NDArray[np.float32]


class ArticlesConfig(Section):
    """How an article's vector is made from its keywords."""

    top_keywords: int = Field(40, ge=1)


class Encoded(NamedTuple):
    """One article, understood.

    Attributes:
        language: "zh", "en" or "other".
        keywords: best first.
        vector: float32 (D,), of unit length, or NaN when the text has no keyword.
    """

    language: str
    keywords: Keywords
    vector: Vector


class Encoder:
    """From one article's text to its keywords and vector."""

    def __init__(self, tokens: TokensConfig, ranker: Ranker, config: ArticlesConfig) -> None:
        self.tokens, self.ranker, self.config = tokens, ranker, config

    def encode(self, title: str, body: str, language: str | None = None) -> Encoded:
        """Understand one article, as the jobs would.

        Args:
            title: any text.
            body: any text or HTML.
            language: a language code; None: detected.
        """
        text = tokenize(title, body, language, self.tokens)
        keywords = self.ranker.extract(text)
        vector = article_vector(keywords.words, keywords.weights, self.ranker.words, self.config)
        return Encoded(text.language, keywords, vector)


def article_vector(keywords: Sequence[str], weights: Vector, words: WordVectors, config: ArticlesConfig) -> Vector:
    """The mean of the top keywords' centred unit vectors, each with the square root of its keyword weight.

    The root stands between the plain mean, where the last keyword counts like the first, and the weights themselves,
    where two or three words decide alone; on every set measured it was best or half a point from it (docs/design.md).

    Args:
        keywords: words of the word space, best first.
        weights: float32, as many, non-negative.
        words: the word space.
        config: how many keywords count.

    Returns:
        float32 (D,), of unit length; NaN when there is no keyword, or when the vectors cancel each other out.
    """
    top = config.top_keywords
    total = np.sqrt(weights[:top]) @ words.centred[words.rows(keywords[:top])]
    length = np.linalg.norm(total)
    if not length > 0:
        return np.full(words.embedding_dim, np.nan, dtype=np.float32)
    vector: Vector = (total / length).astype(np.float32)
    return vector


def write_articles(keywords: Path, words: WordVectors, folder: Path, config: ArticlesConfig) -> dict[str, int]:
    """Make the vectors of all articles.

    Args:
        keywords: ``keywords.parquet`` of the keywords artefact.
        words: the word space that the keywords were ranked in.
        folder: where ``ids.parquet``, ``vectors.npy`` and ``space.json`` go.
        config: how many keywords count.

    Returns:
        Counts: articles, articles without a vector.
    """
    source = pq.ParquetFile(keywords)
    vectors = np.empty((source.metadata.num_rows, words.embedding_dim), dtype=np.float32)  # (A, D)
    ids: list[str] = []
    languages: list[str] = []
    for batch in source.iter_batches(BATCH_ROWS):
        columns = batch.column("keywords").to_pylist(), batch.column("weights").to_pylist()
        for row, (names, weights) in enumerate(zip(*columns, strict=True), start=len(ids)):
            vectors[row] = article_vector(names, np.array(weights, dtype=np.float32), words, config)
        ids += batch.column("id").to_pylist()
        languages += batch.column("language").to_pylist()
    save_articles(ids, languages, vectors, words.space, folder)
    return {"articles": len(ids), "without_vector": int(np.isnan(vectors[:, 0]).sum())}


def save_articles(ids: list[str], languages: list[str], vectors: Matrix, space: str, folder: Path) -> None:
    """Write article vectors, each article's language, and the word space that they live in."""
    columns = {"id": pa.array(ids, pa.string()), "language": pa.array(languages, pa.string())}
    write_table(folder / "ids.parquet", pa.table(columns))
    save_npy(folder / "vectors.npy", vectors)
    write_json(folder / "space.json", {"space": space, "embedding_dim": int(vectors.shape[1])})


def load_encoder(
    words: Path, keywords: Path, tokens_config: TokensConfig, keywords_config: KeywordsConfig, config: ArticlesConfig
) -> Encoder:
    """Read what encoding an article needs.

    Args:
        words: folder of the words artefact.
        keywords: folder of the keywords artefact.
        tokens_config: as for the batch.
        keywords_config: as for the batch.
        config: as for the batch.

    Raises:
        SpaceMismatch: the two artefacts do not belong together.
    """
    space = load_words(words)
    ranker = Ranker(space, load_frequencies(keywords, space), keywords_config)
    return Encoder(tokens_config, ranker, config)
