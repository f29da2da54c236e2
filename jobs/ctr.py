"""Fit the click model.

Reads ``features/``; produces ``ctr/model.safetensors`` and ``ctr/model.json`` (fitted on all rows),
``ctr/training.json`` (loss by epoch) and ``ctr/holdout.npy``: the held-out rows scored by a model that saw only the
rows before them.
"""

from collections.abc import Iterable

import numpy as np

from jobs.runner import Counts, Job, Stage
from recsys.ctr.training import Rows, fit
from recsys.features import NAMES
from recsys.features.lists import FIT, HOLDOUT, VALIDATION
from recsys.features.training import load_rows
from recsys.workspace import save_npy, write_json

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

    _, training = fit(NAMES, first, rows.where(made.part == VALIDATION), config, seed=job.seed, track=track)
    best = training.best_epoch
    before, _ = fit(NAMES, rows.where(made.part != HOLDOUT), None, config, seed=job.seed, epochs=best)
    save_npy(job.out / "holdout.npy", before.score(rows.where(made.part == HOLDOUT).matrix))
    released, _ = fit(NAMES, rows, None, config, seed=job.seed, epochs=best)
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
