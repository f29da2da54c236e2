"""The admin API's trace: a reader, or a newcomer, and an article -> every stage that it passed, or where it fell."""

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.recommend.trace import TraceStep
from recsys.store.records import MAX_EXACT
from recsys.units import HOUR_MS, now_ms
from web.admin.handlers import never_stored
from web.admin.schemas import TraceOut, TraceQuery, TraceStepOut
from web.api.bodies import id_of_address
from web.api.direct import list_length
from web.api.schemas import Id, In, named
from web.installation import installation

HOUR_BACK_MS = HOUR_MS  # lists that were shown by then, where nothing else is asked
MAX_LISTS = 10
_MARKS = {True: "yes", False: "NO", None: "-"}

blueprint = APIBlueprint("tracing", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class ShownQuery(In):
    """The reader, and the moment."""

    reader: Id
    until: int | None = Field(None, ge=0, le=MAX_EXACT, description="ms UTC; null: an hour ago")
    last: int = Field(3, ge=1, le=MAX_LISTS, description="lists at most")


class ShownCardOut(BaseModel):
    """A card that was seen."""

    article: str
    title: str | None = Field(description="as it is now; null for an article that is not here")
    position: int | None = Field(description="from 0; null where the page did not say")
    clicked: bool = Field(description="whether the reader opened it from this list")


class ShownListOut(BaseModel):
    """A list that a reader was shown, as far as its page reported it."""

    at: int = Field(description="ms UTC, when its last card was seen")
    slot: str | None
    cards: list[ShownCardOut]


class ShownLists(BaseModel):
    """Lists of one reader, newest first; none of strangers, who have no id, and none that no page reported."""

    until: int = Field(description="ms UTC")
    lists: list[ShownListOut]


@blueprint.get("/trace/shown")
@blueprint.input(ShownQuery, location="query", arg_name="query")
@blueprint.output(ShownLists)
@blueprint.doc(security="bearer")
def read_shown(query: ShownQuery) -> ShownLists:
    """The lists that a reader had been shown by some moment, an hour ago for instance, and what they opened of them."""
    here = installation()
    until = now_ms() - HOUR_BACK_MS if query.until is None else query.until
    lists = here.store.lists_shown(here.live.site, query.reader, until, query.last)
    named_ids = list({card.article for one in lists for card in one.cards})
    titles = {one.id: one.title for one in here.store.articles_named(here.live.site, named_ids)}
    told = [
        ShownListOut(
            at=one.at,
            slot=one.slot,
            cards=[ShownCardOut(**card._asdict(), title=titles.get(card.article)) for card in one.cards],
        )
        for one in lists
    ]
    return ShownLists(until=until, lists=told)


@blueprint.get("/trace")
@blueprint.input(TraceQuery, location="query", arg_name="query")
@blueprint.output(TraceOut)
@blueprint.doc(security="bearer")
def read_trace(query: TraceQuery) -> TraceOut:
    """The way of an article towards a list: every stage that it passed, or where it fell. Nothing is recorded."""
    here = installation()
    target = id_of_address(query.article)
    followed, catalogue = here.live.trace(
        target,
        query.reader,
        query.session,
        article=query.page,
        k=list_length(here, query.k),
        lang=query.lang,
        slot=query.slot,
        exclude=named(query.exclude),
        spoken=query.spoken,
    )
    row = catalogue.row_of.get(target)
    return TraceOut(
        article=target if row is None else catalogue.ids[row],
        title=None if row is None else catalogue.article(row).title,
        release=followed.recommendation.release,
        tier=followed.recommendation.tier,
        place=followed.place or None,
        steps=[TraceStepOut(stage=step.stage, passed=step.passed, says=step.says) for step in followed.steps],
        table=_table(followed.steps),
        items=[catalogue.ids[card.row] for card in followed.recommendation.cards],
    )


def _table(steps: list[TraceStep]) -> str:
    width = max(len(step.stage) for step in steps)
    return "\n".join(f"{step.stage:{width}}  {_MARKS[step.passed]:3}  {step.says}" for step in steps)
