"""A task gives the same bytes in any process: in this one, in several, or shipped as a cluster ships it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.runner import Context, run_stage
from jobs.stages import stage_of
from recsys.errors import ArtefactError
from recsys.parallel import BatchTask, in_processes
from recsys.parallel.task import batch_bytes, batch_of, file_names, received_function
from recsys.tokens.batches import ARTICLES, bounded_batches, segmenting
from recsys.tokens.config import TokensConfig
from recsys.workspace import Workspace
from tests.newsroom import Toy
from tests.service import copy_of

ROOT = Path(__file__).resolve().parents[1]
TASK = segmenting(TokensConfig())


def catalogue(articles: int) -> pa.Table:
    texts = [f"New York stocks rose {n}. " * 20 + "中国经济增长很快。" * (n % 5) for n in range(articles)]
    rows = {"id": [str(n) for n in range(articles)], "title": texts, "body": texts, "language": [None] * articles}
    return pa.table(rows, schema=pa.schema([(name, pa.string()) for name in rows]))


def shipped(task: BatchTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A cluster without one: task, files and batches as bytes, and nothing of this machine's folders."""
    files: dict[str, dict[str, Any]] = {name: {} for name in task.files}
    for folder, name, path in file_names(task):
        files[folder][name] = path.read_bytes()
    elsewhere = {name: Path("/nowhere") for name in task.files}
    function = received_function(BatchTask(task.maker, task.settings, elsewhere).as_json(), files)
    for batch in batches:
        yield batch_of(batch_bytes(function(batch_of(batch_bytes(batch)))))


@pytest.mark.parametrize("way", ["one", "two", "shipped"])
def test_results_come_in_the_order_of_the_batches(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.parallel.processes.SMALL_BYTES", -1)
    batches = list(bounded_batches(catalogue(60).to_batches(7)))
    ways: dict[str, Callable[[], Iterator[pa.RecordBatch]]] = {
        "one": lambda: in_processes(TASK, batches, 1),
        "two": lambda: in_processes(TASK, batches, 2),
        "shipped": lambda: shipped(TASK, batches),
    }
    results = pa.Table.from_batches(list(ways[way]()))
    assert results["id"].to_pylist() == [str(number) for number in range(60)]
    assert results.equals(pa.Table.from_batches(list(map(TASK.function(), batches))))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_process_that_was_killed_is_an_error_and_leaves_no_other_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.parallel.processes.SMALL_BYTES", -1)
    before = set(children(os.getpid()))  # those of other tests: a browser, a database, a resource tracker
    answers = in_processes(TASK, bounded_batches(catalogue(60).to_batches(2)), 2)
    next(answers)
    workers = set(children(os.getpid())) - before
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ArtefactError, match="taskset"):
        list(answers)
    assert workers.isdisjoint(children(os.getpid()))


PARENT = """
import time
import pyarrow as pa
import recsys.parallel.processes as processes
from recsys.tokens.batches import ARTICLES, TokensConfig, segmenting
processes.SMALL_BYTES = -1
batches = [pa.record_batch([["a"]] * 4, schema=ARTICLES)] * 9
for _ in processes.in_processes(segmenting(TokensConfig()), batches, 2):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_processes_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        workers = children(parent.pid)
        parent.kill()
    assert len(workers) == 2
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.parametrize("stage", ["tokens", "keywords", "articles", "categories"])
def test_a_stage_in_a_cluster_writes_the_bytes_that_it_writes_here(toy: Toy, tmp_path: Path, stage: str) -> None:
    settings = copy_of(toy, tmp_path)
    workspace = Workspace(settings.data_dir / "work")
    batches: list[pa.RecordBatch] = []

    def cluster(task: BatchTask, given: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for result in shipped(task, given):
            batches.append(result)
            yield result

    made = []
    for context in (Context(settings, 1, fresh=True), Context(settings, 1, fresh=True, cluster=cluster)):
        run_stage(context, *stage_of(stage))
        made.append(workspace.record(stage).files)
    assert made[0] == made[1]
    assert batches, "the cluster had nothing to do"


def test_a_task_names_a_function_of_this_project_and_no_other() -> None:
    text = TASK.as_json()
    assert BatchTask.from_json(text).as_json() == text
    with pytest.raises(ValueError, match=r"recsys\."):
        BatchTask.from_json(text.replace("recsys.tokens.batches:segment_batches", "os:system"))


def test_of_a_slice_only_the_slice_travels() -> None:
    whole = pa.record_batch([[f"article {n}" for n in range(1000)]] * 4, schema=ARTICLES)
    assert batch_bytes(whole.slice(10, 1)).size < batch_bytes(whole).size / 20
    assert batch_of(batch_bytes(whole.slice(10, 1))).equals(whole.slice(10, 1))
