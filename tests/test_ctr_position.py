"""Readers who look at the top first do not deceive the model: it finds the order that they would have without that."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from recsys.ctr.config import CtrConfig
from recsys.ctr.model import ClickModel
from recsys.ctr.network import POSITIONS, position_rows
from recsys.ctr.training import fit
from recsys.features.rows import CandidateRows, LabelledRows

ARTICLES, LISTS, SHOWN = 8, 3_000, 6
NAMES = tuple(f"is_{number}" for number in range(ARTICLES))
BIAS = -0.7 * np.arange(SHOWN)  # log-odds that a card loses by its place
GOOD = np.linspace(1.5, -1.5, ARTICLES)  # log-odds of a click by article, the best one first
CONFIG = CtrConfig(network="logistic", learning_rate=0.05, epochs=15, dropout=0.0, batch_size=600, device="cpu")


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
    aware, _ = fit(NAMES, rows, None, CONFIG.model_copy(update={"loss": loss}), seed=1)
    naive, _ = fit(NAMES, rows, None, CONFIG.model_copy(update={"loss": loss, "position": False}), seed=1)
    assert np.argsort(-aware.raw(asked)).tolist() == list(range(ARTICLES))
    assert np.argsort(-naive.raw(asked)).tolist() != list(range(ARTICLES))
    weight = tower(aware)
    bias = weight[1 : 1 + SHOWN] - weight[1]
    np.testing.assert_allclose(bias, BIAS, atol=0.5)
    assert np.corrcoef(aware.raw(asked), GOOD)[0, 1] > 0.99
    aware.save(tmp_path)
    np.testing.assert_array_equal(ClickModel.load(tmp_path, NAMES).raw(asked), aware.raw(asked))


def test_a_score_does_not_depend_on_where_a_row_stood() -> None:
    rows = biased_readers("softmax")
    model, _ = fit(NAMES, rows, None, CONFIG.model_copy(update={"epochs": 1}), seed=1)
    moved = LabelledRows.dense(rows.matrix, rows.label, rows.impression, rows.position[::-1].copy())
    np.testing.assert_array_equal(model.raw(rows), model.raw(moved))


def test_an_unknown_place_has_its_own_value_and_the_last_one_stands_for_all_below() -> None:
    asked = np.array([-1, 0, 1, POSITIONS - 1, POSITIONS, 3_000], np.int16)
    assert position_rows(asked).tolist() == [0, 1, 2, POSITIONS, POSITIONS, POSITIONS]
    rows = biased_readers("softmax")
    rows.position[rows.impression % 2 == 0] = -1
    model, _ = fit(NAMES, rows, None, CONFIG.model_copy(update={"epochs": 1}), seed=1)
    weight = tower(model)
    assert len(np.unique(weight[1 : 1 + SHOWN])) == SHOWN
    none = LabelledRows.dense(rows.matrix, rows.label, rows.impression)
    model, _ = fit(NAMES, none, None, CONFIG.model_copy(update={"epochs": 1}), seed=1)
    assert not tower(model).any()
