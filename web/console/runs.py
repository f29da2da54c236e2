"""Pages of runs and schedules: what goes on, its log as it comes, start, cancel; when runs begin by themselves."""

from typing import Any

from flask import Blueprint, Response, request

from recsys.errors import InputError
from recsys.runs.commands import JOBS
from recsys.runs.schedules import CronTimes
from recsys.units import now_ms
from web.admin.runs import UPCOMING
from web.console.calls import ADMIN_API, ask, part, read
from web.console.pages import done, moment, page, zone
from web.console.tables import csv_answer

RUN_COLUMNS = ("job", "state", "asked_by", "created_at", "started_at", "finished_at", "peak_mib", "release", "error")
SCHEDULE_COLUMNS = ("name", "job", "cron", "timezone", "jitter_seconds", "paused", "next_at", "last_at", "set_by")
SHOWN_RUNS = 50

blueprint = Blueprint("runs", __name__)


@blueprint.get("/runs")
def runs_page() -> Response:
    """The last runs; as CSV with ``?format=csv``."""
    return _runs()


@blueprint.post("/runs")
def start_run() -> Response:
    """Queue a run."""
    job = request.form.get("job", "")
    params = {"fresh": True} if request.form.get("fresh") else {}
    return _runs(**done(ask("POST", f"{ADMIN_API}/jobs", {"job": job, "params": params}), "queued_done", job=job))


@blueprint.get("/runs/<string:run_id>")
def run_page(run_id: str) -> Response:
    """One run with the end of its log."""
    return _run(run_id)


@blueprint.post("/runs/<string:run_id>/cancel")
def cancel_run(run_id: str) -> Response:
    """Cancel a run."""
    return _run(run_id, **done(ask("DELETE", f"{ADMIN_API}/runs/{part(run_id)}"), "cancelled_done"))


@blueprint.get("/schedules")
def schedules_page() -> Response:
    """The schedules, and a form for one."""
    return _schedules()


@blueprint.post("/schedules")
def put_schedule() -> Response:
    """Add a schedule, or change the one of that name."""
    form = request.form
    name, jitter = form.get("name", "").strip(), form.get("jitter_seconds", "") or "0"
    body = {
        "job": form.get("job", ""),
        "cron": form.get("cron", ""),
        "timezone": form.get("timezone") or None,
        "jitter_seconds": int(jitter) if jitter.isdecimal() else jitter,
        "paused": bool(form.get("paused")),
    }
    return _schedules(**done(ask("PUT", _address(name), body), "schedule_done", name=name))


@blueprint.post("/schedules/remove")
def remove_schedule() -> Response:
    """Remove a schedule."""
    name = request.form.get("name", "")
    return _schedules(**done(ask("DELETE", _address(name)), "schedule_gone", name=name))


@blueprint.get("/schedules/times")
def schedule_times() -> Response:
    """The next times of what somebody types, or what is wrong with it."""
    cron, named = request.args.get("cron", ""), request.args.get("timezone") or zone()
    times: list[int] = []
    wrong = None
    try:
        times = CronTimes(cron, named).upcoming(now_ms(), UPCOMING) if cron.strip() else []
    except InputError as error:
        wrong = f"{error.expected}; {error.got}"
    return page("times.html", times=times, wrong=wrong, named=named)


def _runs(**values: Any) -> Response:
    runs = read(f"{ADMIN_API}/runs", last=SHOWN_RUNS)["runs"]
    if request.args.get("format") == "csv":
        return csv_answer("runs", RUN_COLUMNS, ([_cell(run, name) for name in RUN_COLUMNS] for run in runs))
    busy = any(run["state"] in ("queued", "running") for run in runs)
    return page("runs.html", runs=runs, jobs=JOBS, busy=busy, **values)


def _run(run_id: str, **values: Any) -> Response:
    return page("run.html", run=read(f"{ADMIN_API}/runs/{part(run_id)}"), **values)


def _schedules(**values: Any) -> Response:
    schedules = read(f"{ADMIN_API}/schedules")["schedules"]
    if request.args.get("format") == "csv":
        rows = ([_cell(one, name) for name in SCHEDULE_COLUMNS] for one in schedules)
        return csv_answer("schedules", SCHEDULE_COLUMNS, rows)
    chosen = next((one for one in schedules if one["name"] == request.args.get("change")), None)
    return page("schedules.html", schedules=schedules, jobs=JOBS, chosen=chosen, **values)


def _address(name: str) -> str:
    return f"{ADMIN_API}/schedules/{part(name or ' ')}"


def _cell(run: dict[str, Any], name: str) -> object:
    return moment(run[name]) if name.endswith("_at") else run[name]
