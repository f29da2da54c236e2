"""Files of the stages -> figures of every model, and a sentence on how they were judged.

Reads ``features/``, ``baselines/`` and ``ctr/`` of a workspace or a release; what ``jobs evaluate`` prints and what the
report draws.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.parquet import load_training_set
from recsys.dataset.training_set import TrainingSet
from recsys.evaluate.held_out import Scores, held_out_figures
from recsys.hashing import hashed_all
from recsys.metrics import calibration_error, log_loss
from recsys.units import UNKNOWN_ROW
from recsys.workspace import load_arrays, load_npy, read_json, read_table

PROBABILITY_FIGURES = ("log_loss", "calibration_error")  # of the click model alone: no other says probabilities


class EvaluationInputs(NamedTuple):
    """Held-out rows, and the models' scores of them."""

    rows: TrainingSet
    ctr_scores: Scores
    baselines: Mapping[str, Scores]


def load_held_out(folders: Mapping[str, Path]) -> EvaluationInputs:
    """Read the held-out rows and their scores.

    Args:
        folders: stage -> its folder; features, baselines, ctr.
    """
    return EvaluationInputs(
        load_training_set(folders["features"] / "features.parquet", HOLDOUT),
        load_npy(folders["ctr"] / "holdout.npy"),
        load_arrays(folders["baselines"] / "holdout.safetensors"),
    )


def load_article_vectors(folder: Path) -> tuple[npt.NDArray[np.int64], Scores]:
    """Read the article vectors of the stage ``articles``: hashed ids, int64 (A,), and float32 (A, D)."""
    names = read_table(folder / "ids.parquet", ["id"])["id"].to_pylist()
    return hashed_all("article", names), load_npy(folder / "vectors.npy")


def load_article_sources(folders: Mapping[str, Path], own: str) -> npt.NDArray[np.int32]:
    """Read the source of each article of the stage ``articles``, in its order: int32 (A,), codes; -1 for none.

    Args:
        folders: stage -> its folder; events, articles.
        own: name of the site, which is the source of its own articles.
    """
    known = read_table(folders["events"] / "articles.parquet", ["id", "source"])
    source_of = dict(zip(known["id"].to_pylist(), known["source"].to_pylist(), strict=True))
    ids = read_table(folders["articles"] / "ids.parquet", ["id"])["id"].to_pylist()
    names = [(source_of.get(name) or "").casefold() for name in ids]
    others = {name: code for code, name in enumerate(sorted({*names} - {"", own.casefold()}))}
    return np.array([others.get(name, UNKNOWN_ROW) for name in names], np.int32)


def evaluation(folders: Mapping[str, Path], seed: int) -> tuple[dict[str, dict[str, float]], str]:
    """Judge the models of one workspace or release.

    Args:
        folders: stage -> its folder; events (which says whether the readers are real), features, baselines, ctr.
        seed: of the random model and of ties.

    Returns:
        Model -> figure -> value (the click model has ``PROBABILITY_FIGURES`` too, over all held-out rows), and a
        sentence on how they were judged or why they could not be.
    """
    rows, scores, baselines = load_held_out(folders)
    figures = held_out_figures(rows, scores, seed, baselines)
    held = len(np.unique(rows.impression[rows.part == HOLDOUT]))
    if not figures:
        return {}, "No list that was held out has both a clicked and an unclicked card: there is nothing to judge yet."
    if "ctr" in figures:
        label = rows.label[rows.part == HOLDOUT]
        values = log_loss(label, scores), calibration_error(label, scores)
        figures["ctr"] |= dict(zip(PROBABILITY_FIGURES, values, strict=True))
    real = " These are simulated readers." if read_json(folders["events"] / "log.json")["simulated"] else ""
    counted = int(figures["random"]["impressions"])
    lists = read_json(folders["features"] / "schema.json")["impressions"]["lists"]
    share = f", {held / lists:.0%} of those after the warm-up" if lists else ""
    both = f"{counted} of them have both a clicked and an unclicked card"
    return figures, f"Judged on the last {held} lists in time{share}; {both}.{real}"
