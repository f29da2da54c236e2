"""The admin API for stories: editors join, split and name them.

Reads a bearer token, whose name is written to the audit; produces answers under ``/admin/api``. A decision is in the
answers of every worker within a second, of this one at once, and holds in every night to come.
"""

from apiflask import APIBlueprint

from recsys.catalogue import story_edits
from recsys.store import Outcome
from web.access import actor
from web.admin.handlers import never_stored
from web.admin.story_schemas import (
    JoinIn,
    NameIn,
    OnVersion,
    SplitIn,
    StoryDecisionOut,
    StoryDecisions,
    StoryEdited,
    StoryJoined,
    StoryNameOut,
)
from web.api.bodies import id_of_address
from web.installation import Installation, installation

ONE = "/stories/<path:story_id>"
LISTED = 1_000  # decisions that are answered, the last ones

blueprint = APIBlueprint("stories", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.post(f"{ONE}:join", merge_slashes=False)
@blueprint.input(JoinIn)
@blueprint.output(StoryJoined)
@blueprint.doc(security="bearer")
def join(story_id: str, json_data: JoinIn) -> StoryJoined:
    """Make this story and another one, by an id of theirs or of any article, one story under this one's id."""
    here, one, other = installation(), id_of_address(story_id), id_of_address(json_data.other)
    catalogue = here.live.catalogue
    decided = here.live.story_decisions
    before = set(story_edits.articles_of(catalogue, other))
    apart = (group for id in story_edits.articles_of(catalogue, one) for group in decided.groups_apart_from(id))
    against = any(not before.isdisjoint(group) for group in apart)
    made = story_edits.join(here.store, here.live.site, catalogue, one, other, actor(), json_data.version)
    edited = _edited(here, one, Outcome.UNCHANGED if made is None else Outcome.JOINED)
    return StoryJoined(**edited.model_dump(), against=against and made is not None)


@blueprint.post(f"{ONE}:split", merge_slashes=False)
@blueprint.input(SplitIn)
@blueprint.output(StoryJoined)
@blueprint.doc(security="bearer")
def split(story_id: str, json_data: SplitIn) -> StoryJoined:
    """Let articles leave this story; together they are a story of their own."""
    here, of, leaving = installation(), id_of_address(story_id), [id_of_address(id) for id in json_data.articles]
    catalogue, decided = here.live.catalogue, here.live.story_decisions
    against = any(not decided.together_with(id) <= set(leaving) for id in leaving)
    story_edits.split(here.store, here.live.site, catalogue, of, leaving, actor(), json_data.version)
    return StoryJoined(**_edited(here, leaving[0], Outcome.SPLIT).model_dump(), against=against)


@blueprint.put(f"{ONE}/name", merge_slashes=False)
@blueprint.input(NameIn)
@blueprint.output(StoryEdited)
@blueprint.doc(security="bearer")
def name(story_id: str, json_data: NameIn) -> StoryEdited:
    """Call a story by a name, which its page, its answers and updates on it say in place of a headline."""
    here, of = installation(), id_of_address(story_id)
    called, seen = json_data.name, json_data.version
    story_edits.name(here.store, here.live.site, here.live.catalogue, of, called, actor(), seen)
    return _edited(here, of, Outcome.NAMED)


@blueprint.delete(f"{ONE}/name", merge_slashes=False)
@blueprint.input(OnVersion, location="query", arg_name="query")
@blueprint.output(StoryEdited)
@blueprint.doc(security="bearer")
def unname(story_id: str, query: OnVersion) -> StoryEdited:
    """Take a story's name back: a headline stands in its place again."""
    here, of = installation(), id_of_address(story_id)
    outcome = story_edits.unname(here.store, here.live.site, here.live.catalogue, of, actor(), query.version)
    return _edited(here, of, outcome)


@blueprint.get("/stories/decisions")
@blueprint.output(StoryDecisions)
@blueprint.doc(security="bearer")
def decisions() -> StoryDecisions:
    """Stories that editors joined, split and named, the last decision first, and by whom; a thousand of each."""
    here = installation()
    made = StoryDecisionOut.all_of(here.store.story_decisions(here.live.site, asked=True))
    catalogue = here.live.catalogue
    names = []
    for one in reversed(here.store.story_names(here.live.site)):
        if one.name is not None:
            row = catalogue.row_of.get(one.article)
            story = None if row is None else catalogue.story_of(row)
            said = {name: value for name, value in one._asdict().items() if name != "change"}
            names.append(StoryNameOut(story=story, **said))
    return StoryDecisions(decisions=made[:LISTED], names=names[:LISTED])


def _edited(here: Installation, of: str, outcome: Outcome) -> StoryEdited:
    """The story of an id, after this worker has followed what was decided."""
    here.live.take_down()
    catalogue = here.live.catalogue
    articles = story_edits.articles_of(catalogue, of)
    row = catalogue.row_of[articles[0]]
    called = catalogue.columns.stories.name_of(row)
    return StoryEdited(story=catalogue.story_of(row), name=called, articles=len(articles), outcome=outcome)
