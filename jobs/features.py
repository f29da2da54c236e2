"""Walk the log in time and write the click model's training matrix.

Reads the event log, the catalogue, ``articles/`` and ``categories/``; produces ``features/features.safetensors`` and
``features/schema.json``. At the start of every block of time the item vectors are learned anew from the clicks before
it, and inside a block they learn on click by click, so that no row is described by a vector that its own click made.
"""

from collections.abc import Iterable

import numpy as np

from jobs.items import article_vectors
from jobs.runner import Counts, Job, Stage
from jobs.trends import sorted_articles, whole_log
from recsys.events import Events
from recsys.features import GROUPS, NAMES, VERSION
from recsys.features.lists import Lists, how_drawn, lists_of
from recsys.features.matrix import Tables
from recsys.features.training import build, save_rows
from recsys.items.training import item_vectors
from recsys.workspace import write_json

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
    events, lists = logged(job)
    known = facts(job, events.article_ids)

    def tables_at(log: Events, time: int) -> Tables:
        made = item_vectors(log.before(time), known.article_vectors, settings.items, seed=job.seed)
        return Tables(made.vectors, known.article_vectors, known.category, known.published, made.online)

    def track(numbers: Iterable[int]) -> Iterable[int]:
        return job.track(numbers, len(lists), "lists")

    gap = settings.events.session_gap_minutes
    rows = build(events, lists, tables_at, settings.trends, settings.readers, track, gap)
    save_rows(rows, job.out / "features.safetensors")
    parts = dict(zip(("fit", "validation", "holdout"), np.bincount(rows.part, minlength=3).tolist(), strict=True))
    counts = {"lists": len(lists), "rows": len(rows.label), "clicked": int(rows.label.sum(dtype=np.int64)), **parts}
    drawn = how_drawn(events, settings.trends.half_lives_hours, settings.features)
    by = None if drawn is None else {"column": GROUPS["popularity"][drawn[0]], "floor": drawn[1]}
    schema = {"names": list(NAMES), "version": VERSION, "impressions": counts, "drawn": by}
    write_json(job.out / "schema.json", schema)
    return counts | {"features": len(NAMES)}


def logged(job: Job) -> tuple[Events, Lists]:
    """The log by the rows of the catalogue, and the lists in it with their parts."""
    settings, events = job.settings, whole_log(job)
    lists = lists_of(
        events,
        settings.features,
        holdout=settings.evaluate.holdout,
        validation=settings.evaluate.validation,
        session_gap_minutes=settings.events.session_gap_minutes,
        rng=np.random.default_rng(job.seed),
    )
    return events, lists


def facts(job: Job, ids: list[str]) -> Tables:
    """What is known of the articles without a click: vectors, categories, dates, by the rows of ``ids``."""
    vectors, known = article_vectors(job, ids), sorted_articles(job, ids)
    return Tables(vectors, vectors, known.category, known.published)
