"""The runs of jobs, one row each: asked for, taken, alive, ended.

A row is claimed under the write lock, so that of any number of workers one has it, and is numbered then: a run that
lost its row to a later one is told from it by that number. Whether a run still lives is said by a counter that it
moves, never by a clock: no two hosts need agree what time it is.
"""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from recsys.errors import Busy
from recsys.store import schema
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.records import compact_json

runs = schema.runs
ACTIVE = ("queued", "running")  # the states of a run that has not ended
FARTHEST_MS = 3_600_000  # no run waits longer before it is tried again: what lies farther was written by a wrong clock
_JSON = ("params", "progress")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job. Times are int milliseconds UTC, for people; nothing is decided by them but ``not_before``.

    Attributes:
        id: unique.
        job: name of the command.
        created_at: when it was asked for.
        site: whose; None of runs from before there were several.
        params: of the command.
        state: queued, running, succeeded, failed, cancelled or interrupted.
        holder: what it holds alone while it runs; the database refuses a second run with the same holder.
        workspace: id of the folder of stages that it writes.
        host: name of its machine.
        pid: its process there.
        fence: number given when it began; a later run of the site has a greater one.
        beats: counts up while it lives.
        attempt: 1 for the first one, 2 and more after interruptions; 0 for a command that somebody gave.
        not_before: it is not taken earlier.
        asked_by: who wanted it.
        key: of the request that asked for it; the same request again gives the same run.
        cancelled_by: who wants it to end.
        progress: JSON values: stage, done, total.
        error: why it did not succeed.
        exit_code: of its process.
        peak_mib: most memory of its process, MiB.
        release: that it published.
        log: path of its log file.
    """

    id: str
    job: str
    created_at: int
    params: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    site: str | None = None
    holder: str | None = None
    workspace: str | None = None
    host: str | None = None
    pid: int | None = None
    fence: int | None = None
    beats: int = 0
    attempt: int = 0
    not_before: int | None = None
    asked_by: str | None = None
    key: str | None = None
    cancelled_by: str | None = None
    started_at: int | None = None
    heartbeat_at: int | None = None
    finished_at: int | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    exit_code: int | None = None
    peak_mib: int | None = None
    release: str | None = None
    log: str | None = None

    @classmethod
    def asked(
        cls,
        site: str,
        job: str,
        params: Mapping[str, Any],
        by: str,
        now: int,
        *,
        attempt: int = 1,
        key: str | None = None,
    ) -> "Run":
        """A run that somebody wants, for the queue; ``attempt`` 0 for one that begins at once."""
        return cls(uuid.uuid4().hex, job, now, dict(params), site=site, attempt=attempt, asked_by=by, key=key)


@dataclass(frozen=True, slots=True)
class Place:
    """The place where a run goes on: id of the workspace, name of the host."""

    workspace: str
    host: str


class RunStore(Database):
    """The table of runs."""

    def queue_run(self, run: Run, *, many: bool = False, alike: Collection[str] = ()) -> Run:
        """Add a run that is to be taken by a worker.

        Args:
            run: with a fresh id.
            many: several of its job may wait.
            alike: jobs of which, with its own, one may wait or go on.

        Returns:
            It, or the run that the same request made before.

        Raises:
            Busy: another run of the same job is queued or running; the message names it.
        """
        with self.writing() as connection:
            if run.key is not None and (same := _first(connection, _of_site(run.site) & (runs.c.key == run.key))):
                return same
            same_jobs = runs.c.job.in_({run.job, *alike})
            other = _first(connection, _of_site(run.site) & same_jobs & runs.c.state.in_(ACTIVE))
            if other is not None and not many:
                raise _busy(f"no other run of {run.job!r}", other)
            add_queued(connection, run)
            write_audit(connection, run.site or "", run.asked_by or "", "queue", run.job, run=run.id, params=run.params)
        return run

    def begin_run(self, run: Run, holder: str, place: Place, now: int) -> Run:
        """Add a run that begins at once and holds something alone.

        Raises:
            Busy: another run holds it; the message names it.
        """
        with self.writing() as connection:
            _refuse_second(connection, holder)
            begun = replace(run, **_begun(connection, run.site, holder, place, now))
            connection.execute(insert(runs).values(_values(asdict(begun))))
        return begun

    def claim_run(self, site: str, jobs: Collection[str], holder: str, place: Place, now: int) -> Run | None:
        """Take the run that waits longest, or None where none waits or what they hold is held.

        Args:
            site: whose.
            jobs: names that the worker knows.
            holder: what the run will hold.
            place: where it will go on.
            now: ms UTC.
        """
        due = or_(runs.c.not_before.is_(None), runs.c.not_before <= now, runs.c.not_before > now + FARTHEST_MS)
        waits = _of_site(site) & (runs.c.state == "queued") & runs.c.job.in_(jobs) & due
        with self.writing() as connection:
            if connection.execute(select(runs.c.id).where(runs.c.holder == holder)).first() is not None:
                return None
            run = _first(connection, waits, runs.c.created_at, runs.c.id)
            if run is None:
                return None
            facts = _begun(connection, site, holder, place, now)
            connection.execute(update(runs).where(runs.c.id == run.id).values(facts))
        return replace(run, **facts)

    def beat(self, run: Run, progress: dict[str, Any], now: int) -> Run | None:
        """Move a run's counter.

        Returns:
            The row, or None when the run has lost it: it was given up, or another one took its place.
        """
        with self.writing() as connection:
            values = {"beats": runs.c.beats + 1, "heartbeat_at": now, "progress": compact_json(progress)}
            if not connection.execute(update(runs).where(_still(run)).values(values)).rowcount:
                return None
            return _first(connection, runs.c.id == run.id)

    def holds(self, run: Run) -> bool:
        """True for a run that has not lost its row."""
        with self.reading() as connection:
            return connection.execute(select(runs.c.id).where(_still(run))).first() is not None

    def end_run(self, run: Run, state: str, now: int, **facts: Any) -> bool:
        """Write how a run ended, and let go of what it holds.

        Returns:
            False when it had lost its row, which then says something else.
        """
        values = _values(facts | {"state": state, "finished_at": now, "holder": None})
        with self.writing() as connection:
            return connection.execute(update(runs).where(_still(run)).values(values)).rowcount > 0

    def interrupt_run(self, run: Run, again: Run | None, error: str, now: int, **facts: Any) -> bool:
        """Give a run up whose counter still stands where it was seen, and queue it anew in the same moment.

        Args:
            run: as it was seen.
            again: the run that is to take its place, None for none.
            error: why.
            now: ms UTC.
            facts: further columns.

        Returns:
            False when it has moved meanwhile, or ended.
        """
        values = _values(facts | {"state": "interrupted", "error": error, "finished_at": now, "holder": None})
        with self.writing() as connection:
            gone = connection.execute(
                update(runs).where(_still(run), runs.c.beats == run.beats).values(values)
            ).rowcount
            if gone and again is not None:
                twin = _of_site(run.site) & (runs.c.job == run.job) & (runs.c.state == "queued")
                if _first(connection, twin) is None:
                    add_queued(connection, again)
        return gone > 0

    def cancel_run(self, id: str, by: str, now: int) -> Run | None:
        """Ask a run to end: a queued one has ended at once, a running one is told with its next heartbeat.

        Returns:
            The row as it is then, None where there is none.
        """
        queued = {"state": "cancelled", "finished_at": now, "error": f"cancelled by {by} before it began"}
        with self.writing() as connection:
            waits, goes_on = (
                (runs.c.id == id) & (runs.c.state == "queued"),
                (runs.c.id == id) & (runs.c.state == "running"),
            )
            ended = connection.execute(update(runs).where(waits).values(queued | {"cancelled_by": str(by)}))
            told = connection.execute(
                update(runs).where(goes_on, runs.c.cancelled_by.is_(None)).values(cancelled_by=str(by))
            )
            run = _first(connection, runs.c.id == id)
            if run is not None and ended.rowcount + told.rowcount:
                write_audit(connection, run.site or "", by, "cancel", run.job, run=id)
        return run

    def update_run(self, id: str, **fields: Any) -> bool:
        """Change facts of a run that decide nothing; true if there is such a run."""
        with self.writing() as connection:
            return connection.execute(update(runs).where(runs.c.id == id).values(_values(fields))).rowcount > 0

    def run(self, id: str) -> Run | None:
        """One run, or None."""
        with self.reading() as connection:
            return _first(connection, runs.c.id == id)

    def runs(self, limit: int, site: str | None = None) -> list[Run]:
        """The newest runs, newest first; those of one site, or of all."""
        query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
        if site is not None:
            query = query.where(_of_site(site))
        with self.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def active_runs(self, site: str | None = None) -> list[Run]:
        """The runs that are queued or running, newest first."""
        query = select(runs).where(runs.c.state.in_(ACTIVE)).order_by(runs.c.created_at.desc(), runs.c.id.desc())
        if site is not None:
            query = query.where(_of_site(site))
        with self.reading() as connection:
            return [_run(row) for row in connection.execute(query)]


def add_queued(connection: Connection, run: Run) -> None:
    """Add a run's row as it is, inside a transaction that writes."""
    asked_by = None if run.asked_by is None else str(run.asked_by)
    connection.execute(insert(runs).values(_values(asdict(replace(run, asked_by=asked_by)))))


