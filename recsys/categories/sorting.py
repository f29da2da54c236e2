"""Sorting articles: one calibrated classifier per language says where an article belongs, and how sure that is.

Reads documents; produces ``articles.parquet`` with the columns of ``SCHEMA``, and reads and writes the classifiers. All
of it is as good for one live article as for a catalogue; ``recsys.categories.learning`` makes the classifiers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from recsys.categories import Assigned, Classifier, Documents, Vector
from recsys.categories.calibration import shares_of
from recsys.categories.documents import Catalogue, document_batches
from recsys.categories.models import LOADS
from recsys.workspace import read_json, write_json, write_table

BAR = 3  # categories in an article's bar, at most
BAR_LEAST = 0.1  # confidence from which a runner-up is worth showing; the best guess always is
NOWHERE = Assigned(None, float("nan"))  # no ground to say anything

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "category": pa.string(),
        "confidence": pa.float32(),
        "given": pa.bool_(),
        "uncertain": pa.bool_(),
        "topic": pa.bool_(),
        "bar": pa.list_(pa.struct({"category": pa.string(), "confidence": pa.float32()})),
    }
)


class Label(NamedTuple):
    """One category in one language, and how many articles taught it."""

    category: str
    language: str
    articles: int


class Sorter(NamedTuple):
    """What sorts the articles of one language.

    Attributes:
        model: its name in ``models.LOADS``.
        classifier: what scores.
        temperature: of the softmax that turns scores into confidences.
        topic: whether its categories are topics, found without anybody having named any.
    """

    model: str
    classifier: Classifier
    temperature: float
    topic: bool


@dataclass(frozen=True, eq=False)
class Categories:
    """What sorts all articles.

    Attributes:
        labels: sorted by language and category.
        sorters: by language.
        space: the articles' word space.
        min_confidence: below it the best guess is not shown.
    """

    labels: list[Label]
    sorters: dict[str, Sorter]
    space: str
    min_confidence: float

    def assign(self, documents: Documents, language: str) -> list[Assigned]:
        """Find the category of articles in one language.

        Args:
            documents: the articles.
            language: one without a sorter gives no category to anybody.
        """
        sorter = self.sorters.get(language)
        if sorter is None or not len(documents):
            return [NOWHERE] * len(documents)
        shares = shares_of(sorter.classifier.scores(documents), sorter.temperature)
        return [self._assigned(row, sorter) for row in shares]

    def _assigned(self, shares: Vector, sorter: Sorter) -> Assigned:
        """One article's category from its share of each, float32 (C,)."""
        if not np.isfinite(shares).all():
            return NOWHERE
        best = np.argsort(-shares, kind="stable")[:BAR].tolist()
        bar = [(sorter.classifier.labels[place], float(shares[place])) for place in best]
        name, confidence = bar[0]
        shown = tuple(bar[:1] + [pair for pair in bar[1:] if pair[1] >= BAR_LEAST])
        return Assigned(name if confidence >= self.min_confidence else None, confidence, shown, sorter.topic)


def assign_all(model: Categories, catalogue: Catalogue) -> list[Assigned]:
    """Give every article its category: the one that it came with, else the likeliest."""
    result = [Assigned(name, 1.0, ((name, 1.0),)) if name else NOWHERE for name in catalogue.given]
    for language, rows, documents in document_batches(catalogue):
        places = np.flatnonzero([not catalogue.given[row] for row in rows])
        assigned = model.assign(documents.where(places), language)
        for row, one in zip(rows[places].tolist(), assigned, strict=True):
            result[row] = one
    return result


def save_categories(model: Categories, folder: Path) -> None:
    """Write the classifiers, each into a folder of its language's name."""
    for language, sorter in model.sorters.items():
        (folder / language).mkdir()
        sorter.classifier.save(folder / language)
    sorters = {
        language: {"model": sorter.model, "temperature": sorter.temperature, "topic": sorter.topic}
        for language, sorter in model.sorters.items()
    }
    labels = [label._asdict() for label in model.labels]
    facts = {"labels": labels, "sorters": sorters, "space": model.space, "min_confidence": model.min_confidence}
    write_json(folder / "categories.json", facts)


def load_categories(folder: Path) -> Categories:
    """Read the classifiers."""
    facts = read_json(folder / "categories.json")
    sorters = {
        language: Sorter(one["model"], LOADS[one["model"]](folder / language), one["temperature"], one["topic"])
        for language, one in facts["sorters"].items()
    }
    labels = [Label(**label) for label in facts["labels"]]
    return Categories(labels, sorters, facts["space"], facts["min_confidence"])


def save_assigned(ids: Sequence[str], assigned: Sequence[Assigned], given: Sequence[str | None], folder: Path) -> None:
    """Write every article's category."""
    columns = {
        "id": ids,
        "category": [row.category for row in assigned],
        "confidence": [row.confidence for row in assigned],
        "given": [bool(name) for name in given],
        "uncertain": [row.uncertain for row in assigned],
        "topic": [row.topic for row in assigned],
        "bar": [[{"category": name, "confidence": share} for name, share in row.bar] for row in assigned],
    }
    write_table(folder / "articles.parquet", pa.table(columns, schema=SCHEMA))
