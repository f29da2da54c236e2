"""The whole recommender as an arm: what a site runs, on a simulated clock, in a folder of its own.

Articles and events go into a store; every night the project's own jobs learn from it and publish a release, and the
service starts on it; articles that come through the day are encoded and indexed by the service. A list is what the
service answers, an event what it accepts.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.closed_loop.newsroom import SITE
from benchmarks.closed_loop.scene import Rows, Scene, Visit
from jobs.publish import publish
from jobs.runner import Context, open_store, run_stages
from jobs.runs import exclusive_run
from jobs.stages import stage_of
from recsys.errors import RefusedRelease
from recsys.runs.stages import STAGES
from recsys.serving.live import LiveState
from recsys.settings import Settings
from recsys.store import Event

JUDGING = ("baselines", "report")  # stages that only tell people how good a release is
SLOT = "front"  # where the simulated cards stand, see ``recsys.simulate``
BATCH = 2_000  # events accepted at once when there are many
OURS: dict[str, Any] = {
    "site": {"id": SITE, "name": "Simulated", "timezone": "UTC", "language": "en"},
    "store": {"synchronous": "normal"},  # nothing here has to outlive a power cut
    "web": {"poll_seconds": 60.0},  # the loop says when to look
}


class Site:
    """A site with the whole recommender; close it after use.

    Args:
        scene: articles and readers; of these it is told what is published and what happened, nothing else.
        folder: an empty one.
        changes: sections of the configuration that differ from the defaults.
        unsourced: the articles come without their sources, so that no limit of these holds.
    """

    def __init__(
        self, scene: Scene, folder: Path, changes: dict[str, Any] | None = None, *, unsourced: bool = False
    ) -> None:
        self.scene, self.unsourced = scene, unsourced
        self.settings = Settings(**({"data_dir": folder} | OURS | (changes or {})))
        self.now = scene.start
        self.nights: list[float] = []  # seconds of each
        self.held_back: dict[int, str] = {}  # night, from 1 -> what the gate said
        self.tiers: dict[str, int] = {}
        self._store = open_store(self.settings)
        self._live: LiveState | None = None

    def close(self) -> None:
        """Stop the service."""
        if self._live is not None:
            self._live.close()
        self._store.close()

    def publish(self, rows: list[int], now: int) -> None:
        """See ``Arm``."""
        self.now = now
        articles = [self.scene.world.articles[row] for row in rows]
        self._store.put_articles(
            [replace(article, source=None) for article in articles] if self.unsourced else articles
        )
        if self._live is not None:
            self._live.refresh()

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        self.now = now
        for first in range(0, len(events), BATCH):
            batch = events[first : first + BATCH]
            if self._live is None:
                self._store.add_events(batch)
            else:
                self._live.accept(batch)

    def night(self, now: int) -> None:
        """Learn from everything so far, publish a release, and start the service on it."""
        self.now, began = now, time.perf_counter()
        stages = [name for name in STAGES if name not in JUDGING]
        context = Context(self.settings, seed=self.scene.seed)
        run_stages(context, [stage_of(name) for name in stages])
        try:
            with exclusive_run(context, "all", None) as run:
                publish(context, stages, run)
        except RefusedRelease as refused:  # as on a site, the release before goes on serving
            self.held_back[len(self.nights) + 1] = refused.got
        if self._live is not None:
            self._live.close()
        self._live = LiveState(self.settings, self._store, context.releases, clock=lambda: self.now)
        self.nights.append(time.perf_counter() - began)

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``; the candidates are the recommender's own affair."""
        assert self._live is not None, "a night comes first"
        self.now = visit.moment
        reader, lang = self.scene.world.reader_ids[visit.reader], self.scene.world.language[visit.reader]
        answer = self._live.recommend(reader, None, article=None, k=k, lang=lang, slot=SLOT)
        tier = str(answer.recommendation.tier)
        self.tiers[tier] = self.tiers.get(tier, 0) + 1
        rows = [card.row for card in answer.recommendation.cards]
        spoken = answer.catalogue.language_code(lang)  # what fills a list in another language is not looked at
        ids = [answer.catalogue.ids[row] for row in rows if answer.catalogue.columns.language[row] == spoken]
        return np.array([self.scene.row_of[article_id] for article_id in ids], np.int64)
