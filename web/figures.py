"""Figures of one worker that no request has: age of its release, lag behind the store, runs that wait or go on.

Looked up by a thread of its own, so that ``/metrics`` answers although the database does not.
"""

import re
import threading
from contextlib import suppress
from datetime import UTC, datetime

from prometheus_client import Gauge

from recsys.errors import StoreError
from recsys.serving.live import LiveState
from recsys.store import Store
from recsys.telemetry import REGISTRY
from recsys.units import SECOND_MS, now_ms

LOOK_SECONDS = 10.0  # between two looks; Prometheus asks every 15 s
CLOSE_SECONDS = 1.0
STATES = ("queued", "running")  # of a run that has not ended
_MADE_AT = re.compile(r"\d{8}T\d{6}Z")  # the beginning of a release's name

RELEASE_AGE = Gauge(
    "recsys_release_age_seconds", "Age of the release that is served; of several workers the oldest.",
    registry=REGISTRY, multiprocess_mode="livemax",
)  # fmt: skip
BEHIND = Gauge(
    "recsys_feed_behind_seconds", "Time since everything of the store had been taken over; the slowest worker's.",
    registry=REGISTRY, multiprocess_mode="livemax",
)  # fmt: skip
RUNS = Gauge(
    "recsys_runs", "Runs of jobs that have not ended.", ["state"],
    registry=REGISTRY, multiprocess_mode="livemostrecent",
)  # fmt: skip


class Figures:
    """The thread that looks.

    Args:
        store: of the runs.
        live: of this worker.
    """

    def __init__(self, store: Store, live: LiveState) -> None:
        self._store, self._live = store, live
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="figures", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Set all figures; those of the runs stay as they were while the database is out of reach."""
        BEHIND.set(self._live.behind_seconds)
        RELEASE_AGE.set(release_age(self._live.release, now_ms()))
        with suppress(StoreError):
            states = [run.state for run in self._store.active_runs(self._live.site)]
            for state in STATES:
                RUNS.labels(state).set(states.count(state))

    def close(self) -> None:
        """End the thread."""
        self._end.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._end.wait(LOOK_SECONDS):
            self.look()


def release_age(name: str | None, now: int) -> float:
    """Age of a release by its name, in seconds; NaN for none.

    Args:
        name: begins with the moment when it was made.
        now: int ms UTC.
    """
    made = _MADE_AT.match(name or "")
    if made is None:
        return float("nan")
    moment = datetime.strptime(made[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return now / SECOND_MS - moment.timestamp()
