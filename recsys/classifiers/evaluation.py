"""Evaluation: accuracy, macro-F1, reliability and the surest mistakes of each classifier, on held-out documents.

Reads fitted classifiers with their cross-fitted scores; produces ``evaluation.json``. Nothing is judged on what it was
trained on, and no text stands on both sides: texts that repeat count once.
Source: Guo et al. 2017 (reliability, calibration error); macro-F1 as the mean over the labels.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.classifiers import LabelRows, Vector
from recsys.classifiers.calibration import FOLDS, MIN_CALIBRATED, probabilities
from recsys.classifiers.config import ClassifiersConfig
from recsys.classifiers.fitting import FittedClassifier, fit_classifier
from recsys.words import Matrix, WordVectors

_MAX_EVALUATED = 4_000  # articles of a language by which the models of ``compare`` are judged
_BINS = 10  # of confidence, equally wide
_MISTAKES = 20  # mistakes that are shown
_SHOWN_CHARS = 300  # of a mistake's text
_BATCH_ROWS = 1024  # articles in memory at once

_METHOD = (
    f"Each model classified articles whose category it had not seen, in {FOLDS} parts; repeated texts count once. "
    "Uncertain: the share of articles whose best guess is not shown. Calibration error: how far confidence is from "
    "the share that is right, in the mean."
)
_NOTHING = "No language has two categories with enough articles that came with them: there is nothing to judge by."


def evaluate(
    fitted: Mapping[str, FittedClassifier], words: WordVectors, config: ClassifiersConfig, seed: int
) -> dict[str, Any]:
    """Judge the configured model by the scores that it was calibrated by, and those of ``compare`` beside it.

    Args:
        fitted: the configured model, by language.
        words: the word space.
        config: ``compare`` names the other models.
        seed: of all randomness.

    Returns:
        ``{"note", "languages": {language: …}}``; a mistake has the article's ``row`` in the catalogue, see
        ``add_texts``.
    """
    few = [language for language, fit in fitted.items() if len(fit.held_out.rows) < MIN_CALIBRATED]
    note = f"{_METHOD} Fewer than {MIN_CALIBRATED} articles in {', '.join(few)}: mere anecdotes." if few else _METHOD
    judged = {language: _language(fit, words, config, seed) for language, fit in fitted.items()}
    return {"note": note if judged else _NOTHING, "languages": judged}


def _language(fit: FittedClassifier, words: WordVectors, config: ClassifiersConfig, seed: int) -> dict[str, Any]:
    whole = fit.training_set
    answers = {config.model: (fit.held_out.rows, probabilities(fit.held_out.scores, fit.temperature))}
    some = _some(whole.label_rows, _MAX_EVALUATED, np.random.default_rng(seed))
    part = whole.where(some)
    for name in config.compare:
        if name != config.model:
            other = fit_classifier(name, part, words, config, seed)
            answers[name] = some[other.held_out.rows], probabilities(other.held_out.scores, other.temperature)
    judged = {name: (shares, whole.label_rows[rows]) for name, (rows, shares) in answers.items()}
    models = {name: figures(shares, truth, config.min_confidence) for name, (shares, truth) in judged.items()}
    best = max(models, key=lambda name: models[name]["accuracy"])
    rows, shares = answers[best]
    return {
        "articles": len(whole.label_rows),
        "folds": FOLDS,
        "best": best,
        "models": models,
        "confusion": {"labels": whole.labels, "counts": confusion(shares, whole.label_rows[rows]).tolist()},
        "reliability": {name: reliability(shares, truth) for name, (shares, truth) in judged.items()},
        "mistakes": _mistakes(shares, whole.label_rows[rows], whole.labels, whole.articles[rows]),
    }


def _some(label_rows: LabelRows, most: int, rng: np.random.Generator) -> LabelRows:
    """int64, at most about so many rows, in order, drawn evenly; each category keeps one at least."""
    order = rng.permutation(len(label_rows))
    _, firsts = np.unique(label_rows[order], return_index=True)
    return np.union1d(order[firsts], order[:most])


def figures(shares: Matrix, truth: LabelRows, min_confidence: float) -> dict[str, float]:
    """Accuracy, macro-F1 over the true categories, the uncertain share, the calibration error.

    Args:
        shares: float32 (J, C), each article's confidence in each category.
        truth: int64 (J,).
        min_confidence: below it a best guess is not shown.

    Returns:
        All in [0, 1]; 0 without articles.
    """
    if not len(truth):
        return dict.fromkeys(("accuracy", "macro_f1", "uncertain", "calibration_error"), 0.0)
    counts = confusion(shares, truth)
    right, true, said = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    there = true > 0
    error = sum(row["articles"] * abs(row["confidence"] - row["accuracy"]) for row in reliability(shares, truth))
    values = {
        "accuracy": right.sum() / len(truth),
        "macro_f1": (2 * right[there] / (true + said)[there]).mean(),
        "uncertain": (shares.max(axis=1) < min_confidence).mean(),
        "calibration_error": error / len(truth),
    }
    return {name: round(float(value), 4) for name, value in values.items()}


def confusion(shares: Matrix, truth: LabelRows) -> npt.NDArray[np.int64]:
    """Documents by true label (down) and predicted one (across), int64 (C, C)."""
    C = shares.shape[1]
    return np.bincount(truth * C + shares.argmax(axis=1), minlength=C * C).reshape(C, C)  # (C * C,) -> (C, C)


def reliability(shares: Matrix, truth: LabelRows) -> list[dict[str, float]]:
    """Reliability by confidence: the documents with it, their mean confidence, and the share of them that is right."""
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    return [_bin(number, confidence[bins == number], right[bins == number]) for number in np.unique(bins).tolist()]


def _bin(number: int, confidence: Vector, right: npt.NDArray[np.bool_]) -> dict[str, float]:
    return {
        "low": number / _BINS,
        "high": (number + 1) / _BINS,
        "confidence": round(float(confidence.mean()), 4),
        "accuracy": round(float(right.mean()), 4),
        "articles": len(right),
    }


def _mistakes(shares: Matrix, truth: LabelRows, labels: list[str], articles: LabelRows) -> list[dict[str, Any]]:
    """The surest wrong answers first, ties by the article's row."""
    predicted, confidence = shares.argmax(axis=1), shares.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.lexsort((articles[wrong], -confidence[wrong]))][:_MISTAKES]
    return [
        {
            "row": int(articles[row]),
            "truth": labels[truth[row]],
            "found": labels[predicted[row]],
            "confidence": round(float(confidence[row]), 4),
        }
        for row in worst
    ]


def add_texts(evaluation: dict[str, Any], articles: Path) -> None:
    """Give every mistake its article's id, title and the beginning of its text.

    Args:
        evaluation: from ``evaluate``; changed.
        articles: a Parquet file with id, title and body, in the order of the catalogue.
    """
    mistakes = [mistake for judged in evaluation["languages"].values() for mistake in judged["mistakes"]]
    wanted = {mistake["row"] for mistake in mistakes}
    texts: dict[int, dict[str, str]] = {}
    start = 0
    for batch in pq.ParquetFile(articles).iter_batches(_BATCH_ROWS, columns=["id", "title", "body"]):
        inside = sorted(row for row in wanted if start <= row < start + batch.num_rows)
        part = batch.take(pa.array([row - start for row in inside], pa.int64())).to_pylist()
        texts |= dict(zip(inside, part, strict=True))
        start += batch.num_rows
    for mistake in mistakes:
        text = texts[mistake.pop("row")]
        title, body = text["title"] or "", (text["body"] or "")[:_SHOWN_CHARS]
        mistake |= {"id": text["id"], "title": title, "text": body}
