"""The benchmark of the click model: what it feeds both sides, what it counts, and that it runs on a bare machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.ctr import bounds
from benchmarks.ctr.quality import job_of, places
from benchmarks.ctr.synthetic import SKEW, Shape, auc, clicks, operations, scores, summary, train
from benchmarks.ctr.titles import Split, columns_of, rows_of, split_of
from benchmarks.text_clicks.data import Judgements
from benchmarks.text_clicks.methods import share
from recsys.features import LIST_FIELDS
from recsys.features.rows import LabelledRows
from recsys.hashing import hashed
from recsys.metrics import auc as project_auc

ROOT = Path(__file__).parents[1]
CPU = torch.device("cpu")


def test_synthetic_clicks_are_skewed_learnable_and_the_same_again() -> None:
    data, again = clicks(4000, 3, 300, 1, CPU), clicks(4000, 3, 300, 1, CPU)
    assert torch.equal(data.ids, again.ids)
    assert torch.equal(data.label, again.label)
    for field in range(3):
        place = data.ids[:, field] - field * 100 - 1
        assert (int(place.min()), int(place.max())) == (0, 99)
        assert float((place < 10).float().mean()) == pytest.approx(0.1 ** (1 / SKEW), abs=0.03)
    assert 0.1 < float(data.label.mean()) < 0.4


def test_training_on_synthetic_clicks_learns_from_them() -> None:
    data = clicks(20_000, 3, 60, 1, CPU)
    engine, rate = train(data, Shape("fm", 3, 60, 4, (), 256), bf16=False, seed=1)
    assert rate > 0
    assert auc(scores(engine, data), data.label) > 0.55


def test_the_area_under_the_curve_is_the_projects() -> None:
    rng = np.random.default_rng(1)
    label, score = rng.integers(0, 2, 500), rng.integers(0, 20, 500) / 20
    expected = project_auc(label, score)
    assert auc(torch.from_numpy(score), torch.from_numpy(label)) == pytest.approx(expected)


def test_the_least_bytes_of_a_sample_are_counted_by_hand() -> None:
    ids, rows, activations = 2 * 4, 2 * 4 * 2 * 4 * (3 + 1) // 2, 5 * 2 * (2 * 3 + 5)
    assert bounds.least_bytes(2, 3, (5,), 2) == ids + rows + activations


def test_a_step_is_some_dozens_of_launches() -> None:
    data = clicks(256, 3, 60, 1, CPU)
    few, many = (operations(data, Shape(kind, 3, 60, 4, (8,), 64), False) for kind in ("dnn", "deepfm"))
    assert 20 < few < many < 300


def test_launches_are_operations_that_do_something() -> None:
    matrix = torch.ones(2, 3)
    with bounds.Launches() as counter:
        (matrix.t().view(-1, 2) @ matrix).add_(1)
    assert counter.count == 2


def test_the_products_of_wider_layers_are_bounded_by_more_time() -> None:
    assert (
        0 < bounds.products((4, 4), 8, torch.float32, CPU) < bounds.products((512, 512, 512), 2048, torch.float32, CPU)
    )


def test_a_summary_compares_each_model_with_the_same_one() -> None:
    ours = {"dnn 8 fp32": {"samples_per_second": 60}, "dnn 8 bf16": {"samples_per_second": 90}}
    found = summary(ours, {"dnn 8": {"samples_per_second": 10}})
    assert found["times_as_fast dnn 8 fp32"] == 6
    assert found["times_as_fast dnn 8 bf16"] == 9
    assert found["samples_per_second"] == 90


def test_it_runs_where_only_torch_and_numpy_are(tmp_path: Path) -> None:
    block = "import sys\nfor name in ('pydantic', 'pyarrow', 'safetensors', 'gensim', 'deepctr_torch', 'scipy'):\n"
    block += "    sys.modules[name] = None\n"
    (tmp_path / "sitecustomize.py").write_text(block)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.ctr", "--synthetic", "600", "--batch-size", "128", "--hidden", "8"]
    command += ["--vocabulary", "300", "--fields", "3", "--device", "cpu"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert {"ours", "baselines", "best", "seconds", "peak_mib", "seed"} <= set(result)
    assert set(result["ours"]) == {"deepfm 8 fp32", "deepfm 8 bf16"}
    assert result["baselines"] == {}
    assert "DeepCTR-Torch is left out" in done.stdout


def log() -> Judgements:
    """Three readers and four titles; readers 0 and 1 judged title 0 twice."""
    reader, row = np.array([2, 0, 1, 0, 1, 0, 1, 2]), np.array([3, 0, 0, 1, 1, 0, 0, 2])
    liked = np.array([1.0, 1, 0, 1, 1, 0, 1, 0])
    return Judgements(reader, row, liked, ["a", "b", "c", "d"], [[], [], [], []])


def test_rows_of_titles_know_the_likes_before_them() -> None:
    asked = np.array([5, 6, 7, 3])
    time = np.array([5, 1, 2, 3, 4, 9, 9, 9])
    rows = rows_of(log(), np.arange(4, dtype=np.float32)[:, None], asked, time)
    assert rows.matrix[:, 0].tolist() == [3, 0, 1, 2]  # ordered by reader and time
    assert rows.label.tolist() == [1, 0, 1, 0]
    assert rows.ids[:, 0].tolist() == [hashed("article", title) for title in "baac"]
    assert rows.context[:, LIST_FIELDS.index("reader")].tolist() == [hashed("reader", name) for name in "0012"]
    a, b, d = (hashed("article", title) for title in "abd")
    assert [[click for click in clicks if click] for clicks in rows.history.tolist()] == [[a], [b, a], [b], [d]]


def test_columns_of_titles_see_the_labels_that_they_are_given() -> None:
    seen = []

    def method(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
        seen.append((known.tolist(), asked.tolist()))
        return np.zeros(len(asked))

    matrix = columns_of(log(), {"one": method}, np.array([0, 1, 3]), np.array([5, 2]))
    assert seen == [([0, 1, 3], [5, 2])]
    assert matrix.shape == (2, 3)
    np.testing.assert_allclose(matrix[:, 1], np.log1p([2, 0]))  # judgements of the readers 0 and 1
    np.testing.assert_allclose(matrix[:, 2], np.log1p([1, 1]))  # of title 0


def drawn_log() -> Judgements:
    rng = np.random.default_rng(2)
    titles = [f"title {number}" for number in range(60)]
    reader, row, liked = rng.integers(0, 9, 400), rng.integers(0, 60, 400), rng.integers(0, 2, 400).astype(np.float64)
    return Judgements(reader, row, liked, titles, [[] for _ in titles])


def split_by_shares(log: Judgements) -> Split:
    methods = {"reader": share(log, log.reader), "title": share(log, log.row)}
    return split_of(log, methods, np.arange(400) < 80, np.random.default_rng(3))[0]


def told(rows: LabelledRows) -> list[list[float]]:
    found: list[list[float]] = np.concatenate(
        [rows.matrix, rows.ids, rows.context[rows.impression], rows.history[rows.impression]], axis=1
    ).tolist()
    return found


def test_no_row_of_a_split_knows_a_label_that_stops_or_judges() -> None:
    log = drawn_log()
    split = split_by_shares(log)
    assert (len(split.held), len(split.learn) + len(split.validate)) == (80, 320)
    flipped = log.liked.copy()
    flipped[:80] = 1 - flipped[:80]
    other = split_by_shares(log._replace(liked=flipped))
    for mine, theirs in zip(split[1:], other[1:], strict=True):
        assert told(mine) == told(theirs)
    assert other.held.label.tolist() == (1 - split.held.label).tolist()


def test_no_row_of_a_split_knows_its_own_label() -> None:
    log = drawn_log()
    split, seen = split_by_shares(log), 0
    for place in range(80, 140):
        flipped = log.liked.copy()
        flipped[place] = 1 - flipped[place]
        other = split_by_shares(log._replace(liked=flipped))
        for mine, theirs in zip(split[1:3], other[1:3], strict=True):
            own = np.flatnonzero(mine.label != theirs.label)
            seen += len(own)
            assert [told(mine)[row] for row in own] == [told(theirs)[row] for row in own]
        assert told(split.held) != told(other.held)  # what is held out knows it
    assert seen == 60


def some(rows: int, first: int) -> LabelledRows:
    ids = np.arange(first, first + rows)[:, None] % 3 + 1
    none, number = np.zeros((rows, 0), np.int64), np.arange(rows, dtype=np.int32)
    label = (np.arange(rows) % 2).astype(np.int8)
    matrix = np.full((rows, 1), first, np.float32)
    return LabelledRows(matrix, ids, none, np.full((rows, 2), 2), number, label, np.full(rows, -1, np.int16))


def test_an_id_that_was_hardly_learned_from_is_unknown_to_the_others_too() -> None:
    assert places(np.array([7, 7, 3, 9, 9, 9, 0, 0]), np.array([9, 7, 3, 0, 5])).tolist() == [2, 1, 0, 0, 0]
    assert places(np.array([3]), np.array([[3, 0]])).tolist() == [[0, 0]]


@pytest.mark.parametrize("with_ids", [False, True])
def test_the_others_get_the_same_rows_in_the_same_order(with_ids: bool) -> None:
    split = Split(("column",), some(6, 0), some(2, 4), some(3, 5))
    job = job_of(split, with_ids)
    assert job["part"].tolist() == [0] * 6 + [1] * 2 + [2] * 3
    assert job["label"].tolist() == [*split.learn.label, *split.validate.label, *split.held.label]
    if with_ids:
        assert job["ids"][:, 0].tolist() == [1, 2, 3, 1, 2, 3, 2, 3, 3, 1, 2]
        assert job["sizes"].tolist() == [4]
        assert (job["history"] == 2).all()
    else:
        assert job["ids"].shape == (11, 0)
