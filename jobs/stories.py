"""Find the near copies among the articles.

Reads the catalogue of the events stage; produces ``stories/copies.parquet``: of each article the first copy of its
text, and of first copies the signature that later articles are compared with.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.stories.leaders import find_leaders, save_copies
from recsys.stories.text import Text

STAGE = Stage("stories", inputs=("events",))
BATCH_ROWS = 1024  # articles in memory at a time


def run(job: Job) -> Counts:
    """Compare each article with those before it.

    Returns:
        Counts: articles, copies of an earlier one, texts of which there are several.
    """
    file = pq.ParquetFile(job.path("events") / "articles.parquet")
    leaders = find_leaders(lambda what: _articles(job, file, what))
    save_copies(leaders.leader_of.items(), leaders.signatures, job.out)
    copies = [leader for article, leader in leaders.leader_of.items() if leader != article]
    return {"articles": len(leaders.leader_of), "copies": len(copies), "texts_in_copies": len(set(copies))}


def _articles(job: Job, file: pq.ParquetFile, what: str) -> Iterator[tuple[str, Text, int | None]]:
    columns = ["id", "title", "body", "source", "published_at"]
    batches = file.iter_batches(BATCH_ROWS, columns=columns)
    for batch in job.track(batches, -(-file.metadata.num_rows // BATCH_ROWS), what):
        rows: list[dict[str, Any]] = batch.to_pylist()
        for row in rows:
            text = Text(row["title"] or "", row["body"] or "", row["source"])
            yield row["id"], text, row["published_at"]
