"""Find the near copies among the articles, and the stories: articles of one event.

Reads the catalogue of the events stage, and what editors said of stories by then; produces ``stories/copies.parquet``,
of each article the first copy of its text, and of first copies the signature that later articles are compared with; and
the stories with their index, which later articles join (``recsys.stories.story_files``).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow.parquet as pq

from jobs.runner import Counts, Job, Stage
from recsys.stories.decisions import EditorDecisions
from recsys.stories.editors_word import EditorsWord
from recsys.stories.headlines import LEAST_ARTICLES
from recsys.stories.labels import held
from recsys.stories.leaders import find_leaders, save_copies
from recsys.stories.leads import LEAD_CHARS
from recsys.stories.night import StoryArticle, find_stories
from recsys.stories.story_files import save_stories
from recsys.stories.text import Text
from recsys.units import now_ms

STAGE = Stage("stories", inputs=("events",))
BATCH_ROWS = 1024  # articles in memory at a time


def run(job: Job) -> Counts:
    """Compare each article with those before it.

    Returns:
        Counts: articles, copies of an earlier one, texts of which there are several; stories of several articles, and
        the largest one.
    """
    file = pq.ParquetFile(job.path("events") / "articles.parquet")
    leaders = find_leaders(lambda what: _articles(job, file, what))
    save_copies(leaders.leader_of.items(), leaders.signatures, job.out)
    copies = [leader for article, leader in leaders.leader_of.items() if leader != article]
    word = EditorsWord.load(job.path("events"))
    decisions = EditorDecisions(word.decisions)
    found = find_stories(_headlines(job, file, leaders.leader_of), now_ms(), decisions)
    story_of = found.story_of if len(found.story_of) >= LEAST_ARTICLES else held(leaders.leader_of, decisions)
    save_stories(story_of, found.going_on, job.out)
    word.save(job.out)
    sizes = Counter(story_of.values())
    return {
        "articles": len(leaders.leader_of),
        "copies": len(copies),
        "texts_in_copies": len(set(copies)),
        "stories": sum(size > 1 for size in sizes.values()),
        "largest_story": max(sizes.values(), default=0),
    }


def _headlines(job: Job, file: pq.ParquetFile, leader_of: Mapping[str, str]) -> Iterator[StoryArticle]:
    for article_id, text, published in _articles(job, file, "batches placed"):
        leader = leader_of[article_id]
        copy_of = None if leader == article_id else leader
        yield StoryArticle(article_id, text.title, text.body[:LEAD_CHARS], published, copy_of)


def _articles(job: Job, file: pq.ParquetFile, what: str) -> Iterator[tuple[str, Text, int | None]]:
    columns = ["id", "title", "body", "source", "published_at"]
    batches = file.iter_batches(BATCH_ROWS, columns=columns)
    for batch in job.track(batches, -(-file.metadata.num_rows // BATCH_ROWS), what):
        rows: list[dict[str, Any]] = batch.to_pylist()
        for row in rows:
            text = Text(row["title"] or "", row["body"] or "", row["source"])
            yield row["id"], text, row["published_at"]
