"""The admin API's runs: queued, seen, cancelled; and the schedules by which they begin by themselves.

Reads a bearer token, whose name stands in the run; produces answers under ``/admin/api``. Nothing is started here: a
worker takes what is queued (``python -m jobs worker``).
"""

from collections.abc import Callable
from dataclasses import replace

from apiflask import APIBlueprint
from flask import Response, copy_current_request_context, request

from recsys.errors import InputError
from recsys.runs.commands import IMPORT, check_import, command_line, log_after, tail
from recsys.runs.schedules import CronTimes
from recsys.runs.setting import checked_schedule
from recsys.runs.uploads import keep_upload
from recsys.store import Run, Schedule, Store
from recsys.store.runs import ACTIVE
from recsys.units import now_ms
from web.access import actor, check_access
from web.admin.handlers import never_stored
from web.admin.run_schemas import (
    ImportQuery,
    JobIn,
    Queued,
    RunDetail,
    RunOut,
    Runs,
    RunsQuery,
    ScheduleIn,
    ScheduleOut,
    Schedules,
)
from web.api.problem_details import Refused
from web.gateway.limits import MAX_BULK_BYTES
from web.gateway.streams import KIND, STREAM, event
from web.installation import installation

UPCOMING = 5
MAX_KEY = 128
KEY_HEADER = "Idempotency-Key"

