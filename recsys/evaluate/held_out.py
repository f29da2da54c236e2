"""Evaluate: the held-out impressions -> figures of every model, side by side.

Reads the features' matrix (each row as it was known before its impression) and the scores that the click model and the
baselines gave the held-out rows; produces one table. The simple models are columns of the same matrix, so that all rank
the same candidates.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.training_set import TrainingSet
from recsys.errors import StaleArtefact
from recsys.features import COLUMN
from recsys.metrics import impression_metrics

RANKING_FIGURES = ("auc", "mrr", "ndcg@5", "ndcg@10")
COLUMN_MODELS = {
    "popular": "clicks_total",
    "click_rate": "click_rate_total",
    "content": "content_cosine",
    "items": "item_cosine",
}


def held_out_figures(
    rows: TrainingSet,
    ctr_scores: npt.NDArray[np.float32],
    seed: int,
    baselines: Mapping[str, npt.NDArray[np.float32]] = {},
) -> dict[str, dict[str, float]]:
    """Judge every model on the held-out impressions.

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
    held = rows.part == HOLDOUT
    matrix, label, impression = rows.matrix[held], rows.label[held], rows.impression[held]
    scores = {"random": np.random.default_rng(seed).random(len(label), np.float32)}
    scores |= {model: matrix[:, COLUMN[name]] for model, name in COLUMN_MODELS.items()}
    scores |= {model: _of_rows(score, len(label), "baselines") for model, score in baselines.items()}
    if len(ctr_scores):
        scores["ctr"] = _of_rows(ctr_scores, len(label), "ctr")
    judged = {model: impression_metrics(label, score, impression, seed=seed) for model, score in scores.items()}
    return judged if judged["random"]["impressions"] else {}


def _of_rows(scores: npt.NDArray[np.float32], rows: int, stage: str) -> npt.NDArray[np.float32]:
    if len(scores) != rows:
        raise StaleArtefact(f"scores of {rows} held-out rows", f"{len(scores)} scores", f"Run: python -m jobs {stage}")
    return scores
