"""Documents: the site's articles, read from disk; equal words are one object in memory, however often they occur."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.articles.encoding import made_beside
from recsys.classifiers import EncodedDocuments, Flags, LabelRows
from recsys.errors import StaleArtefact
from recsys.words import Matrix, WordVectors, load_words
from recsys.workspace import load_npy, read_table

_BATCH_ROWS = 1024  # articles held in memory at once
_MAX_TOKENS = 5000  # of a body; what a report is about has been said by then, and a live article stays a matter of ms


class ArticleCorpus(NamedTuple):
    """Articles of a site on disk, A of them, in the same order everywhere.

    Attributes:
        tokens: ``articles.parquet`` of the tokens artefact.
        keywords: ``keywords.parquet`` of the keywords artefact.
        vectors: float32 (A, D), article vectors; NaN rows where there is none.
        languages: A of them.
        given: the category that each article came with, or None.
    """

    tokens: Path
    keywords: Path
    vectors: Matrix
    languages: list[str]
    given: list[str | None]


def load_corpus(
    events: Path, tokens: Path, words: Path, keywords: Path, articles: Path
) -> tuple[ArticleCorpus, list[str], WordVectors]:
    """All articles as the stages of these folders left them.

    Returns:
        The articles, their ids, the word space.

    Raises:
        StaleArtefact: the vectors were made from another catalogue.
        SpaceMismatch: the vectors were made beside another word space.
    """
    catalogue = read_table(events / "articles.parquet", columns=["id", "category"])
    space, encoded = load_words(words), read_table(articles / "ids.parquet")
    token_file, keyword_file = tokens / "articles.parquet", keywords / "keywords.parquet"
    ids = encoded["id"].to_pylist()
    tables = catalogue, read_table(token_file, ["id"]), read_table(keyword_file, ["id"])
    if any(table["id"].to_pylist() != ids for table in tables):
        raise StaleArtefact("vectors of the articles in events", "other articles", "Run: python -m jobs all")
    made_beside(articles, space.space)
    vectors, languages = load_npy(articles / "vectors.npy"), encoded["language"].to_pylist()
    return ArticleCorpus(token_file, keyword_file, vectors, languages, catalogue["category"].to_pylist()), ids, space


def read_documents(corpus: ArticleCorpus, wanted: Flags) -> EncodedDocuments:
    """Some of the articles, those of a mask bool (A,)."""
    documents = EncodedDocuments([], [], corpus.vectors[wanted])
    seen: dict[str, str] = {}
    start = 0
    for batch in pq.ParquetFile(corpus.tokens).iter_batches(_BATCH_ROWS, columns=["title", "body"]):
        rows = np.flatnonzero(wanted[start : start + batch.num_rows])
        start += batch.num_rows
        if len(rows):
            part = batch.take(pa.array(rows))
            documents.titles.extend(_words(part.column("title"), seen))
            documents.bodies.extend(_words(part.column("body"), seen))
    return documents


def document_batches(corpus: ArticleCorpus) -> Iterator[pa.RecordBatch]:
    """The articles that came without a category, a batch in memory at a time.

    Yields:
        Their words ``title`` and ``body``, their ``language`` and ``vector``, float32 (D,).
    """
    start = 0
    for batch in pq.ParquetFile(corpus.tokens).iter_batches(_BATCH_ROWS, columns=["title", "body"]):
        end = start + batch.num_rows
        rows = np.flatnonzero([not name for name in corpus.given[start:end]])
        if len(rows):
            part, vectors = batch.take(pa.array(rows)), corpus.vectors[start:end][rows]
            lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
            languages = pa.array(corpus.languages[start:end], pa.string()).take(pa.array(rows))
            yield part.append_column("language", languages).append_column("vector", lists)
        start = end


def documents_by_language(batch: pa.RecordBatch) -> Iterator[tuple[str, LabelRows, EncodedDocuments]]:
    """A batch of ``document_batches``, taken apart.

    Yields:
        A language; int64 (B,), rows of articles in that language; these articles.
    """
    languages = np.array(batch.column("language").to_pylist())
    texts = _words(batch.column("title"), {}), _words(batch.column("body"), {})
    whole = EncodedDocuments(*texts, batch.column("vector").flatten().to_numpy().reshape(batch.num_rows, -1))
    for language in np.unique(languages).tolist():
        rows = np.flatnonzero(languages == language)
        yield language, rows, whole.where(rows)


def _words(column: pa.ListArray, seen: dict[str, str]) -> list[list[str]]:
    """Each article's words, at most ``_MAX_TOKENS``; equal words are the same object, also over batches."""
    coded = pc.dictionary_encode(pc.list_flatten(column))
    words = np.array([seen.setdefault(word, word) for word in coded.dictionary.to_pylist()], dtype=object)
    flat = words[coded.indices.to_numpy()].tolist() if len(words) else []
    ends = np.cumsum(pc.list_value_length(column).to_numpy(zero_copy_only=False)).tolist()
    starts = [0, *ends[:-1]]
    return [flat[start : min(end, start + _MAX_TOKENS)] for start, end in zip(starts, ends, strict=True)]
