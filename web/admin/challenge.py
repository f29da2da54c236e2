"""The admin API's challenge: a release beside the live one, which nobody or a share of readers get; begun, seen, ended.

Reads and writes the store's runs; a worker of a machine that has the release takes the run, and the process that serves
it lives on that machine (``python -m jobs worker``, beside a service). One release of a site is tried at a time.
"""

from typing import Any, Literal, Self

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.errors import InputError, RefusedRelease, UnknownName
from recsys.releases.sharing import SharedReleases
from recsys.runs.commands import CANARY, CHALLENGES, command_line
from recsys.store import Run
from recsys.store.runs import ACTIVE
from recsys.units import now_ms
from web.access import actor
from web.admin.handlers import never_stored
from web.admin.run_schemas import Queued, RunOut
from web.admin.runs import asked_key
from web.api.schemas import In
from web.installation import Installation, installation

LOOKED_THROUGH = 1_000  # last runs, in which the newest challenge is looked for

blueprint = APIBlueprint("challenge", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class ChallengeIn(In):
    """A release that is to be tried; what is null is as the command has it."""

    release: str = Field(max_length=128, description="its name")
    mode: Literal["shadow", "canary"] = Field(
        description="shadow: it makes lists that nobody sees; canary: a share of the readers get its lists"
    )
    share: float | None = Field(None, description="shadow: of the lists; canary: of the readers; null: 0.05")
    minutes: float | None = Field(None, description="of a shadow: for so long; null: 10")
    hours: float | None = Field(None, description="of a canary: at most so long; null: 24")
    margin: float | None = Field(
        None, description="of a canary: share of the click rate it may be worse by; null: 0.05"
    )
    promote: bool | None = Field(None, description="of a canary: make it live when it is good; null: true")
    force: bool | None = Field(None, description="of a canary: one that the gate refused, too; null: false")


class ChallengeOut(BaseModel):
    """The release that is tried, or was last. Its run's log: ``GET /admin/api/runs/{id}/log``."""

    release: str
    mode: Literal["shadow", "canary"]
    active: bool = Field(description="true while it waits for a worker or goes on")
    experiment: str | None = Field(
        description="of a canary's readers, once it has any: GET /admin/api/experiments/{name}"
    )
    says: str = Field(description="what is known of it so far, or what came of it, in words")
    asked: int = Field(description="lists that it was asked for on its machine")
    failed: int = Field(description="of them those that it did not answer in time; the live release did")
    dropped: int = Field(description="lists of a shadow that were not asked for, for want of time")
    overlap: float | None = Field(description="of a shadow: share of the first ten articles that are the live list's")
    own_ms: list[float] | None = Field(description="its answers, ms: median and 99th percentile")
    live_ms: list[float] | None = Field(description="the live release's answers to the same, ms")
    exposed: dict[str, int] = Field(description="of a canary: readers by arm")
    measured: dict[str, int] = Field(description="of a canary: those whose half hour is over")
    run: RunOut

    @classmethod
    def of(cls, run: Run) -> Self:
        """A run of a challenge in figures."""
        known: dict[str, Any] = {
            "asked": 0,
            "failed": 0,
            "dropped": 0,
            "overlap": None,
            "own_ms": None,
            "live_ms": None,
        }
        known |= {"experiment": None, "exposed": {}, "measured": {}}
        told = {name: run.progress.get(name, value) for name, value in known.items()}
        facts = {name: getattr(run, name) for name in RunOut.model_fields}
        says = run.error or str(run.progress.get("says", ""))
        about = {"release": run.params["release"], "mode": run.job, "active": run.state in ACTIVE, "says": says}
        return cls(**told, **about, run=RunOut(**facts))


class ChallengeRead(BaseModel):
    """The challenge that there is."""

    challenge: ChallengeOut | None = Field(description="null: none was tried lately")


@blueprint.post("/challenge")
@blueprint.input(ChallengeIn)
@blueprint.output(Queued, status_code=202)
@blueprint.doc(security="bearer")
def begin(json_data: ChallengeIn) -> Queued:
    """Try a release beside the live one: 202 with its run, 409 while another one is tried.

    A worker of a machine that has the release takes it. With the header ``Idempotency-Key`` a request that is sent
    again gives the run of the first one.
    """
    here, asked = installation(), json_data
    params = {name: value for name, value in vars(asked).items() if name != "mode" and value is not None}
    command_line(asked.mode, params)
    _check_release(here, asked)
    run = Run.asked(here.live.site, asked.mode, params, actor(), now_ms(), key=asked_key())
    run = here.store.queue_run(run, alike=CHALLENGES)
    return Queued(run_id=run.id, state=run.state)


@blueprint.get("/challenge")
@blueprint.output(ChallengeRead)
@blueprint.doc(security="bearer")
def read() -> ChallengeRead:
    """The release that is tried beside the live one, or the one that was last: its figures, and what comes of it."""
    run = _newest(installation())
    return ChallengeRead(challenge=None if run is None else ChallengeOut.of(run))


@blueprint.delete("/challenge")
@blueprint.output(ChallengeRead, status_code=202)
@blueprint.doc(security="bearer")
def end() -> ChallengeRead:
    """End it: every reader gets the live release's lists within seconds, and the release is a candidate again."""
    here = installation()
    run = _newest(here)
    if run is None or run.state not in ACTIVE:
        raise UnknownName("a release that is tried", "none", "POST /admin/api/challenge begins.")
    cancelled = here.store.cancel_run(run.id, actor(), now_ms())
    assert cancelled is not None
    return ChallengeRead(challenge=ChallengeOut.of(cancelled))


def _check_release(here: Installation, asked: ChallengeIn) -> None:
    """Refuse what cannot be tried: the live release, and one that no host has.

    Raises:
        UnknownName: there is none of that name; of releases that hosts share another one may have it.
        InputError: it is the live one.
        RefusedRelease: the gate refused it.
    """
    releases = here.releases
    if asked.release == releases.current():
        raise InputError("a release that is not live", asked.release, "GET /admin/api/releases lists them.")
    if asked.release not in releases.names():
        if not isinstance(releases, SharedReleases):
            raise UnknownName("a release", f"{asked.release!r:.80}", "GET /admin/api/releases lists them.")
        return
    if asked.mode == CANARY and not asked.force and (said := releases.state(asked.release).refusal):
        raise RefusedRelease("a release that the gate lets pass", said, "Send force to have readers decide.")


def _newest(here: Installation) -> Run | None:
    """The challenge that waits or goes on, else the last one that did."""
    site = here.live.site
    active = [run for run in here.store.active_runs(site) if run.job in CHALLENGES]
    return next((run for run in (*active, *here.store.runs(LOOKED_THROUGH, site)) if run.job in CHALLENGES), None)
