"""``python -m jobs evaluate``: judge every model on the impressions held out, the last ones in time.

Reads ``features/``, ``baselines/`` and ``ctr/``; prints the models side by side, over all lists and by how much their
readers had clicked before, and with ``--json`` one JSON object on the last line: model -> figures, of the click model
also "log_loss" and "calibration_error".
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jobs.runner import Context
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.parquet import load_training_set
from recsys.dataset.training_set import TrainingSet
from recsys.evaluate.held_out import Scores, held_out_figures, segment_figures
from recsys.metrics import RANKING_FIGURES, calibration_error, log_loss
from recsys.workspace import load_arrays, load_npy, read_json

STAGES = ("events", "features", "baselines", "ctr")
TRUTH = ("log_loss", "calibration_error")  # of the click model alone: no other says probabilities


class Evaluation(NamedTuple):
    """Scores of the models of one workspace or release, and the rows that judge them."""

    rows: TrainingSet
    ctr_scores: Scores
    baselines: Mapping[str, Scores]


def loaded(folders: Mapping[str, Path]) -> Evaluation:
    """Held-out rows and scores.

    Args:
        folders: stage -> its folder; features, baselines, ctr.
    """
    return Evaluation(
        load_training_set(folders["features"] / "features.parquet", HOLDOUT),
        load_npy(folders["ctr"] / "holdout.npy"),
        load_arrays(folders["baselines"] / "holdout.safetensors"),
    )


def judged(folders: Mapping[str, Path], seed: int) -> tuple[dict[str, dict[str, float]], str]:
    """Judge the models of one workspace or release.

    Args:
        folders: stage -> its folder; events (which says whether the readers are real), features, baselines, ctr.
        seed: of the random model and of ties.

    Returns:
        Model -> figure -> value (the click model has TRUTH too, over all held-out rows), and a sentence on how they
        were judged or why they could not be.
    """
    rows, scores, baselines = loaded(folders)
    figures = held_out_figures(rows, scores, seed, baselines)
    held = len(np.unique(rows.impression[rows.part == HOLDOUT]))
    if not figures:
        return {}, "No list that was held out has both a clicked and an unclicked card: there is nothing to judge yet."
    if "ctr" in figures:
        label = rows.label[rows.part == HOLDOUT]
        values = log_loss(label, scores), calibration_error(label, scores)
        figures["ctr"] |= dict(zip(TRUTH, values, strict=True))
    real = " These are simulated readers." if read_json(folders["events"] / "log.json")["simulated"] else ""
    counted = int(figures["random"]["impressions"])
    lists = read_json(folders["features"] / "schema.json")["impressions"]["lists"]
    share = f", {held / lists:.0%} of those after the warm-up" if lists else ""
    both = f"{counted} of them have both a clicked and an unclicked card"
    return figures, f"Judged on the last {held} lists in time{share}; {both}.{real}"


def comparison(figures: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Models side by side, the best by AUC first: a row per model, columns ``RANKING_FIGURES`` and TRUTH."""
    rows = {model: pd.Series(dict(values), dtype=float) for model, values in figures.items()}
    table: pd.DataFrame = pd.DataFrame(rows).T.reindex(columns=[*RANKING_FIGURES, *TRUTH])
    return table.sort_values("auc", ascending=False, kind="stable")


def as_text(table: pd.DataFrame) -> str:
    """A table for people: four places, a dash for what is not known."""
    shown = table.rename(columns=lambda name: name.replace("_", " "))
    return str(shown.to_string(float_format="{:.4f}".format, na_rep="–"))


def command(context: Context, *, as_json: bool) -> None:
    """Print the figures."""
    folders = {stage: context.workspace.path(stage) for stage in STAGES}
    figures, note = judged(folders, context.seed)
    out = sys.stderr if as_json else sys.stdout
    if figures:
        print(as_text(comparison(figures)), file=out)
        rows, scores, baselines = loaded(folders)
        print(f"\n{as_text(segment_figures(rows, scores, context.seed, baselines))}\n", file=out)
    print(note, file=out)
    if as_json:
        print(json.dumps(figures, sort_keys=True))
