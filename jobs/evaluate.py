"""``python -m jobs evaluate``: judge every model on the impressions held out, the last ones in time.

Reads ``features/``, ``baselines/`` and ``ctr/``; prints one table, or with ``--json`` one JSON object on the last line:
model -> figures.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from jobs.runner import Context
from recsys.evaluate import FIGURES, figures
from recsys.features.lists import HOLDOUT
from recsys.features.training import load_rows
from recsys.workspace import load_arrays, load_npy, read_json

STAGES = ("events", "features", "baselines", "ctr")


def judged(folders: Mapping[str, Path], seed: int) -> tuple[dict[str, dict[str, float]], str]:
    """Judge the models of one workspace or release.

    Args:
        folders: stage -> its folder; events (which says whether the readers are real), features, baselines, ctr.
        seed: of the random model and of ties.

    Returns:
        Model -> figure -> value, and a sentence on how they were judged or why they could not be.
    """
    rows = load_rows(folders["features"] / "features.safetensors")
    baselines = load_arrays(folders["baselines"] / "holdout.safetensors")
    table = figures(rows, load_npy(folders["ctr"] / "holdout.npy"), seed, baselines)
    held = len(np.unique(rows.impression[rows.part == HOLDOUT]))
    if not table:
        return {}, "No list that was held out has both a clicked and an unclicked card: there is nothing to judge yet."
    real = " These are simulated readers." if read_json(folders["events"] / "log.json")["simulated"] else ""
    counted = int(table["random"]["impressions"])
    both = f"{counted} of them have both a clicked and an unclicked card"
    return table, f"Judged on the last {held} lists in time; {both}.{real}"


def command(context: Context, *, as_json: bool) -> None:
    """Print the figures."""
    workspace = context.workspace
    table, note = judged({stage: workspace.path(stage) for stage in STAGES}, context.seed)
    console = Console(stderr=as_json)
    shown = Table("model", *FIGURES, box=None)
    for model, values in table.items():
        shown.add_row(model, *(f"{values[figure]:.4f}" for figure in FIGURES))
    if table:
        console.print(shown)
    console.print(note)
    if as_json:
        print(json.dumps(table, sort_keys=True))
