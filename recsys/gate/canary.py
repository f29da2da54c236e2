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
from recsys.gate.texts import TRIAL
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
            return CanaryVerdict(CanaryMove.TAKE_BACK, TRIAL("failed_answers", share=failed, asked=figures.asked))
        slowest = float(np.percentile(figures.ms, 99)) if figures.ms else 0.0
        if slowest > _SLOWEST_MS:
            return CanaryVerdict(CanaryMove.TAKE_BACK, TRIAL("slow_answers", ms=slowest))
    if report.broken:
        return CanaryVerdict(CanaryMove.TAKE_BACK, report.broken)
    found = next((effect for effect in report.effects if effect.measure == CANARY_MEASURE), None)
    if found is None or not math.isfinite(found.effect.mean):
        return CanaryVerdict(CanaryMove.GO_ON, TRIAL("no_visit"))
    return _by_clicks(found, margin)


def _by_clicks(found: MeasureEffect, margin: float) -> CanaryVerdict:
    low, high = found.effect.low, found.effect.high
    if not found.control > 0:
        return CanaryVerdict(CanaryMove.GO_ON, TRIAL("no_clicks"))
    rates = TRIAL("rates", mine=found.treatment, live=found.control)
    if math.isinf(low):
        return CanaryVerdict(CanaryMove.GO_ON, TRIAL("few_readers", rates=rates))
    said = TRIAL("interval", rates=rates, low=low / found.control, high=high / found.control)
    if high < 0:
        return CanaryVerdict(CanaryMove.TAKE_BACK, TRIAL("click_less", said=said))
    if low > -margin * found.control:
        return CanaryVerdict(CanaryMove.GOOD, TRIAL("good", margin=margin, said=said))
    return CanaryVerdict(CanaryMove.GO_ON, said)
