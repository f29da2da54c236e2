"""Baselines: known simple methods -> a score for every candidate of every list, by the clicks strictly before it.

Each walks the log once, in time; a list is scored by the clicks of its visit so far, before the first of them by the
reader's last ones. A baseline shares no counts and no vectors with the models that it is compared with.

Settings are the best of a few on hours 48 to 72 of G1 and differ from the papers' where those lost. An hour of that log
has 10,000 clicks, so they fade and refit quickly; on a smaller site a larger ``pace`` is fairer.

    clicks.py        the log laid out: readers, visits, windows
    neighbours.py    bounded lists of what was clicked together, fading
    simple.py        recent popularity, chance
    rules.py         sequential rules
    item_knn.py      decayed item-kNN
    session_knn.py   V-SkNN
    ials.py          iALS
    ease.py          EASE
    held_out.py      all of them on a log's held-out lists
"""

from typing import Protocol

from recsys.baselines.clicks import Scores
from recsys.baselines.ease import Ease
from recsys.baselines.ials import Ials
from recsys.baselines.item_knn import ItemKnn
from recsys.baselines.rules import SequentialRules
from recsys.baselines.session_knn import SessionKnn
from recsys.baselines.simple import Chance, Popularity
from recsys.dataset.impressions import ClickHistories, Impressions
from recsys.events import Events

__all__ = [
    "Baseline",
    "Chance",
    "Ease",
    "Ials",
    "ItemKnn",
    "Popularity",
    "SequentialRules",
    "SessionKnn",
    "all_baselines",
]


class Baseline(Protocol):
    """What every baseline can do."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        """Score every candidate of every list.

        Args:
            events: E events in time order; only clicks are looked at.
            lists: I lists in time order, with N candidates.
            histories: of these events and lists.

        Returns:
            float32 (N,), finite; of a list's candidates the highest is the likeliest next click.
        """


def all_baselines(*, seed: int = 1, pace: float = 1.0) -> list[Baseline]:
    """Every baseline.

    Args:
        seed: of chance, and of the first factors of iALS.
        pace: multiplies every half-life, every window of log and every time between two fits.
    """
    return [
        Chance(seed),
        Popularity(Popularity.half_life_hours * pace),
        SequentialRules(SequentialRules.half_life_hours * pace),
        ItemKnn(ItemKnn.half_life_hours * pace),
        SessionKnn(),
        Ials(days=Ials.days * pace, refit_hours=Ials.refit_hours * pace, seed=seed),
        Ease(days=Ease.days * pace, refit_hours=Ease.refit_hours * pace),
    ]
