"""The order of several outcomes by itself: an oracle of clicks whose lists also follow readings and dismissals.

Reads the truth about clicks, and of outcomes what its own lists caused, by the counts of the service; produces lists.
"""

import numpy as np

from benchmarks.closed_loop.arms import Quiet
from benchmarks.closed_loop.scene import Rows, Scene, Visit
from recsys.events import KINDS
from recsys.events.visitors import Visitors
from recsys.recommend.rank import outcome_factors
from recsys.store import Event
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends


class WeighedOracle(Quiet):
    """The true chance of a click times what the live counts say of an article's outcomes: the lever alone.

    Args:
        scene: the truth.
        weights: see ``RecommendConfig.outcome_weights``.
        knows: it knows the true chance of a reading as well, and counts nothing: the ceiling.
    """

    def __init__(self, scene: Scene, weights: tuple[float, float] = (0.0, 0.0), *, knows: bool = False) -> None:
        super().__init__(scene)
        self.weights, self.knows = weights, knows
        A = len(scene.world.articles)
        self.trends, self.visitors = Trends(A, TrendsConfig(max_live_articles=1, max_neighbours=1)), Visitors(50_000)
        self.trends.describe_articles(scene.world.category.astype(np.int16), scene.world.published)

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        for event in events if any(self.weights) else ():
            row, time, reader = self.scene.row_of[event.article], event.time or now, event.reader
            kind = KINDS.index(event.kind)
            seen = self.visitors.see(kind, row, time, reader, None, dwell_ms=event.dwell_ms)
            if seen.kind is not None:
                place = -1 if event.position is None else event.position
                self.trends.observe(seen.kind, row, time, position=place, outcome=seen.outcome)

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        scores = self.scene.world.click_probability(visit.reader, candidates, visit.moment)
        if self.knows and self.scene.kept is not None:
            scores = scores * self.scene.kept.read[candidates]
        told = outcome_factors(self.trends, candidates.astype(np.int32), self.weights)
        if told is not None:
            scores = scores * told.factors
        return candidates[np.argsort(-scores, kind="stable")][:k]
