"""The experiment that runs, as one worker serves it: a reader's arm, and the exposures that are written down.

Reads the store once a poll; produces for each reader the recommender that their arm answers by: the same tables under
another section of settings. An exposure is the server's own: it is kept with the first list of a reader and written by
the next poll, whether or not a page reports anything. An arm that cannot be served, as after an upgrade that took its
setting away, ends the experiment in this worker: everybody is served as the site is, nothing is written, and the report
says so.

An arm that is a release is served by a process of one machine. There readers are exposed; a list that another machine
makes for one of them meanwhile is the live release's, whichever their arm, and whoever got one within the visit that
counts is left out of both arms.
"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import structlog

from recsys.errors import InputError
from recsys.experiments.arms import VISIT_MS, arm_sections
from recsys.experiments.assignment import arm_of
from recsys.recommend.answer import Recommender
from recsys.recommend.config import RecommendConfig
from recsys.store import Exposure, Store, StoredExperiment
from recsys.units import now_ms

REMEMBERED_EXPOSURES = 50_000  # readers whose exposure this worker has written; more are forgotten, and written in vain
ELSEWHERE_MS = 5_000  # between two looks at whether readers of lists of this machine were exposed on another one
AWAITED_MS = 30_000  # for which an exposure of another machine may be on its way
WAITING_EXPOSURES = 50_000  # exposures that wait for a database; of those beyond, a later list brings the reader again

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class ServedExperiment(NamedTuple):
    """The experiment that runs, with a section of settings for each arm."""

    experiment: StoredExperiment
    shares: tuple[float, ...]
    sections: tuple[RecommendConfig, ...]


class LiveExperiments:
    """Arms and exposures of one worker. Safe for threads: answers read one reference, and add to one dictionary.

    Args:
        store: the experiments.
        site: whose.
        base: the site's own section.
        clock: ms UTC.
    """

    def __init__(self, store: Store, site: str, base: RecommendConfig, clock: Callable[[], int] = now_ms) -> None:
        self._store, self._site, self._base, self._clock = store, site, base, clock
        self._served: ServedExperiment | None = None
        self._refused = ""
        self._waiting: dict[str, Exposure] = {}
        self._written: set[str] = set()
        self._elsewhere: dict[str, int] = {}  # reader -> time of the last list that this machine made for them, ms
        self._looked_at = 0
        self.beside: str | None = None  # the release that a process of this machine serves beside the live one

    def recommender_for(self, reader: str | None, recommender: Recommender, now: int) -> Recommender:
        """The recommender of a reader's arm; the site's own for whoever takes no part. Notes a first list.

        Args:
            reader: who may be known and has switched nothing off; None for a stranger, who takes no part.
            recommender: the site's own.
            now: ms.
        """
        served = self._served
        if served is None or reader is None:
            return recommender
        arm = arm_of(served.experiment.salt, reader, served.shares)
        if arm < 0:
            return recommender
        self._expose(reader, arm, now)
        if not served.experiment.arms[arm].settings or served.experiment.arms[arm].release is not None:
            return recommender
        other = copy.copy(recommender)  # the same tables, counts and model
        other.config = served.sections[arm]
        return other

    @property
    def _tried(self) -> str | None:
        """The release that an arm of the experiment that runs is served by."""
        served = self._served
        return None if served is None else next((arm.release for arm in served.experiment.arms if arm.release), None)

    @property
    def has_releases(self) -> bool:
        """True while an arm of the experiment that runs is a release."""
        return self._tried is not None

    def release_of(self, reader: str) -> str | None:
        """The release that a reader's arm is to be served by; None for the live one."""
        served = self._served
        if served is None:
            return None
        arm = arm_of(served.experiment.salt, reader, served.shares)
        return served.experiment.arms[arm].release if arm >= 0 else None

    def expose(self, reader: str, now: int) -> None:
        """Note a first list of a reader that another process has made."""
        served = self._served
        if served is not None and (arm := arm_of(served.experiment.salt, reader, served.shares)) >= 0:
            self._expose(reader, arm, now)

    def _expose(self, reader: str, arm: int, now: int) -> None:
        if self.has_releases and self._tried != self.beside:
            if len(self._elsewhere) < WAITING_EXPOSURES:
                self._elsewhere[reader] = now
        elif reader not in self._written and reader not in self._waiting and len(self._waiting) < WAITING_EXPOSURES:
            self._waiting[reader] = Exposure(reader, arm, now)

    def follow(self) -> None:
        """Write what waits, and take over what runs now.

        Raises:
            StoreError: the database is out of reach; what waits goes on waiting.
        """
        if self._served is not None and self._waiting:
            rows = list(self._waiting.values())
            self._store.add_exposures(self._site, self._served.experiment.name, rows)
            if len(self._written) > REMEMBERED_EXPOSURES:
                self._written = set()
            for row in rows:
                self._written.add(row.reader)
                self._waiting.pop(row.reader, None)
        self._leave_out(self._clock())
        running = next(iter(self._store.experiments(self._site, running=True)), None)
        if running != (self._served.experiment if self._served else None):
            self._take_over(running)

    def _leave_out(self, now: int) -> None:
        """Leave readers out who were exposed on another machine and got a list of this one in the same visit."""
        if self._served is None or not self._elsewhere or abs(now - self._looked_at) < ELSEWHERE_MS:
            return
        seen = dict(self._elsewhere)
        about = (self._site, self._served.experiment.name)
        left = self._store.leave_out(*about, seen, min(seen.values()) - VISIT_MS)
        if left:
            log.info("readers of two machines left out", experiment=self._served.experiment.name, readers=left)
        self._looked_at = now
        for reader, at in seen.items():
            if now - at > AWAITED_MS and self._elsewhere.get(reader) == at:
                del self._elsewhere[reader]

    def _take_over(self, running: StoredExperiment | None) -> None:
        self._served, self._waiting, self._written, self._elsewhere = None, {}, set(), {}
        if running is None:
            self._refused = ""
            return
        try:
            sections = arm_sections(running, self._base)
        except InputError as error:
            if running.name != self._refused:
                log.error("experiment not served", experiment=running.name, error=str(error))
            self._refused = running.name
            return
        self._served = ServedExperiment(running, tuple(arm.share for arm in running.arms), sections)
        log.info("experiment served", experiment=running.name, arms=[arm.name for arm in running.arms])
