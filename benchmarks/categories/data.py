"""Labelled files -> a corpus with folds, and its text through the jobs' own code."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.articles.encoding import write_articles
from recsys.articles.vectors import text_vectors
from recsys.keywords import KeywordRanker, count_articles, write_keywords
from recsys.languages import detect
from recsys.settings import Settings
from recsys.tokens import BATCH_ARTICLES, write_tokens
from recsys.words import WordVectors, load_words, save_words
from recsys.words.training import train

Folds = npt.NDArray[np.int64]
PROBE = 500  # articles that tell the language of a data set

Rows = Sequence[dict[str, Any]]


class Corpus(NamedTuple):
    """A labelled data set, all of it in one language.

    Attributes:
        titles: of A articles.
        bodies: of A articles.
        labels: each article's true category.
        folds: int64 (A,), the fold in which the label is held out; -1 is never held out.
        language: its code.
    """

    titles: list[str]
    bodies: list[str]
    labels: list[str]
    folds: Folds
    language: str


class Encoded(NamedTuple):
    """A corpus after the stages before categories.

    Attributes:
        folder: of the tokens, words and keywords artefacts, together; ``articles/`` is in it.
        words: the word space.
        seconds: by stage.
    """

    folder: Path
    words: WordVectors
    seconds: dict[str, float]


def read_articles(file: Path) -> list[dict[str, Any]]:
    """Rows of a JSON-lines file, compressed or not; those without a category or label are left out."""
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    rows = (json.loads(line) for line in data.splitlines() if line.strip())
    return [row for row in rows if label_of(row)]


def label_of(row: dict[str, Any]) -> str:
    """The true category, whatever its field is called."""
    value = row.get("category", row.get("label"))
    return "" if value is None else str(value)


def as_corpus(rows: Rows, folds: Folds) -> Corpus:
    """Rows with title, body or text, and category or label; one data set is taken to be in one language."""
    titles = [str(row.get("title") or "") for row in rows]
    bodies = [str(row.get("body") or row.get("text") or "") for row in rows]
    probe = zip(titles[:PROBE], bodies[:PROBE], strict=True)
    language = Counter(detect(title, body) for title, body in probe).most_common(1)[0][0]
    return Corpus(titles, bodies, [label_of(row) for row in rows], folds, language)


def cross_validation(rows: Rows, folds: int, rng: np.random.Generator) -> Folds:
    """Draw a fold for each article; equal texts get the same one."""
    fold_of: dict[str, int] = {}
    for row in rows:
        fold_of.setdefault(_text(row), int(rng.integers(folds)))
    return np.array([fold_of[_text(row)] for row in rows], dtype=np.int64)


def _text(row: dict[str, Any]) -> str:
    """Text by which two articles are the same: the body, or the title where there is none."""
    return " ".join(str(row.get("body") or row.get("text") or row.get("title")).lower().split())


def encode(corpus: Corpus, folder: Path, settings: Settings, seed: int) -> Encoded:
    """Text to article vectors through the jobs' code."""
    began = [time.perf_counter()]
    write_tokens(_table(corpus).to_batches(BATCH_ARTICLES), folder, settings.tokens)
    began.append(time.perf_counter())
    save_words(train(folder / "corpus.txt", settings.words, seed, settings.jobs.workers).words, folder)
    words = load_words(folder)
    began.append(time.perf_counter())
    source = pq.ParquetFile(folder / "articles.parquet")
    ranker = KeywordRanker(words, count_articles(source.iter_batches(BATCH_ARTICLES), words), settings.keywords)
    write_keywords(source.iter_batches(BATCH_ARTICLES), ranker, folder)
    began.append(time.perf_counter())
    (folder / "articles").mkdir()
    vectors = text_vectors(folder, folder, settings.articles)
    write_articles(folder / "articles.parquet", folder / "keywords.parquet", vectors, folder / "articles")
    began.append(time.perf_counter())
    seconds = dict(zip(("tokens", "words", "keywords", "articles"), np.diff(began).tolist(), strict=True))
    return Encoded(folder, words, seconds)


def _table(corpus: Corpus) -> pa.Table:
    ids = [f"{place:09}" for place in range(len(corpus.labels))]
    columns = {"id": ids, "title": corpus.titles, "body": corpus.bodies, "language": [corpus.language] * len(ids)}
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))
