"""The vectors of a whole catalogue, a batch of articles in memory at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.articles.vectors import Texts, TextVectors
from recsys.keywords import Keywords
from recsys.words import Matrix
from recsys.workspace import save_npy, write_json, write_table

BATCH_ROWS = 512  # articles held in memory at once


def write_articles(tokens: Path, keywords: Path, vectors: TextVectors, folder: Path) -> dict[str, int]:
    """Make the vectors of all articles.

    Args:
        tokens: ``articles.parquet`` of the tokens artefact.
        keywords: ``keywords.parquet`` of the keywords artefact, of the same articles.
        vectors: what makes them; learns what the articles share.
        folder: where ``ids.parquet``, ``vectors.npy``, ``space.json`` and ``common.safetensors`` go.

    Returns:
        Counts: articles, articles without a vector.
    """
    table = pq.read_table(keywords, columns=["id", "language"])
    languages = table["language"].to_pylist()
    found = np.empty((len(languages), vectors.words.embedding_dim), dtype=np.float32)  # (A, D)
    start = 0
    for texts in _batches(tokens, keywords, vectors.config.encoder == "keywords"):
        found[start : start + len(texts.languages)] = vectors.of(texts)
        start += len(texts.languages)
    vectors.learn_common(found, languages)
    found = vectors.without_common(found, languages)
    vectors.save(folder)
    save_articles(table["id"].to_pylist(), languages, found, vectors.words.space, folder)
    return {"articles": len(languages), "without_vector": int(np.isnan(found[:, 0]).sum())}


def _batches(tokens: Path, keywords: Path, by_keywords: bool) -> Iterator[Texts]:
    """All articles, with what the encoder reads of them."""
    for batch in pq.ParquetFile(keywords if by_keywords else tokens).iter_batches(BATCH_ROWS):
        languages = batch.column("language").to_pylist()
        if by_keywords:
            columns = (batch.column(name).to_pylist() for name in ("keywords", "weights", "parts"))
            rows = [Keywords(n, np.array(w, dtype=np.float32), p) for n, w, p in zip(*columns, strict=True)]
            yield Texts(languages, [], rows)
        else:
            parts = batch.column("title").to_pylist(), batch.column("body").to_pylist()
            yield Texts(languages, [title + body for title, body in zip(*parts, strict=True)], [])


def save_articles(ids: list[str], languages: list[str], vectors: Matrix, space: str, folder: Path) -> None:
    """Write article vectors, each article's language, and the word space that they live in."""
    columns = {"id": pa.array(ids, pa.string()), "language": pa.array(languages, pa.string())}
    write_table(folder / "ids.parquet", pa.table(columns))
    save_npy(folder / "vectors.npy", vectors)
    write_json(folder / "space.json", {"space": space, "embedding_dim": int(vectors.shape[1])})
