"""``python -m jobs worker``: take queued runs, keep schedules; ``runs``, ``cancel``, ``schedule``: see and change them.

Reads and writes the tables of runs and schedules; produces child processes, each a command of this program.
"""

import signal
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import typer

from jobs.challenge import end_unwatched
from jobs.runner import Context, opened_store
from jobs.terminal import log, who
from recsys.errors import InputError
from recsys.runs.commands import command_line
from recsys.runs.schedules import CronTimes
from recsys.runs.setting import checked_schedule, take_over_schedules
from recsys.runs.worker import RunLimits, Worker
from recsys.store import Run
from recsys.units import now_ms

PROGRAM = (sys.executable, "-m", "jobs")


def work(context: Context) -> None:
    """Look after the site's runs and schedules until a signal comes."""
    settings, stop = context.settings, threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened_store(context) as store:
        take_over_schedules(store, settings.site.id, settings.jobs.schedules, settings.site.timezone, now_ms())
        limits = RunLimits(settings.jobs.max_hours, settings.jobs.max_memory_gib)
        logs = settings.data_dir.resolve() / "runs"
        chores = [lambda: end_unwatched(context, store)]
        more: dict[str, Any] = {"chores": chores, "has_release": lambda name: name in context.releases.names()}
        Worker(store, settings.site.id, context.workspace, PROGRAM, logs, limits, **more).work(stop)


def queue(context: Context, job: str, params: Mapping[str, Any]) -> None:
    """Queue a run for a worker.

    Raises:
        InputError: no such job.
        Busy: one of that job waits or goes on.
    """
    command_line(job, params)
    with opened_store(context) as store:
        run = store.queue_run(Run.asked(context.settings.site.id, job, params, who(), now_ms()))
    log.info("queued", job=job, run=run.id, note="a worker takes it: python -m jobs worker")


def show_runs(context: Context, last: int) -> None:
    """Print the newest runs, the newest first."""
    with opened_store(context) as store:
        runs = store.runs(last, context.settings.site.id)
    if not runs:
        log.info("none yet", job="runs")
        return
    typer.echo(
        f"{'asked for (UTC)':19}  {'job':10}  {'state':11}  {'took':>8}  {'MiB':>6}  {'by':20}  run and what it says"
    )
    for run in runs:
        says = run.error or run.release or _how_far(run.progress)
        memory = "" if run.peak_mib is None else f"{run.peak_mib}"
        at = datetime.fromtimestamp(run.created_at / 1000, UTC)
        first = f"{at:%Y-%m-%d %H:%M:%S}  {run.job:10.10}  {run.state:11}  {_took(run):>8}  {memory:>6}"
        typer.echo(f"{first}  {run.asked_by or '-':20.20}  {run.id[:12]}  {says}".rstrip())


def cancel(context: Context, run_id: str) -> None:
    """Ask a run to end.

    Raises:
        InputError: no run, or more than one, has an id that begins so.
    """
    with opened_store(context) as store:
        found = [run for run in store.runs(10_000, context.settings.site.id) if run.id.startswith(run_id)]
        if len(found) != 1:
            got = f"{len(found)} whose id begins with {run_id!r:.40}"
            raise InputError("the id of one run, or its beginning", got, "Run: python -m jobs runs")
        row = store.cancel_run(found[0].id, who(), now_ms())
    state = "gone" if row is None else row.state
    note = "it ends within some seconds" if state == "running" else "it had ended" if found[0].state == state else "-"
    log.info("cancel", run=found[0].id, job=found[0].job, state=state, note=note)


def set_schedule(
    context: Context, name: str, job: str, cron: str, timezone: str | None, jitter: int, *, paused: bool
) -> None:
    """Write a schedule, and say when it is due.

    Raises:
        InputError: the job, the times or the time zone cannot be.
    """
    site, now = context.settings.site, now_ms()
    schedule = checked_schedule(site.id, name, job, {}, cron, timezone or site.timezone, jitter, paused, who(), now)
    with opened_store(context) as store:
        store.put_schedule(schedule)
    due = [_local(time) for time in CronTimes(schedule.cron, schedule.timezone).upcoming(now, 3)]
    log.info("scheduled", job=job, name=name, next=", ".join(due), paused=paused)


def remove_schedule(context: Context, name: str) -> None:
    """Remove a schedule.

    Raises:
        InputError: there is none of that name.
    """
    with opened_store(context) as store:
        if not store.delete_schedule(context.settings.site.id, name, who()):
            raise InputError("the name of a schedule", f"{name!r:.80}", "Run: python -m jobs schedules")
    log.info("removed", job="unschedule", name=name)


def show_schedules(context: Context) -> None:
    """Print the schedules, with when each is due."""
    with opened_store(context) as store:
        schedules = store.schedules(context.settings.site.id)
    if not schedules:
        log.info("none", job="schedules", remedy='Run: python -m jobs schedule NAME --job all --cron "30 3 * * *"')
        return
    typer.echo(f"{'name':16}  {'job':10}  {'cron':18}  {'time zone':20}  {'due (UTC)':17}  {'last (UTC)':17}  by")
    for one in schedules:
        due = "paused" if one.paused else _local(one.next_at)
        last = "" if one.last_at is None else _local(one.last_at)
        typer.echo(f"{one.name:16}  {one.job:10}  {one.cron:18}  {one.timezone:20}  {due:17}  {last:17}  {one.set_by}")


def _local(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M}Z"


def _took(run: Run) -> str:
    if run.started_at is None:
        return ""
    seconds = ((run.finished_at or now_ms()) - run.started_at) / 1000
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _how_far(progress: Mapping[str, Any]) -> str:
    stage = progress.get("stage")
    if not stage:
        return ""
    number = f" ({progress['stage_number']} of {progress['stages']})" if progress.get("stages") else ""
    return f"{stage}{number}"
