"""Training in several processes: each learns from its part of every batch, and all make the same step.

    torchrun --nproc-per-node 2 ...     (gloo between CPUs, nccl between GPUs)

Gradients of the table travel as the rows that each batch holds; everything else is averaged. Weights start equal, from
the first process, and stay equal. One process with the whole batch makes the same steps but for the rounding of sums,
as long as no layer looks at a batch as a whole: batch norm sees its process' part, as everywhere.

Source: Li et al. 2020 (data-parallel training in PyTorch).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from recsys.errors import DegenerateInput, LostProcess

WORLD_SIZE = "WORLD_SIZE"  # the variable in which torchrun says how many processes there are
WAIT_AT_MOST = timedelta(hours=12)  # the others wait while the first process makes what comes before
T = TypeVar("T")


@contextmanager
def processes(device: str = "cpu") -> Iterator["ProcessGroup | None"]:
    """The processes that torchrun started; None when it did not, or started one only.

    Args:
        device: ``cpu``, or ``cuda`` for a GPU per process.

    Raises:
        DegenerateInput: there are fewer GPUs than processes on this machine.
        LostProcess: in the block, another process has ended.
    """
    if int(os.environ.get(WORLD_SIZE, "1")) < 2:
        yield None
        return
    if device == "cuda":
        number, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if number >= gpus:
            remedy = f"Start torchrun with --nproc-per-node {max(gpus, 1)}, or set ctr.device to cpu."
            raise DegenerateInput("a GPU per process", f"process {number + 1} of this machine, {gpus} GPUs", remedy)
        torch.cuda.set_device(number)
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=WAIT_AT_MOST)
    try:
        yield ProcessGroup()
    except RuntimeError as error:
        if not is_lost(error):
            raise
        remedy = "Look at what that process said; the same command goes on from the last checkpoint."
        expected = "all processes until the end of the training"
        raise LostProcess(expected, str(error).partition("\n")[0], remedy) from None
    finally:
        dist.destroy_process_group()


def is_lost(error: RuntimeError) -> bool:
    """True for an error that another process' end causes; the libraries have no class of their own for it."""
    return isinstance(error, dist.DistError) or "onnection" in str(error)


class ProcessGroup:
    """All processes of a training; ``recsys.ctr.engine.Engine`` exchanges gradients through it.

    Attributes:
        rank: this process' number, from 0.
        size: number of processes.
    """

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    @property
    def leads(self) -> bool:
        """True in the first process, which alone writes."""
        return self.rank == 0

    def broadcast_weights(self, module: nn.Module) -> None:
        """Give everyone the first process' weights."""
        for tensor in (*module.parameters(), *module.buffers()):
            dist.broadcast(tensor.detach(), 0)

    def shard(self, numbers: torch.Tensor) -> torch.Tensor:
        """This process' part of a batch, int64 (B,) -> (B / size,), one more in the first ones where it does not go."""
        return numbers[self.rank :: self.size]

    def broadcast(self, value: T) -> T:
        """The first process' value, in every process; what the others pass is ignored."""
        values = [value]
        dist.broadcast_object_list(values, 0)
        return values[0]

    def mean(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its mean over processes; all travel as one."""
        if not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def rows(self, rows: torch.Tensor, gradients: Sequence[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Everyone's rows, and the mean over processes of their gradients; a row that a process lacks counts 0.

        Args:
            rows: int64 (U,), distinct but for row 0.
            gradients: float32 (U, D) each.

        Returns:
            int64 (U',), ascending and distinct; float32 (U', D) each.
        """
        everyone = torch.cat(self._gathered(rows))
        distinct, place = torch.unique(everyone, return_inverse=True)
        means = []
        for gradient in gradients:
            total = gradient.new_zeros(len(distinct), gradient.shape[1])
            means.append(total.index_add_(0, place, torch.cat(self._gathered(gradient))).div_(self.size))
        return distinct, means

    def _gathered(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """Everyone's tensor, in the order of ranks; first dimensions may differ."""
        size = torch.tensor([len(tensor)], device=tensor.device)
        sizes = [torch.zeros_like(size) for _ in range(self.size)]
        dist.all_gather(sizes, size)
        largest = int(torch.cat(sizes).max())
        padded = torch.cat([tensor, tensor.new_zeros(largest - len(tensor), *tensor.shape[1:])])
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        return [part[: int(size)] for part, size in zip(parts, sizes, strict=True)]
