"""A click model is judged by what it says of rows that it has not seen; the toy world's answers are known."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recsys.errors import DegenerateInput
from recsys.features import COLUMN, GROUPS, NAMES
from recsys.features.rows import LabelledRows
from recsys.metrics import auc, judging
from recsys.metrics.judging import judge, sample_lists

CARDS = 4
RELEVANT, USELESS = COLUMN["item_cosine"], COLUMN["content_cosine"]
COLUMNS = {"items": [RELEVANT, COLUMN["item_max"]], "content": [USELESS]}


def world(lists: int = 500, seed: int = 1, dense_only: bool = False) -> LabelledRows:
    """Lists of four cards; a click comes by the probability in column "item_cosine", and by nothing else."""
    rng = np.random.default_rng(seed)
    N = lists * CARDS
    matrix = np.zeros((N, len(NAMES)), np.float32)
    matrix[:, RELEVANT], matrix[:, USELESS] = rng.random(N), rng.random(N)
    matrix[:, COLUMN["age"]] = np.log1p(rng.choice([0.5, 12.0, 400.0], N))
    matrix[:, COLUMN["age_known"]] = 1.0
    matrix[:, COLUMN["history"]] = np.repeat(np.log1p(rng.choice([0.0, 2.0, 50.0], lists)), CARDS)
    label = (rng.random(N) < matrix[:, RELEVANT]).astype(np.int8)
    rows = LabelledRows.dense(matrix, label, np.repeat(np.arange(lists, dtype=np.int32), CARDS))
    if dense_only:
        return rows
    return replace(
        rows,
        ids=rng.integers(1, 9, (N, 2)),
        context=rng.integers(1, 9, (lists, 3)),
        history=rng.integers(1, 9, (lists, 5)),
    )


def knows(rows: LabelledRows) -> npt.NDArray[np.float32]:
    """The model that is right."""
    return rows.matrix[:, RELEVANT]


def lost(found: dict[str, Any]) -> dict[str, float]:
    return {one["group"]: one["auc_lost"] for one in found["importance"]}


def test_a_model_that_is_right_is_found_to_be() -> None:
    rows = world()
    found = judge(knows, rows, COLUMNS, seed=1)
    assert found["auc"] == pytest.approx(auc(rows.label, knows(rows)))
    assert found["auc"] == pytest.approx(5 / 6, abs=0.03)  # of a label drawn by a uniform probability
    assert found["log_loss"] == pytest.approx(0.5, abs=0.03)
    assert found["calibration_error"] < 0.05
    assert (found["rows"], found["impressions"]) == (2_000, 500)
    assert found["clicks"] == rows.label.sum()
    assert sum(one["rows"] for one in found["reliability"]) == 2_000
    json.dumps(found, allow_nan=False)


def test_what_the_model_needs_is_worth_its_auc_and_the_rest_nothing() -> None:
    found = judge(knows, world(), COLUMNS, seed=1)
    assert found["importance"][0]["group"] == "items"
    worth = lost(found)
    assert worth["items"] == pytest.approx(found["auc"] - 0.5, abs=0.03)
    assert all(worth[group] == 0.0 for group in ("content", "ids", "context", "history"))


def test_a_groups_columns_move_together() -> None:
    """What two columns say only together (their difference) survives when both are shuffled as one."""
    rows = world()
    rows.matrix[:, COLUMN["item_max"]] = 1.0 - rows.matrix[:, RELEVANT]
    whole: list[bool] = []

    def sees(seen: LabelledRows) -> npt.NDArray[np.float32]:
        both = seen.matrix[:, RELEVANT] + seen.matrix[:, COLUMN["item_max"]]
        whole.append(bool(np.allclose(both, 1.0)))
        return knows(seen)

    judge(sees, rows, {"items": COLUMNS["items"]}, seed=1)
    assert all(whole)
    judge(sees, rows, {"items": [RELEVANT]}, seed=1)
    assert not all(whole), "the check above can fail"


@pytest.mark.parametrize("group", ["ids", "context", "history"])
def test_ids_contexts_and_histories_are_groups_of_their_own(group: str) -> None:
    rows = world()

    def by_parity(seen: LabelledRows) -> npt.NDArray[np.float32]:
        table = getattr(seen, group)
        first = table[:, 0] if group == "ids" else table[seen.impression, 0]
        return np.where(first % 2, 0.8, 0.2).astype(np.float32)

    told = by_parity(rows) > 0.5
    rows = replace(rows, label=told.astype(np.int8))
    worth = lost(judge(by_parity, rows, COLUMNS, seed=1))
    assert worth.pop(group) == pytest.approx(0.5, abs=0.06)
    assert set(worth) == {*COLUMNS, "ids", "context", "history"} - {group}
    assert set(worth.values()) == {0.0}


def test_only_held_out_lists_lend_their_context() -> None:
    """The tables stay whole when rows are cut, so lists that were learned from stand in them too."""
    rows = world()
    rows.context[:250] = 7  # of lists before the held-out ones
    rows.context[250:] = 8
    held = rows.where(rows.impression >= 250)
    seen: set[int] = set()

    def looks(one: LabelledRows) -> npt.NDArray[np.float32]:
        seen.update(one.context[one.impression].ravel().tolist())
        return knows(one)

    judge(looks, held, COLUMNS, seed=1)
    assert seen == {8}


def test_rows_without_ids_have_no_such_groups_and_rows_are_left_as_they_were() -> None:
    rows = world(dense_only=True)
    before = rows.matrix.copy()
    assert set(lost(judge(knows, rows, COLUMNS, seed=1))) == set(COLUMNS)
    assert np.array_equal(rows.matrix, before)


def test_every_feature_is_in_one_group_of_the_real_columns() -> None:
    columns = {name: [COLUMN[column] for column in members] for name, members in GROUPS.items()}
    found = judge(knows, world(lists=50), columns, seed=1)
    assert set(lost(found)) == {*GROUPS, "ids", "context", "history"}
    assert {group for group, worth in lost(found).items() if worth} == {"items"}


def test_auc_is_told_by_age_and_unknown_ages_stand_last() -> None:
    rows = world()
    rows.matrix[::7, COLUMN["age_known"]] = 0.0
    rows.matrix[::7, COLUMN["age"]] = 0.0
    spans = judge(knows, rows, {}, seed=1)["by_age"]
    assert [(one["from_hours"], one["to_hours"]) for one in spans] == [(0, 1), (6, 24), (168, None), (None, None)]
    assert spans[-1]["rows"] == math.ceil(2_000 / 7)
    assert sum(one["rows"] for one in spans) == 2_000
    old = (rows.matrix[:, COLUMN["age"]] > 5) & (rows.matrix[:, COLUMN["age_known"]] > 0)
    assert spans[2]["auc"] == pytest.approx(auc(rows.label[old], knows(rows)[old]))


def test_cold_readers_are_judged_apart() -> None:
    rows = world()
    spans = judge(knows, rows, {}, seed=1)["by_history"]
    assert [(one["from_clicks"], one["to_clicks"]) for one in spans] == [(0, 1), (1, 3), (30, None)]
    cold = rows.matrix[:, COLUMN["history"]] == 0
    assert (spans[0]["rows"], spans[0]["clicks"]) == (cold.sum(), rows.label[cold].sum())
    assert spans[0]["auc"] == pytest.approx(auc(rows.label[cold], knows(rows)[cold]))


def test_columns_without_age_or_history_are_judged_without_them() -> None:
    rows = LabelledRows.dense(np.array([[0.9], [0.1]], np.float32), np.array([1, 0], np.int8), np.zeros(2, np.int32))
    found = judge(lambda seen: seen.matrix[:, 0], rows, {"one": [0]}, seed=1, names=["price"])
    assert (found["by_age"], found["by_history"], found["auc"]) == ([], [], 1.0)


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_alone_has_probabilities_but_no_order(label: int) -> None:
    rows = replace(world(lists=20), label=np.full(80, label, np.int8))
    found = judge(knows, rows, COLUMNS, seed=1)
    assert found["auc"] is None
    assert found["log_loss"] > 0
    assert found["importance"] == []
    assert {one["auc"] for one in found["by_age"]} == {None}
    json.dumps(found, allow_nan=False)


def test_nothing_held_out_is_told_as_nothing() -> None:
    rows = world()
    found = judge(knows, rows.where(np.zeros(len(rows), np.bool_)), COLUMNS, seed=1)
    assert (found["rows"], found["impressions"], found["clicks"]) == (0, 0, 0)
    assert found["auc"] is found["log_loss"] is found["calibration_error"] is None
    assert [found[name] for name in ("reliability", "importance", "by_age", "by_history")] == [[], [], [], []]


def test_many_rows_are_judged_by_whole_lists_of_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, scored = world(lists=3_000), []
    monkeypatch.setattr(judging, "MOST_ROWS", 4_000)
    monkeypatch.setattr(judging, "SHUFFLED_ROWS", 1_000)

    def counts(seen: LabelledRows) -> npt.NDArray[np.float32]:
        scored.append(len(seen))
        assert set(np.unique(seen.impression, return_counts=True)[1]) == {CARDS}
        return knows(seen)

    found = judge(counts, rows, COLUMNS, seed=1)
    assert (found["rows"], found["impressions"]) == (4_000, 1_000)
    assert scored[0] == 4_000
    assert set(scored[1:]) == {1_000}
    assert len(scored) == 2 + judging.REPEATS * (len(COLUMNS) + 3)


def test_one_huge_list_is_judged_rather_than_none() -> None:
    rows = LabelledRows.dense(np.zeros((50, 1), np.float32), np.zeros(50, np.int8), np.zeros(50, np.int32))
    assert len(sample_lists(rows, 10, np.random.default_rng(1))) == 50


def test_the_same_seed_says_the_same_and_log_odds_are_refused() -> None:
    rows = world(lists=60)
    assert judge(knows, rows, COLUMNS, seed=1) == judge(knows, rows, COLUMNS, seed=1)
    with pytest.raises(DegenerateInput, match="probabilities"):
        judge(lambda seen: 4 * knows(seen) - 2, rows, COLUMNS, seed=1)
