"""The resources of a click model's training beside its rows: the last model, checkpoints, a bar, other processes."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from jobs.distributed import call_others
from jobs.previous import knows_forgotten, last_artefact
from jobs.runner import Job
from recsys.ctr.config import CtrConfig
from recsys.ctr.loop import Checkpoints, Progress
from recsys.ctr.model import ClickModel
from recsys.ctr.training import TrainingResources
from recsys.ctr.warm_start import can_continue
from recsys.errors import MissingArtefact, StaleArtefact
from recsys.features import NAMES

CHECKPOINTS = ".ctr-checkpoints"  # in the workspace
CHECKPOINT_MINUTES = 5.0  # of training between two, from which a killed run goes on


def last_model(job: Job) -> tuple[ClickModel, Path] | None:
    """The last click model and its folder; None without one to go on from."""

    def load(folder: Path) -> ClickModel:
        if not (folder / "model.json").is_file():
            raise MissingArtefact(f"a click model in {folder}", "none", "Run: python -m jobs ctr")
        model = ClickModel.load(folder, NAMES)
        if knows_forgotten(job, folder):
            got = "one that has learned from a reader who was forgotten since"
        elif can_continue(model, NAMES, job.settings.ctr):
            return model
        else:
            got = "another network, or one with other fields"
        raise StaleArtefact("a click model to go on from", got, "A new one is trained.")

    return last_artefact(job, "ctr", "click model", load)


@contextmanager
def training_resources(job: Job, config: CtrConfig, rows: Path, size: int) -> Iterator[TrainingResources]:
    """The last model if it is asked for, checkpoints in the workspace, and a bar; checkpoints go when all is done.

    Args:
        job: the stage.
        config: of the training.
        rows: the file that is learned from, for the other processes.
        size: rows in it.
    """
    folder, group = job.context.workspace.root / CHECKPOINTS, job.context.group
    last = last_model(job) if config.start == "last" else None
    if group is not None:
        call_others(group, rows, last and last[1], config, job.seed)

    def watch(name: str) -> Callable[[Progress], None]:
        stack.close()
        move_bar = stack.enter_context(job.bar(size * config.epochs, f"rows, {name}"))

        def show(progress: Progress) -> None:
            auc = "" if np.isnan(progress.auc) else f"  AUC {progress.auc:.3f}"
            speed = f"{progress.rows_per_second / 1000:,.0f}k/s"
            text = f"epoch {progress.epoch}/{progress.epochs}  loss {progress.loss:.3f}{auc}  {speed}"
            move_bar(progress.rows, progress.total, text)

        return show

    def checkpoints(name: str) -> Checkpoints:
        return Checkpoints(folder / f"{name}.safetensors", CHECKPOINT_MINUTES)

    with ExitStack() as stack:
        yield TrainingResources(last and last[0], checkpoints, watch, group)
    shutil.rmtree(folder, ignore_errors=True)
