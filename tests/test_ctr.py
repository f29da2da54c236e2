"""The click model learns, is the sum it claims to be, and refuses what it cannot learn from; losses and positions."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.numpy import load_file

from recsys.ctr.config import CtrConfig
from recsys.ctr.list_length import ListLengths
from recsys.ctr.losses import BY_ROW, loss_of, resolved_loss
from recsys.ctr.model import ClickModel
from recsys.ctr.network import TOWER_POSITIONS, position_rows
from recsys.ctr.saved import FORMAT
from recsys.ctr.scoring import CLIP
from recsys.ctr.training import fit
from recsys.errors import CorruptArtefact, DegenerateInput, StaleArtefact
from recsys.features.rows import CandidateRows, LabelledRows
from recsys.metrics import auc, impression_metrics, log_loss
from tests.click_rows import NAMES, some_rows
from tests.test_ctr_training import changed

CONFIG = CtrConfig(hidden_units=(16, 8), epochs=8, batch_size=128, device="cpu")


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


def test_a_share_of_a_score_is_the_click_rate_itself_and_more_of_it_after_few_clicks(tmp_path: Path) -> None:
    names = ("liking", "click_rate_total", "constant")  # the second is noise here, and still counts
    alone, _ = fit(names, some_rows(), None, CONFIG.model_copy(update={"click_rate_share": 0.0}), seed=1)
    leaning, _ = fit(names, some_rows(), None, CONFIG.model_copy(update={"click_rate_share": 0.2}), seed=1)
    few = 1_000 / (1_000 + some_rows().label.sum())
    share = 0.2 * (1 + 2.3 * few)
    rows = some_rows(500, seed=5)
    odds = [np.log(score / (1 - score)) for score in (model.score(rows).astype("f8") for model in (alone, leaning))]
    difference = odds[1] - ((1 - share) * odds[0] + share * rows.matrix[:, 1])
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-3)  # one constant for the mean probability
    assert leaning.score(some_rows()).mean() == pytest.approx(some_rows().label.mean(), abs=1e-4)
    leaning.save(tmp_path)
    np.testing.assert_array_equal(ClickModel.load(tmp_path, names).score(rows), leaning.score(rows))
    most, _ = fit(names, some_rows(60), None, CONFIG.model_copy(update={"click_rate_share": 0.9}), seed=1)
    assert most.click_rate_share == 1.0, "and never more than all of it"


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
    model, _ = fit(NAMES, LabelledRows.dense(matrix, label, impression), None, config, seed=1, epochs=30)
    short, long, better = model.score(CandidateRows.dense(np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)))
    assert 0.5 < long / short < 2.0  # ten times rarer in the raw counts
    assert better > 2 * long


def test_the_mean_probability_is_the_click_rate() -> None:
    rows = some_rows()
    model, _ = fit(NAMES, rows, None, CONFIG, seed=1)
    assert model.score(rows).mean() == pytest.approx(rows.label.mean(), abs=1e-4)


def test_the_loss_is_the_log_softmax_of_the_clicks_in_their_list() -> None:
    rows = some_rows(120)
    config = CtrConfig(hidden_units=(4,), dropout=0.0, epochs=1, device="cpu", loss="softmax")
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
    (tmp_path / "model.json").write_text(json.dumps(facts | {"hidden_units": [3]}))
    with pytest.raises(CorruptArtefact):
        ClickModel.load(tmp_path, NAMES)
    with pytest.raises(DegenerateInput, match="3 features"):
        ClickModel(NAMES, CONFIG).score(CandidateRows.dense(np.ones((2, 4), np.float32)))


def rows_with_moods(lists: int, seed: int) -> LabelledRows:
    """Lists of six; the first column orders a list, the second is one value per list and says whether it is clicked."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((6 * lists, 3)).astype(np.float32)
    matrix[:, 1] = np.repeat(rng.standard_normal(lists), 6)
    odds = 1.5 * matrix[:, 0] + 1.5 * matrix[:, 1] - 2.5
    label = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return LabelledRows.dense(matrix, label, np.repeat(np.arange(lists), 6).astype(np.int32))


def test_the_joint_loss_orders_lists_and_tells_them_apart() -> None:
    rows, new = rows_with_moods(800, 1), rows_with_moods(800, 2)
    assert not rows.mixed().all()
    within, over, losses = {}, {}, {}
    for loss in ("softmax", "bce", "joint"):
        model, training = fit(NAMES, rows, rows_with_moods(300, 3), changed(loss=loss, epochs=10), seed=1)
        score = model.score(new)
        within[loss] = impression_metrics(new.label, score, new.impression)["auc"]
        over[loss], losses[loss] = auc(new.label, score), log_loss(new.label, score)
        assert training.rows == (rows.mixed().sum() if loss == "softmax" else len(rows)) * len(training.fit_loss)
    assert within["joint"] > within["softmax"] - 0.01
    assert over["joint"] > over["softmax"] + 0.05
    assert losses["joint"] < losses["softmax"] - 0.03
    assert losses["joint"] < losses["bce"] + 0.02


