"""Inputs that several stages share: artefacts of earlier stages by the rows of one list of articles."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.runner import Job
from recsys.articles.encoding import IDF
from recsys.dataset.impressions import Impressions
from recsys.dataset.temporal_split import HOLDOUT_SHARE, VALIDATION_SHARE, split_impressions
from recsys.events import Events
from recsys.events.counted import COUNTED_LOG, load_counted
from recsys.features.ids import hashed_article_ids
from recsys.features.matrix import ArticleTables
from recsys.features.similarity import quantised
from recsys.features.tags import ArticleTags
from recsys.items import Vectors, aligned
from recsys.quality.events import TimeRules
from recsys.settings import Settings
from recsys.tags import STEM, tag_ids
from recsys.trends import LATE_MINUTES, MAX_FUTURE_MINUTES
from recsys.units import NEVER_MS, UNKNOWN_ROW, now_ms
from recsys.workspace import load_npy, read_table


class ArticleTable(NamedTuple):
    """Categories and dates of A articles.

    Attributes:
        category: int16 (A,), code; UNKNOWN_ROW for none.
        published: int64 (A,), ms; NEVER_MS for unknown.
        codes: category name -> code.
    """

    category: npt.NDArray[np.int16]
    published: npt.NDArray[np.int64]
    codes: dict[str, int]


def clock_of(settings: Settings) -> TimeRules:
    """The time of now, and the limits beyond which events are odd."""
    return TimeRules(now_ms(), settings.site.timezone, LATE_MINUTES, MAX_FUTURE_MINUTES)


def column(job: Job, stage: str, file: str, name: str = "id") -> list[str]:
    """One column of a stage's table."""
    values: list[str] = read_table(job.path(stage) / file, columns=[name])[name].to_pylist()
    return values


def whole_log(job: Job) -> Events:
    """The log as all stages count it: people's, and nothing that lay ahead of the clock when ``events`` last ran.

    Its rows are those of the catalogue and of what only clicks know, sorted by identifier. It is mapped, not loaded.
    """
    return load_counted(job.path("events") / COUNTED_LOG)


def article_vectors(job: Job, ids: list[str]) -> Vectors:
    """The article vectors by the rows of ``ids``: float32 (A, D), NaN where there is none."""
    return aligned(load_npy(job.path("articles") / "vectors.npy"), column(job, "articles", "ids.parquet"), ids)


def idf_vectors(job: Job, ids: list[str]) -> npt.NDArray[np.int8]:
    """The means of the articles' words by the rows of ``ids``, quantised: int8 (A, D3), 0 where there is none."""
    folder = job.path("articles") / IDF
    return quantised(aligned(load_npy(folder / "vectors.npy"), column(job, "articles", f"{IDF}/ids.parquet"), ids))


def article_table(job: Job, ids: list[str]) -> ArticleTable:
    """Categories and dates by the rows of ``ids``, which must hold the whole catalogue."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    category, published = np.full(len(ids), UNKNOWN_ROW, np.int16), np.full(len(ids), NEVER_MS, np.int64)
    codes: dict[str, int] = {}
    for row in read_table(job.path("categories") / "articles.parquet", columns=["id", "category"]).to_pylist():
        if row["category"] is not None:
            category[row_of[row["id"]]] = codes.setdefault(row["category"], len(codes))
    for row in read_table(job.path("events") / "articles.parquet", columns=["id", "published_at"]).to_pylist():
        if row["published_at"] is not None:
            published[row_of[row["id"]]] = row["published_at"]
    return ArticleTable(category, published, codes)


def log_and_vectors(job: Job) -> tuple[list[str], Events, Vectors]:
    """Log and article vectors, from which item vectors are learned.

    Returns:
        The articles of the catalogue and of the log, the log by their rows, and their article vectors.
    """
    events = whole_log(job)
    return events.article_ids, events, article_vectors(job, events.article_ids)


def split_log(job: Job) -> tuple[Events, Impressions]:
    """The log by the rows of the catalogue, and the impressions in it with their parts."""
    settings, events = job.settings, whole_log(job)
    impressions = split_impressions(
        events,
        settings.features,
        holdout=HOLDOUT_SHARE,
        validation=VALIDATION_SHARE,
        session_gap_minutes=settings.events.session_gap_minutes,
        rng=np.random.default_rng(job.seed),
    )
    return events, impressions


def article_tables(job: Job, ids: list[str]) -> ArticleTables:
    """Tables of articles before any click: vectors, categories, dates, names, tags, by the rows of ``ids``."""
    vectors, table = article_vectors(job, ids), article_table(job, ids)
    hashed = hashed_article_ids(ids, table.category, list(table.codes))
    means = idf_vectors(job, ids)
    return ArticleTables(
        vectors, vectors, table.category, table.published, ids=hashed, tags=_tags(job, ids), idf_vectors=means
    )


def _tags(job: Job, ids: list[str]) -> ArticleTags:
    """Tags of the articles by the rows of ``ids``."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    tags = ArticleTags.empty(len(ids), STEM)
    ranked = read_table(job.path("keywords") / "keywords.parquet", columns=["id", "parts", "weights"])
    for batch in ranked.to_batches(max_chunksize=10_000):
        for article_id, parts, weights in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            tags.put(row_of[article_id], tag_ids(parts, weights))
    return tags
