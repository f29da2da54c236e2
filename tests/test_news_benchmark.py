"""The benchmark of click models that read: what it splits, what its models learn, what it says of differences."""

import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.ctr import device
from benchmarks.ctr.synthetic import Shape
from benchmarks.news import __main__ as program
from benchmarks.news.data import Newsroom, TimeSplit, sizes, time_splits
from benchmarks.news.judging import differences, judged, row
from benchmarks.news.networks import NETWORKS, AdditiveAttention, SelfAttention, last_state
from benchmarks.news.neural import LEFT, drawn_clicks, neural
from benchmarks.news.ours import without
from benchmarks.news.reading import NewsTexts, padded_rows, reading_of
from benchmarks.news.rivals import click_rate, content, content_and_rate, trees
from recsys.ctr.config import CtrConfig
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.training_set import TrainingSet
from recsys.features import COLUMN, GROUPS, NAMES
from recsys.features.matrix import ArticleTables
from recsys.features.rows import LabelledRows
from recsys.metrics import impression_metrics
from recsys.settings import Settings
from recsys.words import WordVectors
from tests.clicks import toy_log

NOTHING = np.full(20, -1)


def camp_texts() -> NewsTexts:
    """Articles whose one word, vector and category say which camp of readers opens them."""
    rng = np.random.default_rng(1)
    camp = np.arange(20) % 2
    words = np.concatenate([np.zeros((1, 8)), np.eye(2, 8)]).astype(np.float32)
    title = np.zeros((20, 3), np.int64)
    title[:, 0] = camp + 1
    vectors = (np.eye(2, 8)[camp] + rng.normal(0, 0.1, (20, 8))).astype(np.float32)
    return NewsTexts(words, title, title, camp + 1, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@cache
def splits() -> dict[str, TimeSplit]:
    """Both splits of the toy log, whose readers mostly open what their camp opens."""
    vectors = camp_texts().vectors
    tables = ArticleTables(vectors, vectors, NOTHING.astype(np.int16), NOTHING.astype(np.int64))
    settings = Settings(items={"embedding_dim": 8})
    room = Newsroom(cast("Any", SimpleNamespace(settings=settings, seed=1)), toy_log(240), tables)
    return dict(time_splits(room))


def auc_of(scores: Any) -> float:
    held = splits()["last"].part(HOLDOUT)
    return impression_metrics(held.label, scores, held.impression)["auc"]


def test_the_second_split_ends_where_the_held_out_part_of_the_first_begins() -> None:
    last, before = splits()["last"], splits()["before"]
    assert sizes(last)["held_out"] == 48  # a fifth of 240
    held = last.lists.time[last.lists.part == HOLDOUT]
    assert before.lists.time.max() < held.min()
    assert before.events.time.max() < held.min()
    assert sizes(before)["held_out"] == pytest.approx(0.2 * 192, abs=1)


def test_content_and_rate_weighs_both_by_the_lists_before_the_held_out_ones() -> None:
    split = splits()["last"]
    both = auc_of(content_and_rate(split, 1))
    assert auc_of(click_rate(split, 1)) < both  # everybody's rate knows no camp
    assert both > 0.75
    assert auc_of(content(split, 1)) == pytest.approx(both, abs=0.15)


def test_trees_learn_from_both_parts_before_the_held_out_one() -> None:
    assert auc_of(trees(splits()["last"], 1)) > 0.75


def test_a_model_without_a_group_of_columns_is_told_nothing_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    split, seen = splits()["last"], []

    def watched(told: TimeSplit, config: CtrConfig, seed: int) -> Any:
        seen.append(told.rows.matrix)
        return np.zeros(1)

    monkeypatch.setattr("benchmarks.news.ours.ours", watched)
    without(split, CtrConfig(), 1, "content")
    columns = [COLUMN[name] for name in GROUPS["content"]]
    assert not seen[0][:, columns].any()
    assert split.rows.matrix[:, columns].any()  # of the split itself nothing is taken
    others = np.setdiff1d(np.arange(len(NAMES)), columns)
    np.testing.assert_array_equal(seen[0][:, others], split.rows.matrix[:, others])


def test_unaware_rows_have_the_means_of_their_list_where_a_text_is_missing() -> None:
    split = splits()["last"]
    matrix = np.zeros_like(split.rows.matrix)
    cosine, known, clicks = (COLUMN[name] for name in ("content_cosine", "content_known", "clicks_total"))
    first = np.flatnonzero(split.rows.impression == split.rows.impression[0])
    matrix[first[:3], cosine], matrix[first[:3], known], matrix[first, clicks] = (0.2, 0.4, 0.9), 1, 3
    made = split._replace(rows=replace(split.rows, matrix=matrix)).unaware().rows.matrix
    assert made[first[:4], cosine] == pytest.approx([0.2, 0.4, 0.9, 0.5])
    assert not made[:, known].any()
    assert not made[len(first) :, cosine].any()  # where no article of a list has a text, there is no mean
    assert (made[first, clicks] == 3).all()  # what readers did is no secret
    assert matrix[first[3], cosine] == 0  # of the split itself nothing is changed


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_a_neural_model_learns_the_camp_from_what_was_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.news.neural.CLICKS_PER_STEP", 4)
    scores = neural(splits()["last"], 1, kind=kind, texts=camp_texts(), gap_minutes=30)
    assert len(scores) == len(splits()["last"].part(HOLDOUT))
    assert auc_of(scores) > 0.7


def test_a_reading_holds_only_what_was_clicked_before_its_list() -> None:
    split = splits()["last"]
    reading = reading_of(split, camp_texts(), 30)
    events = split.events
    for number in (0, 100, len(split.lists) - 1):
        reader, now = split.lists.reader[number], split.lists.time[number]
        clicked = events.article[(events.kind == 1) & (events.reader == reader) & (events.time < now)]
        got = reading.history[number]
        assert got[got >= 0].tolist() == clicked[-30:].tolist()


def test_a_drawn_click_stands_before_cards_of_its_list_that_were_left() -> None:
    split = splits()["last"]
    drawn = drawn_clicks(split, np.arange(20), np.random.default_rng(1))
    assert drawn.shape[1] == 2 + LEFT
    label, offsets = split.lists.label, split.lists.offsets
    for number, one, *left in drawn.tolist():
        span = slice(offsets[number], offsets[number + 1])
        of = dict(zip(split.lists.article[span].tolist(), label[span].tolist(), strict=True))
        assert of[one] == 1
        assert [of[article] for article in left] == [0] * LEFT


def test_attention_sees_nothing_that_is_not_there() -> None:
    torch.manual_seed(1)
    vectors, mask = torch.randn(2, 4, 8), torch.tensor([[True, True, False, False], [False] * 4])
    changed = torch.where(mask[:, :, None], vectors, torch.randn(2, 4, 8))
    for layer in (AdditiveAttention(8), SelfAttention(8)):
        seen, other = layer(vectors, mask), layer(changed, mask)
        assert torch.allclose(seen[0][: 2 if seen.ndim == 3 else None], other[0][: 2 if seen.ndim == 3 else None])
    assert AdditiveAttention(8)(vectors, mask)[1].abs().max() == 0


def test_a_gru_reads_the_clicks_and_not_the_room_before_them() -> None:
    torch.manual_seed(1)
    gru, start = nn.GRU(3, 3, batch_first=True), torch.randn(2, 3)
    clicks = torch.randn(2, 2, 3)
    padded = torch.cat([torch.randn(2, 4, 3), clicks], 1)
    mask = torch.tensor([[False] * 4 + [True] * 2, [False] * 6])
    states = last_state(gru, padded, mask, start)
    assert torch.allclose(states[0], gru(clicks, start[None])[1][0, 0])
    assert torch.equal(states[1], start[1])


def test_words_without_a_vector_take_no_place() -> None:
    words = WordVectors(["a", "b"], np.eye(2, dtype=np.float32), np.ones(2, np.int64))
    assert padded_rows(words, [["b", "?", "a", "b"], []], 2).tolist() == [[2, 1], [0, 0]]


def test_figures_are_means_over_seeds_and_differences_are_paired() -> None:
    label, number = np.array([1, 0, 0, 1], np.int8), np.array([0, 0, 1, 1], np.int32)
    rows = LabelledRows.dense(np.zeros((4, 1), np.float32), label, number)
    right, half, wrong = (np.array(scores) for scores in ([1, 0, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0]))
    held = cast("TrainingSet", rows)
    ours, theirs = judged(held, [right, half], 2.0, 5), judged(held, [wrong], 1.0, 3)
    assert row(ours) | {"auc_error": 0} == {
        "auc": 0.75,
        "mrr": 0.875,
        "ndcg5": pytest.approx(1 - (1 - 1 / np.log2(3)) / 4, abs=1e-4),
        "ndcg10": pytest.approx(1 - (1 - 1 / np.log2(3)) / 4, abs=1e-4),
        "auc_error": 0,
        "auc_spread": 0.5,
        "seconds": 2.0,
        "mib": 5,
    }
    over = differences(ours, theirs, np.random.default_rng(1))
    assert over["auc"][0] == 0.75
    assert 0.5 <= over["auc"][1] <= over["auc"][2] <= 1.0  # one list is won by a half, the other by all


def mind_folder(folder: Path) -> Path:
    """A folder in MIND's format: sixty lists of four cards, of which readers open the one of their sport."""
    folder.mkdir()
    words = ["goal keeper league coach", "serve racket court set"]
    news = [f"N{n}\tsports\tx\t{words[n % 2]} {n}\t{words[n % 2]} match {n}\t\t[]\t[]" for n in range(12)]
    (folder / "news.tsv").write_text("\n".join(news) + "\n")
    lines = []
    for n in range(60):
        shown = " ".join(f"N{card}-{int(card % 2 == n % 2 and card < 4)}" for card in range(2, 6))
        lines.append(f"{n}\tU{n % 6}\t11/{10 + n // 12}/2019 {1 + n % 12}:00:00 PM\tN{n % 2} N{10 + n % 2}\t{shown}")
    (folder / "behaviors.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.slow
def test_the_program_prints_ours_and_rivals_of_both_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--mind", str(mind_folder(tmp_path / "mind")), "--seeds", "2", "--models", "click_rate", "trees", "gru"]
    monkeypatch.setattr(sys, "argv", ["news", *asked])
    program.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result["best"]) == {"auc", "mrr", "ndcg5", "ndcg10"}
    assert result["best"]["auc"] == result["ours"]["ours"]["auc"] > 0.6
    assert list(result["baselines"]) == ["click_rate", "trees", "gru"] == list(result["second"]["baselines"])
    assert result["lists"]["held_out"] == 12


def test_the_device_script_says_that_no_gpu_is_here_and_measures_the_cpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "SHAPES", (("fm", ()),))
    monkeypatch.setattr(device, "HELD", 500)
    monkeypatch.setattr(device, "CPU_SIZES", (256,))
    monkeypatch.setattr(sys, "argv", ["device", "--rows", "2000"])
    device.main()
    said, *_, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)
    assert said.startswith("No GPU is here")
    assert (result["device"], result["failed"], result["left_out"]) == ("cpu", 0, 0)
    assert sorted(result["ours"]) == ["fm  × 256: bf16 launched", "fm  × 256: fp32 launched"]


def test_a_way_of_another_auc_is_not_the_best_and_one_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: dict[str, dict[str, Any]] = {
        "a: fp32": {"auc": 0.7},
        "a: bf16": {"auc": 0.7 - 2 * device.SAME_AUC},
        "b: fp32": {"failed": "RuntimeError: no"},
        "b: bf16": {"auc": 0.6},
    }
    device.judge(rows)
    assert [row.get("same_auc") for row in rows.values()] == [True, False, None, True]

    def refuse(*_: object) -> None:
        raise RuntimeError("no kernel\nfor this device")

    monkeypatch.setattr(device, "measured", refuse)
    way = device.Way(True, True)
    shape = Shape("fm", 1, 1, 1, (), 1)
    failed = device.tried(cast("Any", None), cast("Any", None), shape, way, 1)
    assert failed == {"failed": "RuntimeError: no kernel"}
