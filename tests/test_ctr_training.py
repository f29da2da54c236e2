"""Training: optimisers, plateaus, faults, samples, checkpoints, and yesterday's model as today's start."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

from recsys.ctr import trainer, warm_start
from recsys.ctr.config import CtrConfig
from recsys.ctr.data import Windows
from recsys.ctr.loop import Checkpoints, Progress, TrainingHistory, TrainingLoop
from recsys.ctr.model import ClickModel
from recsys.ctr.trainer import StepWatch, Trainer
from recsys.ctr.training import fit
from recsys.ctr.warm_start import can_continue
from recsys.errors import ConfigError, DegenerateInput
from recsys.features.rows import CandidateRows, LabelledRows
from recsys.metrics import impression_metrics
from recsys.settings import load_settings
from tests.click_rows import NAMES, rows_of_ids, some_rows

CONFIG = CtrConfig(hidden_units=(16, 8), epochs=6, batch_size=128, device="cpu")


IDS = CtrConfig(
    fields=("article", "hour"), hidden_units=(8,), learning_rate=0.02, epochs=10, batch_size=128, device="cpu"
)


DAY_MS = 86_400_000


def changed(**values: object) -> CtrConfig:
    return CONFIG.model_copy(update=values)


def auc_of(model: ClickModel, rows: LabelledRows) -> float:
    return impression_metrics(rows.label, model.score(rows), rows.impression)["auc"]


@pytest.mark.parametrize(
    ("name", "rate"), [("sgd", 0.3), ("momentum", 0.05), ("rmsprop", 3e-3), ("adam", 5e-3), ("adamw", 5e-3)]
)
def test_every_optimiser_learns(name: str, rate: float) -> None:
    model, training = fit(NAMES, some_rows(), None, changed(optimiser=name, learning_rate=rate), seed=1)
    assert auc_of(model, some_rows(900, seed=3)) > 0.85
    assert training.fit_loss[-1] < training.fit_loss[0]


@pytest.mark.parametrize("loss", ["softmax", "bce"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_every_norm_learns_and_comes_back_from_files(norm: str, loss: str, tmp_path: Path) -> None:
    model, _ = fit(NAMES, some_rows(), None, changed(norm=norm, loss=loss), seed=1)
    new = some_rows(900, seed=3)
    assert auc_of(model, new) > 0.85
    assert model.score(some_rows()).mean() == pytest.approx(some_rows().label.mean(), abs=0.03)
    model.save(tmp_path)
    np.testing.assert_array_equal(ClickModel.load(tmp_path, NAMES).score(new), model.score(new))


@pytest.mark.parametrize("network", ["logistic", "fm", "dnn", "deepfm", "dcn", "din"])
def test_every_network_learns_what_only_ids_say_and_scores_an_unknown_id(network: str, tmp_path: Path) -> None:
    rows, good = rows_of_ids()
    config = IDS.model_copy(update={"network": network, "fields": ("history", "hour", "article")})
    model, _ = fit(NAMES, rows, None, config, seed=1)
    rows_later, _ = rows_of_ids(300, seed=2)
    assert auc_of(model, rows_later) > 0.75  # knowing ``good``, about .8 is reached
    model.save(tmp_path)
    again = ClickModel.load(tmp_path, NAMES)
    np.testing.assert_array_equal(again.score(rows_later), model.score(rows_later))
    unknown, _ = rows_of_ids(20, seed=2, first=50_000)
    assert np.isfinite(again.score(unknown)).all()
    one = rows_later.where(rows_later.impression == 5)
    np.testing.assert_allclose(model.raw(one), model.raw(rows_later)[rows_later.impression == 5], atol=1e-5)
    with pytest.raises(DegenerateInput, match="ids of a candidate"):
        again.score(CandidateRows.dense(rows_later.matrix))
    assert len(good) < len(again.encoder.vocabulary) < 20


def test_fields_that_no_row_has_and_attention_without_clicks_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    for text, said in (("fields: [mood]", "valid names: article"), ("network: din", "must hold article and history")):
        file.write_text(f"ctr: {{{text}}}\n")
        with pytest.raises(ConfigError, match=said):
            load_settings(file)


def test_training_stops_when_the_validation_part_gets_worse_and_as_many_epochs_repeat_it() -> None:
    config = changed(epochs=30, patience=2, learning_rate=0.05, loss="softmax")
    wrong = some_rows(300, seed=2)
    wrong = LabelledRows.dense(
        wrong.matrix, 1 - wrong.label, wrong.impression
    )  # the longer it trains, the worse it fits these
    model, training = fit(NAMES, some_rows(), wrong, config, seed=1)
    assert (training.best_epoch, len(training.fit_loss)) == (1, 3)
    again, told = fit(NAMES, some_rows(), None, config, seed=1, epochs=training.best_epoch)
    assert told.fit_loss == training.fit_loss[:1]
    np.testing.assert_array_equal(again.raw(wrong), model.raw(wrong))


def test_few_of_many_candidates_without_a_click_give_the_same_probabilities() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40_000, 1)).astype(np.float32)
    label = (rng.random(len(x)) < 1 / (1 + np.exp(3 - x[:, 0]))).astype(np.int8)  # one click in eighteen
    rows = LabelledRows.dense(x, label, (np.arange(len(x)) // 10).astype(np.int32))
    config = changed(network="logistic", loss="bce", learning_rate=0.05, epochs=8, batch_size=256)
    asked = CandidateRows.dense(np.linspace(-2, 2, 9, dtype=np.float32)[:, None])
    truth = np.linspace(-2, 2, 9) - 3
    for share in (1.0, 0.1):
        model, training = fit(("x",), rows, None, config.model_copy(update={"negative_share": share}), seed=1)
        np.testing.assert_allclose(model.raw(asked), truth, atol=0.25)
        assert training.rows < (1.0 if share == 1.0 else 0.2) * 8 * len(x) + 1
    model, _ = fit(("x",), rows, None, config.model_copy(update={"negative_share": 0.1, "loss": "softmax"}), seed=1)
    assert model.score(rows).mean() == pytest.approx(label.mean(), abs=1e-3)


def test_only_the_vectors_of_ids_in_a_batch_are_pulled_to_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = rows_of_ids()
    free, _ = fit(NAMES, rows, None, IDS, seed=1)
    monkeypatch.setattr(trainer, "_EMBEDDING_DECAY", 1.0)
    pulled, _ = fit(NAMES, rows, None, IDS, seed=1)
    sizes = [model.parts.state_dict()["net.embeddings.table"].norm(dim=1).numpy() for model in (free, pulled)]
    assert sizes[0][0] == sizes[1][0] == 0.0
    assert (sizes[1][1:] < 0.5 * sizes[0][1:]).all()


def test_progress_is_told_after_each_step() -> None:
    seen: list[Progress] = []
    _, training = fit(NAMES, some_rows(600), some_rows(300, seed=2), changed(epochs=2), seed=1, watch=seen.append)
    assert [now.rows for now in seen] == sorted({now.rows for now in seen})
    assert seen[-1].rows == seen[-1].total == training.rows
    assert np.isnan(seen[0].auc)
    assert seen[-1].auc == training.validation_auc[0]
    assert all(now.loss > 0 and now.rows_per_second > 0 for now in seen)


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    rows, file = some_rows(600), Checkpoints(tmp_path / "c.safetensors", 60.0)
    first, _ = fit(NAMES, rows, None, changed(epochs=2), seed=1, checkpoints=file)
    told: list[Progress] = []
    again, _ = fit(NAMES, rows, None, changed(epochs=2), seed=1, checkpoints=file, watch=told.append)
    assert told == []
    np.testing.assert_array_equal(first.raw(rows), again.raw(rows))


def test_a_loss_that_explodes_is_told_with_the_feature_the_row_and_the_batch(tmp_path: Path) -> None:
    rows = some_rows(600)
    rows.matrix[123, 1] = 1e6
    file = Checkpoints(tmp_path / "here" / "c.safetensors", 60.0)
    config = changed(learning_rate=1e30, batch_size=10_000)
    with pytest.raises(DegenerateInput, match="column 'noise', row 123: 1e\\+06") as error:
        fit(NAMES, rows, None, config, seed=1, checkpoints=file)
    assert str(tmp_path / "here" / "batch.safetensors") in str(error.value)
    assert "ctr.learning_rate" in error.value.remedy
    batch = load_file(tmp_path / "here" / "batch.safetensors")
    np.testing.assert_array_equal(batch["matrix"], rows.matrix[batch["row"]])
    np.testing.assert_array_equal(batch["label"], rows.label[batch["row"]])
    assert 123 in batch["row"]


def test_yesterdays_model_is_the_start_of_today_and_old_ids_leave_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_start, "_EXPIRE_DAYS", 2)
    config = IDS
    yesterday, _ = rows_of_ids(600, seed=1)
    first, _ = fit(NAMES, yesterday, None, config, seed=1, until=100 * DAY_MS)
    first.save(tmp_path)
    last = ClickModel.load(tmp_path, NAMES)
    assert last.learned_until == 100 * DAY_MS
    assert can_continue(last, NAMES, config)
    today, good = rows_of_ids(60, seed=2)
    warm, _ = fit(NAMES, today, None, config, seed=1, epochs=1, start=last, until=101 * DAY_MS)
    cold, _ = fit(NAMES, today, None, config, seed=1, epochs=1, until=101 * DAY_MS)
    judged, _ = rows_of_ids(300, seed=3)
    assert auc_of(warm, judged) > auc_of(cold, judged) + 0.1
    np.testing.assert_array_equal(warm.encoder.vocabulary.hashes, last.encoder.vocabulary.hashes)
    others, _ = rows_of_ids(600, seed=4, first=500)  # other articles, three days later
    later, _ = fit(NAMES, others, None, config, seed=1, start=warm, until=104 * DAY_MS)
    assert auc_of(later, rows_of_ids(300, seed=5, first=500)[0]) > 0.75
    assert len(later.encoder.vocabulary) == len(warm.encoder.vocabulary)
    assert set(later.encoder.vocabulary.rows(np.arange(1, 1 + len(good)))) == {0}
    np.testing.assert_array_equal(last.mean, later.mean)


def test_a_model_of_another_network_is_no_start() -> None:
    last = ClickModel(NAMES, IDS)
    for other in ({"hidden_units": (4,)}, {"fields": ("article",)}, {"network": "dcn"}, {"norm": "layer"}):
        assert not can_continue(last, NAMES, IDS.model_copy(update=other))
    assert can_continue(last, NAMES, IDS.model_copy(update={"dropout": 0.5, "learning_rate": 1.0}))
    assert not can_continue(last, NAMES[:2], IDS)


def test_the_tables_row_of_the_unknown_stays_zero() -> None:
    rows, _ = rows_of_ids(200)
    model, _ = fit(NAMES, rows, None, IDS.model_copy(update={"network": "deepfm"}), seed=1)
    weights = model.parts.state_dict()
    assert not weights["net.embeddings.table"][0].any()
    assert not weights["net.embeddings.bias"][0].any()
    assert weights["net.embeddings.bias"][1:].any()


KILLED = """
import sys, time
sys.path.insert(0, '.')
from pathlib import Path
from recsys.ctr.loop import Checkpoints
from recsys.ctr.trainer import StepWatch, Trainer
from recsys.ctr.training import fit
from tests.click_rows import NAMES, some_rows
from tests.test_ctr_training import DROPPING
steps = 0
def slowly(progress):
    global steps
    steps += 1
    if steps == 40:  # in the middle of an epoch
        print("here", flush=True)
        time.sleep(60)
