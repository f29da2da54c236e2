"""Documents: the site's articles, read from disk; equal words are one object in memory, however often they occur."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.classifiers import EncodedDocuments, Flags, LabelRows
from recsys.words import Matrix

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


def document_batches(corpus: ArticleCorpus) -> Iterator[tuple[str, LabelRows, EncodedDocuments]]:
    """All articles, a batch in memory at a time.

    Yields:
        A language; int64 (B,), rows of articles in that language; these articles.
    """
    start = 0
    for batch in pq.ParquetFile(corpus.tokens).iter_batches(_BATCH_ROWS, columns=["title", "body"]):
        end = start + batch.num_rows
        languages = np.array(corpus.languages[start:end])
        texts = _words(batch.column("title"), {}), _words(batch.column("body"), {})
        whole = EncodedDocuments(*texts, corpus.vectors[start:end])
        for language in np.unique(languages).tolist():
            rows = np.flatnonzero(languages == language)
            yield language, rows + start, whole.where(rows)
        start = end


def _words(column: pa.ListArray, seen: dict[str, str]) -> list[list[str]]:
    """Each article's words, at most ``_MAX_TOKENS``; equal words are the same object, also over batches."""
    coded = pc.dictionary_encode(pc.list_flatten(column))
    words = np.array([seen.setdefault(word, word) for word in coded.dictionary.to_pylist()], dtype=object)
    flat = words[coded.indices.to_numpy()].tolist() if len(words) else []
    ends = np.cumsum(pc.list_value_length(column).to_numpy(zero_copy_only=False)).tolist()
    starts = [0, *ends[:-1]]
    return [flat[start : min(end, start + _MAX_TOKENS)] for start, end in zip(starts, ends, strict=True)]
