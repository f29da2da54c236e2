"""Inputs of neural readers: titles and texts as rows of words, the last clicks of each reader before a list.

Words are the workspace's own tokens and vectors, learned without a click, as in all other models of this benchmark.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from benchmarks.news.data import Newsroom, TimeSplit
from recsys.dataset.impressions import click_histories
from recsys.words import WordVectors, load_words

TITLE_WORDS, BODY_WORDS = 20, 40  # of the papers' 30 and 300: the texts here are titles and abstracts
CLICKS = 30  # last clicks that are read; the papers have 50

Ints = npt.NDArray[np.int64]


class NewsTexts(NamedTuple):
    """Texts of A articles, and the vectors of V words.

    Attributes:
        words: float32 (V + 1, D); row 0 is no word.
        title: int64 (A, TITLE_WORDS), rows of ``words``.
        body: int64 (A, BODY_WORDS), rows of ``words``.
        category: int64 (A,), from 1; 0 for none.
        vectors: float32 (A, D2), article vectors, 0 where there is none.
    """

    words: npt.NDArray[np.float32]
    title: Ints
    body: Ints
    category: Ints
    vectors: npt.NDArray[np.float32]


class Reading(NamedTuple):
    """Lists as neural readers see them.

    Attributes:
        texts: of all articles.
        history: int64 (I, CLICKS), articles clicked before each list, the newest last; -1 before the first.
        reader: int64 (I,), from 1; 0 for nobody.
    """

    texts: NewsTexts
    history: Ints
    reader: Ints


def news_texts(room: Newsroom) -> NewsTexts:
    """The texts of a newsroom, by the rows of its articles."""
    words = load_words(room.job.path("words"))
    table = pq.read_table(room.job.path("tokens") / "articles.parquet", columns=["id", "title", "body"])
    row_of = {article_id: row for row, article_id in enumerate(room.events.article_ids)}
    places = np.array([row_of[article_id] for article_id in table["id"].to_pylist()], np.int64)
    A, vectors = len(row_of), np.nan_to_num(words.centred_of(words.words)).astype(np.float32)
    made = {}
    for name, most in (("title", TITLE_WORDS), ("body", BODY_WORDS)):
        made[name] = np.zeros((A, most), np.int64)
        made[name][places] = padded_rows(words, table[name].to_pylist(), most)
    known = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), vectors])
    articles = np.nan_to_num(room.tables.article_vectors).astype(np.float32)
    category = room.tables.category.astype(np.int64) + 1
    return NewsTexts(known, made["title"], made["body"], category, articles)


def padded_rows(words: WordVectors, texts: Sequence[list[str]], most: int) -> Ints:
    """The first words of each text that have a vector, from 1, with zeros behind: int64 (N, most)."""
    out = np.zeros((len(texts), most), np.int64)
    for place, text in enumerate(texts):
        rows = words.rows(text)
        rows = rows[rows >= 0][:most]
        out[place, : len(rows)] = rows + 1
    return out


def reading_of(split: TimeSplit, texts: NewsTexts, gap_minutes: int) -> Reading:
    """The clicks before each list of a split, and its reader's number."""
    past = click_histories(split.events, split.lists, gap_minutes)
    places: npt.NDArray[Any] = past.last[:, None] - np.arange(CLICKS, 0, -1)
    there = places >= past.first[:, None]
    history = np.where(there, past.clicks.article[np.maximum(places, 0)], -1).astype(np.int64)
    return Reading(texts, history, np.maximum(split.lists.reader + 1, 0))
