"""Telemetry: counters and timers of one process, shown for all workers together.

Produces the text of ``/metrics``. A worker of ``python -m web`` writes its figures into small mapped files of the
folder that ``PROMETHEUS_MULTIPROC_DIR`` names, one set per place among the workers and not per process: one that takes
a dead worker's place goes on counting where that one ended, so that no counter runs backwards and no file is left
behind. A worker and its successor live for a while side by side, so that they take turns in two places. Any other
process keeps its figures to itself.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PLACE_VARIABLE = "WORKER_PLACE"  # number under which a worker counts, which no other process has at that time


class WorkerPlace:
    """The place under which this process counts: read once in each process, since every count asks for it.

    A worker knows it from its first line on, see ``web.process.forking``.
    """

    def __init__(self) -> None:
        self._process, self._place = 0, 0

    def __call__(self) -> int:
        """The place; a process without one has its own id."""
        process = os.getpid()
        if process != self._process:
            self._place, self._process = int(os.environ.get(PLACE_VARIABLE, process)), process
        return self._place


if FOLDER_VARIABLE in os.environ:  # before the first metric is made: afterwards it has no effect
    values.ValueClass = values.MultiProcessValue(WorkerPlace())  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()


class Stage(StrEnum):
    """A stage of one recommended list, in order."""

    CANDIDATES = "candidates"
    FEATURES = "features"
    SCORE = "score"
    RERANK = "rerank"
    REASONS = "reasons"
    JSON = "json"


STAGE_SECONDS = Histogram(
    "recsys_stage_seconds",
    "Wall time of the stages of a recommended list.",
    ["stage"],
    registry=REGISTRY,
    buckets=(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1),
)
_TIMERS = {stage: STAGE_SECONDS.labels(stage.value) for stage in Stage}


TIERS = Counter("recsys_lists", "Recommended lists, by what they were made from.", ["tier"], registry=REGISTRY)


class StageClock:
    """Lap timer of one list; a stage that comes again, for a further language, adds to its time.

    Attributes:
        seconds: the clock, in seconds from any start.
    """

    __slots__ = ("_began", "_spent")
    seconds: Callable[[], float] = staticmethod(perf_counter)

    def __init__(self) -> None:
        self._spent: dict[Stage, float] = {}
        self._began = self.seconds()

    def lap(self, stage: Stage) -> None:
        """Add the time since the last lap, or since the start, to a stage."""
        now = self.seconds()
        self._spent[stage] = self._spent.get(stage, 0.0) + now - self._began
        self._began = now

    def record(self) -> None:
        """Show the list at ``/metrics``: one observation of each stage that it came through."""
        for stage, seconds in self._spent.items():
            _TIMERS[stage].observe(seconds)


def exposition() -> bytes:
    """Figures of all workers in Prometheus's text format."""
    registry, folder = REGISTRY, os.environ.get(FOLDER_VARIABLE)
    if folder:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return bytes(generate_latest(registry))
