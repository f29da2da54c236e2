"""Walk the log in time and write the click model's training matrix.

Reads the event log, the catalogue, ``articles/`` and ``categories/``; produces ``features/features.safetensors`` and
``features/schema.json``. At the start of every block of time the item vectors are learned anew from the clicks before
it, so that no row is described by a vector that its own click made.
"""

from collections.abc import Iterable

import numpy as np

from jobs.items import article_vectors, column, through
from jobs.runner import Counts, Job, Stage
from recsys.events import Events
from recsys.features import NAMES, VERSION, Tables
from recsys.features.lists import lists_of
from recsys.features.training import build, save_rows
from recsys.items.training import item_vectors, with_articles
from recsys.workspace import read_table, write_json

STAGE = Stage(
    "features",
    inputs=("events", "articles", "categories"),
    sections=("features", "events", "items", "readers", "trends", "evaluate"),
)


def run(job: Job) -> Counts:
    """Write the rows.

    Returns:
        Counts: lists, rows, clicked rows, features, rows of each part.
    """
    settings = job.settings
    log = job.event_log.load(until=through(job))
    ids = sorted(set(column(job, "events", "articles.parquet")) | set(log.article_ids))
    events = with_articles(log, ids)
    lists = lists_of(
        events,
        settings.features,
        holdout=settings.evaluate.holdout,
        validation=settings.evaluate.validation,
        session_gap_minutes=settings.events.session_gap_minutes,
        rng=np.random.default_rng(job.seed),
    )
    known = facts(job, ids)

    def tables_at(past: Events, time: int) -> Tables:
        made = item_vectors(
            past.before(time), known.article_vectors, settings.items, seed=job.seed, workers=job.workers
        )
        return Tables(made.vectors, known.article_vectors, known.category, known.published)

    def track(numbers: Iterable[int]) -> Iterable[int]:
        return job.track(numbers, len(lists), "lists")

    rows = build(events, lists, tables_at, settings.trends, settings.readers, track)
    save_rows(rows, job.out / "features.safetensors")
    parts = dict(zip(("fit", "validation", "holdout"), np.bincount(rows.part, minlength=3).tolist(), strict=True))
    counts = {"lists": len(lists), "rows": len(rows.label), "clicked": int(rows.label.sum(dtype=np.int64)), **parts}
    write_json(job.out / "schema.json", {"names": list(NAMES), "version": VERSION, "impressions": counts})
    return counts | {"features": len(NAMES)}


def facts(job: Job, ids: list[str]) -> Tables:
    """What is known of the articles without a click: vectors, categories, dates, by the rows of ``ids``."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    category, published = np.full(len(ids), -1, np.int16), np.full(len(ids), -1, np.int64)
    codes: dict[str, int] = {}
    for row in read_table(job.path("categories") / "articles.parquet", columns=["id", "category"]).to_pylist():
        if row["category"] is not None:
            category[row_of[row["id"]]] = codes.setdefault(row["category"], len(codes))
    for row in read_table(job.path("events") / "articles.parquet", columns=["id", "published_at"]).to_pylist():
        if row["published_at"] is not None:
            published[row_of[row["id"]]] = row["published_at"]
    vectors = article_vectors(job, ids)
    return Tables(vectors, vectors, category, published)
