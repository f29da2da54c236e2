"""How training goes: optimisers, plateaus, faults, samples, and yesterday's model as today's start."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from recsys.ctr.checkpoints import Checkpoints
from recsys.ctr.config import CtrConfig
from recsys.ctr.loop import Progress
from recsys.ctr.model import ClickModel
from recsys.ctr.training import fit
from recsys.ctr.warm_start import can_continue
from recsys.errors import ConfigError, DegenerateInput
from recsys.features.rows import CandidateRows, LabelledRows
from recsys.metrics import impression_metrics
from recsys.settings import load_settings
from tests.click_rows import NAMES, rows_of_ids, some_rows

CONFIG = CtrConfig(hidden=(16, 8), epochs=6, batch_size=128, device="cpu")


IDS = CtrConfig(fields=("article", "hour"), hidden=(8,), learning_rate=0.02, epochs=10, batch_size=128, device="cpu")


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
    model, _ = fit(NAMES, some_rows(), None, changed(norm=norm, loss=loss, max_grad_norm=1.0, warmup_steps=20), seed=1)
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


def test_a_plateau_makes_smaller_steps_from_the_best_weights_and_a_schedule_repeats_them() -> None:
    config = changed(epochs=30, patience=2, lr_decays=1, learning_rate=0.05, loss="softmax")
    wrong = some_rows(300, seed=2)
    wrong = LabelledRows.dense(
        wrong.matrix, 1 - wrong.label, wrong.impression
    )  # the longer it trains, the worse it fits these
    model, training = fit(NAMES, some_rows(), wrong, config, seed=1)
    np.testing.assert_allclose(training.learning_rate, [0.05] * 3 + [0.005] * 2)
    assert (training.best_epoch, training.schedule) == (1, [1.0])
    again, told = fit(NAMES, some_rows(), None, config, seed=1, schedule=training.schedule)
    assert told.fit_loss == training.fit_loss[:1]
    np.testing.assert_array_equal(again.raw(wrong), model.raw(wrong))
    _, told = fit(NAMES, some_rows(), None, config, seed=1, schedule=[1.0, 1.0, 0.1])
    np.testing.assert_allclose(told.learning_rate, [0.05, 0.05, 0.005])


def test_steps_grow_during_the_warm_up() -> None:
    slow, _ = fit(NAMES, some_rows(600), None, changed(epochs=1, warmup_steps=10_000), seed=1)
    fast, _ = fit(NAMES, some_rows(600), None, changed(epochs=1), seed=1)
    torch.manual_seed(1)
    start = ClickModel(NAMES, CONFIG).parts.state_dict()["net.deep.0.weight"]
    moved = [float((model.parts.state_dict()["net.deep.0.weight"] - start).abs().max()) for model in (slow, fast)]
    assert moved[0] < 0.01 * moved[1]


def test_the_best_epoch_may_be_that_of_the_highest_auc() -> None:
    config = changed(early_stopping_metric="auc", patience=2)
    _, training = fit(NAMES, some_rows(), some_rows(900, seed=2), config, seed=1)
    assert training.validation_auc[training.best_epoch - 1] == max(training.validation_auc)


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


def test_only_the_vectors_of_ids_in_a_batch_are_pulled_to_zero() -> None:
    rows, _ = rows_of_ids()
    free, _ = fit(NAMES, rows, None, IDS, seed=1)
    pulled, _ = fit(NAMES, rows, None, IDS.model_copy(update={"embedding_decay": 1.0}), seed=1)
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


def test_yesterdays_model_is_the_start_of_today_and_old_ids_leave_their_rows(tmp_path: Path) -> None:
    config = IDS.model_copy(update={"expire_days": 2})
    yesterday, _ = rows_of_ids(600, seed=1)
    first, _ = fit(NAMES, yesterday, None, config, seed=1, until=100 * DAY_MS)
    first.save(tmp_path)
    last = ClickModel.load(tmp_path, NAMES)
    assert last.learned_until == 100 * DAY_MS
    assert can_continue(last, NAMES, config)
    today, good = rows_of_ids(60, seed=2)
    warm, _ = fit(NAMES, today, None, config, seed=1, schedule=[1.0], start=last, until=101 * DAY_MS)
    cold, _ = fit(NAMES, today, None, config, seed=1, schedule=[1.0], until=101 * DAY_MS)
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
    for other in ({"hidden": (4,)}, {"fields": ("article",)}, {"network": "dcn"}, {"norm": "layer"}):
        assert not can_continue(last, NAMES, IDS.model_copy(update=other))
    assert can_continue(last, NAMES, IDS.model_copy(update={"dropout": 0.5, "learning_rate": 1.0}))
    assert not can_continue(last, NAMES[:2], IDS)


def test_the_tables_row_of_the_unknown_stays_zero() -> None:
    rows, _ = rows_of_ids(200)
    model, _ = fit(NAMES, rows, None, IDS.model_copy(update={"network": "deepfm", "min_seen": 5}), seed=1)
    weights = model.parts.state_dict()
    assert not weights["net.embeddings.table"][0].any()
    assert not weights["net.embeddings.bias"][0].any()
    assert weights["net.embeddings.bias"][1:].any()
