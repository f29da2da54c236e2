"""Stories of a whole catalogue: all articles in the order of time -> the story of each, and the index that goes on.

The night asks the same index in the same way as the service, so that what came earlier is where it was: the story of an
article depends on nothing later. Then each story is looked at as a graph, and parts that one link holds together are
parted. Ids are those of first articles, and so the same every night.
"""

from collections.abc import Iterable
from typing import NamedTuple

from recsys.stories.decisions import EditorDecisions
from recsys.stories.graph import LEAST_PARTED, parts_of
from recsys.stories.labels import held
from recsys.stories.records import Story
from recsys.stories.story_index import StoryIndex


class StoryArticle(NamedTuple):
    """Article as the index reads it: see ``StoryIndex.place``."""

    id: str
    title: str
    body: str
    time: int | None
    copy_of: str | None


class FoundStories(NamedTuple):
    """Stories of a catalogue.

    Attributes:
        story_of: article id -> story id, in the order of joining.
        going_on: index of the stories that are not over, for the articles that come next.
        parted: stories that the look at the graph parted from others.
    """

    story_of: dict[str, str]
    going_on: StoryIndex
    parted: int


def find_stories(articles: Iterable[StoryArticle], now: int, decisions: EditorDecisions | None = None) -> FoundStories:
    """Stories of all articles.

    Args:
        articles: in any order; they join in the order of time, undated ones last, then by id.
        now: ms; a later time is taken for this one.
        decisions: of the editors.
    """
    timed = [article._replace(time=None if article.time is None else min(article.time, now)) for article in articles]
    order = sorted(timed, key=lambda article: (article.time is None, article.time, article.id))
    return stories_in_order(order, StoryIndex(decisions=decisions))


def stories_in_order(articles: Iterable[StoryArticle], index: StoryIndex) -> FoundStories:
    """Place articles in their order; then look at each story as a graph, at the end or before it retires.

    Args:
        articles: the first comes first.
        index: that they join.
    """
    story_of: dict[str, str] = {}
    parted: list[str] = []

    def part(story: Story) -> None:
        for moved in loose_parts(index, story):
            story_id = index.split(moved) or story.id
            story_of.update(dict.fromkeys(moved, story_id))
            parted.append(story_id)

    index.before_retiring = part
    for article in articles:
        placed = index.place(article.id, article.title, article.body, article.time, article.copy_of)
        story_of[article.id] = placed.story
    index.before_retiring = lambda story: None
    for story in list(index.stories.values()):
        part(story)
    return FoundStories(held(story_of, index.decisions), index, len(parted))


def loose_parts(index: StoryIndex, story: Story) -> list[list[str]]:
    """Parts of a story but its largest one that a single link holds, and that no editor's decision keeps there."""
    if len(story.articles) < LEAST_PARTED:
        return []
    words_of = {article_id: index.placed[article_id].words for article_id in story.articles}
    parts = parts_of(words_of, index.rarity({word for words in words_of.values() for word in words}))[1:]
    together_with = index.decisions.together_with
    return [part for part in parts if all(together_with(article_id) <= set(part) for article_id in part)]
