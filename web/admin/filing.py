"""The admin API for editors: the category and the tags of one article, kept over imports and learned from at night.

Reads a bearer token, whose name is written to the audit; produces answers under ``/admin/api``.
"""

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from recsys.store import Outcome
from recsys.store.bounds import MAX_NAME
from recsys.store.filing import MAX_ARTICLE_TAGS
from recsys.store.operators import Allows, any_version
from recsys.store.records import MAX_EXACT
from web.access import actor
from web.admin.handlers import never_stored
from web.admin.schemas import VerbDone
from web.api.bodies import id_of_address
from web.installation import installation

CATEGORY, TAGS = "/articles/<path:article_id>/category", "/articles/<path:article_id>/tags"

blueprint = APIBlueprint("filing", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class OfArticle(BaseModel):
    """The version of an article on which an editor decides."""

    version: int | None = Field(
        None, ge=0, le=MAX_EXACT, description="as it was read: 412 when it is another one by now; null: any"
    )


class CategoryIn(OfArticle):
    """A category."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"category": "city"}})

    category: str = Field(max_length=2 * MAX_NAME, description=f"1 to {MAX_NAME} characters on one line; may be new")


class TagsIn(OfArticle):
    """The tags of an article."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"tags": ["harbour"]}})

    tags: list[str] = Field(
        max_length=4 * MAX_ARTICLE_TAGS,
        description=f"all of them, {MAX_ARTICLE_TAGS} at most, most telling first; each of 1 to {MAX_NAME} characters"
        " on a line. They take the place of those that the models find",
    )


@blueprint.put(CATEGORY, merge_slashes=False)
@blueprint.input(CategoryIn)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def file_article(article_id: str, json_data: CategoryIn) -> VerbDone:
    """File an article under a category, until a file says another one than it has said before."""
    here, id = installation(), id_of_address(article_id)
    allows = _allows(json_data.version)
    return _done(id, here.store.file_article(here.live.site, id, json_data.category, actor(), allows))


@blueprint.delete(CATEGORY, merge_slashes=False)
@blueprint.input(OfArticle, location="query", arg_name="query")
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def unfile_article(article_id: str, query: OfArticle) -> VerbDone:
    """Take an editor's category back: what the article came with holds again, or the classifier's."""
    here, id = installation(), id_of_address(article_id)
    return _done(id, here.store.unfile_article(here.live.site, id, actor(), _allows(query.version)))


@blueprint.put(TAGS, merge_slashes=False)
@blueprint.input(TagsIn)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def tag_article(article_id: str, json_data: TagsIn) -> VerbDone:
    """Give an article its tags: shown at once, and learned from with the next night."""
    here, id = installation(), id_of_address(article_id)
    allows = _allows(json_data.version)
    return _done(id, here.store.tag_article(here.live.site, id, json_data.tags, actor(), allows))


@blueprint.delete(TAGS, merge_slashes=False)
@blueprint.input(OfArticle, location="query", arg_name="query")
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def untag_article(article_id: str, query: OfArticle) -> VerbDone:
    """Take an editor's tags back: from the next night on the models' hold again."""
    here, id = installation(), id_of_address(article_id)
    return _done(id, here.store.untag_article(here.live.site, id, actor(), _allows(query.version)))


def _allows(version: int | None) -> Allows:
    return any_version if version is None else lambda current: current == version


def _done(id: str, outcome: Outcome) -> VerbDone:
    installation().live.refresh()
    return VerbDone(article=id, outcome=outcome)
