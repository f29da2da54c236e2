"""Fit the click model.

Reads ``features/`` and, with ``ctr.start: last``, the last click model; produces the model (fitted on all rows, see
``recsys.ctr.model``), ``ctr/training.json`` (curves by epoch), ``ctr/holdout.npy`` (the held-out rows' probabilities by
a model that saw only the rows before them) and ``ctr/judged.json`` (what the report says of that model).

A run that was killed goes on from its checkpoints, which stand beside the stages' folders until the stage is made. The
last model is no input of the stage: it decides where training begins, not whether there is any.
"""

import numpy as np

from jobs.ctr_aids import aids_of
from jobs.runner import Counts, Job, Stage
from recsys.ctr.model import Drawn
from recsys.ctr.release import check, curves, doubts, judged_model, labels, released_model, told
from recsys.dataset.impressions import FIT, HOLDOUT
from recsys.dataset.parquet import load_training_set, open_training_set
from recsys.features import COLUMN, GROUPS
from recsys.metrics.judging import judge
from recsys.workspace import read_json, save_npy, write_json

STAGE = Stage("ctr", inputs=("features",), sections=("ctr",), check=check)
COLUMNS = {group: [COLUMN[name] for name in names] for group, names in GROUPS.items()}


def run(job: Job) -> Counts:
    """Find schedule and calibration on the validation part, judge on the held-out part, fit on everything.

    A log without a click on any list trains no model; the service then ranks by similarity.

    Returns:
        Counts: rows, clicked rows, best epoch, its loss and AUC on the validation part, and the speed of training.
    """
    file = job.path("features") / "features.parquet"
    made, drawn = open_training_set(file), read_json(job.path("features") / "schema.json")["drawn"]
    config = job.settings.ctr.resolved(drawn=drawn is not None)
    clicked = int(labels(made).sum(dtype=np.int64))
    if not any(block.mixed().any() for block in made.of_parts(FIT)):
        job.log.warning("no click model", rows=len(made), clicked=clicked, remedy="import impressions and clicks")
        write_json(job.out / "training.json", {"epochs": [], "best_epoch": 0})
        save_npy(job.out / "holdout.npy", np.empty(0, np.float32))
        return {"rows": len(made), "clicked": clicked, "best_epoch": 0}
    with aids_of(job, config, file, len(made)) as aids:
        judged = judged_model(made, config, seed=job.seed, aids=aids)
        held = load_training_set(file, HOLDOUT)
        write_json(job.out / "judged.json", judge(judged.model.score, held, COLUMNS, seed=job.seed))
        save_npy(job.out / "holdout.npy", judged.scores)
        for doubt in doubts(judged, held.label, config):
            job.log.warning("click model", problem=doubt)
        write_json(job.out / "training.json", curves(judged.training))
        released = released_model(made, judged, config, seed=job.seed, aids=aids)
    released.drawn = Drawn(**drawn) if drawn else None
    released.save(job.out)
    return {"rows": len(made), "clicked": clicked, **told(judged.training)}
