"""Rank the keywords of a whole catalogue, a batch of articles in memory at a time.

Reads the tokens artefact as Arrow batches; produces ``keywords.parquet`` and the frequencies. The ranking itself is
``recsys.keywords.ranking``.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.keywords.lookup import fold_words
from recsys.keywords.ranking import Frequencies, Ranker
from recsys.keywords.stopwords import StopWordLearner
from recsys.keywords.stored import save_frequencies
from recsys.tokens.pieces import codes_of
from recsys.tokens.reading import read_batch
from recsys.words import WordVectors

BATCH_ROWS = 1024  # articles held in memory at once

Ints = npt.NDArray[np.int64]

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
    by_fold: dict[str, Ints] = {}
    articles: Counter[str] = Counter()
    learner = StopWordLearner()
    for batch in batches:
        text = read_batch(batch)
        rows = words.rows(text.words)
        fold = np.where(rows >= 0, folds[rows] if len(folds) else -1, -1)[text.codes]
        article = np.repeat(np.arange(batch.num_rows), np.diff(text.bounds))
        languages, spoken = codes_of(batch.column("language"))
        articles.update(batch.column("language").to_pylist())
        for number, language in enumerate(languages):
            mine = spoken[article] == number
            pairs = np.unique((article * len(fold_of) + fold)[mine & (fold >= 0)])
            counts = np.bincount(pairs % max(len(fold_of), 1), minlength=len(fold_of))
            by_fold[language] = by_fold.get(language, 0) + counts
            learner.add(language, text, article, mine)
    by_word = {language: counts[folds].astype(np.int32) for language, counts in by_fold.items()}
    return Frequencies(by_word, dict(articles), learner.stop_words())


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
