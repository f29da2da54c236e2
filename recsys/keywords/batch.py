"""Rank the keywords of a whole catalogue, a batch of articles in memory at a time.

Reads the tokens artefact as Arrow batches; produces ``keywords.parquet`` and the frequencies. The ranking itself is
``recsys.keywords.ranking``.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.keywords.lookup import fold_words
from recsys.keywords.ranking import Frequencies, Ranker
from recsys.keywords.stored import save_frequencies
from recsys.tokens import LANGUAGES
from recsys.tokens.reading import read_batch
from recsys.words import WordVectors

BATCH_ROWS = 1024  # articles held in memory at once

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "language": pa.string(),
        "keywords": pa.list_(pa.string()),
        "weights": pa.list_(pa.float32()),
        "parts": pa.list_(pa.string()),
    }
)


def count_articles(batches: Iterable[pa.RecordBatch], words: WordVectors) -> Frequencies:
    """Count the articles that each word stands in, in any of its forms.

    Args:
        batches: the tokens artefact's articles.
        words: the word space.
    """
    fold_of: dict[str, int] = {}
    folds = fold_words(words.words, fold_of, merge_forms=True)
    by_fold = np.zeros(len(fold_of), dtype=np.int64)
    articles: dict[str, int] = dict.fromkeys(LANGUAGES, 0)
    for batch in batches:
        text = read_batch(batch)
        rows = words.rows(text.words)
        fold = np.where(rows >= 0, folds[rows] if len(folds) else -1, -1)[text.codes]
        article = np.repeat(np.arange(batch.num_rows), np.diff(text.bounds))
        pairs = np.unique((article * len(fold_of) + fold)[fold >= 0])
        by_fold += np.bincount(pairs % max(len(fold_of), 1), minlength=len(fold_of))
        for language in batch.column("language").to_pylist():
            articles[language] += 1
    return Frequencies(by_fold[folds].astype(np.int32), articles)


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
    with pq.ParquetWriter(folder / "keywords.parquet", SCHEMA, compression="zstd") as table:
        for batch in batches:
            ranked = ranker.rank(batch)
            columns = [batch.column("id"), batch.column("language"), *ranked.columns]
            table.write_table(pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA))
            lengths = pc.list_value_length(ranked.column("keywords"))
            counts["articles"] += batch.num_rows
            counts["keywords"] += pc.sum(lengths).as_py() or 0
            counts["without_keywords"] += pc.sum(pc.equal(lengths, 0)).as_py() or 0
    return counts