blueprint = APIBlueprint("runs", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.post("/jobs")
@blueprint.input(JobIn)
@blueprint.output(Queued, status_code=202)
@blueprint.doc(security="bearer")
def queue_job(json_data: JobIn) -> Queued:
    """Queue a job: 202 with the run's id, 409 while one of that job waits or goes on.

    With the header ``Idempotency-Key`` a request that is sent again gives the run of the first one.
    """
    if json_data.job == IMPORT:
        raise InputError("the name of a job", repr(IMPORT), "POST /admin/api/imports takes imports.")
    command_line(json_data.job, json_data.params)
    here = installation()
    run = Run.asked(here.live.site, json_data.job, json_data.params, actor(), now_ms(), key=asked_key())
    run = here.store.queue_run(run)
    return Queued(run_id=run.id, state=run.state)


@blueprint.post("/imports")
@blueprint.input(ImportQuery, location="query", arg_name="query")
@blueprint.output(Queued, status_code=202)
@blueprint.doc(security="bearer")
def queue_import(query: ImportQuery) -> Queued:
    """Queue an import of the file that is sent as the body, or of what stands at ``url``: 202 with the run's id.

    The options are those of ``python -m jobs import``. At most 16 MiB can be sent; larger files at an address of up to
    256 MiB, or by the command.
    """
    here = installation()
    request.max_content_length = MAX_BULK_BYTES
    params: dict[str, object] = query.model_dump(exclude_none=True)
    content = request.get_data(cache=False)
    if content:
        check_import(params | {"upload": "-"})
        params["upload"] = keep_upload(here.settings.data_dir, content, query.format)
    check_import(params)
    run = here.store.queue_run(Run.asked(here.live.site, IMPORT, params, actor(), now_ms(), key=asked_key()), many=True)
    return Queued(run_id=run.id, state=run.state)


@blueprint.get("/runs")
@blueprint.input(RunsQuery, location="query", arg_name="query")
@blueprint.output(Runs)
@blueprint.doc(security="bearer")
def list_runs(query: RunsQuery) -> Runs:
    """The last runs of all jobs, newest first."""
    here = installation()
    return Runs(runs=[RunOut(**_public(run)) for run in here.store.runs(query.last, here.live.site)])


@blueprint.get("/runs/<string:run_id>")
@blueprint.output(RunDetail)
@blueprint.doc(security="bearer")
def read_run(run_id: str) -> RunDetail:
    """State, progress and the end of the log of one run."""
    run = _found(run_id)
    return RunDetail(**_public(run), log=tail(run.log))


@blueprint.get("/runs/<string:run_id>/log")
@blueprint.doc(security="bearer", responses={200: f"{KIND}: line, run and end"})
def follow_log(run_id: str) -> Response:
    """The log of a run as it comes, as Server-Sent Events: ``line`` for each line, ``run`` for what changes, ``end``.

    It ends with the run, and as soon as the caller's token is no longer valid.
    """
    run = _found(run_id)
    again = request.headers.get("Last-Event-ID", "")  # of a browser that was cut off: it goes on where it was
    offset = int(again) if again.isdecimal() and len(again) < 16 else 0
    check = copy_current_request_context(check_access)
    request.environ[STREAM] = _LogStream(installation().store, run, check, offset)
    return Response(b"", content_type=f"{KIND}; charset=utf-8", headers={"X-Accel-Buffering": "no"})


@blueprint.delete("/runs/<string:run_id>")
@blueprint.output(RunOut, status_code=202)
@blueprint.doc(security="bearer")
def cancel_run(run_id: str) -> RunOut:
    """Cancel a run: one that waits has ended, one that goes on ends within some seconds; what it had made stays."""
    _found(run_id)
    run = installation().store.cancel_run(run_id, actor(), now_ms())
    assert run is not None
    return RunOut(**_public(run))


@blueprint.get("/schedules")
@blueprint.output(Schedules)
@blueprint.doc(security="bearer")
def list_schedules() -> Schedules:
    """The schedules of the site, with when each is due."""
    here = installation()
    return Schedules(schedules=[_shown(one) for one in here.store.schedules(here.live.site)])


@blueprint.put("/schedules/<string:name>")
@blueprint.input(ScheduleIn)
@blueprint.output(ScheduleOut)
@blueprint.doc(security="bearer")
def put_schedule(name: str, json_data: ScheduleIn) -> ScheduleOut:
    """Set a schedule; it takes the place of the one of that name."""
    here, asked = installation(), json_data
    zone = asked.timezone or here.settings.site.timezone
    schedule = checked_schedule(
        *(here.live.site, name, asked.job, asked.params, asked.cron, zone, asked.jitter_seconds, asked.paused),
        *(actor(), now_ms()),
    )
    here.store.put_schedule(schedule)
    return _shown(schedule)


@blueprint.delete("/schedules/<string:name>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security="bearer")
def delete_schedule(name: str) -> str:
    """Remove a schedule; one of the configuration comes back when the next worker starts."""
    here = installation()
    if not here.store.delete_schedule(here.live.site, name, actor()):
        raise Refused(404, "unknown-schedule", f"There is no schedule {name!r:.80}.", "GET /admin/api/schedules.")
    return ""


class _LogStream:
    """Source of what is new of a run; the caller's rights are looked at each time, too."""

    def __init__(self, store: Store, run: Run, check: Callable[[], None], offset: int) -> None:
        self._store, self._run, self._check = store, run, check
        self._read, self._shown = offset, RunOut(**_public(run)).model_copy(update={"state": ""})

    def __call__(self) -> bytes | None:
        if not self._run.id:
            return None
        self._check()
        row = self._store.run(self._run.id) or self._run
        lines, self._read = log_after(row.log, self._read)
        new = [event("line", line, str(self._read)) for line in lines]
        shown = RunOut(**_public(row))
        if shown != self._shown:
            self._shown = shown
            new.append(event("run", shown.model_dump()))
        if row.state not in ACTIVE and not lines:
            self._run = replace(self._run, id="")
            new.append(event("end", {"state": row.state}))
        return b"".join(new)


def asked_key() -> str | None:
    """The request's key, under which it is one request however often it is sent.

    Raises:
        Refused: it is empty or too long.
    """
    key = request.headers.get(KEY_HEADER)
    if key is not None and not 0 < len(key) <= MAX_KEY:
        detail = f"Expected {KEY_HEADER} with 1 to {MAX_KEY} characters; got {len(key)}."
        raise Refused(422, "invalid", detail, "Send another one.")
    return key


def _found(run_id: str) -> Run:
    here = installation()
    run = here.store.run(run_id)
    if run is None or run.site not in (None, here.live.site):
        raise Refused(404, "unknown-run", f"There is no run {run_id!r:.80}.", "GET /admin/api/runs lists them.")
    return run


def _public(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in RunOut.model_fields}


def _shown(schedule: Schedule) -> ScheduleOut:
    try:
        upcoming = CronTimes(schedule.cron, schedule.timezone).upcoming(now_ms(), UPCOMING)
    except InputError:  # it has passed: the 29th of February of a year
        upcoming = []
    facts = {name: getattr(schedule, name) for name in ScheduleOut.model_fields if name != "upcoming"}
    return ScheduleOut(**facts, upcoming=upcoming)
