"""The device on which torch computes, and one CPU thread for sums that are the same in every run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def device_of(device: str) -> str:
    """``cuda`` when it is asked for, or when there is one and ``auto`` leaves the choice; else ``cpu``."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """One CPU thread while it lasts: sums in a fixed order are the same in every run. A GPU is left as it is."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
