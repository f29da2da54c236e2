"""Item vectors know what is clicked together, and place what nobody clicked by its content."""

import numpy as np
import pytest

from recsys.events import UNDATED, Events
from recsys.items import (
    BEHAVIOUR,
    CONTENT,
    NONE,
    ItemsConfig,
    aligned,
    combine,
    item_space,
    learn_projection,
    project,
    unit,
)
from recsys.items.training import behaviour_vectors, item_vectors, sentences, with_articles
from tests.clicks import click, log_of

CONFIG = ItemsConfig(embedding_dim=8, epochs=30, min_count=1)
NAN = float("nan")


def two_camps(readers: int = 40) -> Events:
    """Even readers click the articles 0 … 4, odd ones 5 … 9; article 10 is in the catalogue only."""
    rng = np.random.default_rng(1)
    clicks = []
    for reader in range(readers):
        own = rng.permutation(5)[:4] + 5 * (reader % 2)
        clicks += [click(f"r{reader}", f"a{row:02}", 1_000 + 60_000 * i) for i, row in enumerate(own)]
    return with_articles(log_of(clicks), [f"a{row:02}" for row in range(11)])


def test_what_the_same_readers_click_lies_together() -> None:
    vectors = item_vectors(two_camps(), np.full((11, 4), np.nan, np.float32), CONFIG, seed=1).vectors[:10]
    cosine = vectors @ vectors.T
    inside = [cosine[i, j] for i in range(10) for j in range(i) if i // 5 == j // 5]
    across = [cosine[i, j] for i in range(10) for j in range(i) if i // 5 != j // 5]
    assert min(inside) > max(across)


def test_the_same_seed_and_clicks_give_the_same_bytes() -> None:
    first, second = (behaviour_vectors(sentences(two_camps()), 11, CONFIG, seed=3) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert item_space(first) == item_space(second)
    assert item_space(first) != item_space(behaviour_vectors(sentences(two_camps()), 11, CONFIG, seed=4))


def test_an_article_without_clicks_lands_where_its_content_belongs() -> None:
    rng = np.random.default_rng(2)
    noise = (0.05 * rng.standard_normal((11, 4))).astype(np.float32)
    content = unit(np.repeat(np.eye(2, 4, dtype=np.float32), [5, 6], axis=0) + noise)
    made = item_vectors(two_camps(), content, CONFIG, seed=1)
    cosine = made.vectors[:10] @ made.vectors[10]  # article 10 is written like 5 … 9
    assert cosine[5:].min() > cosine[:5].max()
    assert made.source.tolist() == [BEHAVIOUR] * 10 + [CONTENT]


def test_the_projection_is_the_minimum_of_its_penalised_error() -> None:
    rng = np.random.default_rng(4)
    content, behaviour = rng.standard_normal((40, 5)).astype("f4"), rng.standard_normal((40, 3)).astype("f4")
    content[0], behaviour[1] = NAN, NAN
    found = learn_projection(content, behaviour, 2.0).astype(np.float64)
    X, Y = np.column_stack([content[2:], np.ones(38)]).astype(np.float64), behaviour[2:].astype(np.float64)
    gradient = X.T @ (X @ found - Y) + np.diag([2.0] * 5 + [0.0]) @ found
    np.testing.assert_allclose(gradient, 0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(project(content[2:], found.astype("f4")), axis=1), 1, rtol=1e-5)


def test_what_has_neither_clicks_nor_content_is_nan_and_not_zero() -> None:
    behaviour = np.array([[1, 0], [NAN, NAN], [NAN, NAN]], np.float32)
    content = np.array([[0, 1, 0], [0, 1, 0], [NAN, NAN, NAN]], np.float32)
    made = combine(behaviour, content, 1.0)
    assert made.source.tolist() == [BEHAVIOUR, CONTENT, NONE]
    assert np.isnan(made.vectors[2]).all()


@pytest.mark.parametrize("clicks", [[], [click("r", "a0", 5)], [click(None, "a0", 5), click(None, "a1", 6)]])
def test_a_site_without_sessions_recommends_by_the_articles_themselves(clicks: list[tuple[object, ...]]) -> None:
    content = unit(np.array([[1, 2, 2], [NAN, NAN, NAN]], np.float32))
    made = item_vectors(with_articles(log_of(clicks), ["a0", "a1"]), content, CONFIG, seed=1)
    np.testing.assert_array_equal(made.vectors, content)
    assert made.source.tolist() == [CONTENT, NONE]
    np.testing.assert_allclose(project(content, made.projection), content, rtol=1e-6)


def test_behaviour_without_any_content_projects_nothing() -> None:
    made = item_vectors(two_camps(), np.full((11, 4), np.nan, np.float32), CONFIG, seed=1)
    assert made.source.tolist() == [BEHAVIOUR] * 10 + [NONE]


def test_a_sentence_is_a_readers_clicks_in_order_the_undated_first() -> None:
    clicks = [
        click("r", "b", 9, session="s2"),
        click("r", "a", UNDATED),
        click(None, "c", 4, session="s3"),
        click(None, "d", 5, session="s3"),
        click("lonely", "a", 7),
    ]
    assert [sentence.tolist() for sentence in sentences(log_of(clicks))] == [[0, 1], [2, 3]]


def test_a_reader_of_very_many_clicks_is_cut_into_sentences_that_gensim_reads_whole() -> None:
    clicks = [click("r", f"a{i % 7}", i) for i in range(25_000)]
    assert [len(sentence) for sentence in sentences(log_of(clicks))] == [10_000, 10_000, 5_000]


def test_vectors_are_reordered_by_identifier_and_missing_ones_are_nan() -> None:
    found = aligned(np.array([[1, 0], [0, 1]], np.float32), ["x", "y"], ["y", "z", "x"])
    np.testing.assert_array_equal(found, np.array([[0, 1], [NAN, NAN], [1, 0]], np.float32))
