"""States of releases: candidate, shadow, canary, live, retired, and who moved each, when and why.

Reads and writes ``states.json`` beside ``CURRENT``. It is a file and no table: it stands under the lock under which a
release is made, goes wherever the folder is copied, and is there when the database is not, which is when a roll-back is
most wanted. ``CURRENT`` alone decides which release is live. A release without a record was made before there were
states, and has been live.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact
from recsys.releases.texts import MOVES
from recsys.units import now_ms
from recsys.workspace import read_json, replace_json

STATES = "states.json"


class ReleaseState(enum.StrEnum):
    """State of a release; only the live one is served to everybody."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True)
class StateRecord:
    """The last move of a release.

    Attributes:
        state: where it went.
        since: ms UTC; 0 for unknown.
        by: who moved it, as in the audit.
        reason: why, for people.
        taken_back: it was live, and an older one took its place again.
        verdict: of the gate, as JSON; empty where it was not asked.
    """

    state: ReleaseState
    since: int = 0
    by: str = ""
    reason: str = ""
    taken_back: bool = False
    verdict: dict[str, Any] = field(default_factory=dict)

    @property
    def refusal(self) -> str:
        """The reason for which the gate refused a candidate; empty where it did not, or was not asked."""
        return self.reason if self.state is ReleaseState.CANDIDATE and self.verdict.get("passed") is False else ""


BEFORE_STATES = StateRecord(ReleaseState.RETIRED)


def new_record(state: ReleaseState, by: str, reason: str, **more: Any) -> StateRecord:
    """A move that is made now."""
    return StateRecord(state, now_ms(), str(by), reason, **more)


def read_states(root: Path) -> dict[str, StateRecord]:
    """The records of a folder of releases by name; none where there is no file.

    Raises:
        CorruptArtefact: the file is none of ours.
    """
    file = root / STATES
    if not file.is_file():
        return {}
    try:
        return {
            name: StateRecord(**{**record, "state": ReleaseState(record["state"])})
            for name, record in read_json(file).items()
        }
    except (CorruptArtefact, AttributeError, KeyError, TypeError, ValueError) as error:
        remedy = "Remove it: which releases were candidates or taken back is forgotten then, the live one stays."
        raise CorruptArtefact(f"states of releases in {file}", str(error), remedy) from None


def write_states(root: Path, records: Mapping[str, StateRecord]) -> None:
    """Replace all records, atomically."""
    replace_json(root / STATES, {name: asdict(record) for name, record in records.items()})


def state_of(record: StateRecord | None, *, live: bool) -> StateRecord:
    """The record of a release as it counts: after a crash between two steps, what ``CURRENT`` says."""
    known = record or BEFORE_STATES
    if live:
        return known if known.state is ReleaseState.LIVE else StateRecord(ReleaseState.LIVE)
    if known.state is ReleaseState.LIVE:  # it was about to be, or another one was named live by hand
        return StateRecord(ReleaseState.CANDIDATE, known.since, known.by, known.reason)
    return known


def live_moves(
    name: str, old: str | None, names: Sequence[str], states: Mapping[str, StateRecord], *, by: str, reason: str
) -> dict[str, StateRecord]:
    """The moves that make a release live: the one before is retired, or taken back where it is the newer one.

    Args:
        name: of the release.
        old: that is live now; None without one.
        names: of all, oldest first.
        states: the last moves.
        by: who makes it live.
        reason: why, for people.
    """
    verdict = states[name].verdict if name in states else {}
    moves = {name: new_record(ReleaseState.LIVE, by, reason, verdict=verdict)}
    if old is not None and old != name:
        back = names.index(old) > names.index(name)
        to = ReleaseState.CANDIDATE if back else ReleaseState.RETIRED
        why = f"{'back' if back else 'outdone'}{'_because' if reason else ''}"
        moves[old] = new_record(to, by, MOVES(why, release=name, reason=reason), taken_back=back)
    return moves
