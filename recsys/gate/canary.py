"""Canary: what readers of a release did beside those of the live one -> go on, take it back, or let it be live.

The rule may be asked at every look: its interval is a confidence sequence, so that a release that is as good as the
live one is taken back with probability alpha at most, however often one looks. It is taken back as soon as its readers
are shown to click less, or it fails or is slow; it is good as soon as more than the margin is excluded.

Source: see ``recsys.experiments.sequential``; Piaggio et al. 2012 (non-inferiority).
"""

import enum
import math
from typing import NamedTuple

import numpy as np

from recsys.experiments.report import ExperimentReport, MeasureEffect
from recsys.serving.challenger import ChallengerFigures

CANARY_MEASURE = "click_rate"
CANARY_MARGIN = 0.05  # share of the live click rate that a release may at most be worse by
_MOST_FAILED = 0.01  # share of the lists that a canary may leave to the live release
_LEAST_ASKED = 100  # lists below which no share of failures, and no time, says a thing
_SLOWEST_MS = 150.0  # for 99 of 100 answers: a reader's worker asks for at most 250 ms


class CanaryMove(enum.StrEnum):
    """A step of a canary."""

    GO_ON = "go on"
    TAKE_BACK = "take back"
    GOOD = "good"


class CanaryVerdict(NamedTuple):
    """A step, and the reason for it in words."""

    move: CanaryMove
    reason: str


def canary_verdict(
    report: ExperimentReport, figures: ChallengerFigures, margin: float = CANARY_MARGIN
) -> CanaryVerdict:
    """The step that is due now.

    Args:
        report: of the canary's readers and the others.
        figures: of its answers.
        margin: share of the live click rate that it may be worse by.
    """
    if figures.asked >= _LEAST_ASKED:
        failed = figures.failed / figures.asked
        if failed > _MOST_FAILED:
            return CanaryVerdict(CanaryMove.TAKE_BACK, f"{failed:.1%} of its {figures.asked} answers failed")
        slowest = float(np.percentile(figures.ms, 99)) if figures.ms else 0.0
        if slowest > _SLOWEST_MS:
            return CanaryVerdict(CanaryMove.TAKE_BACK, f"99 of 100 answers took up to {slowest:.0f} ms")
    if report.broken:
        return CanaryVerdict(CanaryMove.TAKE_BACK, report.broken)
    found = next((effect for effect in report.effects if effect.measure == CANARY_MEASURE), None)
    if found is None or not math.isfinite(found.effect.mean):
        return CanaryVerdict(CanaryMove.GO_ON, "no visit of its readers is over yet")
    return _by_clicks(found, margin)


def _by_clicks(found: MeasureEffect, margin: float) -> CanaryVerdict:
    low, high = found.effect.low, found.effect.high
    if not found.control > 0:
        return CanaryVerdict(CanaryMove.GO_ON, "nobody has clicked yet")
    said = f"clicks per card: {found.treatment:.4f} for {found.control:.4f}"
    if math.isinf(low):
        return CanaryVerdict(CanaryMove.GO_ON, f"{said}; too few readers yet")
    said += f", {low / found.control:+.1%} to {high / found.control:+.1%} of the live rate"
    if high < 0:
        return CanaryVerdict(CanaryMove.TAKE_BACK, f"its readers click less: {said}")
    if low > -margin * found.control:
        return CanaryVerdict(CanaryMove.GOOD, f"not worse by more than {margin:.0%}: {said}")
    return CanaryVerdict(CanaryMove.GO_ON, said)
