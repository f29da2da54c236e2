"""The admin API's trace: a reader, or a newcomer, and an article -> every stage that it passed, or where it fell."""

from apiflask import APIBlueprint

from recsys.recommend.trace import TraceStep
from web.admin.handlers import never_stored
from web.admin.schemas import TraceOut, TraceQuery, TraceStepOut
from web.api.bodies import id_of_address
from web.api.direct import list_length
from web.api.schemas import named
from web.installation import installation

_MARKS = {True: "yes", False: "NO", None: "-"}

blueprint = APIBlueprint("tracing", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


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
