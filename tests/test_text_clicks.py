"""The benchmark of titles and clicks: what it reads, what no method may see, and what it finds on real judgements."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.text_clicks.__main__ import over_folds
from benchmarks.text_clicks.data import Judgements, folds_of, read_judgements, spaces_of
from benchmarks.text_clicks.methods import OURS, Method, baselines, ours, profile, share
from benchmarks.text_clicks.traits import Traits, bag_traits, vector_traits
from recsys.classifiers.ngrams import Bags
from recsys.errors import ImportRefused
from recsys.settings import load_settings

Array = npt.NDArray[Any]


def toy_log() -> tuple[Judgements, dict[str, Traits]]:
    """Twenty readers and forty titles of two subjects; even readers like the first subject, odd ones the second."""
    rng = np.random.default_rng(1)
    reader, row = np.repeat(np.arange(20), 20), rng.integers(0, 40, 400)
    liked = (row % 2 == reader % 2).astype(np.float64)
    names = [f"title {number:02}" for number in range(40)]
    subject = np.eye(2)[np.arange(40) % 2]
    bag = bag_traits(Bags(np.arange(40) % 2, np.arange(41)), np.ones(40), 1.0, 2)
    spaces = {"words": bag, "keywords": bag, "entities": bag}
    vectors = {"word_vectors": vector_traits(subject, 1.0), "vectors": vector_traits(subject, 1.0)}
    return Judgements(reader, row, liked, names, [[] for _ in names]), spaces | vectors


def all_methods(log: Judgements, spaces: dict[str, Traits]) -> dict[str, Method]:
    return baselines(log, spaces) | {name: ours(log, spaces, form) for name, form in OURS.items()}


def test_lines_become_judgements_and_equal_titles_one_row(tmp_path: Path) -> None:
    file = tmp_path / "judged.tsv"
    file.write_text("7\tb c\t1\t5:Five;3:Three\n9\ta\t0\n7\ta\t0\t8:Eight\n")
    log = read_judgements(file)
    assert log.titles == ["a", "b c"]
    assert log.reader.tolist() == [0, 1, 0]
    assert log.row.tolist() == [1, 0, 0]
    assert log.liked.tolist() == [1.0, 0.0, 0.0]
    assert log.entities == [["8"], ["3", "5"]]


@pytest.mark.parametrize("text", ["", "7\ttitle\t2\t\n", "7\ttitle\n", "7\ttitle\t1\t\t\n"])
def test_a_file_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "judged.tsv").write_text(text)
    with pytest.raises(ImportRefused):
        read_judgements(tmp_path / "judged.tsv")


def test_folds_are_of_one_size_and_of_the_seed() -> None:
    assert np.bincount(folds_of(103, 5, seed=1)).tolist() == [21, 21, 21, 20, 20]
    assert np.array_equal(folds_of(103, 5, seed=1), folds_of(103, 5, seed=1))
    assert not np.array_equal(folds_of(103, 5, seed=1), folds_of(103, 5, seed=2))


def sees_held_out_labels(make: Callable[[Judgements], Method], log: Judgements) -> bool:
    """Whether a method's scores change when the labels that are held out are turned round."""
    fold = folds_of(len(log.liked), 5, seed=1)
    train, test = np.flatnonzero(fold != 0), np.flatnonzero(fold == 0)
    turned = log._replace(liked=np.where(fold == 0, 1 - log.liked, log.liked))
    return not np.array_equal(make(log)(train, test), make(turned)(train, test))


def test_no_method_sees_a_held_out_label() -> None:
    log, spaces = toy_log()
    for name in all_methods(log, spaces):

        def make(some: Judgements, name: str = name) -> Method:
            return all_methods(some, spaces)[name]

        assert not sees_held_out_labels(make, log), name


def test_a_planted_leak_is_seen() -> None:
    log, _ = toy_log()

    def leaky(some: Judgements) -> Method:
        return lambda train, test: share(some, some.row)(np.append(train, test), test)

    assert sees_held_out_labels(leaky, log)


def test_where_taste_is_plain_profiles_find_it_and_shares_do_not() -> None:
    log, spaces = toy_log()
    found = {name: over_folds(log, method, 5, [1]) for name, method in all_methods(log, spaces).items()}
    assert found["ours"]["auc"] > 0.99
    assert found["own_judgements_only"]["per_reader"] > 0.99
    assert found["tfidf_liked_minus_disliked"]["per_reader"] > 0.99
    assert 0.4 < found["general_taste_only"]["per_reader"] < 0.6
    assert found["share_of_reader"]["per_reader"] == 0.5
    assert len(found["ours"]["folds"]) == 5
    assert found["ours"]["spread"] == pytest.approx(max(found["ours"]["folds"]) - min(found["ours"]["folds"]), abs=1e-4)


def test_profiles_are_the_cosines_that_one_computes_by_hand() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    log = Judgements(np.zeros(4, np.int64), np.array([0, 1, 2, 0]), np.array([1.0, 0.0, 1.0, 1.0]), ["a", "b", "c"], [])
    space, train, test = vector_traits(vectors, 1.0), np.array([0, 1]), np.array([2, 3])
    # title c: 0.6 to the liked a, 0.8 to the disliked b; title a itself: its own like does not count
    assert profile(log, space, dislikes=False)(train, test).tolist() == pytest.approx([0.6, 0.0])
    assert profile(log, space, dislikes=True)(train, test).tolist() == pytest.approx([-0.2, 0.0])


def test_shares_are_shrunk_to_the_mean() -> None:
    log = Judgements(np.array([0, 0, 1, 2]), np.arange(4), np.array([1.0, 1.0, 0.0, 1.0]), list("abcd"), [])
    found = share(log, log.reader)(np.array([0, 1, 2]), np.array([0, 2, 3]))
    assert found.tolist() == pytest.approx([(2 + 10 / 3) / 7, (10 / 3) / 6, 2 / 3])


@pytest.mark.slow
@pytest.mark.shared_data
def test_on_real_judgements_ours_is_a_point_above_every_single_baseline(shared_data: Path) -> None:
    log = read_judgements(shared_data / "bing_news" / "train.tsv")
    assert (len(log.liked), len(log.titles), int(log.reader.max()) + 1) == (10_401, 8_668, 469)
    spaces = spaces_of(log, load_settings(), seed=1)
    own = over_folds(log, ours(log, spaces, OURS["ours"]), 5, [1])
    for name, method in baselines(log, spaces).items():
        assert own["auc"] >= over_folds(log, method, 5, [1])["auc"] + 0.01, name
