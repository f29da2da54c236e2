"""Baselines: known simple methods -> a score for every candidate of every list, by the clicks strictly before it.

Each walks the log once, in time; a list is scored by the clicks of its visit so far, before the first of them by the
reader's last ones. A baseline shares no counts and no vectors with the models that it is compared with, but takes its
clicks, visits and clock from the same dataset.

Settings are the best of a few on hours 48 to 72 of G1 and differ from the papers' where those lost. An hour of that log
has 10,000 clicks, so they fade and refit quickly; on a smaller site a larger ``pace`` is fairer.

    clicks.py        clicks by visitor and visit, lists with the clicks that they are scored by, windows
    neighbours.py    bounded lists of articles clicked together, fading
    simple.py        recent popularity, chance
    rules.py         sequential rules
    item_knn.py      decayed item-kNN
    session_knn.py   V-SkNN
    held_out.py      all of them on a log's held-out lists

iALS and EASE, which are dearer and rank below these on news, stand in ``benchmarks/next_click``.
"""

from typing import Protocol

from recsys.baselines.clicks import Scores
from recsys.baselines.item_knn import ItemKnn
from recsys.baselines.rules import SequentialRules
from recsys.baselines.session_knn import SessionKnn
from recsys.baselines.simple import Chance, Popularity
from recsys.dataset.impressions import ClickHistories, Impressions
from recsys.events import Events

__all__ = [
    "Baseline",
    "Chance",
    "ItemKnn",
    "Popularity",
    "SequentialRules",
    "SessionKnn",
    "all_baselines",
]


class Baseline(Protocol):
    """A method that scores candidates by the clicks before their list."""

    @property
    def name(self) -> str:
        """Name in tables."""

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """Score every candidate of every list.

        Args:
            events: E events in time order; only clicks are looked at.
            impressions: I lists in time order, with N candidates.
            histories: of these events and lists.

        Returns:
            float32 (N,), finite; of a list's candidates the highest is the likeliest next click.
        """


def all_baselines(*, seed: int = 1, pace: float = 1.0) -> list[Baseline]:
    """Every baseline.

    Args:
        seed: of chance.
        pace: multiplies every half-life.
    """
    return [
        Chance(seed),
        Popularity(Popularity.half_life_hours * pace),
        SequentialRules(SequentialRules.half_life_hours * pace),
        ItemKnn(ItemKnn.half_life_hours * pace),
        SessionKnn(),
    ]
