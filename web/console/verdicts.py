"""Verdicts on an experiment: its report -> sentences, one for each arm, the first of them on its click rate.

Reads the report as the API tells it; produces a word of the console and its facts for each sentence.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from recsys.experiments.effects import FEWEST_READERS
from recsys.experiments.report import MEASURES

PRIMARY = MEASURES[0]  # the measure that an arm is judged by
RATES = frozenset({"click_rate"})  # measures that are shares


class Verdict(NamedTuple):
    """A sentence: its word, whether it is good news (None: neither), and what it tells."""

    word: str
    good: bool | None
    facts: dict[str, Any]


def verdicts(report: Mapping[str, Any], window_days: int) -> Iterator[Verdict]:
    """The sentences on a report.

    Args:
        report: of the API.
        window_days: over which a reader's outcome is taken.
    """
    if report["broken"]:
        yield Verdict("verdict_broken", False, {"why": report["broken"]})
        return
    for effect in report["effects"]:
        if effect["measure"] == PRIMARY:
            yield _of_primary(effect, report["measured"], window_days)
        if effect["breach"]:
            yield Verdict("verdict_breach", False, {"arm": effect["arm"], "measure": effect["measure"]})


def _of_primary(effect: Mapping[str, Any], measured: Mapping[str, int], window_days: int) -> Verdict:
    low, high = effect["effect"]["low"], effect["effect"]["high"]
    if low is None or high is None:
        least = min(measured.values(), default=0)
        facts = {"arm": effect["arm"], "days": window_days, "readers": least, "needed": FEWEST_READERS}
        return Verdict("verdict_early", None, facts)
    facts = {"arm": effect["arm"], "low": points(low), "high": points(high), "mean": points(effect["effect"]["mean"])}
    if low > 0 or high < 0:
        return Verdict("verdict_better" if low > 0 else "verdict_worse", low > 0, facts)
    return Verdict("verdict_open", None, facts)


def points(rate: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * rate:+.2f}"


def shown(measure: str, value: float | None) -> str:
    """A value of a measure as it is read; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.2%}" if measure in RATES else f"{value:,.3g}"
