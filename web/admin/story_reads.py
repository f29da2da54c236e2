"""The admin API for editors: stories found by words, and one with all of its articles, hidden ones as well.

Reads the catalogue that is served and the store; produces answers under ``/admin/api``.
"""

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.catalogue import story_edits
from recsys.catalogue.catalogue import Catalogue
from recsys.errors import UnknownStory
from recsys.store import StoredArticle
from recsys.units import now_ms
from web.admin.editors_stories import found_stories, newest_of_story, newest_stories
from web.admin.handlers import never_stored
from web.admin.story_schemas import StoryDecisionOut
from web.api.bodies import id_of_address
from web.api.schemas import In
from web.installation import Installation, installation

MAX_STORIES = 200
MAX_ARTICLES = 200  # of one story

blueprint = APIBlueprint("story_reads", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class StoriesQuery(In):
    """The stories that are asked for."""

    q: str = Field("", max_length=200, description="words of a title or a name, or an id; empty: the newest stories")
    last: int = Field(50, ge=1, le=MAX_STORIES, description="stories at most")


class StoryFound(BaseModel):
    """A story in a list."""

    story: str = Field(description="its id")
    title: str = Field(description="the editors' name of it, else the headline of its newest article")
    name: str | None = Field(description="by which editors call it")
    articles: int = Field(description="how many there are, hidden ones and all copies of a text among them")
    first_published_at: int | None = Field(description="ms UTC; null where nobody knows")
    last_published_at: int | None


class StoriesFound(BaseModel):
    """Stories, named ones first where words were given, then by their newest article."""

    stories: list[StoryFound]


class StoryArticle(BaseModel):
    """An article of a story."""

    id: str
    title: str
    language: str | None
    category: str | None
    source: str | None
    published_at: int | None = Field(description="ms UTC")
    hidden: bool
    shown: bool = Field(description="whether it may stand in a list now")
    copy_of: str | None = Field(description="id of the first article with the same text; null: it is that itself")


class StoryRead(StoryFound):
    """A story with its articles and what editors decided on it."""

    version: int = Field(description="send it with a decision: 412 when an editor has decided on the story since")
    listed: list[StoryArticle] = Field(description=f"newest first, at most {MAX_ARTICLES}")
    decisions: list[StoryDecisionOut] = Field(description="that name an article of it, the last one first")


@blueprint.get("/stories")
@blueprint.input(StoriesQuery, location="query", arg_name="query")
@blueprint.output(StoriesFound)
@blueprint.doc(security="bearer")
def list_stories(query: StoriesQuery) -> StoriesFound:
    """Stories by words of a title, by a name or an id; where none are given, the newest of several articles."""
    here = installation()
    catalogue, wanted = here.live.catalogue, query.q.strip()
    labels = found_stories(here.store, here.live.site, catalogue, wanted, query.last) if wanted else None
    labels = newest_stories(catalogue, query.last) if labels is None else labels
    return StoriesFound(stories=[_found(catalogue, label) for label in labels])


@blueprint.get("/stories/<path:story_id>", merge_slashes=False)
@blueprint.output(StoryRead)
@blueprint.doc(security="bearer")
def read_story(story_id: str) -> StoryRead:
    """A story, by its id or that of any article of it."""
    here, of = installation(), id_of_address(story_id)
    version = here.store.last_change(here.live.site)  # before anything is read: what comes later is later
    here.live.take_down()
    catalogue = here.live.catalogue
    label = story_edits.story_row(catalogue, of)
    if label is None:
        raise UnknownStory("the id of a story, or of an article of it", f"{of!r:.80}", "Check the id.")
    rows = newest_of_story(catalogue, label)
    ids = [catalogue.ids[row] for row in rows[:MAX_ARTICLES].tolist()]
    every = {catalogue.ids[row] for row in rows.tolist()}
    asked = here.store.story_decisions(here.live.site, asked=True)
    decided = [pair for pair in asked if pair.one in every or pair.other in every]
    return StoryRead(
        **_found(catalogue, label).model_dump(),
        version=version,
        listed=_articles(here, catalogue, ids),
        decisions=StoryDecisionOut.all_of(decided),
    )


def _found(catalogue: Catalogue, label: int) -> StoryFound:
    rows = newest_of_story(catalogue, label)
    called, newest = catalogue.columns.stories.name_of(label), catalogue.articles[int(rows[0])]
    times = [time for time in catalogue.published[rows].tolist() if time > 0]
    return StoryFound(
        story=catalogue.ids[label],
        title=called or (catalogue.ids[label] if newest is None else newest.title),
        name=called,
        articles=len(rows),
        first_published_at=min(times, default=None),
        last_published_at=max(times, default=None),
    )


def _articles(here: Installation, catalogue: Catalogue, ids: list[str]) -> list[StoryArticle]:
    showable, copies = catalogue.eligible(now_ms()).showable, catalogue.columns.copies
    stored = {one.id: one for one in here.store.articles_named(here.live.site, ids)}

    def told(one: StoredArticle) -> StoryArticle:
        row = catalogue.row_of[one.id]
        first = catalogue.ids[copies.leader_of(row)]
        return StoryArticle(
            id=one.id,
            title=one.title,
            language=one.language,
            category=catalogue.category(row) or one.category,
            source=one.source,
            published_at=one.published_at,
            hidden=one.hidden,
            shown=bool(showable[row]) and not one.hidden,
            copy_of=None if first == one.id else first,
        )

    return [told(stored[id]) for id in ids if id in stored]
