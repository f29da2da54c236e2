"""Looks at an experiment over time: its report as it stood on some days, for a picture of intervals that narrow.

Reads exposures and events as they are now; produces reports of earlier moments. Each costs a report.
"""

from typing import NamedTuple

from recsys.experiments.report import ExperimentReport, report_of
from recsys.recommend.config import RecommendConfig
from recsys.store import Store, StoredExperiment
from recsys.units import DAY_MS

MAX_LOOKS = 8


class Look(NamedTuple):
    """A report as it stood.

    Attributes:
        at: int ms UTC.
        report: of the readers whose window was over by then.
    """

    at: int
    report: ExperimentReport


def looks_of(
    store: Store, experiment: StoredExperiment, base: RecommendConfig, now: int, odd: frozenset[str] = frozenset()
) -> list[Look]:
    """Reports from the first one that can hold a figure to the last one, at most one a day, the oldest first.

    Args:
        store: exposures and events.
        experiment: of it.
        base: the site's own section, which the arms change.
        now: ms.
        odd: readers who are no people.

    Returns:
        At most ``MAX_LOOKS``, none before the first window was over.
    """
    first = experiment.started_at + experiment.window_days * DAY_MS
    last = now if experiment.stopped_at is None else min(now, experiment.stopped_at)
    return [Look(at, report_of(store, experiment, base, at, odd)) for at in look_times(first, last)]


def look_times(first: int, last: int) -> list[int]:
    """Moments from the first to the last, evenly apart, no two within a day: int ms UTC.

    Args:
        first: when a window was over first.
        last: now, or the end.
    """
    if last < first:
        return []
    steps = min(MAX_LOOKS - 1, max(1, (last - first) // DAY_MS))
    return sorted({first + (last - first) * step // steps for step in range(steps + 1)})