file = Checkpoints(Path(sys.argv[1]), 0.0)
fit(NAMES, some_rows(), some_rows(900, seed=2), DROPPING, seed=1, checkpoints=file, watch=slowly)
"""


DROPPING = changed(norm="batch", dropout=0.3, patience=6)


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
    went_on, training = fit(NAMES, *parts, DROPPING, seed=1, checkpoints=Checkpoints(file, 0.0), watch=told.append)
    model, whole = fit(NAMES, *parts, DROPPING, seed=1)
    assert training.fit_loss == whole.fit_loss  # to the last bit
    assert training.validation_loss == whole.validation_loss
    assert 0 < training.rows < whole.rows
    assert told[0].rows > 1_000  # the middle of an epoch, and not its beginning
    for mine, theirs in zip(went_on.parts.state_dict().values(), model.parts.state_dict().values(), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam", "adamw"])
def test_every_optimiser_goes_on_from_its_checkpoint(optimiser: str, tmp_path: Path) -> None:
    config = IDS.model_copy(update={"optimiser": optimiser, "epochs": 3, "learning_rate": 0.01, "l1": 1e-3})
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
    now[0] += 299.5
    assert not file.due
    now[0] += 0.5
    assert file.due  # five minutes to the second
    file.save({"a": torch.zeros(1)}, {})
    assert not file.due


class ScriptedTrainer(Trainer):
    """A trainer whose weights say how many epochs led to them, and which learns nothing."""

    def epoch(self, data: Windows, factor: float = 1.0, watch: StepWatch | None = None) -> float:
        with torch.no_grad():
            for weight in self.model.parts.parameters():
                weight.add_(1)
        self._average = {name: value.clone() for name, value in self.model.parts.state_dict().items()}
        return 1.0

    @property
    def epochs_behind(self) -> int:
        """Epochs that led to the weights of now."""
        return int(self.model.parts.state_dict()["net.first"][0])


def scripted(
    losses: Sequence[float], config: CtrConfig, monkeypatch: pytest.MonkeyPatch
) -> tuple[TrainingHistory, int]:
    """The history of a training whose validation part says so after each epoch, and the epochs behind its weights."""
    model = ClickModel(("x",), config.model_copy(update={"network": "logistic"}))
    trainer = ScriptedTrainer(model, model.config, seed=1)
    figures = iter([(loss, 0.5) for loss in losses])
    monkeypatch.setattr(TrainingLoop, "_evaluate", lambda *_: next(figures))
    nothing: Any = object()  # neither the scripted epoch nor the scripted evaluation reads its data
    history = TrainingLoop(trainer, nothing, nothing, config.epochs, 100).run(None, None)
    return history, trainer.epochs_behind


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([3.0, 2.0, 2.5, 2.4, 2.3], 3, 5, 2),  # the third epoch without a better figure is the last one
        ([3.0, 2.0, 2.5, 2.4, 1.9, 2.0, 2.0, 2.0], 3, 8, 5),  # better in the last moment
        ([3.0, 3.1], 1, 2, 1),
        ([2.0, 2.0, 2.0, 2.1], 1, 4, 3),  # as good is better: its weights have learned more
        ([5.0, 4.0, 3.0, 2.0, 1.0, 0.9, 0.8, 0.7], 1, 8, 8),  # all there are
    ],
)
def test_early_stopping_waits_for_its_patience_and_keeps_the_best_weights(
    losses: list[float], patience: int, epochs: int, best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, behind = scripted(losses, changed(epochs=8, patience=patience), monkeypatch)
    assert (len(history.fit_loss), history.best_epoch, behind) == (epochs, best, best)


OF_A_PROCESS = {"resumed": 0, "rows": 0, "seconds": 0.0}  # of a history: another in each process


def test_l1_leaves_a_useless_column_out_and_keeps_a_useful_one() -> None:
    rows = some_rows(1_200, seed=2)
    config = changed(network="logistic", loss="bce", learning_rate=0.1, epochs=80, batch_size=1_200, l2=0.0)
    weights = {}
    for l1 in (0.0, 0.03):
        model, _ = fit(NAMES, rows, None, config.model_copy(update={"l1": l1}), seed=1)
        weights[l1] = model.parts.state_dict()["net.first"].numpy()
    scaled = (rows.matrix - rows.matrix.mean(0)) / np.maximum(rows.matrix.std(0), 1e-6)
    lasso = LogisticRegression(l1_ratio=1, solver="liblinear", C=1 / (0.03 * len(rows))).fit(scaled[:, :2], rows.label)
    assert lasso.coef_[0, 1] == 0
    assert abs(weights[0.0][1]) > 0.05  # noise that happens to go with the clicks
    assert abs(weights[0.03][1]) < 1e-3
    assert weights[0.03][0] == pytest.approx(lasso.coef_[0, 0], rel=0.05)
