"""The stories benchmark's own parts: figures by hand, readers of odd files, baselines and ours on tiny texts."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stories.__main__ import main
from benchmarks.stories.data import read_pairs, read_stream
from benchmarks.stories.judging import auc, b_cubed, best_f1, pairwise
from recsys.errors import ImportRefused
from recsys.stories.similarity import TermRarity, similarity, weighted_terms
from tests.test_story_index import MIXED


def test_b_cubed_and_pairs_are_what_the_hand_computes() -> None:
    b3 = b_cubed("aaabb", "xxyyy")
    assert b3.precision == pytest.approx((2 * 1 + 1 / 3 + 2 * 2 / 3) / 5)
    assert b3.recall == pytest.approx((2 * 2 / 3 + 1 / 3 + 2 * 1) / 5)
    assert b3.f1 == pytest.approx(2 * b3.precision * b3.recall / (b3.precision + b3.recall))
    pairs = pairwise("aaabb", "xxyyy")
    assert (pairs.precision, pairs.recall) == (
        2 / 4,
        2 / 4,
    )  # of 1 + 3 pairs put together aa and bb are right
    assert b_cubed("abc", "abc") == (1, 1, 1)
    assert pairwise("abc", "xyz") == (1, 1, 1)


def test_auc_and_f1_are_what_the_hand_computes() -> None:
    same = np.array([True, False, True, False])
    assert auc(np.array([0.9, 0.8, 0.4, 0.4]), same) == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert best_f1(np.array([0.9, 0.8, 0.4, 0.4]), same) == pytest.approx(2 * 1 / (1 + 2))
    assert best_f1(np.array([0.9, 0.1, 0.8, 0.2]), same) == 1
    assert np.isnan(auc(np.ones(2), np.array([True, True])))


def test_streams_and_pairs_are_read_whatever_is_missing(tmp_path: Path) -> None:
    stream = tmp_path / "stream"
    rows = [{"title": "A", "story": 1}, {"title": None, "story": "b", "time": 5.0, "id": 7}, {"title": "no story"}]
    stream.write_bytes(gzip.compress("\n".join(["", "[1]", *map(json.dumps, rows)]).encode()))
    first, second = read_stream(stream)
    assert (first.title, first.story, first.time) == ("A", "1", None)
    assert (second.id, second.title, second.time) == ("7", "", 5)
    stream.write_text('{"title": "A", "story": 1}\n{"title": "B", "story": 2}')
    assert [article.time for article in read_stream(stream)] == [0, 0], "in their order, at one moment"
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"one": "x", "other": "y", "same_topic": 1}) + "\n" + json.dumps({"one": "z"}))
    assert [tuple(pair) for pair in read_pairs(pairs)] == [("x", "y", True)]
    with pytest.raises(ImportRefused):
        read_stream(pairs)
    with pytest.raises(ImportRefused):
        read_pairs(stream)


def test_names_say_more_of_a_chinese_text_than_other_words() -> None:
    texts = ["李娜今天在北京谈到训练", "李娜夺冠后休息", "他今天在北京谈到天气", "公司公布新产品"]
    weighted = [weighted_terms(text) for text in texts]
    rarity = TermRarity(weighted)
    assert weighted[0]["李娜"] > weighted[0]["今天"]
    same, other = (similarity(weighted[0], weighted[row], rarity) for row in (1, 3))
    assert same > other
    assert similarity(weighted[0], weighted[0], rarity) == pytest.approx(1)
    assert similarity(weighted[0], weighted_terms(""), rarity) == 0


def test_the_command_prints_one_json_object_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, pairs = tmp_path / "stream.jsonl", tmp_path / "pairs.jsonl"
    stream.write_text("\n".join(json.dumps({"title": title, "story": n % 2}) for n, title in enumerate(MIXED)))
    couples = [(MIXED[0], MIXED[2], 1), (MIXED[1], MIXED[3], 1), (MIXED[0], MIXED[1], 0), (MIXED[2], MIXED[5], 0)]
    rows = [{"one": one, "other": other, "same_topic": same} for one, other, same in couples]
    pairs.write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setattr(sys, "argv", ["stories", "--stream", str(stream), "--pairs", str(pairs)])
    main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["best"]["b3_f1"] == result["best"]["recall_at_b3_95"] == result["best"]["auc"] == 1
    assert (result["articles"], result["stories"], result["pairs"]) == (8, 2, 4)
    assert result["baselines"]["min_hash"]["clusters"] == 8
    assert 0 < result["baselines"]["single_pass_tf_idf"]["b3_f1"] <= 1
    assert 0 < result["baselines"]["louvain_20_neighbours"]["b3_f1"] <= 1
    monkeypatch.setattr(sys, "argv", ["stories"])
    with pytest.raises(SystemExit):
        main()
