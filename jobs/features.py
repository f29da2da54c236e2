"""Walk the log in time and write the click model's training matrix.

Reads the event log, the catalogue, ``keywords/``, ``articles/`` and ``categories/``; produces ``schema.json`` and
``features.parquet``. At the start of every block of time the item vectors are learned anew from the clicks before
it, and inside a block they learn on click by click, so that no row is described by a vector that its own click made.
"""

from dataclasses import replace

import numpy as np

from jobs.inputs import article_table, article_vectors, whole_log
from jobs.runner import Counts, Job, Stage
from recsys.dataset.impressions import HOLDOUT, Impressions
from recsys.dataset.parquet import training_set_writer
from recsys.dataset.temporal_split import negative_sampling, split_impressions
from recsys.dataset.training_set import training_chunks
from recsys.events import Events
from recsys.features import GROUPS, NAMES
from recsys.features.ids import hashed_article_ids
from recsys.features.matrix import ArticleTables
from recsys.features.similarity import ArticleTags
from recsys.items.training import item_vectors
from recsys.tags import STEM, tag_ids
from recsys.workspace import read_table

STAGE = Stage(
    "features",
    inputs=("events", "keywords", "articles", "categories"),
    sections=("features", "events", "items", "readers", "trends", "evaluate"),
)
COARSE = 0.05  # by so much more of the lists than asked for is held out before it is said


def run(job: Job) -> Counts:
    """Write the rows.

    Returns:
        Counts: lists, rows, clicked rows, features, rows of each part, and the share of the lists that is held out.
    """
    settings = job.settings
    events, lists = logged(job)
    known = facts(job, events.article_ids)

    def tables_at(log: Events, time: int) -> ArticleTables:
        made = item_vectors(log.before(time), known.article_vectors, settings.items, seed=job.seed)
        return replace(known, item_vectors=made.vectors, items=made.online)

    gap, sizes = settings.events.session_gap_minutes, np.diff(lists.offsets)
    label = lists.label
    drawn = negative_sampling(events, settings.trends.half_lives_hours, settings.features)
    by = None if drawn is None else {"column": GROUPS["popularity"][drawn[0]], "floor": drawn[1]}
    parts = np.bincount(np.repeat(lists.part, sizes), minlength=3).tolist()
    counts: Counts = {"lists": len(lists), "rows": len(label), "clicked": int(label.sum(dtype=np.int64))}
    counts |= dict(zip(("fit", "validation", "holdout"), parts, strict=True))
    counts["held_out"] = round(float((lists.part == HOLDOUT).mean()), 3) if len(lists) else 0.0
    wanted = round(
        settings.evaluate.holdout_share / (1 - settings.features.warmup_share), 3
    )  # of the lists after the warm-up
    if counts["held_out"] > wanted + COARSE:
        reason = "lists of the same time stay together, and the log's times are coarse: whole days, perhaps"
        job.log.warning("held out", share=counts["held_out"], asked_for=wanted, reason=reason)
    with training_set_writer(job.out / "features.parquet", {"impressions": counts, "drawn": by}) as rows:
        made = training_chunks(events, lists, tables_at, settings.trends, settings.readers, gap)
        with job.bar(len(lists), "lists") as moved:
            done = 0
            for stretch in made:
                rows.write(stretch)
                done += len(stretch.context)
                moved(done)
    return counts | {"features": len(NAMES)}


def logged(job: Job) -> tuple[Events, Impressions]:
    """The log by the rows of the catalogue, and the lists in it with their parts."""
    settings, events = job.settings, whole_log(job)
    lists = split_impressions(
        events,
        settings.features,
        holdout=settings.evaluate.holdout_share,
        validation=settings.evaluate.validation_share,
        session_gap_minutes=settings.events.session_gap_minutes,
        rng=np.random.default_rng(job.seed),
    )
    return events, lists


def facts(job: Job, ids: list[str]) -> ArticleTables:
    """Tables of articles before any click: vectors, categories, dates, names, tags, by the rows of ``ids``."""
    vectors, known = article_vectors(job, ids), article_table(job, ids)
    named = hashed_article_ids(ids, known.category, list(known.codes))
    return ArticleTables(vectors, vectors, known.category, known.published, ids=named, tags=_tags(job, ids))


def _tags(job: Job, ids: list[str]) -> ArticleTags:
    """Tags of the articles by the rows of ``ids``."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    tags = ArticleTags.empty(len(ids), STEM)
    ranked = read_table(job.path("keywords") / "keywords.parquet", columns=["id", "parts", "weights"])
    for batch in ranked.to_batches(max_chunksize=10_000):
        for article_id, parts, weights in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            tags.put(row_of[article_id], tag_ids(parts, weights))
    return tags
