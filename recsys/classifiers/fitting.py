"""Fitting: a training set -> a classifier, and by cross-fitting the temperature that makes its confidences true."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from recsys.classifiers import (
    Classifier,
    EncodedDocuments,
    LabelRows,
    linear,
    nearest_mean_training,
    network_classifiers,
)
from recsys.classifiers.calibration import HeldOutScores, best_temperature, cross_fitted
from recsys.classifiers.config import ENSEMBLE, ClassifiersConfig
from recsys.classifiers.ensemble import Ensemble, best_powers, log_probabilities
from recsys.words import Matrix, WordVectors


class Fit(Protocol):
    """Training of one kind of classifier."""

    def __call__(
        self,
        documents: EncodedDocuments,
        label_rows: LabelRows,
        labels: list[str],
        words: WordVectors,
        config: ClassifiersConfig,
        seed: int,
    ) -> Classifier:
        """Train; see ``Classifier``."""


FITS: dict[str, Fit] = {
    "nearest-mean": nearest_mean_training.fit,
    "linear": linear.fit,
    "bag": network_classifiers.fit_bag,
    **{kind: partial(network_classifiers.fit_sequence, kind) for kind in network_classifiers.NETWORKS},
}
CROSS_FITS = FITS | {"bag": partial(network_classifiers.fit_bag, bags=1)}  # one is enough to tell the temperature


class LabelledDocuments(NamedTuple):
    """Labelled documents of one language.

    Attributes:
        documents: B of them, no two alike.
        label_rows: int64 (B,), their labels.
        labels: C labels, sorted, each with a document at least.
        articles: int64 (B,), their rows where they were chosen from.
    """

    documents: EncodedDocuments
    label_rows: LabelRows
    labels: list[str]
    articles: LabelRows

    def where(self, rows: LabelRows) -> "LabelledDocuments":
        """Some of the documents, by row, int64."""
        return LabelledDocuments(self.documents.where(rows), self.label_rows[rows], self.labels, self.articles[rows])


class FittedClassifier(NamedTuple):
    """Classifier with its temperature, the held-out scores that this was fitted to, and the set that it was trained on.

    Attributes:
        training_set: of one language.
        classifier: trained on all of it.
        temperature: of the softmax over its scores.
        held_out: scores of the same documents by classifiers that were not trained on them.
    """

    training_set: LabelledDocuments
    classifier: Classifier
    temperature: float
    held_out: HeldOutScores


def fit_classifier(
    model: str, training_set: LabelledDocuments, words: WordVectors, config: ClassifiersConfig, seed: int
) -> FittedClassifier:
    """Train one classifier, and measure by cross-fitting how sure it may be of itself.

    Args:
        model: one of ``FITS``, or "ensemble".
        training_set: of one language.
        words: the word space.
        config: of the classifiers.
        seed: of all randomness.
    """
    if model == "ensemble":
        members = [fit_classifier(member, training_set, words, config, seed) for member in ENSEMBLE]
        return fit_ensemble(ENSEMBLE, members)
    documents, label_rows, labels, _ = training_set
    fit = partial(FITS[model], labels=labels, words=words, config=config, seed=seed)
    cross_fit = partial(CROSS_FITS[model], labels=labels, words=words, config=config, seed=seed)
    held_out = cross_fitted(cross_fit, documents, label_rows, len(labels), np.random.default_rng(seed))
    temperature = best_temperature(held_out.scores, label_rows[held_out.rows])
    return FittedClassifier(training_set, fit(documents, label_rows), temperature, held_out)


def fit_ensemble(names: Sequence[str], members: Sequence[FittedClassifier]) -> FittedClassifier:
    """Pool classifiers that were trained on one set, each to the power that its held-out scores earned."""
    training_set = members[0].training_set
    rows = np.array(sorted(set.intersection(*(set(member.held_out.rows.tolist()) for member in members))), np.int64)
    opinions: list[Matrix] = []
    for member in members:
        order = np.argsort(member.held_out.rows)
        scored = order[np.searchsorted(member.held_out.rows, rows, sorter=order)]
        opinions.append(log_probabilities(member.held_out.scores[scored], member.temperature))
    powers = best_powers(opinions, training_set.label_rows[rows])
    classifiers, temperatures = [member.classifier for member in members], [member.temperature for member in members]
    ensemble = Ensemble(list(names), classifiers, temperatures, powers.tolist())
    held_out = HeldOutScores(rows, np.tensordot(powers, np.array(opinions), axes=1))
    return FittedClassifier(training_set, ensemble, 1.0, held_out)
