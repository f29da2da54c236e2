"""The runs of the jobs, kept so that the admin API and the operator can see what is going on."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from recsys.errors import Busy
from recsys.store import schema
from recsys.store.engine import Database
from recsys.store.records import compact_json

runs = schema.runs
ACTIVE = ("queued", "running")  # the states of a run that has not ended


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job. Times are int milliseconds UTC.

    Attributes:
        state: queued, running, done, failed or cancelled.
        holder: what the run holds alone while it is active (``"workspace"``), else None; the database refuses a
            second run with the same holder.
        progress: JSON values: stage, done, total.
        log: path of its log file.
    """

    id: str
    job: str
    created_at: int
    params: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    holder: str | None = None
    pid: int | None = None
    started_at: int | None = None
    heartbeat_at: int | None = None
    finished_at: int | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    release: str | None = None
    log: str | None = None


class RunStore(Database):
    """The table of runs."""

    def add_run(self, run: Run) -> None:
        """Add a run.

        Raises:
            Busy: another run has the same holder; the message names it.
        """
        with self.writing() as connection:
            self._refuse_second(connection, run.holder)
            connection.execute(insert(runs).values(_row(asdict(run))))

    def update_run(self, id: str, **fields: Any) -> bool:
        """Change some fields of a run; ``holder=None`` lets go of what it holds.

        Returns:
            Whether the run exists.

        Raises:
            Busy: another run has the new holder.
        """
        with self.writing() as connection:
            try:
                return connection.execute(update(runs).where(runs.c.id == id).values(_row(fields))).rowcount > 0
            except IntegrityError as error:
                raise Busy(f"no other run with holder {fields.get('holder')!r}", "one", "Wait for its end.") from error

    def run(self, id: str) -> Run | None:
        """One run, or None."""
        with self.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.id == id)).first()
        return _run(row) if row else None

    def runs(self, limit: int) -> list[Run]:
        """The newest runs, newest first."""
        query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
        with self.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def active_runs(self) -> list[Run]:
        """The runs that are queued or running, newest first."""
        query = select(runs).where(runs.c.state.in_(ACTIVE)).order_by(runs.c.created_at.desc(), runs.c.id.desc())
        with self.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def _refuse_second(self, connection: Connection, holder: str | None) -> None:
        other = connection.execute(select(runs).where(runs.c.holder == holder)).first() if holder else None
        if other is not None:
            raise Busy(
                f"no other run that holds the {holder}",
                f"run {other.id} ({other.job}, {other.state})",
                "Wait for it to end, then try again.",
            )


def _row(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: compact_json(value) if name in ("params", "progress") else value for name, value in fields.items()}


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    return Run(**values | {name: json.loads(values[name]) for name in ("params", "progress")})
