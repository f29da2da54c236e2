"""Calibrated classifiers: scores and the temperature that makes probabilities of them, saved and loaded by name.

Serving needs this alone; ``fitting.py`` has how each classifier is trained. Networks are the only ones that score with
torch: their module is loaded with the first of them, so that a service without networks does without torch.
"""

import importlib
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from recsys.classifiers import Classifier, EncodedDocuments, linear_ngram_model, nearest_mean, topics
from recsys.classifiers.calibration import probabilities
from recsys.classifiers.ensemble import Ensemble
from recsys.words import Matrix
from recsys.workspace import read_json


class Load(Protocol):
    """Loader of a classifier."""

    def __call__(self, folder: Path) -> Classifier:
        """Read what the classifier's ``save`` wrote."""


def _load_ensemble(folder: Path) -> Ensemble:
    """Read what ``Ensemble.save`` wrote."""
    facts = read_json(folder / "ensemble.json")
    members = [LOADS[name](folder / name) for name in facts["names"]]
    return Ensemble(facts["names"], members, facts["temperatures"], facts["powers"])


def _load_network(folder: Path) -> Classifier:
    """Read what ``NetworkClassifier.save`` wrote."""
    load: Load = importlib.import_module("recsys.classifiers.network_classifiers").load
    return load(folder)


LOADS: dict[str, Load] = {
    "nearest-mean": nearest_mean.load,
    "linear": linear_ngram_model.load,
    "bag": linear_ngram_model.load,
    **dict.fromkeys(("text-cnn", "bilstm", "gru"), _load_network),
    "ensemble": _load_ensemble,
    "topics": topics.load,
}


class CalibratedClassifier(NamedTuple):
    """Classifier of the documents of one language, whose confidences are true.

    Attributes:
        model: its name in ``LOADS``.
        classifier: gives the scores.
        temperature: of the softmax that turns scores into probabilities.
        topic: true for topics, labels that nobody gave.
    """

    model: str
    classifier: Classifier
    temperature: float
    topic: bool

    @property
    def labels(self) -> list[str]:
        """C labels."""
        return self.classifier.labels

    def predict(self, documents: EncodedDocuments) -> Matrix:
        """Probability of each label, float32 (B, C); NaN rows where there is no ground to tell."""
        return probabilities(self.classifier.scores(documents), self.temperature)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the classifier; returns what ``load`` needs beside the folder."""
        self.classifier.save(folder)
        return {"model": self.model, "temperature": self.temperature, "topic": self.topic}

    @classmethod
    def load(cls, folder: Path, facts: dict[str, Any]) -> "CalibratedClassifier":
        """Read what ``save`` wrote and returned."""
        return cls(facts["model"], LOADS[facts["model"]](folder), facts["temperature"], facts["topic"])
