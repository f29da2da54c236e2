"""A verdict of the gate: every check with what was found and what was expected, as a table and as JSON."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from recsys.gate.texts import GATE
from recsys.languages.phrases import JOINED

MARKS = {True: "yes", False: "NO", None: "-"}


class GateCheck(NamedTuple):
    """One check.

    Attributes:
        name: of it, in a few words.
        passed: False: the candidate is not served; None: the check could not be made, and ``found`` says why.
        found: a figure or a phrase.
        wanted: what it should have been.
        note: what else is to be said.
    """

    name: str
    passed: bool | None
    found: str
    wanted: str
    note: str = ""


class GateVerdict(NamedTuple):
    """The checks of one candidate.

    Attributes:
        release: the candidate.
        live: the release beside it; None for the first one.
        checks: in the order in which they were made.
        figures: numbers by name.
    """

    release: str
    live: str | None
    checks: Sequence[GateCheck]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        """True where nothing speaks against it."""
        return all(check.passed is not False for check in self.checks)

    def with_checks(self, *checks: GateCheck) -> "GateVerdict":
        """The same with more checks."""
        return self._replace(checks=[*self.checks, *checks])

    @property
    def reason(self) -> str:
        """The checks that failed, in one sentence; of a candidate that passed, how many, and which were not made."""
        checks = self.checks
        failed = [
            GATE("failed_check", name=one.name, found=one.found, wanted=one.wanted)
            for one in checks
            if one.passed is False
        ]
        if failed:
            return GATE("refused", checks=JOINED.join(failed))
        unmade = [GATE("unmade_check", name=check.name, found=check.found) for check in checks if check.passed is None]
        n = len(checks) - len(unmade)
        return GATE("passed_some", n=n, checks=JOINED.join(unmade)) if unmade else GATE("passed", n=n)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON-ready values; a figure that is not known is null."""
        return {
            "release": self.release,
            "live": self.live,
            "passed": self.passed,
            "reason": self.reason,
            "checks": [check._asdict() for check in self.checks],
            "figures": _without_nan(self.figures),
        }

    def as_table(self) -> pd.DataFrame:
        """A row per check."""
        rows = [(MARKS[check.passed], check.found, check.wanted, check.note) for check in self.checks]
        index = [check.name for check in self.checks]
        return pd.DataFrame(rows, index=index, columns=["passed", "found", "wanted", ""])


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
