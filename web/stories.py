"""Stories as the API and the pages show them: the articles of one event, newest first, one of each text.

Reads the catalogue; produces a story's articles that may be shown, what most of them are about, and the others of the
story that an article belongs to.
"""

from dataclasses import dataclass

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.story_edits import rows_of, story_row
from recsys.tags import Tag
from recsys.tags.index import Rows
from recsys.tags.related import SAMPLE, frequent
from recsys.units import NEVER_MS

TAGS = 12  # of a story: two or three lines of them
_MOST = 0.5  # share of a story's articles that a keyword must exceed to be what the story is about


@dataclass(frozen=True, slots=True)
class StoryList:
    """Some of the articles of a story.

    Attributes:
        id: of the story, that of the article that began it.
        title: the editors' name of it, else the headline of its newest article.
        named: whether the title is a name.
        tags: keywords that most of its newest articles show; the weight is the share of these articles.
        first: ms, when the first of its articles was published; None where nobody knows.
        last: ms, of its newest one.
        rows: int32, newest first.
        articles: how many there are, of copies of one text one.
    """

    id: str
    title: str
    named: bool
    tags: list[Tag]
    first: int | None
    last: int | None
    rows: Rows
    articles: int


def story_list(catalogue: Catalogue, story: str, now: int, n: int) -> StoryList | None:
    """Some articles of a story.

    Args:
        catalogue: the articles.
        story: id of the story, or of any of its articles.
        now: ms.
        n: articles at most, the newest.

    Returns:
        None when there is no such story, or nothing of it may be shown.
    """
    label = story_row(catalogue, story)
    if label is None:
        return None
    rows = rows_of(catalogue, label)
    shown = catalogue.columns.copies.best_of(rows[catalogue.eligible(now).showable[rows]])
    if not len(shown):
        return None
    name = catalogue.columns.stories.name_of(int(rows[0]))
    newest = catalogue.newest(shown, max(n, SAMPLE))
    sample = catalogue.articles_of(newest[:SAMPLE].tolist())
    times = catalogue.published[shown]
    times = times[times != NEVER_MS]
    return StoryList(
        id=catalogue.ids[label],
        title=name or sample[0].title,
        named=name is not None,
        tags=[tag for tag in frequent(sample, TAGS) if tag.weight > _MOST],
        first=int(times.min()) if len(times) else None,
        last=int(times.max()) if len(times) else None,
        rows=newest[:n],
        articles=len(shown),
    )


def others_of(catalogue: Catalogue, row: int, now: int, n: int) -> tuple[str, Rows]:
    """The other articles of an article's story, as far as they may stand in a list.

    Args:
        catalogue: the articles.
        row: of the article.
        now: ms.
        n: articles at most, the newest.

    Returns:
        The story's id, and int32 (≤ n,), newest first, without copies of the article.
    """
    columns = catalogue.columns
    label = int(columns.stories.labels[row])
    rows = catalogue.eligible(now).listed.among(rows_of(catalogue, label))
    rows = rows[columns.copies.labels[rows] != columns.copies.labels[row]]
    return catalogue.ids[label], catalogue.newest(rows, n)
