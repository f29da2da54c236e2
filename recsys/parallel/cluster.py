"""Processes of a Ray cluster that apply a task to a stream of batches, with the bytes that local processes give.

The caller's machine is a node of the cluster. A task's files travel once per node through Ray's object store, so that
no folder is shared; each process makes the function once and keeps it for the batches that follow. A process that is
killed costs the batch that it had: Ray gives it to another one. Every node has the same sources and libraries
installed, which is compared, and the token of the cluster in its environment.
Source: Moritz et al. 2018, "Ray: A Distributed Framework for Emerging AI Applications".
"""

import functools
import hashlib
import logging
import os
import platform
import signal
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray
import scipy

import recsys
from recsys.errors import ConfigError, LostProcess
from recsys.parallel.task import BatchFunction, BatchTask, batch_bytes, batch_of, file_names, received_function

AUTH_MODE, TOKEN = "RAY_AUTH_MODE", "token"  # without it whoever reaches the port runs code on every node
RETRIES = 5  # of a batch whose process was killed
_ON_THE_WAY = 2  # batches per core of the cluster that are sent and not back yet

_functions: dict[str, BatchFunction] = {}  # in a process of the cluster: that of the last map


class RayCluster:
    """A Ray cluster that this process is connected to.

    Args:
        address: host and port of its head, or ``auto`` for the cluster that this machine belongs to.

    Raises:
        ConfigError: token authentication is not on in the environment.
        LostProcess: there is no cluster that takes our token.
    """

    def __init__(self, address: str) -> None:
        mode = os.environ.get(AUTH_MODE)  # Ray reads it when it is imported: to set it here would be too late
        if mode != TOKEN:
            expected = f"{AUTH_MODE}={TOKEN}: a Ray cluster without it runs the code of whoever reaches its port"
            raise ConfigError(expected, repr(mode), "Start every node and every command with it: docs/scale.md.")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ends = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address, logging_level=logging.ERROR, configure_logging=False, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            remedy = (
                "Is this machine a node of it, and has it the cluster's token? docs/scale.md says how one is started."
            )
            raise LostProcess(f"a Ray cluster at {address}", str(error).partition("\n")[0], remedy) from None
        signal.signal(signal.SIGTERM, ends)  # Ray puts its own in the place of the one that lets a stage end well

    @property
    def cores(self) -> int:
        """Number of cores of all nodes that there are now."""
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def map_batches(self, task: BatchTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Results of a task on batches, in order.

        Raises:
            LostProcess: a batch failed, or its processes were killed again and again.
        """
        files: dict[str, dict[str, Any]] = {name: {} for name in task.files}
        for folder, name, path in file_names(task):
            files[folder][name] = ray.put(np.fromfile(path, np.uint8))
        apply = ray.remote(num_cpus=1, max_retries=RETRIES)(applied)  # another name: it goes by its own, not by value
        shared = ray.put((uuid.uuid4().hex, sources(), task.as_json(), files))
        waiting: deque[Any] = deque()
        for batch in batches:
            waiting.append(apply.remote([shared], np.frombuffer(batch_bytes(batch), np.uint8)))
            while len(waiting) >= _ON_THE_WAY * self.cores:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


def _result(reference: Any) -> pa.RecordBatch:
    try:
        return batch_of(ray.get(reference))
    except ray.exceptions.RayError as error:
        said = [repr(error), *str(error).strip().splitlines()][-1]
        remedy = "The same command goes on with the stage that it was at."
        raise LostProcess("a result of every batch from the cluster", said, remedy) from None


def applied(shared: list[Any], batch: Any) -> Any:
    """One batch's result, in a process of the cluster.

    Args:
        shared: one reference to the map's key, the asker's sources, the task and its files.
        batch: uint8, an Arrow stream.

    Returns:
        uint8, an Arrow stream.
    """
    key, wanted, text, files = ray.get(shared[0])
    if sources() != wanted:
        raise RuntimeError(
            f"{platform.node()} has other sources or libraries than the machine that asks; install the same"
        )
    if key not in _functions:
        pa.set_cpu_count(1)
        _functions.clear()
        contents = {
            folder: dict(zip(names, ray.get(list(names.values())), strict=True)) for folder, names in files.items()
        }
        _functions[key] = received_function(text, contents)
    return np.frombuffer(batch_bytes(_functions[key](batch_of(batch))), np.uint8)


@functools.cache
def sources() -> str:
    """Digest of all that decides the bytes of a result beside task and batch: our sources, and the libraries."""
    root = Path(recsys.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(f"{file.relative_to(root)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    libraries = (np.__version__, scipy.__version__, pa.__version__, version("numba"), version("llvmlite"))
    digest.update(repr((platform.python_version(), platform.machine(), libraries)).encode())
    return digest.hexdigest()
