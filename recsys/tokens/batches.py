"""Tasks on batches of articles: cutting their texts, and joining and tagging their words.

Each is a ``BatchTask``, and so made in whichever process has room; the result is the same with any number of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.config import plain
from recsys.languages import NO_SITE_LANGUAGES, SiteLanguages
from recsys.parallel import BatchFunction, BatchTask
from recsys.tokens.config import TokensConfig
from recsys.tokens.segmenter import Segmenter
from recsys.tokens.table import BATCH_ARTICLES
from recsys.tokens.tokenizer import load_tokenizer

BATCH_BYTES = 4_000_000  # bytes of text per batch: enough to keep a process busy, little enough to hold some of them

ARTICLES = pa.schema([(name, pa.string()) for name in ("id", "title", "body", "language")])


def segmenting(
    config: TokensConfig, boilerplate: Sequence[str] = (), site_languages: SiteLanguages = NO_SITE_LANGUAGES
) -> BatchTask:
    """Task that cuts articles, rows of ``ARTICLES``, into segments, rows of ``SEGMENTS``.

    Args:
        config: of the tokeniser.
        boilerplate: lines to leave out.
        site_languages: by which the language of a text is detected.
    """
    settings = {
        "config": plain(config),
        "boilerplate": list(boilerplate),
        "site_languages": site_languages.facts(),
    }
    return BatchTask(segment_batches, settings)


def segment_batches(settings: Mapping[str, Any], _files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``segmenting``."""
    config = TokensConfig.model_validate(settings["config"])
    segmenter = Segmenter(config, settings["boilerplate"], SiteLanguages(**settings["site_languages"]))

    def segment(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = (batch.column(name).to_pylist() for name in ("title", "body", "language"))
        return segmenter.segment(batch.column("id"), zip(*columns, strict=True))

    return segment


def joining(config: TokensConfig, tokenizer: Path) -> BatchTask:
    """Task that joins and tags the words of cut articles: rows of ``SEGMENTS`` become those of the tokens table.

    Args:
        config: of the tokeniser.
        tokenizer: folder of the lexicon and the word classes.
    """
    return BatchTask(join_batches, {"config": plain(config)}, {"tokenizer": tokenizer})


def join_batches(settings: Mapping[str, Any], files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``joining``."""
    return load_tokenizer(files["tokenizer"], TokensConfig.model_validate(settings["config"])).join_and_tag


def bounded_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same articles in batches of a bounded size.

    Args:
        batches: string columns id, title, body, language, and perhaps others.

    Yields:
        Rows of ``ARTICLES``: at most 1,024, and of 4 MB of text unless a single article has more.
    """
    for batch in batches:
        batch = batch.select(ARTICLES.names).cast(ARTICLES)
        sizes = sum(pc.fill_null(pc.binary_length(batch.column(name)), 0).to_numpy() for name in ("title", "body"))
        start = 0
        while start < batch.num_rows:
            ends = np.cumsum(sizes[start : start + BATCH_ARTICLES], dtype=np.int64)
            rows = max(1, int(np.searchsorted(ends, BATCH_BYTES, side="right")))
            yield batch.slice(start, rows)
            start += rows
