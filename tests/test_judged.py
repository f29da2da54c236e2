"""Judged: likes and dislikes -> scores, against a dense solver, and on readers whose answer is known."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.text_clicks.judged import (
    READER_LAST,
    GeneralTaste,
    Judging,
    OwnTaste,
    general_taste,
    judged_scores,
    own_taste,
)
from benchmarks.text_clicks.traits import Traits, bag_traits, joined_traits, sums, traits_of, vector_traits
from recsys.classifiers.ngrams import Bags
from recsys.errors import DegenerateInput

Array = npt.NDArray[Any]

SPORT, MONEY, BOTH, UNKNOWN = 0, 4, 8, 9  # first rows of four sport articles, four of money, one of both, one without


def toy() -> Traits:
    """Ten articles: four of sport, four of money, one of both, and one of which nothing is known."""
    vectors = np.zeros((10, 3), np.float32)
    vectors[SPORT:MONEY] = [1, 0, 0]
    vectors[MONEY:BOTH] = [0, 1, 0]
    vectors[BOTH] = [0.6, 0.8, 0]
    vectors[UNKNOWN] = np.nan
    return joined_traits([vector_traits(vectors, 1.0)], 0.1)


def indifferent(traits: Traits) -> GeneralTaste:
    return GeneralTaste(0.5, np.zeros(traits.size))


def scores(traits: Traits, liked: list[int], disliked: list[int], general: GeneralTaste | None = None) -> Array:
    """Scores of all articles for a reader of these likes and dislikes."""
    general = general or indifferent(traits)
    rows = np.array([*liked, *disliked], np.int64)
    labels = np.repeat([1.0, 0.0], [len(liked), len(disliked)])
    made = own_taste(traits, general, rows, labels, Judging())
    return judged_scores(traits, general, made, np.arange(len(traits.starts) - 1))


def random_world(seed: int, readers: int = 4, judged: int = 30) -> tuple[Traits, Array, Array, Array, Array]:
    """Random traits of 12 articles (dense and sparse ones), the same as a dense matrix, and judgements."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(12, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[3] = np.nan
    words = rng.random((12, 5)) * (rng.random((12, 5)) < 0.4)
    place = np.argwhere(words)
    bags = Bags(place[:, 1], np.append(0, np.cumsum((words > 0).sum(axis=1))))
    traits = joined_traits([vector_traits(vectors, 0.5), bag_traits(bags, words[words > 0], 2.0, 5)], 0.3)
    dense = np.hstack([np.full((12, 1), 0.3**0.5), 0.5**0.5 * np.nan_to_num(vectors), 2.0**0.5 * words])
    reader, row = rng.integers(0, readers, judged), rng.integers(0, 12, judged)
    return traits, dense, reader, row, rng.integers(0, 2, judged).astype(float)


def oracle(dense: Array, reader: Array, row: Array, liked: Array, judging: Judging, who: int) -> Array:
    """Scores of all articles for one reader, by one dense system over all readers' judgements, written plainly."""
    pairs = sorted({(int(one), int(article)) for one, article in zip(reader, row, strict=True)})
    label = np.array([np.mean(liked[(reader == one) & (row == article)]) for one, article in pairs])
    alike = dense @ dense.T
    kernel = np.array(
        [[alike[a, b] * (judging.shared + (one == other)) for other, b in pairs] for one, a in pairs], dtype=float
    )
    pulls = np.linalg.solve(kernel + judging.noise * np.eye(len(pairs)), label - label.mean())
    found = np.full(len(dense), label.mean())
    for article in range(len(dense)):
        for (other, judged), pull in zip(pairs, pulls, strict=True):
            own = other == who and judged != article
            found[article] += pull * alike[article, judged] * (judging.shared + own)
    return found


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([Judging(), Judging(0.0, 0.5), Judging(1.0, 3.0)]))
def test_scores_are_those_of_one_dense_system_over_all_readers(seed: int, judging: Judging) -> None:
    traits, dense, reader, row, liked = random_world(seed)
    general = general_taste(traits, reader, row, liked, judging)
    for who in range(4):
        theirs = reader == who
        own = own_taste(traits, general, row[theirs], liked[theirs], judging)
        found = judged_scores(traits, general, own, np.arange(12))
        assert np.allclose(found, oracle(dense, reader, row, liked, judging, who), atol=1e-4)


def test_a_like_raises_what_is_alike_and_a_dislike_lowers_it() -> None:
    traits = toy()
    found = scores(traits, liked=[SPORT], disliked=[MONEY])
    assert found[SPORT + 1] > 0.5 > found[MONEY + 1]
    assert found[SPORT + 1] - 0.5 == pytest.approx(0.5 - found[MONEY + 1], abs=1e-6)
    assert found[UNKNOWN] == pytest.approx(0.5, abs=1e-6)  # a like and a dislike: no tendency
    assert scores(traits, liked=[], disliked=[MONEY])[MONEY + 1] < 0.5  # dislikes alone say something


def test_more_judgements_say_more() -> None:
    one, three = (scores(toy(), liked=list(range(n)), disliked=[])[SPORT + 3] for n in (1, 3))
    # liking n articles of equal traits k = 1.1 under noise 1: 0.5 + 0.5 * n k / (n k + 1)
    assert one == pytest.approx(0.5 + 0.5 * 1.1 / 2.1, abs=1e-6)
    assert three == pytest.approx(0.5 + 0.5 * 3.3 / 4.3, abs=1e-6)


