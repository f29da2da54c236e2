"""The click model learns, is the sum it claims to be, and refuses what it cannot learn from."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file

from recsys.ctr.config import CtrConfig
from recsys.ctr.model import CLIP, FORMAT, ClickModel
from recsys.ctr.training import fit
from recsys.errors import CorruptArtefact, DegenerateInput, StaleArtefact
from recsys.features.rows import CandidateRows, LabelledRows
from recsys.metrics import impression_metrics
from tests.click_rows import NAMES, some_rows

CONFIG = CtrConfig(hidden=(16, 8), epochs=8, batch_size=128, device="cpu")


def forward(folder: Path, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The network again, in float64 numpy, from the file alone."""
    weights = {name: value.astype(np.float64) for name, value in load_file(folder / "model.safetensors").items()}
    x = np.clip((matrix.astype(np.float64) - weights["mean"]) / weights["std"], -CLIP, CLIP)
    facts = json.loads((folder / "model.json").read_text())
    *hidden, last = sorted({int(name.split(".")[2]) for name in weights if name.startswith("net.deep.")})
    for layer in hidden:
        x = np.maximum(x @ weights[f"net.deep.{layer}.weight"].T + weights[f"net.deep.{layer}.bias"], 0)
    odds = x @ weights[f"net.deep.{last}.weight"][0] + weights[f"net.deep.{last}.bias"][0] + facts["intercept"]
    return np.asarray(1 / (1 + np.exp(-odds)))


def test_what_is_liked_is_ranked_first_and_the_loss_falls() -> None:
    model, training = fit(NAMES, some_rows(), some_rows(900, seed=2), CONFIG, seed=1)
    new = some_rows(900, seed=3)
    assert impression_metrics(new.label, model.score(new), new.impression)["auc"] > 0.85
    assert training.fit_loss[-1] < training.fit_loss[0]
    assert training.best_epoch == int(np.argmin(training.validation_loss)) + 1


def test_scores_agree_with_a_float64_forward_pass_from_the_saved_file(tmp_path: Path) -> None:
    model, _ = fit(NAMES, some_rows(), None, CONFIG, seed=1)
    model.save(tmp_path)
    rows = some_rows(500, seed=5)
    rows.matrix[0] = 1e9  # far outside what training saw
    np.testing.assert_allclose(model.score(rows), forward(tmp_path, rows.matrix), atol=1e-5)
    np.testing.assert_array_equal(ClickModel.load(tmp_path, NAMES).score(rows), model.score(rows))


def test_a_model_of_an_older_version_is_refused_as_one(tmp_path: Path) -> None:
    fit(NAMES, some_rows(600), None, CONFIG, seed=1)[0].save(tmp_path)
    facts = json.loads((tmp_path / "model.json").read_text())
    assert facts.pop("format") == FORMAT
    for older in (facts, facts | {"format": FORMAT - 1}):
        (tmp_path / "model.json").write_text(json.dumps(older))
        with pytest.raises(StaleArtefact, match=f"(?s)format {FORMAT}.*format {FORMAT - 1}, of another version"):
            ClickModel.load(tmp_path, NAMES)


def test_a_score_does_not_depend_on_the_other_candidates() -> None:
    model, _ = fit(NAMES, some_rows(), None, CONFIG, seed=1)
    rows = some_rows(500, seed=5)
    whole = model.raw(rows)
    for n in (1, 2, 3, 7, 29, 100, 333):
        np.testing.assert_array_equal(model.raw(CandidateRows.dense(rows.matrix[:n])), whole[:n])


def test_a_third_of_a_score_is_the_click_rate_itself(tmp_path: Path) -> None:
    names = ("liking", "click_rate_total", "constant")  # the second is noise here, and still counts
    alone, _ = fit(names, some_rows(), None, CONFIG.model_copy(update={"click_rate_share": 0.0}), seed=1)
    leaning, _ = fit(names, some_rows(), None, CONFIG.model_copy(update={"click_rate_share": 1 / 3}), seed=1)
    rows = some_rows(500, seed=5)
    odds = [np.log(score / (1 - score)) for score in (model.score(rows).astype("f8") for model in (alone, leaning))]
    difference = odds[1] - (2 * odds[0] + rows.matrix[:, 1]) / 3
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-3)  # one constant for the mean probability
    assert leaning.score(some_rows()).mean() == pytest.approx(some_rows().label.mean(), abs=1e-4)
    leaning.save(tmp_path)
    np.testing.assert_array_equal(ClickModel.load(tmp_path, names).score(rows), leaning.score(rows))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        fit(NAMES, some_rows(600), some_rows(300, seed=2), CONFIG, seed=seed)[0].save(tmp_path / name)
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert files[0] == files[1] != files[2]


