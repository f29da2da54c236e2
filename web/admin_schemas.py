"""Schemas of the admin API: what it accepts and answers, as pydantic models."""

from typing import Any

from pydantic import BaseModel, Field

from web.runs import JOBS
from web.schemas import In


class JobIn(In):
    """A job to start."""

    job: str = Field(max_length=64, json_schema_extra={"enum": list(JOBS)})
    params: dict[str, Any] = Field(default_factory=dict, description="seed (int ≥ 0), fresh (true or false)")


class Started(BaseModel):
    """A job that was started."""

    run_id: str


class RunOut(BaseModel):
    """One run of a job."""

    id: str
    job: str
    params: dict[str, Any]
    state: str = Field(description="queued, running, done, failed or cancelled")
    created_at: int
    started_at: int | None
    heartbeat_at: int | None
    finished_at: int | None
    progress: dict[str, Any] = Field(description="stage, done, total")
    error: str | None
    release: str | None


class RunDetail(RunOut):
    """One run, with the end of its log."""

    log: list[str]


class Runs(BaseModel):
    """The last runs, newest first."""

    runs: list[RunOut]


class ReleaseOut(BaseModel):
    """One release."""

    name: str
    current: bool
    created_at: int | None
    parent: str | None


class ReleasesOut(BaseModel):
    """All releases, newest first."""

    current: str | None
    releases: list[ReleaseOut]
