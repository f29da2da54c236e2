"""Rivals that need no network: the click rate, the content, both with one weight, boosted trees and LambdaRank.

All rank the held-out rows of a split by what the same rows hold before them. The parts before the held-out one are used
as ours uses them: a first fit stops by the validation part, the second one learns from both.

Source: Friedman 2001 (boosted trees); Burges 2010 (LambdaRank, LambdaMART).
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.news.data import TimeSplit
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.dataset.training_set import TrainingSet
from recsys.features import COLUMN
from recsys.metrics import impression_metrics, log_loss

Scores = npt.NDArray[np.floating[Any]]
Rival = Callable[[TimeSplit, int], Scores]

WEIGHTS = 2.0 ** np.arange(-4, 6)  # of the cosine beside the log click rate, from which one is chosen
TREES = 400  # at most
TREE_FORM = {"learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 60, "l2_regularization": 5.0}
RANK_FORM = {"learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 60, "reg_lambda": 5.0, "verbose": -1}
LIGHTGBM = "lightgbm"  # no dependency of the project: LambdaRank runs where it is installed


def click_rate(split: TimeSplit, seed: int) -> Scores:
    """The smoothed click rate, in log-odds."""
    return column(split.part(HOLDOUT), "click_rate_total")


def content(split: TimeSplit, seed: int) -> Scores:
    """Cosine of the article with the mean of what the reader clicked."""
    return column(split.part(HOLDOUT), "content_cosine")


def content_and_rate(split: TimeSplit, seed: int) -> Scores:
    """The log click rate and the cosine with one weight, the one that ranks the lists before the held-out ones best."""
    before, held = split.part(FIT, VALIDATION), split.part(HOLDOUT)

    def blended(rows: TrainingSet, weight: float) -> Scores:
        return column(rows, "click_rate_total") + weight * column(rows, "content_cosine")

    auc = [impression_metrics(before.label, blended(before, weight), before.impression)["auc"] for weight in WEIGHTS]
    return blended(held, float(WEIGHTS[int(np.argmax(auc))]))


def trees(split: TimeSplit, seed: int) -> Scores:
    """Gradient-boosted trees on the columns; as many as have the lowest log loss on the validation part."""
    fit, later, held = (split.part(part) for part in (FIT, VALIDATION, HOLDOUT))
    form: dict[str, Any] = TREE_FORM | {"early_stopping": False, "random_state": seed, "max_features": 0.5}
    first = HistGradientBoostingClassifier(max_iter=TREES, **form).fit(fit.matrix, fit.label)
    losses = [log_loss(later.label, scores[:, 1]) for scores in first.staged_predict_proba(later.matrix)]
    both = split.part(FIT, VALIDATION)
    model = HistGradientBoostingClassifier(max_iter=int(np.argmin(losses)) + 1, **form).fit(both.matrix, both.label)
    return np.asarray(model.decision_function(held.matrix))


def lambdarank(split: TimeSplit, seed: int) -> Scores:
    """LambdaRank over boosted trees, by LightGBM; as many as rank the validation part best by nDCG@10."""
    lightgbm = import_module(LIGHTGBM)
    fit, later, held = (split.part(part) for part in (FIT, VALIDATION, HOLDOUT))
    form: dict[str, Any] = RANK_FORM | {"random_state": seed, "n_jobs": 1, "colsample_bytree": 0.5}
    first = lightgbm.LGBMRanker(n_estimators=TREES, **form)
    first.fit(
        fit.matrix,
        fit.label,
        group=sizes_of(fit),
        eval_set=[(later.matrix, later.label)],
        eval_group=[sizes_of(later)],
        eval_at=[10],
        callbacks=[lightgbm.early_stopping(40, verbose=False)],
    )
    both = split.part(FIT, VALIDATION)
    model = lightgbm.LGBMRanker(n_estimators=int(first.best_iteration_), **form)
    model.fit(both.matrix, both.label, group=sizes_of(both))
    return np.asarray(model.predict(held.matrix))


def column(rows: TrainingSet, name: str) -> Scores:
    """One column of the rows."""
    return rows.matrix[:, COLUMN[name]].astype(np.float64)


def sizes_of(rows: TrainingSet) -> npt.NDArray[np.int64]:
    """Candidates of each list, in the order of the rows."""
    return np.unique(rows.impression, return_counts=True)[1]


def missing(names: list[str]) -> str | None:
    """A sentence on what is asked for and cannot run; None if all can."""
    if "lambdarank" in names and find_spec(LIGHTGBM) is None:
        return f"lambdarank is left out: {LIGHTGBM} is not installed"
    return None


CHEAP: dict[str, Rival] = {
    "click_rate": click_rate,
    "content": content,
    "content_and_rate": content_and_rate,
    "trees": trees,
    "lambdarank": lambdarank,
}
