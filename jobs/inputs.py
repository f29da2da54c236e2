"""Inputs that several stages share: artefacts of earlier stages by the rows of one list of articles."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.runner import Job
from recsys.events import Events, of_people
from recsys.items import Vectors, aligned
from recsys.items.training import with_articles
from recsys.units import NEVER_MS, UNKNOWN_ROW
from recsys.workspace import load_npy, read_json, read_table


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


def column(job: Job, stage: str, file: str, name: str = "id") -> list[str]:
    """One column of a stage's table."""
    values: list[str] = read_table(job.path(stage) / file, columns=[name])[name].to_pylist()
    return values


def people_log(job: Job) -> Events:
    """The log as all stages count it: people's, and nothing that lay ahead of the clock when ``events`` last ran."""
    facts = read_json(job.path("events") / "log.json")
    return of_people(job.event_log.load(until=int(facts["through"])), int(facts["newest"]))


def whole_log(job: Job) -> Events:
    """The log as it counts, by the rows of the catalogue and of what only clicks know, sorted by identifier."""
    log = people_log(job)
    return with_articles(log, sorted(set(column(job, "events", "articles.parquet")) | set(log.article_ids)))


def article_vectors(job: Job, ids: list[str]) -> Vectors:
    """The article vectors by the rows of ``ids``: float32 (A, D), NaN where there is none."""
    return aligned(load_npy(job.path("articles") / "vectors.npy"), column(job, "articles", "ids.parquet"), ids)


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
