"""Every model is judged on the same held-out candidates."""

import numpy as np
import pytest

from recsys.dataset.impressions import FIT, HOLDOUT
from recsys.dataset.training_set import TrainingSet
from recsys.errors import StaleArtefact
from recsys.evaluate.held_out import COLUMN_MODELS, held_out_figures, segment_figures
from recsys.features import COLUMN, NAMES
from recsys.features.rows import LabelledRows
from recsys.metrics import RANKING_FIGURES


def some_rows(lists: int = 200) -> TrainingSet:
    """Lists of four; the first half is fitted. Column "clicks_total" knows the label, "item_cosine" its opposite."""
    label = np.tile([0, 1, 0, 0], lists).astype(np.int8)
    matrix = np.zeros((len(label), len(NAMES)), np.float32)
    matrix[:, COLUMN["clicks_total"]], matrix[:, COLUMN["item_cosine"]] = label, -label
    number = (np.arange(len(label)) // 4).astype(np.int32)
    part = np.where(number < lists // 2, FIT, HOLDOUT).astype(np.int8)
    return TrainingSet(**vars(LabelledRows.dense(matrix, label, number)), time=number.astype(np.int64), part=part)


def test_a_table_holds_every_model_judged_on_the_held_out_lists_alone() -> None:
    rows = some_rows()
    rows.matrix[rows.part == FIT] = 0.0  # what happened in training rows does not count
    held = rows.label[rows.part == HOLDOUT].astype(np.float32)
    table = held_out_figures(rows, held, seed=1)
    assert set(table) == {"random", "ctr", *COLUMN_MODELS}
    assert table["popular"]["auc"] == table["ctr"]["mrr"] == table["ctr"]["ndcg@5"] == 1.0
    assert table["items"]["auc"] == 0.0
    assert table["content"]["auc"] == 0.5
    assert abs(table["random"]["auc"] - 0.5) < 0.1
    assert all(values["impressions"] == 100 for values in table.values())


def test_without_a_click_model_the_others_are_judged() -> None:
    assert "ctr" not in held_out_figures(some_rows(), np.empty(0, np.float32), seed=1)


def test_scores_of_other_rows_are_refused() -> None:
    with pytest.raises(StaleArtefact, match="jobs ctr"):
        held_out_figures(some_rows(), np.zeros(3, np.float32), seed=1)


def test_baselines_are_judged_on_the_same_rows_and_those_of_other_rows_are_refused() -> None:
    rows = some_rows()
    held = rows.label[rows.part == HOLDOUT].astype(np.float32)
    table = held_out_figures(rows, held, 1, {"best": held, "worst": -held})
    assert (table["best"]["auc"], table["worst"]["auc"]) == (1.0, 0.0)
    assert table["best"]["impressions"] == 100
    with pytest.raises(StaleArtefact, match="jobs baselines"):
        held_out_figures(rows, held, 1, {"short": held[1:]})


def test_nothing_to_judge_gives_an_empty_table() -> None:
    rows = some_rows()
    rows.label[:] = 0
    assert held_out_figures(rows, np.zeros(400, np.float32), seed=1) == {}


def test_segments_are_judged_by_their_own_lists() -> None:
    rows = some_rows()
    clicks = np.repeat([0, 3, 9, 10, 40], 40 * 4)  # of the readers of 200 lists of four
    rows.matrix[:, COLUMN["history"]] = np.log1p(clicks)
    held = rows.part == HOLDOUT
    scores = np.where(clicks >= 10, rows.label, -rows.label)[held].astype(np.float32)  # right for keen readers alone
    table = segment_figures(rows, scores, seed=1)
    assert list(table.columns) == [*RANKING_FIGURES, "impressions"]
    assert set(table.index.get_level_values("segment")) == {"1 to 9 clicks", "10 clicks or more"}
    assert table.loc[("1 to 9 clicks", "ctr"), "auc"] == 0.0
    assert table.loc[("10 clicks or more", "ctr"), "auc"] == 1.0
    assert table.loc[("1 to 9 clicks", "popular"), "impressions"] == 20
    assert table.loc[("10 clicks or more", "popular"), "impressions"] == 80
