"""``python -m jobs ctr``: fit the click model.

Reads ``features/`` and, with ``ctr.start: last``, the last click model; produces the model (fitted on all rows, see
``recsys.ctr.model``), ``ctr/training.json`` (figures by epoch), ``ctr/holdout.npy`` (the held-out rows' probabilities
by a model that saw only the rows before them) and ``ctr/judged.json`` (the report's figures of that model).

A run that was killed goes on from its checkpoints, which stand beside the stages' folders until the stage is made. The
last model is no input of the stage: it decides where training begins, not if there is any.
"""

import numpy as np

from jobs.ctr_resources import training_resources
from jobs.runner import Counts, Job, Stage
from recsys.ctr.losses import resolved_loss
from recsys.ctr.saved import CandidateSampling
from recsys.ctr.training import (
    check_model,
    evaluated_model,
    history_table,
    labels,
    released_model,
    training_summary,
    training_warnings,
)
from recsys.dataset.impressions import FIT, HOLDOUT
from recsys.dataset.parquet import load_training_set, open_training_set
from recsys.features import COLUMN, GROUPS
from recsys.metrics.judging import judge
from recsys.workspace import read_json, save_npy, write_json

STAGE = Stage("ctr", inputs=("features",), sections=("ctr",), check=check_model)
COLUMNS = {group: [COLUMN[name] for name in names] for group, names in GROUPS.items()}


def run(job: Job) -> Counts:
    """Find the epochs and the calibration on the validation part, judge on the held-out part, fit on everything.

    A log without a click on any list trains no model; the service then ranks by similarity.

    Returns:
        Counts: rows, clicked rows, best epoch, its loss and AUC on the validation part, and the speed of training.
    """
    file = job.path("features") / "features.parquet"
    blocks, sampling = open_training_set(file), read_json(job.path("features") / "schema.json")["drawn"]
    loss = resolved_loss(job.settings.ctr.loss, sampled=sampling is not None)
    config = job.settings.ctr.model_copy(update={"loss": loss})
    clicked = int(labels(blocks).sum(dtype=np.int64))
    if not any(block.mixed().any() for block in blocks.of_parts(FIT)):
        job.log.warning("no click model", rows=len(blocks), clicked=clicked, remedy="import impressions and clicks")
        write_json(job.out / "training.json", {"epochs": [], "best_epoch": 0})
        save_npy(job.out / "holdout.npy", np.empty(0, np.float32))
        return {"rows": len(blocks), "clicked": clicked, "best_epoch": 0}
    with training_resources(job, config, file, len(blocks)) as resources:
        evaluated = evaluated_model(blocks, config, seed=job.seed, resources=resources)
        held_out = load_training_set(file, HOLDOUT)
        write_json(job.out / "judged.json", judge(evaluated.model.score, held_out, COLUMNS, seed=job.seed))
        save_npy(job.out / "holdout.npy", evaluated.scores)
        for warning in training_warnings(evaluated, held_out.label, config):
            job.log.warning("click model", problem=warning)
        write_json(job.out / "training.json", history_table(evaluated.history))
        released = released_model(blocks, evaluated, config, seed=job.seed, resources=resources)
    released.sampling = CandidateSampling(**sampling) if sampling else None
    released.save(job.out)
    return {"rows": len(blocks), "clicked": clicked, **training_summary(evaluated.history)}