def rows_of_lengths(lists: int, seed: int, exponent: float = 1.0) -> LabelledRows:
    """Lists of two to eighty; the first column orders a list, the second is long lists' alone, the third is noise.

    A card's clicks fall with ``length ** -exponent``; the second column says nothing of one card beside another.
    """
    rng = np.random.default_rng(seed)
    length = np.round(2 * 40 ** rng.random(lists)).astype(np.int64)
    impression = np.repeat(np.arange(lists), length)
    matrix = rng.standard_normal((len(impression), 3)).astype(np.float32)
    matrix[:, 1] += np.log(length)[impression]
    chance = np.exp(0.7 * matrix[:, 0] - 0.5) * length[impression] ** -exponent
    label = (rng.random(len(impression)) < np.minimum(chance, 1)).astype(np.int8)
    return LabelledRows.dense(matrix, label, impression.astype(np.int32))


def test_the_length_of_a_list_is_not_taken_for_its_cards_worth() -> None:
    rows, new = rows_of_lengths(1_500, 1), rows_of_lengths(1_500, 2)
    within = {}
    for loss in ("softmax", "bce", "joint"):
        model, _ = fit(NAMES, rows, None, changed(loss=loss, epochs=10, dropout=0.0), seed=1)
        score = model.raw(new)
        within[loss] = impression_metrics(new.label, score, new.impression)["auc"]
    assert within["bce"] > within["softmax"]  # without it .68 to .71
    assert within["joint"] > within["softmax"]  # without it .71 to .715


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_how_clicks_fall_with_length_is_found_whatever_the_blocks(exponent: float) -> None:
    rows, whole, blocks = rows_of_lengths(4_000, 3, exponent), ListLengths(), ListLengths()
    whole.add(rows)
    for first in range(0, 4_000, 1_000):
        mask = (rows.impression >= first) & (rows.impression < first + 1_000)
        blocks.add(rows.where(mask))  # its lists keep their numbers
    assert whole.exponent == pytest.approx(exponent, abs=0.1)
    assert blocks.exponent == whole.exponent


@pytest.mark.parametrize(("alone", "many", "exponent"), [(5_000, 0, 1.0), (0, 5_000, 0.0), (5_000, 5_000, 1.0)])
def test_clicks_without_the_cards_beside_them_bend_nothing_beyond_its_bounds(
    alone: int, many: int, exponent: float
) -> None:
    lengths = ListLengths(np.zeros(301), np.zeros(301))
    lengths.lists[[1, 300]], lengths.clicks[[1, 300]] = 5_000, (alone, many)
    assert lengths.exponent == pytest.approx(exponent, abs=0.01)


def test_lists_of_one_length_or_without_clicks_say_nothing_of_length() -> None:
    rows = some_rows(600)
    lengths = ListLengths()
    assert lengths.exponent == 0
    lengths.add(rows)
    assert lengths.exponent == 0
    few = LabelledRows.dense(rows.matrix[:5], np.zeros(5, np.int8), np.array([0, 0, 1, 1, 1], np.int32))
    lengths = ListLengths()
    lengths.add(few)
    assert lengths.exponent == 0
    clicked = LabelledRows.dense(few.matrix, np.array([1, 1, 1, 0, 0], np.int8), few.impression)
    lengths.add(clicked)
    assert abs(lengths.exponent) < 0.5  # two lists are no evidence


def test_the_joint_loss_is_both_others() -> None:
    rng = torch.Generator().manual_seed(5)
    logit, group = torch.randn(12, generator=rng), torch.arange(12) // 3
    label = torch.tensor([1.0, 0, 0, 0, 0, 0] * 2)
    softmax, bce, joint = (float(loss_of(kind, logit, label, group, 4)) for kind in ("softmax", "bce", "joint"))
    assert joint == pytest.approx(softmax + BY_ROW * bce)
    only_clicks = torch.cat([torch.ones(3), label[3:]])
    assert float(loss_of("softmax", logit, only_clicks, group, 4)) == pytest.approx(
        float(loss_of("softmax", logit, torch.cat([torch.zeros(3), label[3:]]), group, 4))
    )
    no_click = torch.zeros(12)
    assert float(loss_of("softmax", logit, no_click, group, 4)) == 0
    assert float(loss_of("joint", logit, no_click, group, 4)) > 0


def test_rows_without_a_list_of_both_labels_are_learned_from_by_the_joint_loss() -> None:
    rows = some_rows(600)
    alone = LabelledRows.dense(rows.matrix, rows.label, np.arange(600, dtype=np.int32))  # every card a list of its own
    model, _ = fit(NAMES, alone, None, changed(loss="joint", epochs=10), seed=1)
    assert auc(alone.label, model.score(alone)) > 0.8


