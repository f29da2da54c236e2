"""Lay the articles of a release out as the service reads them.

Reads the catalogue of the log, languages, keywords, categories, labels, first copies, the rows of the item vectors and
the codes of the counts; produces ``catalogue/`` (see ``recsys.catalogue.released``).
"""

from collections.abc import Iterator
from dataclasses import fields

import pyarrow.parquet as pq

from jobs.inputs import column
from jobs.runner import Counts, Job, Stage
from recsys.catalogue.annotations import NightlyAnnotations
from recsys.catalogue.articles import ArticleAnnotations
from recsys.catalogue.released import write_catalogue
from recsys.store import Article
from recsys.stories.leaders import load_copies
from recsys.stories.story_files import load_story_of
from recsys.workspace import read_json

STAGE = Stage(
    "catalogue",
    inputs=("events", "articles", "keywords", "categories", "stories", "tasks", "items", "trends"),
    sections=("site",),
)
_BATCH = 2_000  # articles in memory at a time


def run(job: Job) -> Counts:
    """Write the cards, columns and tags of every article.

    Returns:
        Counts: rows, and articles among them; the other rows are known only from clicks.
    """
    ids = column(job, "items", "ids.parquet")
    articles = write_catalogue(
        job.out,
        ids,
        _articles(job),
        load_copies(job.path("stories")),
        load_story_of(job.path("stories")),
        site=job.settings.site.name,
        categories=read_json(job.path("trends") / "trends.json")["categories"],
        change=int(read_json(job.path("events") / "log.json")["change"]),
    )
    return {"rows": len(ids), "articles": articles}


def _articles(job: Job) -> Iterator[tuple[Article, ArticleAnnotations]]:
    file, annotations = pq.ParquetFile(job.path("events") / "articles.parquet"), NightlyAnnotations(job.path)
    names = [field.name for field in fields(Article) if field.name in file.schema_arrow.names]
    batches = file.iter_batches(_BATCH, columns=names)
    for batch in job.track(batches, -(-file.metadata.num_rows // _BATCH), "batches of articles"):
        rows = batch.to_pylist()
        said = annotations.of([row["id"] for row in rows])
        for row, of_row in zip(rows, said, strict=True):
            row["entities"] = tuple(row["entities"] or ())
            yield Article(site=job.settings.site.id, **row), of_row
