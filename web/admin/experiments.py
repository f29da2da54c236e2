"""The admin API's experiments: begun, read and stopped.

Reads a bearer token, whose name stands in the audit; produces answers under ``/admin/api``. Every worker serves what
runs within a poll, and ends it likewise.
"""

from apiflask import APIBlueprint

from recsys.experiments.arms import checked_experiment
from recsys.experiments.looks import looks_of
from recsys.experiments.report import report_of
from recsys.store import StoredExperiment
from recsys.units import now_ms
from web.access import actor
from web.admin.experiment_schemas import (
    ExperimentIn,
    ExperimentLooks,
    ExperimentOut,
    ExperimentRead,
    ExperimentsOut,
    ExperimentStop,
    LookOut,
)
from web.admin.handlers import never_stored
from web.installation import installation

blueprint = APIBlueprint("experiments", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.get("/experiments")
@blueprint.output(ExperimentsOut)
@blueprint.doc(security="bearer")
def list_experiments() -> ExperimentsOut:
    """All experiments, the newest first."""
    here = installation()
    return ExperimentsOut(experiments=[_shown(one) for one in here.store.experiments(here.live.site)])


@blueprint.post("/experiments")
@blueprint.input(ExperimentIn)
@blueprint.output(ExperimentOut, status_code=201)
@blueprint.doc(security="bearer")
def start_experiment(json_data: ExperimentIn) -> ExperimentOut:
    """Begin an experiment: each arm's readers get lists by its settings, within seconds and until it is stopped."""
    here, asked = installation(), json_data
    arms = [arm.model_dump() for arm in asked.arms]
    base, days = here.settings.recommend, asked.window_days
    experiment = checked_experiment(here.live.site, asked.name, arms, base, window_days=days, by=actor(), now=now_ms())
    here.store.start_experiment(experiment)
    return _shown(experiment)


@blueprint.get("/experiments/<string:name>")
@blueprint.output(ExperimentRead)
@blueprint.doc(security="bearer")
def read_experiment(name: str) -> ExperimentRead:
    """The figures of each arm beside the control; or the reason for which nothing can be said."""
    here = installation()
    experiment = here.store.experiment(here.live.site, name)
    report = report_of(here.store, experiment, here.settings.recommend, now_ms(), here.live.odd_readers)
    return ExperimentRead(**_shown(experiment).model_dump(), report=report.as_json())


@blueprint.get("/experiments/<string:name>/looks")
@blueprint.output(ExperimentLooks)
@blueprint.doc(security="bearer")
def read_looks(name: str) -> ExperimentLooks:
    """The report as it stood on up to eight days, the oldest first: intervals that narrow. It costs as many reports."""
    here = installation()
    experiment = here.store.experiment(here.live.site, name)
    looks = looks_of(here.store, experiment, here.settings.recommend, now_ms(), here.live.odd_readers)
    return ExperimentLooks(looks=[LookOut(at=look.at, report=look.report.as_json()) for look in looks])


@blueprint.post("/experiments/<string:name>/stop")
@blueprint.input(ExperimentStop, location="query", arg_name="query")
@blueprint.output(ExperimentOut)
@blueprint.doc(security="bearer")
def stop_experiment(name: str, query: ExperimentStop) -> ExperimentOut:
    """Stop an experiment: everybody gets the site's own lists within seconds; what was measured stays."""
    here = installation()
    return _shown(here.store.stop_experiment(here.live.site, name, actor(), now_ms(), query.reason))


def _shown(one: StoredExperiment) -> ExperimentOut:
    arms = [arm._asdict() for arm in one.arms]
    facts = {key: value for key, value in one._asdict().items() if key not in ("site", "salt", "arms")}
    return ExperimentOut(**facts, arms=arms)
