"""What a training of the click model may use beside its rows: the last model, checkpoints, a bar, other processes."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from jobs.distributed import call_others
from jobs.previous import knows_forgotten, last_artefact
from jobs.runner import Job
from recsys.ctr.checkpoints import Checkpoints
from recsys.ctr.config import CtrConfig
from recsys.ctr.course import Progress
from recsys.ctr.model import ClickModel
from recsys.ctr.release import Aids
from recsys.ctr.warm import continues
from recsys.errors import MissingArtefact, StaleArtefact
from recsys.features import NAMES

CHECKPOINTS = ".ctr-checkpoints"  # in the workspace


def last_model(job: Job) -> tuple[ClickModel, Path] | None:
    """The last click model and its folder; None without one to go on from."""

    def load(folder: Path) -> ClickModel:
        if not (folder / "model.json").is_file():
            raise MissingArtefact(f"a click model in {folder}", "none", "Run: python -m jobs ctr")
        model = ClickModel.load(folder, NAMES)
        if knows_forgotten(job, folder):
            got = "one that has learned from a reader who was forgotten since"
        elif continues(model, NAMES, job.settings.ctr):
            return model
        else:
            got = "another network, or one with other fields"
        raise StaleArtefact("a click model to go on from", got, "A new one is trained.")

    return last_artefact(job, "ctr", "click model", load)


@contextmanager
def aids_of(job: Job, config: CtrConfig, rows: Path, size: int) -> Iterator[Aids]:
    """The last model if it is asked for, checkpoints in the workspace, and a bar; checkpoints go when all is done.

    Args:
        job: the stage.
        config: what it trains with.
        rows: the file that is learned from, for the other processes.
        size: rows in it.
    """
    folder, group = job.context.workspace.root / CHECKPOINTS, job.context.group
    last = last_model(job) if config.start == "last" else None
    if group is not None:
        call_others(group, rows, last and last[1], config, job.seed)

    def watch(name: str) -> Callable[[Progress], None]:
        stack.close()
        moved = stack.enter_context(job.bar(size * config.epochs, f"rows, {name}"))

        def shown(now: Progress) -> None:
            auc = "" if np.isnan(now.auc) else f"  AUC {now.auc:.3f}"
            speed = f"{now.rows_per_second / 1000:,.0f}k/s"
            moved(now.rows, now.total, f"epoch {now.epoch}/{now.epochs}  loss {now.loss:.3f}{auc}  {speed}")

        return shown

    def kept(name: str) -> Checkpoints:
        return Checkpoints(folder / f"{name}.safetensors", config.checkpoint_minutes)

    with ExitStack() as stack:
        yield Aids(last and last[0], kept, watch, group)
    shutil.rmtree(folder, ignore_errors=True)