def test_the_loss_follows_from_how_the_log_was_made() -> None:
    assert resolved_loss(CtrConfig().loss, sampled=False) == "joint"
    assert resolved_loss(CtrConfig().loss, sampled=True) == "softmax"
    assert resolved_loss("bce", sampled=True) == "bce"


ARTICLES, LISTS, SHOWN = 8, 3_000, 6
ARTICLE_NAMES = tuple(f"is_{number}" for number in range(ARTICLES))
BIAS = -0.7 * np.arange(SHOWN)  # log-odds that a card loses by its place
GOOD = np.linspace(1.5, -1.5, ARTICLES)  # log-odds of a click by article, the best one first
LOGISTIC = CtrConfig(network="logistic", learning_rate=0.05, epochs=15, dropout=0.0, batch_size=600, device="cpu")


def biased_readers(loss: str) -> LabelledRows:
    """Lists whose editor puts the worse articles further up, more often than not."""
    rng = np.random.default_rng(1)
    wish = 1.5 * GOOD + rng.gumbel(size=(LISTS, ARTICLES))
    shown = np.argsort(wish, axis=1)[:, :SHOWN]
    odds = GOOD[shown] + BIAS
    if loss == "softmax":
        best = np.argmax(odds + rng.gumbel(size=odds.shape), axis=1)
        label = np.arange(SHOWN) == best[:, None]
    else:
        label = rng.random(odds.shape) < 1 / (1 + np.exp(-odds))
    number = np.repeat(np.arange(LISTS), SHOWN).astype(np.int32)
    place = np.tile(np.arange(SHOWN), LISTS).astype(np.int16)
    return LabelledRows.dense(
        np.eye(ARTICLES, dtype=np.float32)[shown.ravel()], label.astype(np.int8).ravel(), number, place
    )


def tower(model: ClickModel) -> npt.NDArray[np.float32]:
    """What a model adds for each place, after that of the unknown place."""
    weight: npt.NDArray[np.float32] = model.parts.state_dict()["position.weight"].numpy()
    return weight


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_the_true_order_is_found_where_a_model_that_does_not_know_places_fails(loss: str, tmp_path: Path) -> None:
    rows, asked = biased_readers(loss), CandidateRows.dense(np.eye(ARTICLES, dtype=np.float32))
    aware, _ = fit(ARTICLE_NAMES, rows, None, LOGISTIC.model_copy(update={"loss": loss}), seed=1)
    unplaced = LabelledRows.dense(rows.matrix, rows.label, rows.impression)
    naive, _ = fit(ARTICLE_NAMES, unplaced, None, LOGISTIC.model_copy(update={"loss": loss}), seed=1)
    assert np.argsort(-aware.raw(asked)).tolist() == list(range(ARTICLES))
    assert np.argsort(-naive.raw(asked)).tolist() != list(range(ARTICLES))
    weight = tower(aware)
    bias = weight[1 : 1 + SHOWN] - weight[1]
    np.testing.assert_allclose(bias, BIAS, atol=0.5)
    assert np.corrcoef(aware.raw(asked), GOOD)[0, 1] > 0.99
    aware.save(tmp_path)
    np.testing.assert_array_equal(ClickModel.load(tmp_path, ARTICLE_NAMES).raw(asked), aware.raw(asked))


def test_a_score_does_not_depend_on_where_a_row_stood() -> None:
    rows = biased_readers("softmax")
    model, _ = fit(ARTICLE_NAMES, rows, None, LOGISTIC.model_copy(update={"epochs": 1}), seed=1)
    moved = LabelledRows.dense(rows.matrix, rows.label, rows.impression, rows.position[::-1].copy())
    np.testing.assert_array_equal(model.raw(rows), model.raw(moved))


def test_an_unknown_place_has_its_own_value_and_the_last_one_stands_for_all_below() -> None:
    asked = np.array([-1, 0, 1, TOWER_POSITIONS - 1, TOWER_POSITIONS, 3_000], np.int16)
    assert position_rows(asked).tolist() == [0, 1, 2, TOWER_POSITIONS, TOWER_POSITIONS, TOWER_POSITIONS]
    rows = biased_readers("softmax")
    rows.position[rows.impression % 2 == 0] = -1
    model, _ = fit(ARTICLE_NAMES, rows, None, LOGISTIC.model_copy(update={"epochs": 1}), seed=1)
    weight = tower(model)
    assert len(np.unique(weight[1 : 1 + SHOWN])) == SHOWN
    none = LabelledRows.dense(rows.matrix, rows.label, rows.impression)
    model, _ = fit(ARTICLE_NAMES, none, None, LOGISTIC.model_copy(update={"epochs": 1}), seed=1)
    assert not tower(model).any()
