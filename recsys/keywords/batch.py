"""Rank the keywords of a whole catalogue, a batch of articles in memory at a time.

Reads the tokens artefact as Arrow batches, whose words are looked up all at once; produces ``keywords.parquet`` and the
frequencies. The ranking itself is ``recsys.keywords``.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.keywords import CHINESE_TAGS, Frequencies, Keywords, Ranker, save_frequencies
from recsys.tokens import LANGUAGES
from recsys.words import Rows, WordVectors

BATCH_ROWS = 1024  # articles held in memory at once
CHINESE_PATTERN = f"^({'|'.join(CHINESE_TAGS)})"

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "language": pa.string(),
        "keywords": pa.list_(pa.string()),
        "weights": pa.list_(pa.float32()),
    }
)

Bounds = npt.NDArray[np.int64]


def count_articles(batches: Iterable[pa.RecordBatch], words: WordVectors) -> Frequencies:
    """Count the articles that each word stands in.

    Args:
        batches: the tokens artefact's articles.
        words: the word space.
    """
    size, vocabulary = len(words.words), pa.array(words.words, pa.string())
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


def write_keywords(batches: Iterable[pa.RecordBatch], ranker: Ranker, folder: Path) -> dict[str, int]:
    """Rank the words of every article, one batch in memory at a time.

    Args:
        batches: the tokens artefact's articles.
        ranker: what is known of the corpus.
        folder: where ``keywords.parquet`` and the frequencies go.

    Returns:
        Counts: articles, keywords, articles without a keyword.
    """
    save_frequencies(ranker.frequencies, ranker.words.space, folder)
    vocabulary = pa.array(ranker.words.words, pa.string())
    counts = {"articles": 0, "keywords": 0, "without_keywords": 0}
    with pq.ParquetWriter(folder / "keywords.parquet", SCHEMA, compression="zstd") as table:
        for batch in batches:
            ranked = list(rank_batch(batch, ranker, vocabulary))
            columns = [batch.column("id"), batch.column("language")]
            columns += [[row.words for row in ranked], [row.weights for row in ranked]]
            table.write_table(pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA))
            counts["articles"] += len(ranked)
            counts["keywords"] += sum(len(row.words) for row in ranked)
            counts["without_keywords"] += sum(not row.words for row in ranked)
    return counts
