"""Our keywords through the jobs' own code: tokens, words, counts, ranking, in a temporary folder.

Word vectors and frequencies are learned from the texts of the data set and of the corpora beside it; nothing here ever
sees a key.
"""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from benchmarks.keywords.data import Document
from recsys.keywords import DocumentFrequencies, KeywordRanker, count_articles, write_keywords
from recsys.keywords.config import DEFAULT_PARAMETERS, KeywordsConfig, RankingParameters
from recsys.settings import Settings
from recsys.tokens import BATCH_ARTICLES, write_tokens
from recsys.words import WordVectors, save_words
from recsys.words.training import train
from recsys.workspace import read_table

Ranked = list[list[str]]

# What the ablation changes, one lever at a time: fields of KeywordsConfig and RankingParameters
LEVERS: dict[str, dict[str, Any]] = {
    "graph": {"damping": 0.0},
    "fewer votes in short texts": {"half_damping_at": 0.0},
    "votes of distinct phrases": {"distinct_votes": False},
    "centred vectors": {"centred": False},
    "all edges (not 10)": {"top_edges": 10},
    "phrases that vote (not 30)": {"max_candidates": 30},
    "word classes": {"word_classes": False},
    "phrases": {"max_words": 1},
    "merged forms": {"merge_forms": False},
    "contained dropped": {"drop_contained": False},
    "document-frequency filter": {"max_article_share": 1.0},
    "rarity": {"rarity": 0.0},
    "position": {"position": 0.0},
    "phrase frequency": {"frequency": 0.0},
    "sum of words, not mean": {"length_discount": 1.0},
    "length of words": {"word_chars": 0.0},
    "single-word penalty": {"single_word": 1.0},
    "penalty before of": {"before_of": 1.0},
}


@dataclass(frozen=True)
class Prepared:
    """A data set that is ready to be ranked.

    Attributes:
        folder: the tokens and words artefacts' files.
        documents: the data set's rows of the tokens artefact; the corpora's are not among them.
        words: learned from all texts.
        frequencies: counted over all texts.
        seconds: CPU seconds by stage, of all texts.
    """

    folder: Path
    documents: pa.Table
    words: WordVectors
    frequencies: DocumentFrequencies
    seconds: dict[str, float]

    @property
    def language(self) -> str:
        """The language of most documents, as the tokens room detects it."""
        languages: list[str] = self.documents["language"].to_pylist()
        return max(sorted(set(languages)), key=languages.count)


def cpu_seconds() -> float:
    """CPU seconds of this process and of the worker processes that it has waited for."""
    return sum(os.times()[:4])


def prepare(
    documents: Sequence[Document], corpus: Iterable[tuple[str, str]], folder: Path, settings: Settings, seed: int
) -> Prepared:
    """Learn what ranking needs.

    Args:
        documents: the data set; its keys are not read.
        corpus: title and body of further texts to learn words from.
        folder: where the artefacts go.
        settings: of the rooms.
        seed: of word training.
    """
    texts = [(document.title, document.body) for document in documents] + list(corpus)
    columns = {
        "id": pa.array([f"{place:09}" for place in range(len(texts))]),
        "title": pa.array([title for title, _ in texts], pa.string()),
        "body": pa.array([body for _, body in texts], pa.string()),
        "language": pa.nulls(len(texts), pa.string()),
    }
    with threadpool_limits(settings.jobs.workers):
        began = [cpu_seconds()]
        write_tokens(pa.table(columns).to_batches(BATCH_ARTICLES), folder, settings.tokens)
        began.append(cpu_seconds())
        words = train(folder / "corpus.txt", settings.words, seed, settings.jobs.workers).words
        save_words(words, folder)
        began.append(cpu_seconds())
        source = pq.ParquetFile(folder / "articles.parquet")
        frequencies = count_articles(source.iter_batches(BATCH_ARTICLES), words)
        began.append(cpu_seconds())
    seconds = dict(zip(("tokens", "words", "count"), np.diff(began).tolist(), strict=True))
    rows = read_table(folder / "articles.parquet").slice(0, len(documents))
    return Prepared(folder, rows, words, frequencies, seconds)


def without(config: KeywordsConfig, lever: str) -> tuple[KeywordsConfig, RankingParameters]:
    """Settings and parameters with one lever switched off."""
    changes = LEVERS[lever]
    settings = {name: value for name, value in changes.items() if name in KeywordsConfig.model_fields}
    parameters = {name: value for name, value in changes.items() if name not in settings}
    return KeywordsConfig(**(config.model_dump() | settings)), replace(DEFAULT_PARAMETERS, **parameters)


def ranked(
    prepared: Prepared,
    config: KeywordsConfig,
    parameters: RankingParameters = DEFAULT_PARAMETERS,
    words: WordVectors | None = None,
) -> tuple[Ranked, float]:
    """Rank every document's keywords.

    Args:
        prepared: the data set.
        config: style, and numbers of keywords and words.
        parameters: of the ranking.
        words: instead of the learned vectors; the same words in the same order.

    Returns:
        Each document's keywords as displayed, best first; CPU seconds from tokens to the written file.
    """
    ranker = KeywordRanker(words or prepared.words, prepared.frequencies, config, parameters)
    with threadpool_limits(1):
        write_keywords(prepared.documents.slice(0, 1).to_batches(), ranker, prepared.folder)  # what is made once
        began = time.process_time()
        write_keywords(prepared.documents.to_batches(BATCH_ARTICLES), ranker, prepared.folder)
    seconds = time.process_time() - began
    return read_table(prepared.folder / "keywords.parquet")["keywords"].to_pylist(), seconds


def random_vectors(words: WordVectors, rng: np.random.Generator) -> WordVectors:
    """The same words and counts with vectors that mean nothing: normal, independent."""
    return replace(words, vectors=rng.standard_normal(words.vectors.shape).astype(np.float32))
