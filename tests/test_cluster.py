"""Two nodes of a real Ray give stages the bytes that they have without them; a killed process costs no result."""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from recsys.workspace import Workspace
from tests.newsroom import QUICK, fill_toy, toy_settings

ROOT = Path(__file__).resolve().parents[1]
SAME = ("tokens", "words", "keywords", "articles", "categories", "items", "features")  # no clock decides their bytes
RAY = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "1"]
STORE_BYTES = "100000000"  # of each node's object store: the smallest is 75 MB

pytestmark = pytest.mark.cluster


class Nodes(NamedTuple):
    """A Ray cluster: the address of its head, and the environment that has its token."""

    address: str
    env: Mapping[str, str]

    def run(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env={**self.env, **env}, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Two nodes of one core each."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: make cluster")
    folder = tmp_path_factory.mktemp("ray")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    port = address.rpartition(":")[2]
    head = ["--head", "--node-ip-address", "127.0.0.1", "--port", port, "--include-dashboard", "false"]
    started = []
    try:
        for number, options in enumerate((head, ["--address", address])):
            command = [*RAY, "--object-store-memory", STORE_BYTES, *options]
            with (folder / f"node-{number}.log").open("wb") as said:
                started.append(
                    subprocess.Popen(command, env=env, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)
                )
            wait_for(folder / f"node-{number}.log", "Ray runtime started")
        yield Nodes(address, env)
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(log: Path, line: str) -> None:
    until = time.monotonic() + 60
    while line not in log.read_text(errors="replace"):
        assert time.monotonic() < until, log.read_text(errors="replace")
        time.sleep(0.1)


def test_all_in_a_cluster_gives_the_bytes_of_all_on_one_machine(nodes: Nodes, tmp_path: Path) -> None:
    made = {}
    for name, options in (("alone", []), ("cluster", ["--cluster", nodes.address])):
        folder = tmp_path / name
        folder.mkdir()
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({"data_dir": str(folder / "data"), **QUICK}))
        fill_toy(toy_settings(folder / "data"))
        run = nodes.run("-m", "jobs", "all", "--config", str(config), *options)
        assert run.returncode == 0, run.stderr[-3000:]
        workspace = Workspace(folder / "data" / "work")
        made[name] = {stage: workspace.record(stage).digest for stage in SAME}
    assert made["cluster"] == made["alone"]


KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
import pyarrow as pa
from recsys.parallel.cluster import RayCluster
from recsys.tokens.batches import bounded_batches, segmenting
from recsys.tokens.config import TokensConfig
from tests.test_parallel import catalogue

def at_work():
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if status.read_bytes().startswith(b"ray::applied"):
                yield int(status.parent.name)
        except OSError:
            pass

task, batches = segmenting(TokensConfig()), list(bounded_batches(catalogue(1200).to_batches(20)))
expected = list(map(task.function(), batches))
results, killed = [], []
signal.signal(signal.SIGTERM, lambda *_: None)
cluster, ends = RayCluster(sys.argv[1]), signal.getsignal(signal.SIGTERM)
assert ends.__module__ == "__main__", "a stage can be asked to end as before"
for result in cluster.map_batches(task, batches):
    results.append(result)
    while len(killed) < len(results) // 10 and len(killed) < 3:
        for process in at_work():
            os.kill(process, signal.SIGKILL)
            killed.append(process)
            break
assert len(set(killed)) == 3, killed
assert pa.Table.from_batches(results).equals(pa.Table.from_batches(expected))
print("killed", killed)
"""


def test_processes_that_are_killed_cost_no_result(nodes: Nodes) -> None:
    run = nodes.run("-c", KILLED, nodes.address)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "killed" in run.stdout


BLOCKS = """
import sys
import tempfile
from pathlib import Path
import numpy as np
import pyarrow as pa
from recsys.dataset.block_items import items_at, learning
from recsys.events.counted import save_counted
from recsys.items.config import ItemsConfig
from recsys.parallel import in_processes
from recsys.parallel.cluster import RayCluster
from recsys.workspace import save_npy, write_table
from tests.clicks import HOUR, START, toy_log

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "log").mkdir()
    (folder / "articles").mkdir()
    ids = save_counted(toy_log(), [], folder / "log").article_ids
    write_table(folder / "articles" / "ids.parquet", pa.table({"id": ids}))
    save_npy(folder / "articles" / "vectors.npy", np.eye(len(ids), dtype=np.float32))
    task = learning(folder / "log", folder / "articles", ItemsConfig(embedding_dim=8), seed=3)
    times, cluster = [START + hours * HOUR for hours in (5, 10, 20)], RayCluster(sys.argv[1])
    here = list(items_at(times, lambda batches: in_processes(task, batches)))
    there = list(items_at(times, lambda batches: cluster.map_batches(task, batches)))
assert [block.time for block in there] == times
for one, two in zip(here, there, strict=True):
    assert (one.items.pair_counts > 0).any()
    for name in one.items._fields:
        np.testing.assert_array_equal(getattr(one.items, name), getattr(two.items, name), err_msg=name)
print("the same", len(there))
"""


def test_item_vectors_of_blocks_have_the_bytes_that_this_machine_gives_them(nodes: Nodes) -> None:
    run = nodes.run("-c", BLOCKS, nodes.address)
    assert "the same 3" in run.stdout, run.stderr[-3000:]


OTHER_SOURCES = """
import sys
import recsys.parallel.cluster as cluster
from recsys.errors import LostProcess
from recsys.tokens.batches import segmenting
from recsys.tokens.config import TokensConfig
from tests.test_parallel import catalogue
cluster.sources = lambda: "of another version"
try:
    list(cluster.RayCluster(sys.argv[1]).map_batches(segmenting(TokensConfig()), catalogue(1).to_batches()))
except LostProcess as error:
    print(error)
"""


def test_a_node_with_other_sources_is_refused(nodes: Nodes) -> None:
    run = nodes.run("-c", OTHER_SOURCES, nodes.address)
    assert "has other sources or libraries" in run.stdout, run.stderr[-3000:]


@pytest.mark.parametrize(
    ("env", "code", "says"),
    [
        ({"RAY_AUTH_TOKEN": "wrong" * 10}, 1, "a Ray cluster at"),
        ({"RAY_AUTH_MODE": "disabled"}, 2, "RAY_AUTH_MODE=token"),
    ],
)
def test_without_the_token_nothing_is_started(
    nodes: Nodes, tmp_path: Path, env: dict[str, str], code: int, says: str
) -> None:
    data = {"RECSYS_DATA_DIR": str(tmp_path)}
    run = nodes.run("-m", "jobs", "tokens", "--cluster", nodes.address, **env, **data)
    assert run.returncode == code, run.stderr[-3000:]
    assert says in run.stdout + run.stderr
