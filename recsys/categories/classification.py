"""Classification of articles: one calibrated classifier per language gives an article its category and confidence.

Reads documents; produces ``articles.parquet`` with the columns of ``CATEGORIES_SCHEMA``, and reads and
writes the classifiers. All of it is as good for one live article as for a whole site; ``recsys.categories.training``
makes the classifiers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from recsys.categories import Assigned
from recsys.categories.documents import ArticleCorpus, document_batches, documents_by_language
from recsys.classifiers import EncodedDocuments, Vector
from recsys.classifiers.calibrated import CalibratedClassifier
from recsys.parallel import BatchFunction, BatchMap, BatchTask
from recsys.workspace import read_json, write_json, write_table

_BAR = 3  # categories in an article's bar, at most
_MIN_RUNNER_UP = 0.1  # confidence from which a runner-up is worth showing; the best guess always is
_OF_TOPICS = 0.8  # of ``min_confidence`` for a topic: its share is one of cosines, and no chance of being right
NO_CATEGORY = Assigned(None, float("nan"))  # no ground to say anything

CATEGORIES_SCHEMA = pa.schema(
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
_GUESSED = pa.schema([CATEGORIES_SCHEMA.field(name) for name in ("category", "confidence", "topic", "bar")])


class Label(NamedTuple):
    """Category in one language, and the number of articles that it was learned from."""

    category: str
    language: str
    articles: int


@dataclass(frozen=True, eq=False)
class CategoryModel:
    """Classifiers of all languages.

    Attributes:
        labels: sorted by language and category.
        classifiers: by language.
        space: the articles' word space.
        min_confidence: below it the best guess is not shown.
    """

    labels: list[Label]
    classifiers: dict[str, CalibratedClassifier]
    space: str
    min_confidence: float

    def assign(self, documents: EncodedDocuments, language: str) -> list[Assigned]:
        """Categories of articles in one language.

        Args:
            documents: the articles.
            language: one without a classifier gives no category to anybody.
        """
        classifier = self.classifiers.get(language)
        if classifier is None or not len(documents):
            return [NO_CATEGORY] * len(documents)
        return [self._assigned(row, classifier) for row in classifier.predict(documents)]

    def _assigned(self, shares: Vector, classifier: CalibratedClassifier) -> Assigned:
        """One article's category from the probability of each, float32 (C,)."""
        if not np.isfinite(shares).all():
            return NO_CATEGORY
        best = np.argsort(-shares, kind="stable")[:_BAR].tolist()
        bar = [(classifier.labels[row], float(shares[row])) for row in best]
        name, confidence = bar[0]
        shown = tuple(bar[:1] + [pair for pair in bar[1:] if pair[1] >= _MIN_RUNNER_UP])
        least = self.min_confidence * (_OF_TOPICS if classifier.topic else 1)
        return Assigned(name if confidence >= least else None, confidence, shown, classifier.topic)


def assigning(classifiers: Path) -> BatchTask:
    """Task that gives articles without a category one: batches of ``document_batches`` become rows of ``_GUESSED``.

    Args:
        classifiers: their folder.
    """
    return BatchTask(assign_batches, {}, {"classifiers": classifiers})


def assign_batches(_settings: Mapping[str, Any], files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``assigning``."""
    return partial(_guessed, load_categories(files["classifiers"]))


def _guessed(model: CategoryModel, batch: pa.RecordBatch) -> pa.RecordBatch:
    guesses = [NO_CATEGORY] * batch.num_rows
    for language, rows, documents in documents_by_language(batch):
        for row, guess in zip(rows.tolist(), model.assign(documents, language), strict=True):
            guesses[row] = guess
    return pa.record_batch(_assigned_columns(guesses), schema=_GUESSED)


def assign_all(model: CategoryModel, corpus: ArticleCorpus, assign: BatchMap | None = None) -> list[Assigned]:
    """Category of every article: the one that it came with, else the likeliest.

    Args:
        model: the classifiers.
        corpus: all articles.
        assign: batches -> the categories of their articles, see ``assigning``; None: by the model.
    """
    assigned = [Assigned(name, 1.0, ((name, 1.0),)) if name else NO_CATEGORY for name in corpus.given]
    without = np.flatnonzero([not name for name in corpus.given]).tolist()
    batches = document_batches(corpus)
    start = 0
    for batch in map(partial(_guessed, model), batches) if assign is None else assign(batches):
        rows = without[start : start + batch.num_rows]
        start += batch.num_rows
        columns = (batch.column(name).to_pylist() for name in _GUESSED.names)
        for row, category, confidence, topic, bar in zip(rows, *columns, strict=True):
            shares = tuple((share["category"], share["confidence"]) for share in bar)
            assigned[row] = Assigned(category, confidence, shares, topic)
    return assigned


def save_categories(model: CategoryModel, folder: Path) -> None:
    """Write the classifiers, each into a folder of its language's name."""
    classifiers = {}
    for language, classifier in model.classifiers.items():
        (folder / language).mkdir()
        classifiers[language] = classifier.save(folder / language)
    labels = [label._asdict() for label in model.labels]
    facts = {"labels": labels, "classifiers": classifiers, "space": model.space, "min_confidence": model.min_confidence}
    write_json(folder / "categories.json", facts)


def load_categories(folder: Path) -> CategoryModel:
    """Read the classifiers."""
    facts = read_json(folder / "categories.json")
    classifiers = {
        language: CalibratedClassifier.load(folder / language, classifier)
        for language, classifier in facts["classifiers"].items()
    }
    labels = [Label(**label) for label in facts["labels"]]
    return CategoryModel(labels, classifiers, facts["space"], facts["min_confidence"])


def save_assigned(ids: Sequence[str], assigned: Sequence[Assigned], given: Sequence[str | None], folder: Path) -> None:
    """Write every article's category."""
    columns = _assigned_columns(assigned) | {
        "id": ids,
        "given": [bool(name) for name in given],
        "uncertain": [row.uncertain for row in assigned],
    }
    write_table(folder / "articles.parquet", pa.table(columns, schema=CATEGORIES_SCHEMA))


def _assigned_columns(assigned: Sequence[Assigned]) -> dict[str, list[Any]]:
    """The columns of ``_GUESSED``."""
    return {
        "category": [row.category for row in assigned],
        "confidence": [row.confidence for row in assigned],
        "topic": [row.topic for row in assigned],
        "bar": [[{"category": name, "confidence": share} for name, share in row.bar] for row in assigned],
    }
