"""Jobs under torchrun: the first process does the job, the others only train the click model with it.

    torchrun --nproc-per-node 2 -m jobs ctr        (or all)

The others wait until the first one has rows to learn from, receive their path, make the same models and throw
them away. They write nothing: no lock, no run, no checkpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.runner import Context
from jobs.terminal import log
from recsys.ctr.config import CtrConfig
from recsys.ctr.distributed import ProcessGroup, is_lost, processes
from recsys.ctr.model import ClickModel
from recsys.ctr.training import TrainingResources, evaluated_model, released_model
from recsys.dataset.parquet import open_training_set
from recsys.devices import device_of
from recsys.errors import DegenerateInput, RecsysError
from recsys.features import NAMES

TRAINS = ("ctr", "all")


@contextmanager
def main_process(context: Context, job: str) -> Iterator[bool]:
    """Find out whether this process is to do a job; one that is not has helped before it finds out.

    Args:
        context: its ``group`` is set in the process that does the job.
        job: its name.

    Raises:
        DegenerateInput: the job trains no click model, so that there is nothing to do together.
        SystemExit: in a process that helps, when the first one has failed; that one says why.
    """
    if job not in TRAINS:
        expected = "ctr or all under torchrun: the click model alone is trained in several processes"
        raise DegenerateInput(expected, job, f"Run: python -m jobs {job}")
    with processes(device_of(context.settings.ctr.device)) as group:
        if group is None or group.leads:
            context.group = group
            yield True
            if group is not None:
                group.broadcast(None)
            return
        try:
            follow(group)
        except RecsysError:  # the first one meets the same, and says it
            raise SystemExit(1) from None
        except RuntimeError as error:
            if not is_lost(error):  # the first one has ended otherwise, and has said why
                log.critical("a process that helps has failed", process=group.rank, problem=str(error))
            raise SystemExit(1) from None
        yield False


def call_others(group: ProcessGroup, rows: Path, last: Path | None, config: CtrConfig, seed: int) -> None:
    """Have the others train with this process: the next it does is to make the two models of ``rows``.

    Args:
        group: the processes.
        rows: the file of training rows; all processes can read it.
        last: the folder of the model to go on from.
        config: the network and its training.
        seed: of all randomness.
    """
    group.broadcast((rows, last, config, seed))


def follow(group: ProcessGroup) -> None:
    """Train with the first process as often as it calls."""
    while (called := group.broadcast(None)) is not None:
        rows, last, config, seed = called
        made = open_training_set(rows)
        resources = TrainingResources(last=None if last is None else ClickModel.load(last, NAMES), group=group)
        judged = evaluated_model(made, config, seed=seed, resources=resources)
        released_model(made, judged, config, seed=seed, resources=resources)
