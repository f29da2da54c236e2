"""A file of judged titles -> judgements, and the titles in the project's own spaces.

Titles are cut, counted and given vectors by the jobs' own code, without a look at a label.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from benchmarks.categories.data import as_corpus, encode
from benchmarks.text_clicks.traits import Places, Traits, Values, bag_traits, vector_traits
from recsys.classifiers.linear_ngram_model import NgramSpec, block_of
from recsys.errors import ImportRefused
from recsys.settings import Settings
from recsys.words import Matrix, WordVectors, load_words, unit_rows
from recsys.workspace import load_npy

COLUMNS = (3, 4)  # reader, title, label, and perhaps "id:name;id:name"
TFIDF = NgramSpec(words=1, characters=0, tfidf=True)
MOST_WORDS = 1 << 20

Folds = npt.NDArray[np.int64]


class Judgements(NamedTuple):
    """N judgements of A different titles.

    Attributes:
        reader: int64 (N,), numbers from 0.
        row: int64 (N,), into ``titles``.
        liked: float64 (N,), 1 for a click and 0 for none.
        titles: A titles, ascending.
        entities: of each title, their ids, ascending.
    """

    reader: Places
    row: Places
    liked: Values
    titles: list[str]
    entities: list[list[str]]


def read_judgements(file: Path) -> Judgements:
    """Read tab-separated lines of reader, title, label and, where there are any, entities.

    Raises:
        ImportRefused: a line of other columns, or a label that is neither 0 nor 1.
    """
    lines = [line.split("\t") for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    if not lines or any(len(line) not in COLUMNS or line[2] not in ("0", "1") for line in lines):
        raise ImportRefused("lines of 3 or 4 columns, the third 0 or 1", str(file), "Give a file in DKN's format.")
    reader, title, label, entities = zip(*([*line, ""][:4] for line in lines), strict=True)
    titles, row = np.unique(np.array(title, dtype=object), return_inverse=True)
    ids: list[set[str]] = [set() for _ in titles]
    for place, field in zip(row.tolist(), entities, strict=True):
        ids[place].update(part.split(":")[0] for part in field.split(";") if part)
    numbers = np.unique(np.array(reader), return_inverse=True)[1]
    liked = np.array(label, dtype=np.float64)
    return Judgements(numbers, row, liked, titles.tolist(), [sorted(one) for one in ids])


def folds_of(judgements: int, folds: int, seed: int) -> Folds:
    """The fold of each judgement, int64 (N,): folds of equal size, drawn by ``seed``."""
    return np.random.default_rng(seed).permutation(judgements) % folds


def spaces_of(judgements: Judgements, settings: Settings, seed: int) -> dict[str, Traits]:
    """The titles in every space, each of weight 1.

    Returns:
        "words", TF-IDF; "word_vectors", the plain mean of a title's word vectors, for the baselines; "vectors", the
        article vectors; "keywords"; "entities", as the file names them.
    """
    rows = [{"title": title, "label": "unknown"} for title in judgements.titles]
    articles = settings.articles.model_copy(update={"encoder": "idf-mean"})  # a title has hardly a keyword to choose
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encode(
            as_corpus(rows, np.zeros(len(rows), np.int64)),
            folder,
            settings.model_copy(update={"articles": articles}),
            seed,
        )
        tokens = pq.read_table(folder / "articles.parquet")["title"].to_pylist()
        parts = pq.read_table(folder / "keywords.parquet")["parts"].to_pylist()
        vectors, words = load_npy(folder / "articles" / "vectors.npy"), load_words(folder)
    keywords = [[*some, *(word for part in some if " " in part for word in part.split(" "))] for some in parts]
    return {
        "words": _tfidf(tokens),
        "word_vectors": vector_traits(_means(words, tokens), 1.0),
        "vectors": vector_traits(vectors, 1.0),
        "keywords": _tfidf(keywords),
        "entities": _tfidf(judgements.entities),
    }


def _tfidf(texts: Sequence[list[str]]) -> Traits:
    block = block_of(texts, TFIDF, least=1, most=MOST_WORDS)
    bags, values = block.features(texts)
    return bag_traits(bags, values, 1.0, len(block.vocabulary))


def _means(words: WordVectors, texts: Sequence[list[str]]) -> Matrix:
    """The mean word vector of each text, unit or NaN rows."""
    means = np.full((len(texts), words.embedding_dim), np.nan, np.float32)
    for place, text in enumerate(texts):
        rows = words.rows(text)
        if (rows >= 0).any():
            means[place] = words.vectors[rows[rows >= 0]].mean(axis=0)
    return unit_rows(means)
