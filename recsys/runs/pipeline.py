"""The stages of training as they stand: what each was made from, when, and why it is out of date.

Reads the records of the workspace and the numbers of the store; makes nothing. Other settings or another version make
a stage anew as well; only the run that compares fingerprints knows that.
"""

import enum
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from recsys.errors import MissingArtefact
from recsys.runs.stages import STAGES
from recsys.store import Store
from recsys.workspace import StageRecord, Workspace, read_json
from recsys.workspace.disk import STAGE_FILE

FIRST = "events"  # the stage that reads the store
LOG_FILE = "log.json"  # of it: how far it has read
_OWN_FIGURES = ("seconds", "peak_mib")  # facts that are no counts


class StaleKind(enum.StrEnum):
    """Kind of a reason for which a stage is out of date."""

    NOT_MADE = "not-made"
    INPUT_NEWER = "input-newer"  # a stage that it was made from has been made again since
    INPUT_STALE = "input-stale"  # a stage that it was made from is out of date itself
    STORE_NEWER = "store-newer"  # events or articles have come since


class StaleReason(NamedTuple):
    """A reason for which a stage is out of date.

    Attributes:
        kind: of the reason.
        stage: of an input, its name; empty otherwise.
        events: of the store, how many came since.
        articles: of the store, how many came or changed since.
    """

    kind: StaleKind
    stage: str = ""
    events: int = 0
    articles: int = 0


class StageState(NamedTuple):
    """One stage as it stands.

    Attributes:
        name: of the stage.
        about: what it does.
        inputs: the stages that it was made from; none before it was made.
        made_at: int ms UTC; None before it was made.
        seconds: that it took; None where nobody knows.
        peak_mib: memory that it took, in MiB.
        size: of its files, in bytes.
        counts: what it counted, by name.
        stale: the reasons for which it is out of date; none: it is up to date.
    """

    name: str
    about: str
    inputs: tuple[str, ...] = ()
    made_at: int | None = None
    seconds: float | None = None
    peak_mib: int | None = None
    size: int = 0
    counts: Mapping[str, Any] = {}
    stale: tuple[StaleReason, ...] = ()


def pipeline(workspace: Workspace, store: Store, site: str) -> list[StageState]:
    """All stages in their order.

    Args:
        workspace: whose records are read.
        store: the numbers of its last event and change are compared with those that were read.
        site: the site.
    """
    records = {name: _record(workspace, name) for name in STAGES}
    stale: dict[str, tuple[StaleReason, ...]] = {}
    states = []
    for name, entry in STAGES.items():
        record = records[name]
        reasons = [] if record is None else list(_inputs(record, records, stale))
        if record is None:
            reasons = [StaleReason(StaleKind.NOT_MADE)]
        elif name == FIRST and (since := _since(workspace, store, site)) is not None:
            reasons.append(since)
        stale[name] = tuple(reasons)
        states.append(_state(workspace, name, entry.about, record, stale[name]))
    return states


def _record(workspace: Workspace, name: str) -> StageRecord | None:
    try:
        return workspace.finished(name)
    except OSError:  # it is being replaced at this moment
        return None


def _inputs(
    record: StageRecord, records: Mapping[str, StageRecord | None], stale: Mapping[str, tuple[StaleReason, ...]]
) -> Iterator[StaleReason]:
    """The inputs that are others by now, then those that are out of date themselves."""
    for name, digest in record.inputs.items():
        made = records.get(name)
        if made is None or made.digest != digest:
            yield StaleReason(StaleKind.INPUT_NEWER, name)
    for name in record.inputs:
        if stale.get(name) and records.get(name) is not None:
            yield StaleReason(StaleKind.INPUT_STALE, name)


def _since(workspace: Workspace, store: Store, site: str) -> StaleReason | None:
    """Events and articles that came after the last time the log was written."""
    try:
        read = read_json(workspace.path(FIRST) / LOG_FILE)
    except (MissingArtefact, OSError):
        return None
    events = max(0, store.last_seq(site) - int(read["through"]))
    articles = store.count_changed(site, int(read["change"]))
    return StaleReason(StaleKind.STORE_NEWER, events=events, articles=articles) if events or articles else None


def _state(
    workspace: Workspace, name: str, about: str, record: StageRecord | None, stale: tuple[StaleReason, ...]
) -> StageState:
    if record is None:
        return StageState(name, about, stale=stale)
    try:
        made_at = int((workspace.root / name / STAGE_FILE).stat().st_mtime * 1000)
    except OSError:
        made_at = None
    facts = record.facts
    return StageState(
        name,
        about,
        inputs=tuple(record.inputs),
        made_at=made_at,
        seconds=facts.get("seconds"),
        peak_mib=facts.get("peak_mib"),
        size=sum(int(file["bytes"]) for file in record.files.values()),
        counts={fact: value for fact, value in facts.items() if fact not in _OWN_FIGURES},
        stale=stale,
    )
