"""Walk the log in time and write the click model's training matrix.

Reads the event log, the catalogue, ``keywords/``, ``articles/`` and ``categories/``; produces ``schema.json`` and
``features.parquet``. At the start of every block of time the item vectors are learned anew from the clicks before it,
in the cluster if there is one; inside a block they learn on click by click, so that no row is described by a vector
that its own click made.
"""

from dataclasses import replace

import numpy as np

from jobs.inputs import article_tables, split_log
from jobs.runner import Counts, Job, Stage
from recsys.dataset.block_items import items_at, learning
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.parquet import training_set_writer
from recsys.dataset.temporal_split import HOLDOUT_SHARE, negative_sampling
from recsys.dataset.training_set import block_starts, training_chunks
from recsys.events import Events
from recsys.events.counted import COUNTED_LOG
from recsys.features import GROUPS, NAMES
from recsys.features.matrix import ArticleTables
from recsys.trends.state import HALF_LIVES_HOURS

STAGE = Stage(
    "features",
    inputs=("events", "keywords", "articles", "categories"),
    sections=("features", "events", "items", "readers", "trends"),
)
COARSE = 0.05  # by so much more of the lists than asked for is held out before it is said


def run(job: Job) -> Counts:
    """Write the rows.

    Returns:
        Counts: lists, rows, clicked rows, features, rows of each part, and the share of the lists that is held out.
    """
    settings = job.settings
    events, lists = split_log(job)
    tables = article_tables(job, events.article_ids)

    task = learning(job.path("events") / COUNTED_LOG, job.path("articles"), settings.items, job.seed)
    blocks = items_at(block_starts(lists), job.mapped(task))

    def tables_at(_: Events, time: int) -> ArticleTables:
        block = next(blocks)
        assert block.time == time
        return replace(tables, item_vectors=block.items.vectors, items=block.items)

    gap, sizes = settings.events.session_gap_minutes, np.diff(lists.offsets)
    label = lists.label
    drawn = negative_sampling(events, HALF_LIVES_HOURS)
    by = None if drawn is None else {"column": GROUPS["popularity"][drawn[0]], "floor": drawn[1]}
    parts = np.bincount(np.repeat(lists.part, sizes), minlength=3).tolist()
    counts: Counts = {"lists": len(lists), "rows": len(label), "clicked": int(label.sum(dtype=np.int64))}
    counts |= dict(zip(("fit", "validation", "holdout"), parts, strict=True))
    counts["held_out"] = round(float((lists.part == HOLDOUT).mean()), 3) if len(lists) else 0.0
    wanted = round(HOLDOUT_SHARE / (1 - settings.features.warmup_share), 3)  # of the lists after the warm-up
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
