"""Fit the click model.

Reads ``features/``; produces ``ctr/model.safetensors`` and ``ctr/model.json`` (fitted on all rows),
``ctr/training.json`` (loss by epoch) and ``ctr/holdout.npy``: the held-out rows scored by a model that saw only the
rows before them.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from jobs.runner import Counts, Job, Stage
from recsys.ctr import CtrConfig
from recsys.ctr.model import Drawn
from recsys.ctr.training import Rows, Training, fit
from recsys.features import NAMES
from recsys.features.lists import FIT, HOLDOUT, VALIDATION
from recsys.features.training import TrainingSet, load_rows
from recsys.workspace import read_json, save_npy, write_json

STAGE = Stage("ctr", inputs=("features",), sections=("ctr",))


def run(job: Job) -> Counts:
    """Find the number of epochs on the validation part, judge on the held-out part, fit on everything.

    A log without a click on any list trains no model; the service then ranks by similarity.

    Returns:
        Counts: rows, clicked rows, best epoch, its validation loss.
    """
    made = load_rows(job.path("features") / "features.safetensors")
    rows, config = Rows(made.matrix, made.label, made.impression), job.settings.ctr
    first = rows.where(made.part == FIT)
    clicked = int(first.label.sum(dtype=np.int64))
    if not len(first.informative()):
        job.log.warning("no click model", rows=len(first), clicked=clicked, remedy="import impressions and clicks")
        write_json(job.out / "training.json", {"fit": [], "validation": [], "best_epoch": 0})
        save_npy(job.out / "holdout.npy", np.empty(0, np.float32))
        return {"rows": len(rows), "clicked": clicked, "best_epoch": 0}

    def track(epochs: Iterable[int]) -> Iterable[int]:
        return job.track(epochs, config.epochs, "epochs")

    scores, training = holdout_scores(made, config, seed=job.seed, track=track)
    best = training.best_epoch
    save_npy(job.out / "holdout.npy", scores)
    released, _ = fit(NAMES, rows, None, config, seed=job.seed, epochs=best)
    drawn = read_json(job.path("features") / "schema.json")["drawn"]
    released.drawn = Drawn(**drawn) if drawn else None
    released.save(job.out)
    curves = {"fit": training.fit_loss, "validation": training.validation_loss, "best_epoch": best}
    write_json(job.out / "training.json", curves)
    loss = min(training.validation_loss or training.fit_loss)
    return {
        "rows": len(rows),
        "clicked": int(rows.label.sum(dtype=np.int64)),
        "best_epoch": best,
        "loss": round(loss, 5),
    }


def holdout_scores(
    made: TrainingSet, config: CtrConfig, *, seed: int, track: Callable[[Iterable[int]], Iterable[int]] = iter
) -> tuple[npt.NDArray[np.float32], Training]:
    """Score the held-out rows by a model that saw only the rows before them.

    Args:
        made: all rows.
        config: the network and its training.
        seed: see ``fit``.
        track: wraps the loop over epochs, to show progress.

    Returns:
        float32 (H,) scores, and how the number of epochs was found.
    """
    rows = Rows(made.matrix, made.label, made.impression)
    fitted, later = rows.where(made.part == FIT), rows.where(made.part == VALIDATION)
    _, training = fit(NAMES, fitted, later, config, seed=seed, track=track)
    before, _ = fit(NAMES, rows.where(made.part != HOLDOUT), None, config, seed=seed, epochs=training.best_epoch)
    return before.score(made.matrix[made.part == HOLDOUT]), training
