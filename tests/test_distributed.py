"""Training in two processes ends where one process would, and torchrun starts a job as anyone would expect."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmarks.ctr.columns import Columns, Pointwise
from jobs.ctr_resources import CHECKPOINTS
from recsys.ctr.architecture import Layout
from recsys.ctr.config import CtrConfig
from recsys.ctr.distributed import ProcessGroup, processes
from recsys.ctr.engine import Engine
from recsys.ctr.loop import Checkpoints, Progress
from recsys.ctr.network import ClickNetwork, network
from recsys.ctr.training import fit
from recsys.errors import DegenerateInput
from recsys.features import NAMES as NAMES_OF_FEATURES
from recsys.workspace import load_npy, read_json
from tests.click_rows import NAMES, rows_of_ids
from tests.test_ctr_release import made as run_alone
from tests.test_ctr_release import newsroom, some_set

ROOT = Path(__file__).parents[1]
Both = Mapping[str, list[dict[str, torch.Tensor]]]  # by the name of a function, what it gave in either process
LAYOUT = Layout(2, 3, 4, 40)
TOGETHER = CtrConfig(
    fields=("article", "hour"),
    hidden_units=(8,),
    learning_rate=0.02,
    epochs=3,
    batch_size=128,
    dropout=0.0,
    negative_share=0.7,
    device="cpu",
)


def made() -> ClickNetwork:
    torch.manual_seed(7)
    return network("deepfm", LAYOUT, hidden=(8,), embedding_dim=4, dropout=0.0, norm="none", cross_layers=2)


def columns(rows: int = 96) -> Columns:
    rng = np.random.default_rng(3)
    dense = rng.normal(size=(rows, 2)).astype(np.float32)
    ids, history = rng.integers(0, 40, (rows, 3)), rng.integers(0, 40, (rows, 4))
    label = (rng.random(rows) < 1 / (1 + np.exp(-2 * dense[:, 0]))).astype(np.int8)
    return Columns.of(dense, ids, np.zeros((rows, 0), np.int64), history, np.arange(rows, dtype=np.int32), label, "cpu")


def learn(group: ProcessGroup | None, _folder: Path) -> dict[str, torch.Tensor]:
    """Three epochs of 32 rows per step, together."""
    net, data = made(), columns()
    if group is not None and group.rank:
        torch.nn.init.constant_(net.first, 9.0)  # the first process' weights are everyone's
    if group is not None:
        group.broadcast_weights(net)
    engine = Engine(Pointwise(net), learning_rate=0.02, embedding_l2=0.01, exchange=group)
    order = torch.Generator().manual_seed(5)
    for _ in range(3):
        for rows in torch.split(torch.randperm(96, generator=order), 32):
            part = rows if group is None else group.shard(rows)
            engine.step(data.batch(part), data.label[part])
    return net.state_dict()


WORKER = """
import os
import sys
from pathlib import Path
from safetensors.torch import save_file
from recsys.ctr.distributed import processes
from recsys.errors import LostProcess
from tests import test_distributed

folder, other = Path(sys.argv[1]), os.fork()  # now there are two
os.environ["RANK"] = os.environ["LOCAL_RANK"] = "0" if other else "1"
try:
    with processes() as group:
        for name in sys.argv[2:]:
            found = getattr(test_distributed, name)(group, folder)
            save_file(found, folder / f"{name}-{group.rank}")
        test_distributed.leaving(group)
except LostProcess as problem:
    (folder / "remedy").write_text(problem.remedy)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]))
"""
FUNCTIONS = ("learn", "fitted", "interrupted", "exploding")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes leave that run some functions of this file together, until one is killed; both end well."""
    folder = tmp_path_factory.mktemp("two")
    names = {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", WORKER, str(folder), *FUNCTIONS]
    ended = subprocess.run(
        command, env=os.environ | names, capture_output=True, text=True, cwd=ROOT, timeout=100, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def both(two: Path) -> Both:
    """What the functions give, by name, in each of the two processes."""
    return {name: [load_file(two / f"{name}-{rank}") for rank in "01"] for name in FUNCTIONS}


def test_steps_of_two_processes_are_those_of_one(both: Both, tmp_path: Path) -> None:
    first, second = both["learn"]
    start = made().state_dict()
    for name, weight in learn(None, tmp_path).items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], weight, rtol=1e-3, atol=1e-5)
        assert not torch.equal(weight, start[name]), name


def fitted(group: ProcessGroup | None, _folder: Path) -> dict[str, torch.Tensor]:
    """What ``fit`` says of some rows with each loss, with a validation part, ids and negatives that are left out."""
    (rows, _), (later, _) = rows_of_ids(300), rows_of_ids(100, seed=2)
    found = {}
    for loss in ("softmax", "bce", "joint"):
        config = TOGETHER.model_copy(update={"loss": loss})
        model, training = fit(NAMES, rows, later, config, seed=1, group=group)
        found[loss] = torch.from_numpy(model.raw(rows))
        found[f"{loss} losses"] = torch.tensor(training.fit_loss + training.validation_loss)
    return found


