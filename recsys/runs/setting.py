"""Schedules that a site or an operator sets, checked; those of the configuration brought into the store."""

from collections.abc import Mapping
from typing import Any

from recsys.errors import InputError
from recsys.runs.commands import command_line
from recsys.runs.schedules import MAX_JITTER_SECONDS, CronTimes
from recsys.store import Schedule, Store
from recsys.store.records import identifier

FROM_CONFIGURATION = "config"  # who set a schedule that stands in the configuration
MAX_SCHEDULE_NAME = 64


def checked_schedule(
    site: str,
    name: str,
    job: str,
    params: Mapping[str, Any],
    cron: str,
    timezone: str,
    jitter_seconds: int,
    paused: bool,
    by: str,
    now: int,
) -> Schedule:
    """A schedule that can be followed, due at its first time after ``now``.

    Raises:
        InputError: name, job, parameters, times, time zone or jitter cannot be.
    """
    if len(identifier(name, "schedule name")) > MAX_SCHEDULE_NAME:
        raise InputError(f"a name of at most {MAX_SCHEDULE_NAME} characters", f"one of {len(name)}", "Shorten it.")
    command_line(job, params)
    if not 0 <= jitter_seconds <= MAX_JITTER_SECONDS:
        raise InputError(f"a jitter of 0 to {MAX_JITTER_SECONDS} seconds", f"{jitter_seconds}", "Correct it.")
    next_at = CronTimes(cron, timezone).next_after(now)
    return Schedule(
        site, name, job, cron, timezone, next_at, now, by, dict(params), jitter_seconds=jitter_seconds, paused=paused
    )


def take_over_schedules(store: Store, site: str, wanted: Mapping[str, str], timezone: str, now: int) -> None:
    """Bring the schedules of the configuration into the store; what somebody set under the same name stays.

    Args:
        store: the schedules.
        site: whose.
        wanted: job -> five fields of cron; the job's name is the schedule's.
        timezone: in which they are meant.
        now: ms UTC.

    Raises:
        InputError: one of them cannot be.
    """
    present = {one.name: one for one in store.schedules(site)}
    for job, cron in wanted.items():
        before = present.get(job)
        if before is None or (
            before.set_by == FROM_CONFIGURATION and (before.cron, before.timezone) != (cron, timezone)
        ):
            store.put_schedule(checked_schedule(site, job, job, {}, cron, timezone, 0, False, FROM_CONFIGURATION, now))
    for name, one in present.items():
        if one.set_by == FROM_CONFIGURATION and name not in wanted:
            store.delete_schedule(site, name, FROM_CONFIGURATION)
