"""Edits of stories: an editor names articles, the catalogue says what stands with them, the store keeps the decision.

Reads the catalogue; writes pairs of articles. What stood in a story when an editor joined or split it goes on standing
so, because these pairs say it: nothing else can, when the night looks at every article anew.
"""

from collections.abc import Sequence

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.errors import InputError, UnknownStory
from recsys.store import Outcome, Store, StoryDecision, StoryName
from recsys.tags.index import Rows


def join(
    store: Store, site: str, catalogue: Catalogue, one: str, other: str, by: str, seen: int | None = None
) -> StoryDecision | None:
    """Make two stories one, under the name of the first.

    Args:
        store: keeps it.
        site: the site.
        catalogue: says what stands together.
        one: id of a story, or of any article of it.
        other: of another one.
        by: who says so.
        seen: the number of the site's last change when they were read; None: whatever was decided since.

    Returns:
        The decision; None where they are one already.

    Raises:
        InputError: they are one article.
        StoryConflict: another editor has decided on one of them since.
        UnknownStory: there is none by that id.
        UnknownArticle: none of its articles is in the store.
    """
    if one == other:
        remedy = "Name an article of another story."
        raise InputError("two stories", f"{one!r:.80} twice", remedy)
    mine, theirs = articles_of(catalogue, one), articles_of(catalogue, other)
    if theirs[0] in mine:
        return None
    return store.join_stories(site, mine, theirs, by, seen)


def split(
    store: Store, site: str, catalogue: Catalogue, of: str, leaving: Sequence[str], by: str, seen: int | None = None
) -> StoryDecision:
    """Let articles leave their story, together.

    Args:
        store: keeps it.
        site: the site.
        catalogue: says what stands together.
        of: id of the story, or of any article of it.
        leaving: ids of articles of it, at least one but not all.
        by: who says so.
        seen: see ``join``.

    Raises:
        StoryConflict: another editor has decided on the story since.
        InputError: one is of another story, or none would stay.
        UnknownStory: there is none by that id.
        UnknownArticle: one is not in the store.
    """
    articles = articles_of(catalogue, of)
    leaving = list(dict.fromkeys(leaving))
    if strange := [id for id in leaving if id not in set(articles)]:
        got = ", ".join(f"{id!r:.80}" for id in strange[:3])
        raise InputError(f"articles of the story of {of!r:.80}", got, "GET /api/v1/stories/{id} lists them.")
    kept = set(leaving)
    return store.split_story(site, leaving, [id for id in articles if id not in kept], by, seen)


def name(
    store: Store, site: str, catalogue: Catalogue, of: str, called: str, by: str, seen: int | None = None
) -> StoryName:
    """Call a story by a name; see ``StoryStore.name_story``.

    Raises:
        UnknownStory: there is none by that id.
        StoryConflict: another editor has decided on it since.
    """
    return store.name_story(site, articles_of(catalogue, of), called, by, seen)


def unname(store: Store, site: str, catalogue: Catalogue, of: str, by: str, seen: int | None = None) -> Outcome:
    """Take the names of a story back.

    Raises:
        UnknownStory: there is none by that id.
        StoryConflict: another editor has decided on it since.
    """
    return store.unname_story(site, articles_of(catalogue, of), by, seen)


def story_row(catalogue: Catalogue, story: str) -> int | None:
    """The row after which a story is named: the one that an article began, wherever that stands now; else its own."""
    row = catalogue.row_of.get(story)
    if row is None:
        return None
    stories = catalogue.columns.stories
    return row if stories.sizes[row] else stories.leader_of(row)


def rows_of(catalogue: Catalogue, label: int) -> Rows:
    """The rows of a story, of several articles or one: int32, rising."""
    return np.flatnonzero(catalogue.columns.stories.labels == label).astype(np.int32)


def articles_of(catalogue: Catalogue, story: str) -> list[str]:
    """The articles of a story, the one that is asked for first if it is one of them.

    Raises:
        UnknownStory: there is none by that id.
    """
    label = story_row(catalogue, story)
    if label is None:
        raise UnknownStory("the id of a story, or of an article of it", f"{story!r:.80}", "Check the id.")
    ids = [catalogue.ids[row] for row in rows_of(catalogue, label).tolist()]
    first = catalogue.ids[catalogue.row_of[story]]
    return sorted(ids, key=lambda id: id != first)