def test_a_judgement_tells_nothing_of_the_very_article() -> None:
    traits = toy()
    without, with_it = scores(traits, [SPORT], []), scores(traits, [SPORT, BOTH], [])
    assert with_it[UNKNOWN] > without[UNKNOWN]  # it counts elsewhere
    alone = scores(traits, [BOTH], [])
    assert alone[BOTH] == pytest.approx(0.5, abs=1e-6)


def test_contradicting_judgements_of_an_article_count_as_their_mean() -> None:
    traits = toy()
    twice = scores(traits, liked=[SPORT, MONEY], disliked=[SPORT])
    assert twice[SPORT + 1] < scores(traits, liked=[SPORT, MONEY], disliked=[])[SPORT + 1]
    assert np.array_equal(scores(traits, liked=[SPORT], disliked=[SPORT]), np.full(10, 0.5, np.float32))


def test_the_order_of_judgements_changes_nothing() -> None:
    traits, _, reader, row, liked = random_world(3)
    turned = np.random.default_rng(1).permutation(len(row))
    general = [general_taste(traits, reader[o], row[o], liked[o], Judging()) for o in (slice(None), turned)]
    assert general[0].mean == general[1].mean
    assert np.array_equal(general[0].weights, general[1].weights)
    made = [own_taste(traits, general[0], row[o], liked[o], Judging()) for o in (slice(None), turned)]
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))


def test_a_reader_of_no_judgements_gets_the_general_taste() -> None:
    traits = toy()
    reader, row = np.repeat(np.arange(20), 2), np.tile([SPORT, MONEY], 20)
    general = general_taste(traits, reader, row, np.tile([1.0, 0.0], 20), Judging())
    nobody = scores(traits, [], [], general)
    assert nobody[SPORT + 1] > nobody[UNKNOWN] > nobody[MONEY + 1]
    other = scores(traits, [MONEY, MONEY + 1], [SPORT, SPORT + 1], general)  # their own word outweighs everybody's
    assert other[MONEY + 2] > other[SPORT + 2]


def test_nothing_known_at_all_is_one_half_for_everything() -> None:
    traits, none = toy(), np.empty(0, np.int64)
    general = general_taste(traits, none, none, np.empty(0), Judging())
    assert general.mean == 0.5
    assert np.array_equal(scores(traits, [], [], general), np.full(10, 0.5, np.float32))
    empty = judged_scores(traits, general, own_taste(traits, general, none, np.empty(0), Judging()), none)
    assert empty.shape == (0,)
    assert empty.dtype == np.float32


def test_own_taste_knows_the_last_judgements_only() -> None:
    traits, general = toy(), indifferent(toy())
    row = np.append(np.full(10, MONEY), np.tile([SPORT, SPORT + 1], READER_LAST // 2))
    made = own_taste(traits, general, row, np.ones(len(row)), Judging())
    assert made.rows.tolist() == [SPORT, SPORT + 1]


def test_rows_may_be_those_of_a_table_made_for_one_answer() -> None:
    traits, _, reader, row, liked = random_world(5)
    general = general_taste(traits, reader, row, liked, Judging())
    own = own_taste(traits, general, row[reader == 0], liked[reader == 0], Judging())
    table = np.array([7, 2, 11])
    strangers = OwnTaste(np.array([99]), np.zeros(1), own.columns, own.weights)  # none of them judged
    inside = judged_scores(traits_of(traits, table), general, strangers, np.arange(3))
    assert np.allclose(inside, judged_scores(traits, general, strangers, table))


def test_traits_keep_their_places_and_a_missing_vector_leaves_the_common_one() -> None:
    traits = joined_traits([vector_traits(np.array([[np.nan, np.nan], [0.6, 0.8]]), 4.0)], 0.25)
    assert traits.columns.tolist() == [0, 0, 1, 2]
    assert traits.values.tolist() == pytest.approx([0.5, 0.5, 1.2, 1.6])
    assert traits.starts.tolist() == [0, 1, 4]
    assert traits.size == 3
    assert sums(traits, traits.values).tolist() == pytest.approx([0.25, 4.25])
    assert vector_traits(np.empty((2, 0)), 1.0).starts.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("row", "liked"), [([0, 1], [1.0]), ([0], [0.5]), ([0], [np.nan]), ([10], [1.0]), ([-1], [1.0])]
)
def test_impossible_judgements_are_refused(row: list[int], liked: list[float]) -> None:
    traits = toy()
    with pytest.raises(DegenerateInput):
        own_taste(traits, indifferent(traits), np.array(row), np.array(liked), Judging())
    with pytest.raises(DegenerateInput):
        general_taste(traits, np.zeros(len(row), int), np.array(row), np.array(liked), Judging())


def test_candidates_outside_the_table_are_refused() -> None:
    traits = toy()
    own = own_taste(traits, indifferent(traits), np.array([0]), np.ones(1), Judging())
    for row in (-1, 10):
        with pytest.raises(DegenerateInput):
            judged_scores(traits, indifferent(traits), own, np.array([row]))


def test_the_longest_own_taste_is_made_and_asked_in_a_fraction_of_a_second() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(2_000, 100))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    traits = joined_traits([vector_traits(vectors, 1.0)], 0.1)
    row, liked = np.arange(READER_LAST), rng.integers(0, 2, READER_LAST).astype(float)
    began = time.process_time()
    own = own_taste(traits, indifferent(traits), row, liked, Judging())
    found = judged_scores(traits, indifferent(traits), own, np.arange(1_000, 1_200))
    assert time.process_time() - began < 0.5  # 0.02 s measured
    assert np.isfinite(found).all()
