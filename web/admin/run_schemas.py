"""Schemas of runs and schedules: as they are asked for, and as they are."""

from typing import Any

from pydantic import BaseModel, Field

from recsys.runs.commands import FORMATS, JOBS
from recsys.runs.schedules import MAX_JITTER_SECONDS
from recsys.runs.setting import MAX_SCHEDULE_NAME
from web.api.schemas import In

STATES = "queued, running, succeeded, failed, cancelled or interrupted (its process ended; another run takes its place)"


class JobIn(In):
    """A job to queue."""

    job: str = Field(max_length=64, json_schema_extra={"enum": list(JOBS)})
    params: dict[str, Any] = Field(default_factory=dict, description="seed (int ≥ 0), fresh (true or false)")


class ImportQuery(In):
    """An import: what is sent or where it is, and how it is read."""

    format: str = Field(max_length=16, json_schema_extra={"enum": list(FORMATS)})
    url: str | None = Field(None, max_length=2_000, description="of a feed or a file, instead of a body")
    map: str | None = Field(None, max_length=2_000, description="field=column, several with commas between")
    kind: str | None = Field(None, max_length=16, description="articles, events, clicks or both")
    encoding: str | None = Field(None, max_length=32)
    records: str | None = Field(None, max_length=64, description="place of the list inside a JSON object")
    timezone: str | None = Field(None, max_length=64, description="of times that name none")
    time_format: str | None = Field(None, max_length=64)
    language: str | None = Field(None, max_length=32, description="of articles that name none")
    dwell_unit: str | None = Field(None, max_length=8)


class Queued(BaseModel):
    """A run that waits for a worker."""

    run_id: str
    state: str = Field(description=STATES)


class RunsQuery(In):
    """The runs that are asked for."""

    last: int = Field(50, ge=1, le=1_000, description="how many, newest first")


class RunOut(BaseModel):
    """One run of a job. Times are ms UTC."""

    id: str
    job: str
    params: dict[str, Any]
    state: str = Field(description=STATES)
    asked_by: str | None = Field(description="a token, a command's user, or a schedule")
    attempt: int = Field(description="1 for the first, more after interruptions; 0 for a command")
    host: str | None
    cancelled_by: str | None
    created_at: int
    not_before: int | None
    started_at: int | None
    heartbeat_at: int | None
    finished_at: int | None
    progress: dict[str, Any] = Field(description="stage, stage_number of stages, done of total, seconds_left")
    error: str | None
    exit_code: int | None
    peak_mib: int | None
    release: str | None


class RunDetail(RunOut):
    """One run, with the end of its log."""

    log: list[dict[str, Any]] = Field(description="its last lines, each an object with at, level, event and facts")


class Runs(BaseModel):
    """The last runs, newest first."""

    runs: list[RunOut]


class ScheduleIn(In):
    """A schedule as it is set."""

    job: str = Field(max_length=64, json_schema_extra={"enum": list(JOBS)})
    params: dict[str, Any] = Field(default_factory=dict)
    cron: str = Field(
        max_length=128, description="minute, hour, day of the month, month, day of the week; 0 or 7 is Sunday"
    )
    timezone: str | None = Field(None, max_length=64, description="in which they are meant; null: the site's")
    jitter_seconds: int = Field(0, ge=0, le=MAX_JITTER_SECONDS, description="by which each is put off at most")
    paused: bool = False


class ScheduleOut(BaseModel):
    """One schedule. Times are ms UTC."""

    name: str = Field(max_length=MAX_SCHEDULE_NAME)
    job: str
    params: dict[str, Any]
    cron: str
    timezone: str
    jitter_seconds: int
    paused: bool
    next_at: int = Field(description="when it is due; of a paused one, when it would be")
    upcoming: list[int] = Field(description="the next five times, without the jitter")
    last_at: int | None
    last_run: str | None = Field(description="the run that was queued then; null where one was going on still")
    set_at: int
    set_by: str


class Schedules(BaseModel):
    """All schedules of the site, by name."""

    schedules: list[ScheduleOut]
