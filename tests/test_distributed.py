"""Training in two processes, and from files: the same as in one process, and from memory."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from recsys.ctr.columns import Columns, Pointwise
from recsys.ctr.distributed import Group, processes
from recsys.ctr.engine import Engine
from recsys.ctr.networks import Layout, Network, network
from recsys.ctr.streaming import Stream, write_rows
from recsys.errors import CorruptArtefact, MissingArtefact

ROOT = Path(__file__).parents[1]
LAYOUT = Layout(2, 3, 4, 40)


def made() -> Network:
    torch.manual_seed(7)
    return network("deepfm", LAYOUT, hidden=(8,), embedding_dim=4, dropout=0.0, norm="none", cross_layers=2)


def columns(rows: int = 96) -> Columns:
    rng = np.random.default_rng(3)
    dense = rng.normal(size=(rows, 2)).astype(np.float32)
    ids, history = rng.integers(0, 40, (rows, 3)), rng.integers(0, 40, (rows, 4))
    label = (rng.random(rows) < 1 / (1 + np.exp(-2 * dense[:, 0]))).astype(np.int8)
    return Columns.of(dense, ids, np.zeros((rows, 0), np.int64), history, np.arange(rows, dtype=np.int32), label, "cpu")


def learn(group: Group | None) -> dict[str, torch.Tensor]:
    """Three epochs of 32 rows per step, together."""
    net, data = made(), columns()
    if group is not None and group.rank:
        torch.nn.init.constant_(net.first, 9.0)  # the first process' weights are everyone's
    if group is not None:
        group.start(net)
    engine = Engine(Pointwise(net), learning_rate=0.02, embedding_l2=0.01, clip=0.5, exchange=group)
    order = torch.Generator().manual_seed(5)
    for _ in range(3):
        for rows in torch.split(torch.randperm(96, generator=order), 32):
            part = rows if group is None else group.part(rows)
            engine.step(data.batch(part), data.label[part])
    return net.state_dict()


WORKER = """
import sys
from safetensors.torch import save_file
from recsys.ctr.distributed import Group, processes
from tests.test_distributed import learn

with processes() as group:
    save_file(learn(group), sys.argv[1] + str(group.rank))
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    names = {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", WORKER, str(tmp_path / "part")]
    started = [
        subprocess.Popen(
            command,
            env=os.environ | names | {"RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for rank in ("0", "1")
    ]
    for process in started:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    first, second = (load_file(tmp_path / name) for name in ("part0", "part1"))
    start = made().state_dict()
    for name, weight in learn(None).items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], weight, rtol=1e-3, atol=1e-5)
        assert not torch.equal(weight, start[name]), name


def test_without_torchrun_there_is_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes() as group:
        assert group is None


def write(folder: Path, data: Columns, *, files: int = 2, block: int = 10) -> list[Path]:
    paths = [folder / f"{number}.parquet" for number in range(files)]
    for path, rows in zip(paths, np.array_split(np.arange(len(data.label)), files), strict=True):
        dense, ids, _, history, _, label = (part.numpy() for part in data)
        write_rows(path, dense[rows], ids[rows], history[rows], label[rows].astype(np.int8), block=block)
    return paths


def test_a_stream_brings_every_row_once_per_epoch(tmp_path: Path) -> None:
    data = columns()
    data = data._replace(dense=torch.arange(96.0)[:, None].expand(96, 2).contiguous())
    stream, rng = Stream(write(tmp_path, data), "cpu", window=2), np.random.default_rng(1)
    epochs = []
    for _ in range(2):
        rows: list[int] = []
        for batch, label in stream.batches(25, rng):
            numbers = batch.dense[:, 0].long()
            assert torch.equal(batch.ids, data.ids[numbers])
            assert torch.equal(batch.history, data.history[numbers])
            assert torch.equal(label, data.label[numbers])
            rows += numbers.tolist()
        epochs.append(rows)
    assert stream.rows == 96
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(96))
    assert epochs[0] != epochs[1]
    assert epochs[0] != sorted(epochs[0])


def test_a_stream_in_order_learns_what_memory_does(tmp_path: Path) -> None:
    data = columns()
    losses = []
    stream = Stream(write(tmp_path, data), "cpu", window=2)
    for streamed in (True, False):
        engine = Engine(Pointwise(made()), learning_rate=0.02)
        chosen = torch.split(torch.arange(96), 25)
        batches = stream.batches(25, None) if streamed else ((data.batch(rows), data.label[rows]) for rows in chosen)
        losses.append([float(engine.step(batch, label)) for batch, label in batches])
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4


def test_a_drawn_order_ends_with_the_loss_of_memory(tmp_path: Path) -> None:
    data, last = columns(), []
    stream, rng, generator = (
        Stream(write(tmp_path, data), "cpu"),
        np.random.default_rng(2),
        torch.Generator().manual_seed(2),
    )
    for streamed in (True, False):
        engine = Engine(Pointwise(made()), learning_rate=0.01)
        for _ in range(12):
            batches = stream.batches(16, rng) if streamed else data.batches(16, generator)
            epoch = [float(engine.step(batch, label)) for batch, label in batches]
        last.append(np.mean(epoch))
    assert last[0] == pytest.approx(last[1], rel=0.15)
    assert max(last) < 0.6


def test_a_stream_may_be_left_before_its_end(tmp_path: Path) -> None:
    stream = Stream(write(tmp_path, columns()), "cpu", window=1)
    first = next(iter(stream.batches(5, None)))
    assert len(first[1]) == 5
    batches = stream.batches(5, None)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


def test_what_goes_wrong_while_reading_ahead_is_raised_where_it_is_read(tmp_path: Path) -> None:
    files = write(tmp_path, columns())
    stream = Stream(files, "cpu", window=1)
    files[1].unlink()
    with pytest.raises(FileNotFoundError):
        list(stream.batches(5, None))


def test_rows_without_ids_or_clicks_are_streamed(tmp_path: Path) -> None:
    dense, none = np.ones((7, 2), np.float32), np.zeros((7, 0), np.int32)
    write_rows(tmp_path / "a", dense, none, none, np.ones(7, np.int8), block=3)
    batches = list(Stream([tmp_path / "a"], "cpu").batches(4, None))
    assert [(batch.dense.shape, batch.ids.shape, batch.history.shape) for batch, _ in batches] == [
        ((4, 2), (4, 0), (4, 0)),
        ((3, 2), (3, 0), (3, 0)),
    ]


def test_files_that_are_no_rows_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"dense": [1.0]}), tmp_path / "other.parquet")
    with pytest.raises(CorruptArtefact, match="label"):
        Stream([tmp_path / "other.parquet"], "cpu")
    with pytest.raises(MissingArtefact):
        Stream([], "cpu")
