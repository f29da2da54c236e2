"""The admin API's pipeline: the stages of training as they stand, and the run that makes one at this moment.

Reads the workspace, the store and its runs; produces answers under ``/admin/api``. ``POST /admin/api/jobs`` starts one.
"""

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.runs.pipeline import StageState, StaleKind, StaleReason, pipeline
from recsys.workspace import Workspace
from web.admin.handlers import never_stored
from web.installation import installation

LAST_RUNS = 20  # among which those that go on stand

blueprint = APIBlueprint("pipeline", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class StaleOut(BaseModel):
    """A reason for which a stage is out of date."""

    kind: StaleKind
    stage: str = Field(description="of an input, its name; empty otherwise")
    events: int = Field(description="of the store, how many came since")
    articles: int = Field(description="of the store, how many came or changed since")
    says: str = Field(description="the same for a person")


class StageOut(BaseModel):
    """One stage as it stands."""

    name: str
    about: str
    inputs: list[str] = Field(description="the stages that it was made from; none before it was made")
    made_at: int | None = Field(description="ms UTC; null before it was made")
    seconds: float | None
    peak_mib: int | None
    size: int = Field(description="of its files, in bytes")
    counts: dict[str, Any] = Field(description="what it counted, by name")
    stale: list[StaleOut] = Field(description="why it is out of date; empty: it is not, by all that can be read here")
    run: str | None = Field(description="id of the run that makes it at this moment")


class PipelineOut(BaseModel):
    """The stages in their order. Other settings make a stage anew as well: that is seen by the run alone."""

    stages: list[StageOut]


@blueprint.get("/pipeline")
@blueprint.output(PipelineOut)
@blueprint.doc(security="bearer")
def read_pipeline() -> PipelineOut:
    """The stages of training in their order: made when, from what, with which counts, and why out of date."""
    here = installation()
    runs = [run for run in here.store.runs(LAST_RUNS, here.live.site) if run.state == "running"]
    made_by = {str(run.progress.get("stage")): run.id for run in runs}
    states = pipeline(Workspace(here.settings.data_dir / "work"), here.store, here.live.site)
    return PipelineOut(stages=[_told(state, made_by.get(state.name)) for state in states])


def _told(state: StageState, run: str | None) -> StageOut:
    stale = [StaleOut(**reason._asdict(), says=_said(reason)) for reason in state.stale]
    facts = state._asdict() | {"inputs": list(state.inputs), "counts": dict(state.counts), "stale": stale}
    return StageOut(**facts, run=run)


def _said(reason: StaleReason) -> str:
    if reason.kind is StaleKind.NOT_MADE:
        return "It has not been made yet."
    if reason.kind is StaleKind.STORE_NEWER:
        return f"{reason.events} events and {reason.articles} articles came or changed since."
    newer = reason.kind is StaleKind.INPUT_NEWER
    return f"{reason.stage} was made again since." if newer else f"{reason.stage} is out of date itself."
