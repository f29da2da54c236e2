"""The ceiling of learning: an arm that knows how simulated readers choose, and has to find out what each one likes.

It reads tastes and qualities out of its own lists by Bayes' rule, knows every article's category, and shows what is
likeliest to be opened. What an arm can know after a reader's first clicks, it knows; an oracle knows more.

Source: the posterior of the tastes by importance weights of draws from the prior (Gordon, Salmond and Smith 1993); that
of the qualities on a grid, each updated with the other's mean (Opper 1998).
"""

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.arms import Float, Quiet
from benchmarks.closed_loop.scene import Rows, Scene, Visit
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import weights
from recsys.recommend.config import RecommendConfig
from recsys.recommend.rerank import MAX_CATEGORY_SHARE, DiversifiedList, category_limits
from recsys.simulate import BASE_LOGIT, QUALITY_WEIGHT, TASTE_CONCENTRATION, TASTE_WEIGHT, attention
from recsys.store import Event, Kind

DRAWS = 2_000  # of tastes from the prior, by language
QUALITIES = np.linspace(-3.0, 3.0, 13)  # standard deviations


class IdealLearner(Quiet):
    """See the module.

    Args:
        scene: of which it knows the articles' categories and ages, and nothing of the readers but their languages.
        varied: keeps to the recommender's own limits per category.
    """

    def __init__(self, scene: Scene, *, varied: bool = False) -> None:
        super().__init__(scene)
        world = scene.world
        rng = np.random.default_rng([scene.seed, 2])
        self._chances = {code: _chances(_drawn_tastes(scene, code, rng)) for code in sorted(set(world.language))}
        self._taste = np.zeros((len(world.reader_ids), DRAWS))  # log weights
        self._quality = np.tile(-(QUALITIES**2) / 2, (len(world.articles), 1))
        self._attention = attention(scene.cards)
        self._looks: dict[tuple[str | None, int], float] = {}
        self._clicked: dict[int, list[int]] = {}
        self._varied = varied

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        world = self.scene.world
        for event in events:
            reader, row = self.scene.reader_of[str(event.reader)], self.scene.row_of[event.article]
            at = event.impression, row
            chances = self._chances[world.language[reader]][world.category[row]]
            if event.kind == Kind.IMPRESSION:
                value = world.news_value(np.array([row]), event.time or now)[0]
                look = self._looks[at] = float(self._attention[event.position or 0] * value)
                self._update(reader, row, 1.0 - look * chances)
            elif event.kind == Kind.CLICK:
                opened = self._looks[at] * chances
                self._update(reader, row, opened / (1.0 - opened))
                self._clicked.setdefault(reader, []).append(row)

    def _update(self, reader: int, row: int, likelihood: Float) -> None:
        """Multiply by the likelihood of what happened: float64 (DRAWS, QUALITIES)."""
        taste, quality = _normalised(self._taste[reader]), _normalised(self._quality[row])
        self._taste[reader] += np.log(likelihood @ quality)
        self._quality[row] += np.log(taste @ likelihood)

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        world = self.scene.world
        by_category = _normalised(self._taste[visit.reader]) @ self._chances[world.language[visit.reader]]  # (C, Q)
        quality = np.stack([_normalised(self._quality[row]) for row in candidates.tolist()])
        expected = (by_category[world.category[candidates]] * quality).sum(axis=1)
        expected *= world.news_value(candidates, visit.moment)
        ranked = candidates[np.argsort(-expected, kind="stable")]
        return self._limited(visit.reader, ranked, k) if self._varied else ranked[:k]

    def _limited(self, reader: int, ranked: Rows, k: int) -> Rows:
        category, least = self.scene.world.category, RecommendConfig().max_per_category
        clicked = category[self._clicked.get(reader, [])]
        shares = np.bincount(clicked, weights(len(clicked), ReadersConfig().half_life_clicks))
        own = category_limits(dict(enumerate(shares.tolist())), len(clicked), k, least, MAX_CATEGORY_SHARE)
        listed = DiversifiedList(k, own, least, category.astype(np.int16))
        listed.offer(ranked.astype(np.int32))
        return np.array(listed.filled(), np.int64)


def _drawn_tastes(scene: Scene, language: str, rng: np.random.Generator) -> Float:
    """Tastes of readers of a language, as their prior has them: float64 (DRAWS, C)."""
    known = np.unique(scene.world.category[scene.spoken[language]])
    tastes = np.zeros((DRAWS, len(scene.world.categories)))
    tastes[:, known] = rng.dirichlet(np.full(len(known), TASTE_CONCENTRATION), DRAWS)
    return tastes


def _chances(tastes: Float) -> Float:
    """Chances of a click on a new article by category, draw and quality: float64 (C, DRAWS, QUALITIES)."""
    logit = BASE_LOGIT + TASTE_WEIGHT * tastes.T[:, :, None] + QUALITY_WEIGHT * QUALITIES
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def _normalised(logs: Float) -> npt.NDArray[np.float64]:
    raised = np.exp(logs - logs.max())
    return np.asarray(raised / raised.sum())
