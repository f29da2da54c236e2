"""Count clicks and impressions at several half-lives, and what is clicked together.

Reads the event log, the catalogue and ``categories/``; produces the files of ``recsys.trends.files``. The service
restores them and goes on from ``through``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.event_log import column, whole_log
from jobs.runner import Counts, Job, Stage
from recsys.dataset.replay import count_log
from recsys.events import UNDATED
from recsys.trends.files import save_trends
from recsys.workspace import read_table

STAGE = Stage("trends", inputs=("events", "categories"), sections=("trends", "events"))


class Sorted(NamedTuple):
    """What is known of A articles without a click.

    Attributes:
        category: int16 (A,), code; -1 for none.
        published: int64 (A,), ms; -1 for unknown.
        codes: category name -> code.
    """

    category: npt.NDArray[np.int16]
    published: npt.NDArray[np.int64]
    codes: dict[str, int]


def run(job: Job) -> Counts:
    """Count every event of the log, in time order.

    Returns:
        Counts: articles, events, clicks, impressions, and how many events came late.
    """
    events = whole_log(job)
    known = sorted_articles(job, events.article_ids)
    gap = job.settings.events.session_gap_minutes
    trends = count_log(events, job.settings.trends, known.category, known.published, gap)
    as_of = int(events.time[-1]) if len(events.time) and events.time[-1] != UNDATED else None
    odd = [reader for reader in column(job, "events", "odd_readers.parquet", "reader") if reader is not None]
    save_trends(trends, events.article_ids, list(known.codes), events.through, as_of, job.out, odd)
    shown, clicked = trends.all_total
    counts: Counts = {"articles": len(trends), "events": len(events), "clicks": clicked, "impressions": shown}
    return counts | {"late": trends.odd["late"]}


def sorted_articles(job: Job, ids: list[str]) -> Sorted:
    """Categories and dates by the rows of ``ids``, which must hold the whole catalogue."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    category, published = np.full(len(ids), -1, np.int16), np.full(len(ids), -1, np.int64)
    codes: dict[str, int] = {}
    for row in read_table(job.path("categories") / "articles.parquet", columns=["id", "category"]).to_pylist():
        if row["category"] is not None:
            category[row_of[row["id"]]] = codes.setdefault(row["category"], len(codes))
    for row in read_table(job.path("events") / "articles.parquet", columns=["id", "published_at"]).to_pylist():
        if row["published_at"] is not None:
            published[row_of[row["id"]]] = row["published_at"]
    return Sorted(category, published, codes)
