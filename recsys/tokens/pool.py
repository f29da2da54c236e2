"""Processes that cut, join and tag a stream of articles; the result is the same with any number of them.

Each process is ``python -m recsys.tokens.worker``: batches go to its standard input and come back from its standard
output as Arrow streams. So nothing is forked, the caller's main module is not imported again, and a process whose
parent was killed reads the end of its input and ends. At most two batches per process are on their way.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.config import plain
from recsys.errors import ArtefactError
from recsys.languages import NO_SITE_LANGUAGES, SiteLanguages
from recsys.tokens.config import TokensConfig
from recsys.tokens.segmenter import Segmenter
from recsys.tokens.table import BATCH_ARTICLES, SEGMENTS, TOKENS_SCHEMA
from recsys.tokens.tokenizer import load_tokenizer

BATCH_BYTES = 4_000_000  # bytes of text per batch: enough to keep a process busy, little enough to hold some of them
SMALL_BYTES = 8_000_000  # bytes that one process has worked off before others have started

ARTICLES = pa.schema([(name, pa.string()) for name in ("id", "title", "body", "language")])


class BatchTask(NamedTuple):
    """Task on batches of articles, as it is sent to another process: cut them, or join and tag their words.

    Attributes:
        config: of the tokeniser.
        boilerplate: lines to leave out when cutting.
        site_languages: by which the language of a text is detected, when cutting.
        tokenizer: folder of the lexicon and the word classes, by which words are joined and tagged; None: articles are
            cut.
    """

    config: TokensConfig
    boilerplate: Sequence[str] = ()
    site_languages: SiteLanguages = NO_SITE_LANGUAGES
    tokenizer: Path | None = None

    def input_schema(self) -> pa.Schema:
        """Schema of the input batches, with the task as metadata."""
        fields = {
            "config": plain(self.config),
            "boilerplate": list(self.boilerplate),
            "site_languages": self.site_languages.facts(),
            "tokenizer": str(self.tokenizer) if self.tokenizer else None,
        }
        return (SEGMENTS if self.tokenizer else ARTICLES).with_metadata({"task": json.dumps(fields)})

    def output_schema(self) -> pa.Schema:
        """Schema of the output batches."""
        return TOKENS_SCHEMA if self.tokenizer else SEGMENTS

    def function(self) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
        """Function from an input batch to an output batch."""
        if self.tokenizer:
            return load_tokenizer(self.tokenizer, self.config).join_and_tag
        segmenter = Segmenter(self.config, self.boilerplate, self.site_languages)

        def segment(batch: pa.RecordBatch) -> pa.RecordBatch:
            columns = (batch.column(name).to_pylist() for name in ("title", "body", "language"))
            return segmenter.segment(batch.column("id"), zip(*columns, strict=True))

        return segment


def task_of(schema: pa.Schema) -> BatchTask:
    """The task that a schema carries as metadata."""
    fields = json.loads(schema.metadata[b"task"])
    tokenizer = Path(fields["tokenizer"]) if fields["tokenizer"] else None
    config, site_languages = TokensConfig.model_validate(fields["config"]), SiteLanguages(**fields["site_languages"])
    return BatchTask(config, fields["boilerplate"], site_languages, tokenizer)


def run_in_processes(task: BatchTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Results of a task on batches, in order, from as many processes as its settings say.

    Raises:
        ArtefactError: a process was killed.
    """
    workers = task.config.workers or os.cpu_count() or 1
    stream = iter(batches)
    head: list[pa.RecordBatch] = []
    size = 0
    while workers > 1 and size <= SMALL_BYTES and (batch := next(stream, None)):
        head.append(batch)
        size += batch.nbytes
    if size <= SMALL_BYTES:
        function = task.function()
        yield from (function(batch) for part in (head, stream) for batch in part)
        return
    with _Workers(workers, task) as pool:
        waiting: deque[Future[pa.RecordBatch]] = deque()
        for part in (head, stream):
            for batch in part:
                waiting.append(pool.submit(batch))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def bounded_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same articles in batches of a bounded size.

    Args:
        batches: string columns id, title, body, language, and perhaps others.

    Yields:
        Rows of ``ARTICLES``: at most 1,024, and of 4 MB of text unless a single article has more.
    """
    for batch in batches:
        batch = batch.select(ARTICLES.names).cast(ARTICLES)
        sizes = sum(pc.fill_null(pc.binary_length(batch.column(name)), 0).to_numpy() for name in ("title", "body"))
        start = 0
        while start < batch.num_rows:
            ends = np.cumsum(sizes[start : start + BATCH_ARTICLES], dtype=np.int64)
            rows = max(1, int(np.searchsorted(ends, BATCH_BYTES, side="right")))
            yield batch.slice(start, rows)
            start += rows


class _Workers:
    """Processes that work, and a thread for each that hands it batches."""

    def __init__(self, workers: int, task: BatchTask) -> None:
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all = [_Worker(task) for _ in range(workers)]
        for worker in self._all:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers)

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
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recsys.tokens.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )
        self._writer = pa.ipc.new_stream(self._process.stdin, task.input_schema())
        self._reader: pa.ipc.RecordBatchStreamReader | None = None

    def result_of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Send a batch and wait for its result."""
        assert self._process.stdin is not None
        try:
            self._writer.write_batch(batch)
            self._process.stdin.flush()
            self._reader = self._reader or pa.ipc.open_stream(self._process.stdout)
            return self._reader.read_next_batch()
        except (OSError, ValueError, StopIteration) as error:
            raise ArtefactError(
                "a result of a process that cuts text",
                f"none, it has ended ({error or 'no more output'})",
                "It was most likely killed for want of memory: set tokens.workers to 1 and run again.",
            ) from error

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()
        self._process.wait()
