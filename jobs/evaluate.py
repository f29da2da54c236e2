"""``python -m jobs evaluate``: judge every model on the impressions held out, the last ones in time.

Reads ``features/``, ``baselines/`` and ``ctr/``; prints one table, or with ``--json`` one JSON object on the last line:
model -> figures, of the click model also "log_loss" and "calibration_error".
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from jobs.runner import Context
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.parquet import load_training_set
from recsys.evaluate.held_out import RANKING_FIGURES, held_out_figures
from recsys.metrics import calibration_error, log_loss
from recsys.workspace import load_arrays, load_npy, read_json

STAGES = ("events", "features", "baselines", "ctr")
TRUTH = ("log_loss", "calibration_error")  # of the click model alone: no other says probabilities


def judged(folders: Mapping[str, Path], seed: int) -> tuple[dict[str, dict[str, float]], str]:
    """Judge the models of one workspace or release.

    Args:
        folders: stage -> its folder; events (which says whether the readers are real), features, baselines, ctr.
        seed: of the random model and of ties.

    Returns:
        Model -> figure -> value (the click model has TRUTH too, over all held-out rows), and a sentence on how they
        were judged or why they could not be.
    """
    rows = load_training_set(folders["features"] / "features.parquet", HOLDOUT)
    baselines = load_arrays(folders["baselines"] / "holdout.safetensors")
    scores = load_npy(folders["ctr"] / "holdout.npy")
    table = held_out_figures(rows, scores, seed, baselines)
    held = len(np.unique(rows.impression[rows.part == HOLDOUT]))
    if not table:
        return {}, "No list that was held out has both a clicked and an unclicked card: there is nothing to judge yet."
    if "ctr" in table:
        label = rows.label[rows.part == HOLDOUT]
        values = log_loss(label, scores), calibration_error(label, scores)
        table["ctr"] |= dict(zip(TRUTH, values, strict=True))
    real = " These are simulated readers." if read_json(folders["events"] / "log.json")["simulated"] else ""
    counted = int(table["random"]["impressions"])
    lists = read_json(folders["features"] / "schema.json")["impressions"]["lists"]
    share = f", {held / lists:.0%} of those after the warm-up" if lists else ""
    both = f"{counted} of them have both a clicked and an unclicked card"
    return table, f"Judged on the last {held} lists in time{share}; {both}.{real}"


def command(context: Context, *, as_json: bool) -> None:
    """Print the figures."""
    workspace = context.workspace
    table, note = judged({stage: workspace.path(stage) for stage in STAGES}, context.seed)
    console = Console(stderr=as_json)
    shown = Table("model", *(name.replace("_", " ") for name in (*RANKING_FIGURES, *TRUTH)), box=None)
    for model, values in table.items():
        numbers = (values.get(name) for name in (*RANKING_FIGURES, *TRUTH))
        shown.add_row(model, *("–" if value is None else f"{value:.4f}" for value in numbers))
    if table:
        console.print(shown)
    console.print(note)
    if as_json:
        print(json.dumps(table, sort_keys=True))