def test_a_training_in_two_processes_ends_where_one_ends(both: Both, tmp_path: Path) -> None:
    first, second = both["fitted"]
    for name, alone in fitted(None, tmp_path).items():
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=1e-6)
        torch.testing.assert_close(first[name], alone, rtol=1e-3, atol=1e-3)


def interrupted(group: ProcessGroup | None, folder: Path) -> dict[str, torch.Tensor]:
    """A training with dropout that is ended in the middle and gone on with, and one that is not."""
    rows, _ = rows_of_ids(300)
    config = TOGETHER.model_copy(update={"dropout": 0.3, "negative_share": 1.0})

    def ended(progress: Progress) -> None:
        if progress.rows > 2_000:
            raise KeyboardInterrupt

    file = Checkpoints(folder / "c.safetensors", 0.0)
    told: list[Progress] = []
    with pytest.raises(KeyboardInterrupt):
        fit(NAMES, rows, None, config, seed=1, group=group, checkpoints=file, watch=ended)
    went_on, _ = fit(NAMES, rows, None, config, seed=1, group=group, checkpoints=file, watch=told.append)
    whole, _ = fit(NAMES, rows, None, config, seed=1, group=group)
    raw = {"went on": torch.from_numpy(went_on.raw(rows)), "whole": torch.from_numpy(whole.raw(rows))}
    return raw | {"began": torch.tensor(told[0].rows)}


def test_two_processes_go_on_from_a_checkpoint_to_the_same_end(both: Both) -> None:
    for found in both["interrupted"]:
        assert torch.equal(found["went on"], found["whole"])
        assert int(found["began"]) > 2_000


def exploding(group: ProcessGroup | None, _folder: Path) -> dict[str, torch.Tensor]:
    """Rows of which only the part of one process cannot be learned from."""
    rows, _ = rows_of_ids(300)
    wild = TOGETHER.model_copy(update={"learning_rate": 1e30, "optimiser": "sgd", "network": "logistic"})
    with pytest.raises(DegenerateInput, match="finite loss"):
        fit(NAMES, rows, None, wild, seed=1, group=group)
    return {"ended": torch.ones(1)}


def test_all_processes_end_when_the_loss_explodes(both: Both) -> None:
    assert [found["ended"].item() for found in both["exploding"]] == [1, 1]


def leaving(group: ProcessGroup) -> None:
    """A training in which the second process is killed."""
    rows, _ = rows_of_ids(300)

    def killed(progress: Progress) -> None:
        if not group.leads and progress.rows > 500:
            os._exit(0)

    fit(NAMES, rows, None, TOGETHER, seed=1, group=group, watch=killed)
    raise AssertionError("the others went on alone")


def test_a_process_that_is_lost_is_told_by_the_others(two: Path) -> None:
    assert "checkpoint" in (two / "remedy").read_text()


def test_without_torchrun_there_is_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes() as group:
        assert group is None


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DegenerateInput, match=r"(?s)process 2 .* 1 GPUs.*--nproc-per-node 1"), processes("cuda"):
        pass


def torchrun(folder: Path, *job: str) -> subprocess.CompletedProcess[str]:
    """A job in two processes, as the README starts it."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "jobs"]
    names = {"RECSYS_DATA_DIR": str(folder), "RECSYS_JOBS__SEED": "1"}
    names |= {"RECSYS_CTR__EPOCHS": "4", "RECSYS_CTR__BATCH_SIZE": "48", "RECSYS_CTR__DROPOUT": "0"}
    names |= {"RECSYS_CTR__CLICK_RATE_SHARE": "0", "RECSYS_CTR__DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *job], env=os.environ | names, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )


@pytest.mark.slow
def test_torchrun_starts_the_job_in_two_processes(tmp_path: Path) -> None:
    settings = newsroom(tmp_path, some_set(), dropout=0.0)
    folder = run_alone(settings)
    alone, scores = read_json(folder / "training.json"), load_npy(folder / "holdout.npy")
    ended = torchrun(tmp_path, "ctr", "--fresh")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("event=start") == ended.stderr.count("event=done") == 1  # one process speaks
    together = read_json(folder / "training.json")  # sums are rounded in another order, which Adam makes larger
    for mine, theirs in zip(together["epochs"], alone["epochs"], strict=True):
        assert mine == pytest.approx(theirs, rel=5e-3)
    assert together != alone
    assert np.corrcoef(load_npy(folder / "holdout.npy"), scores)[0, 1] > 0.99
    assert not (tmp_path / "work" / CHECKPOINTS).exists()
    again = torchrun(tmp_path, "ctr")
    assert (again.returncode, "up to date" in again.stderr) == (0, True), again.stderr


@pytest.mark.slow
def test_what_fails_in_two_processes_is_said_once(tmp_path: Path) -> None:
    rows = some_set()
    rows.matrix[7, 3] = np.nan
    newsroom(tmp_path, rows)
    ended = torchrun(tmp_path, "ctr")
    assert ended.returncode != 0
    assert ended.stderr.count("event=DegenerateInput") == 1
    assert NAMES_OF_FEATURES[3] in ended.stderr
    refused = torchrun(tmp_path, "words")
    assert refused.returncode != 0
    assert "python -m jobs words" in refused.stderr
