"""The admin API: jobs and releases, for whoever holds a token.

Reads a bearer token, runs and releases; produces answers under ``/admin/api``. No token exists by default.
"""

import contextlib

from apiflask import APIBlueprint
from flask import Response

from recsys.errors import MissingArtefact
from recsys.releases import Releases
from recsys.runs.launcher import tail
from recsys.runs.lifecycle import fail_dead
from recsys.store import Run
from web.admin.schemas import JobIn, ReleaseOut, ReleasesOut, RunDetail, RunOut, Runs, Started
from web.api.problem_details import Refused
from web.installation import installation

LAST_RUNS = 50

blueprint = APIBlueprint("admin", __name__, url_prefix="/admin/api", tag="admin")


@blueprint.after_request
def never_stored(response: Response) -> Response:
    """No cache may keep an admin answer."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/jobs")
@blueprint.input(JobIn)
@blueprint.output(Started, status_code=202)
@blueprint.doc(security="bearer")
def start_job(json_data: JobIn) -> Started:
    """Start a job in a child process: 202 with the run's id, 409 while another run is active."""
    return Started(run_id=installation().start_job(json_data.job, json_data.params))


@blueprint.get("/jobs")
@blueprint.output(Runs)
@blueprint.doc(security="bearer")
def list_runs() -> Runs:
    """The last runs of all jobs, newest first."""
    store = installation().store
    fail_dead(store)
    return Runs(runs=[RunOut(**_public(run)) for run in store.runs(limit=LAST_RUNS)])


@blueprint.get("/jobs/<string:run_id>")
@blueprint.output(RunDetail)
@blueprint.doc(security="bearer")
def read_run(run_id: str) -> RunDetail:
    """State, progress and the end of the log of one run."""
    store = installation().store
    fail_dead(store)
    run = store.run(run_id)
    if run is None:
        raise Refused(404, "unknown-run", f"There is no run {run_id!r:.80}.", "GET /admin/api/jobs lists them.")
    return RunDetail(**_public(run), log=tail(run.log))


@blueprint.get("/releases")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def list_releases() -> ReleasesOut:
    """All releases, newest first; the live one is marked."""
    return _listed(installation().releases)


@blueprint.post("/releases/<string:name>/activate")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def activate(name: str) -> ReleasesOut:
    """Verify a release and make it the live one; every worker takes it over as soon as it has loaded it."""
    releases = installation().releases
    releases.activate(name)
    return _listed(releases)


def _listed(releases: Releases) -> ReleasesOut:
    current = releases.current()
    listed = []
    for name in reversed(releases.names()):
        with contextlib.suppress(MissingArtefact):  # pruned between the two looks
            about = releases.manifest(name)
            facts = {"created_at": about.get("created_at"), "parent": about.get("parent")}
            listed.append(ReleaseOut(name=name, current=name == current, **facts))
    return ReleasesOut(current=current, releases=listed)


def _public(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in RunOut.model_fields}
