"""The machine's own noise: a request that does nothing but half a millisecond of work, in a process of its own.

It comes every 20 ms and is timed from when it was planned, as requests are; what is more than 0.5 ms is waiting for a
core. A latency is to be read beside it.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

WORK_SECONDS = 0.0005
EVERY_SECONDS = 0.02
_CALIBRATION = 200_000  # rounds


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Measure while a block runs.

    Yields:
        A table that holds ``loop_p50_ms`` and ``loop_p99_ms`` when the block has ended.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_loop, args=(theirs,), daemon=True)
    process.start()
    ours.recv()  # it has begun
    found: dict[str, float] = {}
    try:
        yield found
    finally:
        ours.send(None)
        found |= ours.recv()
        process.join()


def _loop(line: "Connection[Any, Any]") -> None:
    began = time.process_time()
    _work(_CALIBRATION)
    rounds = max(1, round(_CALIBRATION * WORK_SECONDS / max(1e-6, time.process_time() - began)))
    taken: list[float] = []
    line.send(None)
    planned = time.perf_counter()
    while not line.poll():
        planned += EVERY_SECONDS
        time.sleep(max(0.0, planned - time.perf_counter()))
        _work(rounds)
        taken.append(time.perf_counter() - planned)
    times = 1000 * np.array(taken or [0.0])
    line.send({f"loop_p{percent}_ms": round(float(np.percentile(times, percent)), 3) for percent in (50, 99)})


def _work(rounds: int) -> None:
    for _ in range(rounds):
        pass