def test_training_stops_when_the_later_part_gets_no_better() -> None:
    wrong = some_rows(300, seed=2)
    wrong = LabelledRows.dense(
        wrong.matrix, 1 - wrong.label, wrong.impression
    )  # the longer it trains, the worse it fits these
    _, training = fit(NAMES, some_rows(), wrong, CtrConfig(epochs=30, patience=2, device="cpu"), seed=1)
    assert len(training.fit_loss) == 3
    assert training.best_epoch == 1


def test_a_softmax_does_not_blame_a_long_list_for_its_length() -> None:
    rng = np.random.default_rng(1)
    sizes = np.tile([3, 30], 200)  # one click on each list; the feature marks the rows of long lists and a better half
    impression = np.repeat(np.arange(400), sizes).astype(np.int32)
    good = rng.integers(0, 2, len(impression))
    matrix = np.column_stack([good, np.repeat(np.tile([0, 1], 200), sizes), np.zeros(len(good))]).astype(np.float32)
    label = np.zeros(len(good), np.int8)
    for number in range(400):
        own = np.flatnonzero(impression == number)
        label[rng.choice(own, p=(1 + 3 * good[own]) / (1 + 3 * good[own]).sum())] = 1
    config = CONFIG.model_copy(update={"loss": "softmax"})
    model, _ = fit(NAMES, LabelledRows.dense(matrix, label, impression), None, config, seed=1, schedule=[1.0] * 30)
    short, long, better = model.score(CandidateRows.dense(np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)))
    assert 0.5 < long / short < 2.0  # ten times rarer in the raw counts
    assert better > 2 * long


def test_the_mean_probability_is_the_click_rate() -> None:
    rows = some_rows()
    model, _ = fit(NAMES, rows, None, CONFIG, seed=1)
    assert model.score(rows).mean() == pytest.approx(rows.label.mean(), abs=1e-4)


def test_the_loss_is_the_log_softmax_of_the_clicks_in_their_list() -> None:
    rows = some_rows(120)
    config = CtrConfig(hidden=(4,), dropout=0.0, epochs=1, device="cpu", loss="softmax")
    _, training = fit(NAMES, rows, rows, config, seed=1)
    model, _ = fit(NAMES, rows, None, config, seed=1)
    score = model.score(rows).astype(np.float64)
    logit, losses = np.log(score / (1 - score)), []
    for number in range(20):
        own = rows.impression == number
        if 0 < rows.label[own].sum() < 6:
            log_softmax = logit[own] - np.log(np.exp(logit[own]).sum())
            losses += (-log_softmax[rows.label[own] == 1]).tolist()
    assert training.validation_loss[0] == pytest.approx(np.mean(losses), abs=1e-4)


def test_a_label_that_is_none_is_refused_with_its_row() -> None:
    rows = some_rows(60)
    rows.label[11] = 3
    with pytest.raises(DegenerateInput, match="3 in column 'label', row 11"):
        fit(NAMES, rows, None, CONFIG, seed=1)


@pytest.mark.parametrize("loss", ["softmax", "bce"])
@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1], [0, 1, 2], []])
def test_labels_that_nothing_can_be_learned_from_are_refused(label: list[int], loss: str) -> None:
    n = len(label)
    rows = LabelledRows.dense(np.ones((n, 3), np.float32), np.array(label, np.int8), np.zeros(n, np.int32))
    with pytest.raises(DegenerateInput):
        fit(NAMES, rows, None, CONFIG.model_copy(update={"loss": loss}), seed=1)


def test_a_value_that_is_not_finite_is_refused_by_the_name_of_its_column() -> None:
    rows = some_rows(60)
    rows.matrix[7, 1] = np.nan
    with pytest.raises(DegenerateInput, match="'noise', row 7"):
        fit(NAMES, rows, None, CONFIG, seed=1)
    with pytest.raises(DegenerateInput, match="'noise', row 7"):
        ClickModel(NAMES, CONFIG).score(rows)


def test_a_loss_that_explodes_stops_the_training() -> None:
    with pytest.raises(DegenerateInput, match="learning_rate"):
        fit(NAMES, some_rows(600), None, CtrConfig(learning_rate=1e30, epochs=5, device="cpu"), seed=1)


def test_a_model_of_other_features_or_broken_files_is_refused(tmp_path: Path) -> None:
    fit(NAMES, some_rows(60), None, CONFIG, seed=1)[0].save(tmp_path)
    with pytest.raises(StaleArtefact, match="features have mood, which training had not"):
        ClickModel.load(tmp_path, (*NAMES, "mood"))
    with pytest.raises(StaleArtefact, match="training had constant, which features lack"):
        ClickModel.load(tmp_path, NAMES[:2])
    with pytest.raises(StaleArtefact, match="order"):
        ClickModel.load(tmp_path, NAMES[::-1])
    facts = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(facts | {"hidden": [3]}))
    with pytest.raises(CorruptArtefact):
        ClickModel.load(tmp_path, NAMES)
    with pytest.raises(DegenerateInput, match="3 features"):
        ClickModel(NAMES, CONFIG).score(CandidateRows.dense(np.ones((2, 4), np.float32)))
