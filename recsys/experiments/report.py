"""Report of an experiment: what readers of each arm did, beside the control, and whether anything can be said at all.

Reads the outcomes of readers whose window is over, some at once; produces differences by ``effects`` for each measure.
Where the exposure is broken (readers lost in one arm more than in another, a reader served by another arm than their
own, an arm that cannot be served) the report says so and holds no figure: each would be wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from recsys.errors import InputError
from recsys.experiments.arms import arm_sections
from recsys.experiments.assignment import arm_of
from recsys.experiments.effects import SUSPICIOUS_RATIO, difference, sample_ratio, variance_kept
from recsys.experiments.moments import ArmMoments, Values
from recsys.experiments.sequential import SequentialInterval
from recsys.experiments.texts import EXPOSURE
from recsys.recommend.config import RecommendConfig
from recsys.store import LEFT_OUT, ReaderOutcome, Store, StoredExperiment
from recsys.units import DAY_MS

MEASURES = ("click_rate", "clicks", "dwell_seconds", "categories", "days", "hides")  # of a reader, in the window
GUARDED = {"click_rate": -1, "days": -1, "hides": 1}  # the direction that no experiment is worth
_SUMS = len(ReaderOutcome._fields) // 2 - 1  # fields of one window


class MeasureEffect(NamedTuple):
    """A measure of an arm beside the control.

    Attributes:
        measure: one of ``MEASURES``.
        arm: its name.
        control: mean of the control's readers; treatment: of the arm's.
        effect: the difference with its confidence sequence.
        variance_kept: share of the variance that the readers' own past did not foretell.
        breach: True where it is shown that a guarded measure went the wrong way.
    """

    measure: str
    arm: str
    control: float
    treatment: float
    effect: SequentialInterval
    variance_kept: float
    breach: bool


class ExperimentReport(NamedTuple):
    """All that can be said of an experiment now.

    Attributes:
        exposed: readers with a list, by arm.
        measured: those whose window is over, by arm.
        sample_ratio: probability of so uneven arms by chance.
        broken: the reason for which no figure says a thing; empty where the exposure is whole.
        effects: by measure and arm.
        shown: different articles that the readers of an arm were shown, by arm.
        left_out: readers who count in no arm, because more than one release served them.
    """

    exposed: dict[str, int]
    measured: dict[str, int]
    sample_ratio: float
    broken: str
    effects: list[MeasureEffect]
    shown: dict[str, int]
    left_out: int = 0

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON-ready values; what is not known is null."""
        effects = []
        for one in self.effects:
            ends = {name: _known(value) for name, value in one.effect._asdict().items()}
            means = {"control": _known(one.control), "treatment": _known(one.treatment)}
            effects.append({**one._asdict(), **means, "effect": ends})
        return {**self._asdict(), "effects": effects}


def report_of(
    store: Store, experiment: StoredExperiment, base: RecommendConfig, now: int, odd: frozenset[str] = frozenset()
) -> ExperimentReport:
    """Report an experiment of the store as it stands now.

    A reader counts once their window is over; of one that was stopped, if it was over by then.

    Args:
        store: exposures and events.
        experiment: of it.
        base: the site's own section, which the arms change.
        now: ms.
        odd: readers who are no people.
    """
    problem = ""
    try:
        arm_sections(experiment, base)
    except InputError as error:
        problem = EXPOSURE("unserved", error=error)
    end = now if experiment.stopped_at is None else min(now, experiment.stopped_at)
    until = end - experiment.window_days * DAY_MS
    about = (experiment.site, experiment.name)
    outcomes = store.outcomes(*about, experiment.window_days * DAY_MS, until)
    shown = store.shown_articles(*about, experiment.window_days)
    return experiment_report(experiment, store.exposed_readers(*about), shown, outcomes, problem, odd)


def experiment_report(
    experiment: StoredExperiment,
    exposed: Mapping[int, int],
    shown: Mapping[int, int],
    outcomes: Iterable[Sequence[ReaderOutcome]],
    problem: str = "",
    odd: frozenset[str] = frozenset(),
) -> ExperimentReport:
    """Report.

    Args:
        experiment: the experiment.
        exposed: number of an arm -> readers.
        shown: number of an arm -> different articles that they were shown.
        outcomes: of the readers whose window is over.
        problem: the reason for which its arms cannot be served; empty where they can.
        odd: readers who are no people, left out.

    Returns:
        See ``ExperimentReport``.
    """
    names, shares = [arm.name for arm in experiment.arms], [arm.share for arm in experiment.arms]
    moments = {(measure, arm): ArmMoments() for measure in MEASURES for arm in range(len(names))}
    known = {LEFT_OUT, *range(len(names))}
    strays, measured = sum(n for arm, n in exposed.items() if arm not in known), [0] * len(names)
    for rows in outcomes:
        own = [row for row in rows if row.arm == arm_of(experiment.salt, row.reader, shares)]
        strays += len(rows) - len(own)
        own = [row for row in own if row.reader not in odd]
        for arm in range(len(names)):
            some = np.array([row[2:] for row in own if row.arm == arm], np.float64).reshape(-1, 2 * _SUMS)
            measured[arm] += len(some)
            after, before = (_measures(part) for part in (some[:, :_SUMS], some[:, _SUMS:]))
            for measure in MEASURES:
                key = measure, arm
                moments[key] = moments[key].plus(ArmMoments.of(after[measure], before[measure]))
    ratio = sample_ratio([exposed.get(arm, 0) for arm in range(len(names))], shares)
    broken = problem or _broken(ratio, strays)
    return ExperimentReport(
        {name: exposed.get(arm, 0) for arm, name in enumerate(names)},
        dict(zip(names, measured, strict=True)),
        ratio,
        broken,
        []
        if broken
        else [_effect(moments, measure, arm, names) for measure in MEASURES for arm in range(1, len(names))],
        {name: shown.get(arm, 0) for arm, name in enumerate(names)},
        exposed.get(LEFT_OUT, 0),
    )


def _measures(sums: Values) -> dict[str, Values]:
    """The measures of n readers: float64 (n, ``_SUMS``) sums -> float64 (n,) each."""
    clicks, impressions, hides, dwell_ms, days, categories = sums.T
    rate = np.minimum(clicks / np.maximum(impressions, 1), 1.0)
    values = (rate, clicks, dwell_ms / 1000, categories, days, hides)
    return dict(zip(MEASURES, map(np.ascontiguousarray, values), strict=True))


def _effect(
    moments: Mapping[tuple[str, int], ArmMoments], measure: str, arm: int, names: Sequence[str]
) -> MeasureEffect:
    treatment, control = moments[measure, arm], moments[measure, 0]
    found = difference(treatment, control)
    wrong = GUARDED.get(measure, 0)
    breach = (wrong > 0 and found.low > 0) or (wrong < 0 and found.high < 0)
    kept = variance_kept(treatment, control)
    return MeasureEffect(measure, names[arm], control.mean, treatment.mean, found, kept, breach)


def _broken(ratio: float, strays: int) -> str:
    if strays:
        return EXPOSURE("strays", n=strays)
    if ratio < SUSPICIOUS_RATIO:
        return EXPOSURE("ratio", p=ratio)
    return ""


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
