"""What the losses ask, and what each of them learns from."""

import numpy as np
import pytest
import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.losses import BY_ROW, loss_of
from recsys.ctr.training import fit
from recsys.features.rows import LabelledRows
from recsys.metrics import auc, impression_metrics, log_loss
from tests.click_rows import NAMES, some_rows
from tests.test_ctr_training import changed


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
    assert CtrConfig().resolved(sampled=False).loss == "joint"
    assert CtrConfig().resolved(sampled=True).loss == "softmax"
    assert CtrConfig(loss="bce").resolved(sampled=True).loss == "bce"
