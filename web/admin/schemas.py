"""Schemas of the admin API: what it accepts and answers, as pydantic models."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from recsys.releases import ReleaseState
from recsys.store import Outcome
from web.api.schemas import Exclude, Id, In, Lang, Length, OptionalId, Slot


class GateCheckOut(BaseModel):
    """One check of the gate."""

    name: str
    passed: bool | None = Field(description="false: the release was not served; null: the check could not be made")
    found: str
    wanted: str
    note: str


class ReleaseOut(BaseModel):
    """One release."""

    name: str
    current: bool
    created_at: int | None
    parent: str | None
    state: ReleaseState = Field(description="only the live one is served to everybody")
    since: int = Field(description="ms UTC, when it went there; 0: not known")
    by: str = Field(description="who moved it there")
    reason: str = Field(description="why; of a candidate, what the gate said")
    taken_back: bool = Field(description="it was live and an older one took its place: no night publishes it")
    refused: bool = Field(description="the gate refused it: only a forced move makes it live")
    checks: list[GateCheckOut] = Field(description="the gate's last verdict on it; empty where it was not asked")


class ReleaseMove(In):
    """A move of the live release."""

    reason: str = Field("", max_length=500, description="why, for the audit")


class ReleasePromotion(ReleaseMove):
    """A release that is to be live."""

    force: bool = Field(False, description="one that the gate refused, too; the audit says so")


class ReleaseRollback(ReleaseMove):
    """A way back."""

    name: str | None = Field(None, max_length=64, description="an older release; default: the one before the live one")


class ReleasesCompared(In):
    """Two releases that are compared."""

    before: str = Field(max_length=64, description="name of a release")
    after: str = Field(max_length=64, description="name of another one")


class ChangeOut(BaseModel):
    """A value of both; null where one has none."""

    before: Any
    after: Any


class MovedOut(BaseModel):
    """A word or an article with its nearest ones."""

    name: str
    kept: float = Field(description="share of its neighbours that it still has")
    before: list[str] = Field(description="nearest first")
    after: list[str]


class NeighboursOut(BaseModel):
    """Neighbourhoods of words, or of articles."""

    before: int
    after: int
    shared: int = Field(description="that stand in both")
    sampled: int = Field(description="of these, that were looked at")
    kept: float | None = Field(description="share of their neighbours that they still have, on the mean")
    most: list[MovedOut] = Field(description="those that kept fewest")


class ReleaseComparisonOut(BaseModel):
    """All that differs between two releases."""

    before: str
    after: str
    figures: dict[str, ChangeOut] = Field(description="of the click model, each on its own held-out lists")
    settings: dict[str, ChangeOut] = Field(description="those that differ")
    counts: dict[str, ChangeOut] = Field(description="of the stages, those that differ")
    words: NeighboursOut
    lists: NeighboursOut = Field(description="beside an article, by the item vectors")


class ReleasesOut(BaseModel):
    """All releases, newest first."""

    current: str | None
    releases: list[ReleaseOut]


class VerbDone(BaseModel):
    """The outcome of a verb on an article."""

    article: str
    outcome: Outcome = Field(description="as before: it was so already")


class KeptQuery(In):
    """The part of a reader's history that is asked for."""

    all: bool = Field(False, description="every click, not only the newest")


class EventsKept(BaseModel):
    """Events of one kind."""

    events: int
    first: int | None = Field(description="ms UTC, null when all are undated")
    last: int | None


class ArticleKept(BaseModel):
    """One event of a reader."""

    article: str
    title: str | None = Field(description="null for an article that is not, or no longer, there")
    time: int | None
    session: str | None


class WhereKept(BaseModel):
    """The number of a reader's events by place."""

    store: int
    log: int = Field(description="the Parquet log that training reads")
    log_parts: int


class ForgottenState(BaseModel):
    """The progress of forgetting a reader."""

    forgotten_at: int
    log_cleared_at: int | None = Field(description="null until a run has cleared the Parquet log")
    releases: list[str] = Field(description="made before, with what was learned from them among others")
    done: bool = Field(description="nothing is left of them anywhere")
    says: str = Field(description="the same for a person")


class Forgot(ForgottenState):
    """A reader who was forgotten."""

    reader: str
    events: int = Field(description="removed from the store")
    run_id: str | None = Field(description="the run that clears the log; null while another run is active, which does")


class ReaderKept(BaseModel):
    """Everything kept of a reader."""

    reader: str
    site: str
    events: dict[str, EventsKept] = Field(description="by kind")
    clicks: list[ArticleKept] = Field(description="newest first")
    dismissed: list[ArticleKept]
    where: WhereKept
    forgotten: ForgottenState | None


class AuditQuery(In):
    """The part of the audit that is asked for."""

    last: int = Field(50, ge=1, le=10_000, description="how many entries")
    below: int | None = Field(
        None, ge=1, le=2**63 - 1, description="only with a smaller number: `next` of the answer before"
    )
    since: str | None = Field(None, max_length=64, description="only from this time on: epoch number or ISO 8601")
    object: str | None = Field(None, max_length=512, description="only of this object, as the entries name it")
    actor: str | None = Field(None, max_length=512, description="only of this actor, as the entries name it")


class AuditOut(BaseModel):
    """One entry of the audit."""

    number: int
    time: int
    actor: str = Field(description="token NAME, person NAME, or command USER")
    origin: str | None = Field(description="address of the request, or machine of the command")
    verb: str
    object: str = Field(description="an article's id, a reader's SHA-256, token NAME, person NAME, job NAME, …")
    before: dict[str, Any] | None = Field(description="what was changed; null where there was nothing")
    after: dict[str, Any] | None = Field(description="as it was from then on; null where nothing was left")
    details: dict[str, Any]


class Audit(BaseModel):
    """The last entries of the audit, newest first."""

    entries: list[AuditOut]
    next: int | None = Field(description="for `below`, to ask for the entries before these; null at the end")


class TraceQuery(In):
    """The article whose way is followed, and the list, as the widget asks for it."""

    article: Id = Field(description="the article: its id or address")
    reader: OptionalId = Field(None, description="whose list; none: a newcomer's")
    session: OptionalId = Field(None, description="the session, for a reader without history")
    page: OptionalId = Field(None, description="the article that the list stands beside")
    slot: Slot | None = Field(None, description="name of the place on the page")
    k: Length = None
    lang: Lang | None = Field(None, description="language whose articles come first")
    exclude: Exclude | None = Field(None, description="articles that the page shows already")
    spoken: Literal["zh", "en"] = Field("en", description="language of the sentences")


class TraceStepOut(BaseModel):
    """One stage."""

    stage: str
    passed: bool | None = Field(description="whether the article went on; null where the stage decides nothing")
    says: str = Field(description="why, with the numbers")


class TraceOut(BaseModel):
    """The way of an article towards a reader's list."""

    article: str
    title: str | None
    release: str | None
    tier: str
    place: int | None = Field(description="in the list, from 1; null when it is not there")
    steps: list[TraceStepOut]
    table: str = Field(description="the steps as a text to read")
    items: list[str] = Field(description="ids of the list as that reader gets it now")
