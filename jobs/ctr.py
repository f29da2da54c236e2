"""Fit the click model.

Reads ``features/`` and, with ``ctr.start: last``, the last click model; produces the model (fitted on all rows, see
``recsys.ctr.model``), ``ctr/training.json`` (curves by epoch), ``ctr/holdout.npy`` (the held-out rows' probabilities by
a model that saw only the rows before them) and ``ctr/judged.json`` (what the report says of that model).

A run that was killed goes on from its checkpoints, which stand beside the stages' folders until the stage is made. The
last model is no input of the stage: it decides where training begins, not whether there is any.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from jobs.publish import releases_of
from jobs.runner import Counts, Job, Stage
from recsys.ctr.checkpoints import Checkpoints
from recsys.ctr.course import Progress
from recsys.ctr.model import ClickModel, Drawn
from recsys.ctr.release import Aids, check, curves, doubts, judged_model, released_model, told
from recsys.ctr.warm import continues
from recsys.errors import ArtefactError, MissingArtefact
from recsys.features import COLUMN, GROUPS, NAMES
from recsys.features.lists import FIT, HOLDOUT
from recsys.features.training import load_rows
from recsys.metrics.judging import judge
from recsys.workspace import read_json, save_npy, write_json

STAGE = Stage("ctr", inputs=("features",), sections=("ctr",), check=check)
CHECKPOINTS = ".ctr-checkpoints"  # in the workspace
COLUMNS = {group: [COLUMN[name] for name in names] for group, names in GROUPS.items()}


def run(job: Job) -> Counts:
    """Find schedule and calibration on the validation part, judge on the held-out part, fit on everything.

    A log without a click on any list trains no model; the service then ranks by similarity.

    Returns:
        Counts: rows, clicked rows, best epoch, its loss and AUC on the validation part, and the speed of training.
    """
    made, config = load_rows(job.path("features") / "features.safetensors"), job.settings.ctr
    first = made.where(made.part == FIT)
    clicked = int(first.label.sum(dtype=np.int64))
    if not len(first.informative()):
        job.log.warning("no click model", rows=len(first), clicked=clicked, remedy="import impressions and clicks")
        write_json(job.out / "training.json", {"epochs": [], "best_epoch": 0})
        save_npy(job.out / "holdout.npy", np.empty(0, np.float32))
        return {"rows": len(made), "clicked": clicked, "best_epoch": 0}
    with aids_of(job, len(made)) as aids:
        judged = judged_model(made, config, seed=job.seed, aids=aids)
        held = made.where(made.part == HOLDOUT)
        write_json(job.out / "judged.json", judge(judged.model.score, held, COLUMNS, seed=job.seed))
        save_npy(job.out / "holdout.npy", judged.scores)
        for doubt in doubts(judged, held.label, config):
            job.log.warning("click model", problem=doubt)
        write_json(job.out / "training.json", curves(judged.training))
        released = released_model(made, judged, config, seed=job.seed, aids=aids)
    drawn = read_json(job.path("features") / "schema.json")["drawn"]
    released.drawn = Drawn(**drawn) if drawn else None
    released.save(job.out)
    return {"rows": len(made), "clicked": int(made.label.sum(dtype=np.int64)), **told(judged.training)}


def last_model(job: Job) -> ClickModel | None:
    """The last click model: the live release's, else the workspace's; None when there is none to go on from."""
    sources: list[Callable[[], Path]] = [
        lambda: releases_of(job.context).open().path("ctr"),
        lambda: job.path("ctr"),
    ]
    for source in sources:
        try:
            folder = source()
            if not (folder / "model.json").is_file():
                continue
            model = ClickModel.load(folder, NAMES)
        except MissingArtefact:
            continue
        except ArtefactError as error:
            job.log.warning("last click model that cannot be used", problem=str(error))
            continue
        if continues(model, NAMES, job.settings.ctr):
            return model
        job.log.warning("last click model that cannot be used", problem="it is another network, or has other fields")
    return None


@contextmanager
def aids_of(job: Job, rows: int) -> Iterator[Aids]:
    """The last model if it is asked for, checkpoints in the workspace, and a bar; checkpoints go when all is done."""
    config, folder = job.settings.ctr, job.context.workspace.root / CHECKPOINTS
    last = last_model(job) if config.start == "last" else None

    def watch(name: str) -> Callable[[Progress], None]:
        stack.close()
        moved = stack.enter_context(job.bar(rows * config.epochs, f"rows, {name}"))

        def shown(now: Progress) -> None:
            auc = "" if np.isnan(now.auc) else f"  AUC {now.auc:.3f}"
            moved(now.rows, now.total, f"loss {now.loss:.3f}{auc}  {now.rows_per_second / 1000:,.0f}k/s")

        return shown

    with ExitStack() as stack:
        yield Aids(last, lambda name: Checkpoints(folder / f"{name}.safetensors", config.checkpoint_minutes), watch)
    shutil.rmtree(folder, ignore_errors=True)
