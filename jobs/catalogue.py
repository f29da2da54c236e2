"""Lay the articles of a release out as the service reads them.

Reads the catalogue of the log, languages, keywords, categories, labels, first copies, the rows of the item vectors, the
codes of the counts, and the names that the site knows: the editors' dictionary among the labels, and the tagger that
``python -m jobs entities`` trained; produces ``catalogue/`` (see ``recsys.catalogue.released``), and in it ``names/``,
by which the service calls the tags of later articles.
"""

from collections.abc import Collection, Iterator
from dataclasses import fields

import pyarrow.parquet as pq

from jobs import entities
from jobs.inputs import column
from jobs.runner import LABELS, Counts, Job, Stage
from recsys.catalogue.annotations import NightlyAnnotations
from recsys.catalogue.articles import NO_NAMES, ArticleAnnotations
from recsys.catalogue.released import SITE_NAMES, write_catalogue
from recsys.entities import DICTIONARY, ArticleNames, SiteNames, save_site_names
from recsys.keywords import load_editors_tags
from recsys.store import Article
from recsys.stories.leaders import load_copies
from recsys.stories.story_files import load_story_of
from recsys.tokens.segmenter import load_chinese
from recsys.workspace import read_json

_TAGGER = f"work/{entities.FOLDER}"
STAGE = Stage(
    "catalogue",
    inputs=("events", "articles", "keywords", "categories", "stories", "tasks", "items", "trends"),
    sections=("site", "tokens"),
    outside=(LABELS, _TAGGER),
)
_BATCH = 2_000  # articles in memory at a time


def run(job: Job) -> Counts:
    """Write the cards, columns and tags of every article.

    Returns:
        Counts: rows, and articles among them; the other rows are known only from clicks.
    """
    ids = column(job, "items", "ids.parquet")
    data = job.settings.data_dir
    tagged = load_editors_tags(job.path("events"))
    listed = save_site_names(data / LABELS / DICTIONARY, data / _TAGGER, job.out / SITE_NAMES)
    if "names_left_out" in listed:
        remedy = "a name in each line, of at most 100 characters, in a file saved as UTF-8"
        job.log.warning("lines left out", file=f"{LABELS}/{DICTIONARY}", lines=listed["names_left_out"], remedy=remedy)
    names = SiteNames.load(job.out / SITE_NAMES, lambda: load_chinese(job.settings.tokens))
    articles = write_catalogue(
        job.out,
        ids,
        _articles(job, names, tagged),
        load_copies(job.path("stories")),
        load_story_of(job.path("stories")),
        site=job.settings.site.name,
        categories=read_json(job.path("trends") / "trends.json")["categories"],
        change=int(read_json(job.path("events") / "log.json")["change"]),
    )
    return {"rows": len(ids), "articles": articles, **listed}


def _articles(
    job: Job, known: SiteNames, tagged: Collection[str]
) -> Iterator[tuple[Article, ArticleAnnotations, ArticleNames]]:
    file, annotations = pq.ParquetFile(job.path("events") / "articles.parquet"), NightlyAnnotations(job.path)
    stored = [field.name for field in fields(Article) if field.name in file.schema_arrow.names]
    batches = file.iter_batches(_BATCH, columns=stored)
    for batch in job.track(batches, -(-file.metadata.num_rows // _BATCH), "batches of articles"):
        rows = batch.to_pylist()
        said = annotations.of([row["id"] for row in rows])
        for row, of_row in zip(rows, said, strict=True):
            row["entities"] = tuple(row["entities"] or ())
            article = Article(site=job.settings.site.id, **row)
            names = known.of(article.title, article.body, of_row.language, article.entities)
            yield article, of_row, NO_NAMES if article.id in tagged else names
