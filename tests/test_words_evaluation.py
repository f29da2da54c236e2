from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from gensim.test.utils import datapath

from recsys.errors import ImportRefused
from recsys.tokens import Tokens
from recsys.tokens.table import as_table
from recsys.words import WordVectors, unit_rows
from recsys.words.evaluation import WordUsage, evaluate_words, read_pairs, usage_by_language, word_similarity
from recsys.words.intrinsic import Agreement, analogies, neighbours, plane, ranks, similarity
from recsys.words.training import Trained


def at(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_ranks_by_hand_with_ties() -> None:
    assert ranks(np.array([5.0, 1.0, 5.0, 7.0])).tolist() == [1.5, 0, 1.5, 3]


def test_similarity_is_spearman_and_leaves_unknown_words_out() -> None:
    rng = np.random.default_rng(0)
    left, right = unit_rows(rng.normal(size=(2, 40, 5)).reshape(80, 5).astype(np.float32)).reshape(2, 40, 5)
    scores = np.round(rng.random(40) * 5)
    left[[3, 7]] = np.nan
    found = similarity(left, right, scores)
    known = np.setdiff1d(np.arange(40), [3, 7])
    cosines = pd.Series((left * right).sum(axis=1)[known])
    assert (found.pairs, found.covered) == (40, 38)
    assert found.spearman == pytest.approx(cosines.corr(pd.Series(scores[known]), method="spearman"), abs=1e-4)


def test_the_order_of_people_is_a_correlation_of_one() -> None:
    same, away = at(*[0] * 12), at(*range(0, 120, 10))
    assert similarity(same, away, np.arange(12.0)[::-1]).spearman == 1
    assert similarity(same, away, np.arange(12.0)).spearman == -1


def test_too_few_pairs_and_constant_ones_have_no_correlation() -> None:
    assert similarity(at(*[0] * 9), at(*range(9)), np.arange(9.0)) == Agreement(9, 9, None)
    assert similarity(at(*[0] * 12), at(*range(12)), np.ones(12)).spearman is None
    assert similarity(np.empty((0, 2), np.float32), np.empty((0, 2), np.float32), np.empty(0)) == Agreement(0, 0, None)


def test_analogies_by_hand() -> None:
    """0 : 30 as 60 : 90, and the three words asked with are no answer."""
    unit = at(0, 30, 60, 90, 200)
    right, wrong = [0, 1, 2, 3], [0, 1, 2, 4]
    assert analogies(unit, np.array([right, wrong, right])) == 2
    assert analogies(unit, np.empty((0, 4), dtype=np.int64)) == 0


def test_neighbours_by_hand() -> None:
    found = neighbours(at(0, 10, 50, 170), np.array([0, 3]), np.array([0, 1, 2]), k=2)
    assert [[row for row, _ in words] for words in found] == [[1, 2], [2, 1]]
    assert found[0][0][1] == pytest.approx(np.cos(np.radians(10)), abs=1e-6)
    assert neighbours(at(0, 10), np.array([0]), np.array([0]), k=3) == [[]]


def test_the_map_keeps_distances_of_what_is_flat_and_does_not_turn_by_chance() -> None:
    points = np.array([[3, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]], dtype=np.float32)
    flat = plane(points)
    assert np.allclose(np.abs(flat), [[3, 0], [3, 0], [0, 1], [0, 1]], atol=1e-5)
    assert plane(points).tobytes() == flat.tobytes()
    assert plane(points[:1]).tolist() == [[0, 0]]
    assert plane(points[:0]).shape == (0, 2)


def table() -> Iterator[pa.RecordBatch]:
    rows = [
        Tokens("en", ["banks", "rise"], ["the", "banks", "fell"], ["n", "v", "u", "n", "v"], []),
        Tokens("zh", [], ["银行", "上涨", "银行"], ["n", "v", "nz"], []),
        Tokens("ru", ["жук"], [], [""], []),
        Tokens("en", [], [], [], []),
        Tokens("en", ["fell"], ["team"], ["v", "n"], []),
    ]
    yield from as_table(pa.array(["1", "2", "3", "4", "5"]), rows).to_batches(max_chunksize=3)


def test_words_and_nouns_are_counted_by_language_each_word_with_its_own_tag() -> None:
    usage = usage_by_language(table())
    assert usage["en"].words == {"banks": 2, "rise": 1, "the": 1, "fell": 2, "team": 1}
    assert usage["en"].nouns == {"banks": 2, "team": 1}
    assert usage["zh"].nouns == {"银行": 2}
    assert usage["ru"].words == {"жук": 1}


def trained() -> Trained:
    names = ["the", "banks", "fell", "team", "银行", "rise"]
    vectors = np.concatenate([at(0, 20, 70, 40, 200, 120)])
    return Trained(WordVectors(names, np.array([50, 20, 20, 10, 9, 5]), vectors), [2.0, 1.5], 1, 114)


def test_the_judgement_holds_what_the_report_shows() -> None:
    found = evaluate_words(trained(), usage_by_language(table()), [])
    assert [row["name"] for row in found["similarity"]] == ["WordSim-353", "SimLex-999"]
    assert all(row["spearman"] is None for row in found["similarity"])
    assert found["similarity"][0]["pairs"] == 353
    assert found["analogies"] == [
        {"name": "Google analogies", "language": "en", "questions": 19544, "covered": 0, "accuracy": None}
    ]
    assert [(row["word"], row["language"], row["count"]) for row in found["neighbours"]] == [
        ("banks", "en", 2),
        ("team", "en", 1),
        ("银行", "zh", 2),
    ]
    assert found["neighbours"][0]["nearest"][0][0] == "team"
    assert found["out_of_vocabulary"] == {"zh": 0.3333, "en": 0, "ru": 1}
    assert found["loss"] == [2.0, 1.5]
    assert found["drift"] is found["pretrained"] is None
    assert {row["word"] for row in found["map"]} == {"银行", "banks", "team"}


def test_without_tags_the_most_frequent_words_that_say_something_stand_for_the_nouns() -> None:
    usage = usage_by_language(table())["en"]
    found = evaluate_words(trained(), {"en": WordUsage(usage.words, type(usage.words)())}, [])
    assert [row["word"] for row in found["neighbours"]] == ["banks", "fell", "rise", "team"]


def test_an_empty_space_is_judged_without_an_error() -> None:
    empty = Trained(WordVectors([], np.empty(0, np.int64), np.empty((0, 4), np.float32)), [], 1, 0)
    found = evaluate_words(empty, usage_by_language(table()), [])
    assert found["neighbours"] == found["map"] == []
    assert found["out_of_vocabulary"]["en"] == 1


def test_pairs_are_read_with_tabs_commas_or_spaces_and_other_lines_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("word1\tword2\tscore\n# note\n老虎\t猫\t3.5\nTiger,cat,7\na b 1\nhalf\t1\n")
    assert read_pairs(tmp_path / "pairs.txt") == [("老虎", "猫", 3.5), ("tiger", "cat", 7), ("a", "b", 1)]
    assert len(read_pairs(Path(datapath("wordsim353.tsv")))) == 353
    rows = word_similarity(trained().words, [str(tmp_path / "pairs.txt")])
    assert rows[-1] == {"name": "pairs", "language": "zh", "pairs": 3, "covered": 0, "spearman": None}


@pytest.mark.parametrize("content", [None, "", "no pair here\n"])
def test_a_file_of_pairs_without_any_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "pairs.txt").write_text(content)
    with pytest.raises(ImportRefused, match="two words and a score"):
        read_pairs(tmp_path / "pairs.txt")
