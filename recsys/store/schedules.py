"""Schedules: when jobs begin by themselves, one row each.

The next time of a schedule is moved in the transaction that queues its run, and only from the time that was read: of
any number of workers one queues it, and each time once.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from recsys.store import schema
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.records import compact_json
from recsys.store.runs import ACTIVE, Run, add_queued

schedules, runs = schema.schedules, schema.runs


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule. Times are int ms UTC.

    Attributes:
        site: whose.
        name: unique within the site.
        job: name of the command.
        cron: five fields: minute, hour, day of the month, month, day of the week.
        timezone: in which they are meant.
        next_at: when it is due.
        set_at: when it was written.
        set_by: who wrote it.
        params: of the command.
        jitter_seconds: by so much at most each time is put off, at random.
        paused: it is kept and not followed.
        last_at: when it was due last.
        last_run: id of the run that was queued then; None where the one before still waited.
    """

    site: str
    name: str
    job: str
    cron: str
    timezone: str
    next_at: int
    set_at: int
    set_by: str
    params: dict[str, Any] = field(default_factory=dict)
    jitter_seconds: int = 0
    paused: bool = False
    last_at: int | None = None
    last_run: str | None = None


class ScheduleStore(Database):
    """The table of schedules."""

    def put_schedule(self, schedule: Schedule) -> None:
        """Add a schedule, or let it take the place of the one of that name, whose last run it keeps."""
        values = asdict(schedule) | {"params": compact_json(schedule.params), "set_by": str(schedule.set_by)}
        named = _named(schedule.site, schedule.name)
        with self.writing() as connection:
            before = connection.execute(select(schedules).where(named)).first()
            if before is None:
                connection.execute(insert(schedules).values(values))
            else:
                kept = {"last_at": before.last_at, "last_run": before.last_run}
                connection.execute(update(schedules).where(named).values(values | kept))
            write_audit(
                *(connection, schedule.site, schedule.set_by, "schedule", schedule.name),
                before=None if before is None else _said(_schedule(before)),
                after=_said(schedule),
            )

    def delete_schedule(self, site: str, name: str, by: str) -> bool:
        """Remove a schedule; false where there is none of that name."""
        with self.writing() as connection:
            before = connection.execute(select(schedules).where(_named(site, name))).first()
            if before is None:
                return False
            connection.execute(delete(schedules).where(_named(site, name)))
            write_audit(connection, site, by, "unschedule", name, before=_said(_schedule(before)))
        return True

    def schedules(self, site: str) -> list[Schedule]:
        """The schedules of a site, by name."""
        with self.reading() as connection:
            rows = connection.execute(select(schedules).where(schedules.c.site == site).order_by(schedules.c.name))
            return [_schedule(row) for row in rows]

    def move_schedule(self, schedule: Schedule, next_at: int) -> bool:
        """Set when a schedule is due, if it still is due when it was; nothing is queued."""
        with self.writing() as connection:
            return connection.execute(update(schedules).where(_due(schedule)).values(next_at=next_at)).rowcount > 0

    def fire_schedule(self, schedule: Schedule, next_at: int, run: Run) -> Run | None:
        """Queue a schedule's run and set when it is due next, in one moment.

        Returns:
            The run; None where another worker did it, or a run of the job still waits or goes on: one is enough.
        """
        with self.writing() as connection:
            facts: dict[str, Any] = {"next_at": next_at, "last_at": schedule.next_at, "last_run": None}
            if not connection.execute(update(schedules).where(_due(schedule)).values(facts)).rowcount:
                return None
            same = (runs.c.site == schedule.site) & (runs.c.job == run.job) & runs.c.state.in_(ACTIVE)
            if connection.execute(select(runs.c.id).where(same)).first() is not None:
                return None
            add_queued(connection, run)
            connection.execute(update(schedules).where(_named(schedule.site, schedule.name)).values(last_run=run.id))
        return run


def _said(schedule: Schedule) -> dict[str, Any]:
    """A schedule as the audit tells it."""
    names = ("job", "params", "cron", "timezone", "jitter_seconds", "paused")
    return {name: getattr(schedule, name) for name in names}


def _named(site: str, name: str) -> Any:
    return (schedules.c.site == site) & (schedules.c.name == name)


def _due(schedule: Schedule) -> Any:
    """The row of a schedule that nobody has moved or paused since it was read."""
    still = (schedules.c.next_at == schedule.next_at) & (schedules.c.set_at == schedule.set_at)
    return _named(schedule.site, schedule.name) & still & schedules.c.paused.is_(False)


def _schedule(row: Row[Any]) -> Schedule:
    values = dict(row._mapping)
    return Schedule(**values | {"params": json.loads(values["params"])})
