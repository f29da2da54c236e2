"""Every classifier by name, as it is read back; ``learning.py`` has how each is learned, which serving needs not."""

from pathlib import Path
from typing import Protocol

from recsys.categories import Classifier, nearest, neural, sums, topics
from recsys.categories.ensemble import Ensemble
from recsys.workspace import read_json


class Load(Protocol):
    """What reads a classifier back."""

    def __call__(self, folder: Path) -> Classifier:
        """Read what the classifier's ``save`` wrote."""


def load_ensemble(folder: Path) -> Ensemble:
    """Read what ``Ensemble.save`` wrote."""
    facts = read_json(folder / "ensemble.json")
    members = [LOADS[name](folder / name) for name in facts["names"]]
    return Ensemble(facts["names"], members, facts["temperatures"], facts["powers"])


LOADS: dict[str, Load] = {
    "nearest-mean": nearest.load,
    "linear": sums.load,
    "bag": sums.load,
    **dict.fromkeys(neural.NETWORKS, neural.load),
    "ensemble": load_ensemble,
    "topics": topics.load,
}
