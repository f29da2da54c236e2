"""Held-out impressions -> figures of every model, side by side, over all of them and by segment of the readers.

Reads the features' matrix (each row as it was known before its impression) and the scores that the click model and the
baselines gave the held-out rows; produces tables. The simple models are columns of the same matrix, so that all rank
the same candidates.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.training_set import TrainingSet
from recsys.errors import StaleArtefact
from recsys.features import COLUMN
from recsys.metrics import figures_per_impression, impression_metrics

Scores = npt.NDArray[np.float32]

COLUMN_MODELS = {
    "popular": "clicks_total",
    "click_rate": "click_rate_total",
    "content": "content_cosine",
    "items": "item_cosine",
}
HISTORY_SEGMENTS = {0: "new readers", 1: "1 to 9 clicks", 10: "10 clicks or more"}  # by clicks before the list


def held_out_figures(
    rows: TrainingSet,
    ctr_scores: Scores,
    seed: int,
    baselines: Mapping[str, Scores] = {},
) -> dict[str, dict[str, float]]:
    """Figures of every model on the held-out impressions.

    Args:
        rows: all rows; the ones of part HOLDOUT judge.
        ctr_scores: float32 (H,), the click model's scores of those, learned from earlier rows; empty without a model.
        seed: of the random model and of ties.
        baselines: name -> float32 (H,), scores of the same rows.

    Returns:
        Model ("random", "popular", "click_rate", "content", "items", the baselines, "ctr") -> figure -> value; empty
        when no held-out impression holds both labels.

    Raises:
        StaleArtefact: scores belong to other rows.
    """
    held, scores = _held_out(rows, ctr_scores, seed, baselines)
    label, impression = rows.label[held], rows.impression[held]
    figures = {model: impression_metrics(label, score, impression, seed=seed) for model, score in scores.items()}
    return figures if figures["random"]["impressions"] else {}


def segment_figures(
    rows: TrainingSet,
    ctr_scores: Scores,
    seed: int,
    baselines: Mapping[str, Scores] = {},
) -> pd.DataFrame:
    """Figures of every model by how much the readers of the held-out impressions had clicked before.

    Args:
        rows: see ``held_out_figures``, like all that follow.
        ctr_scores: of the click model.
        seed: of the random model and of ties.
        baselines: their scores.

    Returns:
        A row per segment and model, columns ``RANKING_FIGURES`` and "impressions"; segments without an impression that
        holds both labels are left out.
    """
    held, scores = _held_out(rows, ctr_scores, seed, baselines)
    label, impression = rows.label[held], rows.impression[held]
    clicks = pd.Series(np.rint(np.expm1(rows.matrix[held, COLUMN["history"]])), impression).groupby(level=0).first()
    segment = pd.cut(clicks, [*HISTORY_SEGMENTS, np.inf], right=False, labels=list(HISTORY_SEGMENTS.values()))
    tables = {}
    for model, score in scores.items():
        table = pd.DataFrame(figures_per_impression(label, score, impression, seed=seed)).set_index("impression")
        by_segment = table.groupby(segment.reindex(table.index), observed=True)
        tables[model] = by_segment.mean().assign(impressions=by_segment.size())
    together = pd.concat(tables, names=["model", "segment"]).swaplevel()
    return together.sort_index(level="segment", sort_remaining=False, kind="stable")


def _held_out(
    rows: TrainingSet, ctr_scores: Scores, seed: int, baselines: Mapping[str, Scores]
) -> tuple[npt.NDArray[np.bool_], dict[str, Scores]]:
    """The rows that judge, bool (N,), and every model's scores of them, float32 (H,)."""
    held = rows.part == HOLDOUT
    matrix, H = rows.matrix[held], int(held.sum())
    scores = {"random": np.random.default_rng(seed).random(H, np.float32)}
    scores |= {model: matrix[:, COLUMN[name]] for model, name in COLUMN_MODELS.items()}
    scores |= {model: _of_rows(score, H, "baselines") for model, score in baselines.items()}
    if len(ctr_scores):
        scores["ctr"] = _of_rows(ctr_scores, H, "ctr")
    return held, scores


def _of_rows(scores: Scores, rows: int, stage: str) -> Scores:
    if len(scores) != rows:
        raise StaleArtefact(f"scores of {rows} held-out rows", f"{len(scores)} scores", f"Run: python -m jobs {stage}")
    return scores
