"""A training that is killed goes on from its last checkpoint, and ends as if nothing had happened."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.ctr.checkpoints import Checkpoints
from recsys.ctr.loop import Progress
from recsys.ctr.training import fit
from tests.click_rows import NAMES, rows_of_ids, some_rows
from tests.test_ctr_training import IDS, changed

KILLED = """
import sys, time
sys.path.insert(0, '.')
from pathlib import Path
from recsys.ctr.checkpoints import Checkpoints
from recsys.ctr.training import fit
from tests.click_rows import NAMES, some_rows
from tests.test_ctr_checkpoints import KEPT
steps = 0
def slowly(progress):
    global steps
    steps += 1
    if steps == 40:  # in the middle of an epoch
        print("here", flush=True)
        time.sleep(60)
file = Checkpoints(Path(sys.argv[1]), 0.0)
fit(NAMES, some_rows(), some_rows(900, seed=2), KEPT, seed=1, checkpoints=file, watch=slowly)
"""


KEPT = changed(norm="batch", dropout=0.3, patience=6)


def test_training_that_was_killed_goes_on_and_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    file = tmp_path / "c.safetensors"
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(file)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    told: list[Progress] = []
    parts = (some_rows(), some_rows(900, seed=2))
    went_on, training = fit(NAMES, *parts, KEPT, seed=1, checkpoints=Checkpoints(file, 0.0), watch=told.append)
    model, whole = fit(NAMES, *parts, KEPT, seed=1)
    assert training.fit_loss == whole.fit_loss  # to the last bit
    assert training.validation_loss == whole.validation_loss
    assert 0 < training.rows < whole.rows
    assert told[0].rows > 1_000  # the middle of an epoch, and not its beginning
    for mine, theirs in zip(went_on.parts.state_dict().values(), model.parts.state_dict().values(), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam", "adamw"])
def test_every_optimiser_goes_on_from_its_checkpoint(optimiser: str, tmp_path: Path) -> None:
    config = IDS.model_copy(update={"optimiser": optimiser, "epochs": 3, "learning_rate": 0.01})
    rows, _ = rows_of_ids(100)

    def interrupted(progress: Progress) -> None:
        if progress.rows >= 1_000:
            raise KeyboardInterrupt

    file = Checkpoints(tmp_path / "c.safetensors", 0.0)
    with pytest.raises(KeyboardInterrupt):
        fit(NAMES, rows, None, config, seed=1, checkpoints=file, watch=interrupted)
    told: list[Progress] = []
    went_on, _ = fit(NAMES, rows, None, config, seed=1, checkpoints=file, watch=told.append)
    whole, _ = fit(NAMES, rows, None, config, seed=1)
    np.testing.assert_array_equal(went_on.raw(rows), whole.raw(rows))
    assert 0 < len(told) < 5


@pytest.mark.parametrize("what", ["seed", "rows", "config", "bytes"])
def test_a_checkpoint_of_another_training_or_a_broken_one_is_not_gone_on_from(what: str, tmp_path: Path) -> None:
    rows, config, file = some_rows(600), changed(epochs=2), Checkpoints(tmp_path / "c.safetensors", 0.0)
    fit(NAMES, rows, None, config, seed=1, checkpoints=file)
    seed = 2 if what == "seed" else 1
    config = changed(epochs=2, dropout=0.2) if what == "config" else config
    if what == "rows":
        rows.matrix[5, 1] += 1
    if what == "bytes":
        file.file.write_bytes(file.file.read_bytes()[:100])
    told: list[Progress] = []
    model, _ = fit(NAMES, rows, None, config, seed=seed, checkpoints=file, watch=told.append)
    assert told[0].rows < 200
    np.testing.assert_array_equal(model.raw(rows), fit(NAMES, rows, None, config, seed=seed)[0].raw(rows))


def test_checkpoints_are_due_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    file = Checkpoints(tmp_path / "c.safetensors", 5.0)
    assert not file.due
    now[0] += 301
    assert file.due
    file.save({"a": torch.zeros(1)}, {})
    assert not file.due