def _of_site(site: str | None) -> Any:
    return runs.c.site.is_(None) if site is None else runs.c.site == site


def _still(run: Run) -> Any:
    """The row of a run that has not lost it."""
    return (runs.c.id == run.id) & (runs.c.state == "running") & (runs.c.fence == run.fence)


def _begun(connection: Connection, site: str | None, holder: str, place: Place, now: int) -> dict[str, Any]:
    """Facts of a run that begins, with the next number of its site."""
    newest = connection.scalar(select(func.max(runs.c.fence)).where(_of_site(site))) or 0
    begun = {"state": "running", "fence": newest + 1, "started_at": now, "heartbeat_at": now}
    return begun | {"holder": holder, "workspace": place.workspace, "host": place.host}


def _refuse_second(connection: Connection, holder: str) -> None:
    other = _first(connection, runs.c.holder == holder)
    if other is not None:
        raise _busy("no other run that writes the workspace", other)


def _busy(expected: str, other: Run) -> Busy:
    return Busy(expected, f"run {other.id} ({other.job}, {other.state})", "Wait for it to end, or cancel it.")


def _first(connection: Connection, condition: Any, *order: Any) -> Run | None:
    row = connection.execute(select(runs).where(condition).order_by(*order).limit(1)).first()
    return _run(row) if row else None


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: compact_json(value) if name in _JSON else value for name, value in fields.items()}


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    return Run(**values | {name: json.loads(values[name]) for name in _JSON})
