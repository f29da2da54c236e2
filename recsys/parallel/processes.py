"""Processes of this machine that apply a task to a stream of batches; the result is the same with any number of them.

Each process is ``python -m recsys.parallel.worker``: batches go to its standard input and come back from its standard
output as Arrow streams. So nothing is forked, the caller's main module is not imported again, and a process whose
parent was killed reads the end of its input and ends. At most two batches per process are on their way.
"""

import contextlib
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from recsys.errors import ArtefactError
from recsys.parallel.task import BatchTask

SMALL_BYTES = 8_000_000  # bytes that one process has worked off before others have started


def in_processes(task: BatchTask, batches: Iterable[pa.RecordBatch], processes: int = 0) -> Iterator[pa.RecordBatch]:
    """Results of a task on batches, in order, from several processes, or from this one where there is little to do.

    Args:
        task: the function.
        batches: of one schema.
        processes: how many; 0: one per core that this one may use.

    Raises:
        ArtefactError: a process was killed.
    """
    processes = processes or len(os.sched_getaffinity(0))
    stream = iter(batches)
    head: list[pa.RecordBatch] = []
    size = 0
    while processes > 1 and size <= SMALL_BYTES and (batch := next(stream, None)):
        head.append(batch)
        size += batch.nbytes
    if size <= SMALL_BYTES:
        function = task.function()
        yield from (function(batch) for part in (head, stream) for batch in part)
        return
    with _Workers(processes, task) as pool:
        waiting: deque[Future[pa.RecordBatch]] = deque()
        for part in (head, stream):
            for batch in part:
                waiting.append(pool.submit(batch))
                if len(waiting) >= 2 * processes:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Workers:
    """Processes that work, and a thread for each that hands it batches."""

    def __init__(self, processes: int, task: BatchTask) -> None:
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all = [_Worker(task) for _ in range(processes)]
        for worker in self._all:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(processes)

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.end()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, batch: pa.RecordBatch) -> "Future[pa.RecordBatch]":
        """Have a batch worked on by whichever process is idle first."""
        return self._threads.submit(self._result_of, batch)

    def _result_of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        worker = self._idle.get()
        try:
            return worker.result_of(batch)
        finally:
            self._idle.put(worker)


class _Worker:
    """One process."""

    def __init__(self, task: BatchTask) -> None:
        paths = os.pathsep.join(path or os.curdir for path in sys.path)
        self._task = task.as_json()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recsys.parallel.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self._reader: pa.ipc.RecordBatchStreamReader | None = None

    def result_of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Send a batch and wait for its result."""
        assert self._process.stdin is not None
        try:
            if self._writer is None:
                schema = batch.schema.with_metadata({"task": self._task})
                self._writer = pa.ipc.new_stream(self._process.stdin, schema)
            self._writer.write_batch(batch)
            self._process.stdin.flush()
            self._reader = self._reader or pa.ipc.open_stream(self._process.stdout)
            return self._reader.read_next_batch()
        except (OSError, ValueError, StopIteration) as error:
            raise ArtefactError(
                "a result of a process that works on batches of articles",
                f"none, it has ended ({error or 'no more output'})",
                "It was most likely killed for want of memory: run it on one core, taskset -c 0 python -m jobs …",
            ) from error

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()
        self._process.wait()
