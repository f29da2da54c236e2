"""Bounds of a machine: matrix products, memory and launches, each measured bare."""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

REPEATS = 5  # the fastest counts: a bound that something else slowed down is none


def fastest(step: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """Seconds of the fastest of several runs, after one to warm up."""
    step()
    return min(seconds_of(step, device) for _ in range(repeats))


def seconds_of(step: Callable[[], object], device: torch.device) -> float:
    """Seconds until the device has done it."""
    wait(device)
    began = time.perf_counter()
    step()
    wait(device)
    return time.perf_counter() - began


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def products(widths: Sequence[int], batch_size: int, dtype: torch.dtype, device: torch.device) -> float:
    """Seconds of the bare matrix products of one step: forward, and backward to inputs and to weights.

    Args:
        widths: units of each layer, what the first one reads first.
        batch_size: rows B.
        dtype: of all matrices.
        device: where.
    """
    layers = [
        (
            torch.randn(batch_size, n_in, dtype=dtype, device=device),
            torch.randn(n_out, n_in, dtype=dtype, device=device),
            torch.randn(batch_size, n_out, dtype=dtype, device=device),
        )
        for n_in, n_out in pairwise(widths)
    ]

    def step() -> None:
        for x, weight, gradient in layers:
            torch.mm(x, weight.t())
            torch.mm(gradient, weight)
            torch.mm(gradient.t(), x)

    return fastest(step, device)


def bytes_per_second(device: torch.device, size: int = 1 << 28) -> float:
    """Memory read and written per second by a copy of ``size`` bytes."""
    source = torch.zeros(size // 4, device=device)
    target = torch.empty_like(source)
    return 2 * size / fastest(lambda: target.copy_(source), device)


def least_bytes(fields: int, embedding_dim: int, hidden: Sequence[int], activation: int) -> int:
    """Memory that one sample has to move in a step, were every operation fused with its neighbours.

    Its ids are read once; each of its rows is read and written with its accumulator, and its gradient likewise; each
    layer's input is written and read forward, read again backward, and its gradient written and read.

    Args:
        fields: ids K of a sample.
        embedding_dim: D.
        hidden: widths of the layers.
        activation: bytes of an activation.
    """
    rows = 4 * fields + 2 * 2 * 4 * fields * (embedding_dim + 1)
    return rows + 5 * activation * (fields * embedding_dim + sum(hidden))


def launch_seconds(device: torch.device, times: int = 2000) -> float:
    """Seconds that one operation on one number takes: what each launch costs at least."""
    one = torch.zeros(1, device=device)

    def step() -> None:
        for _ in range(times):
            one.add_(1)

    return fastest(step, device) / times


class Launches(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations; those that only look at memory in another shape launch nothing and do not count."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See ``TorchDispatchMode``."""
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))
