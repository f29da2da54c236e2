"""Item vectors know what is clicked together, and place what nobody clicked by its content."""

import numpy as np
import pytest

from recsys.errors import DegenerateInput
from recsys.events import UNDATED, Events
from recsys.items import (
    BEHAVIOUR,
    CONTENT,
    NO_VECTOR,
    aligned,
    item_space,
    learn_projection,
    principal_projection,
    project,
    unit,
)
from recsys.items.config import ItemsConfig
from recsys.items.training import click_windows, item_vectors, learned, updated, with_articles
from tests.clicks import HOUR, click, log_of

CONFIG = ItemsConfig(embedding_dim=8)
NAN = float("nan")
TEXTLESS = np.full((11, 4), np.nan, np.float32)


def two_camps(readers: int = 40) -> Events:
    """Even readers click the articles 0 … 4, odd ones 5 … 9; article 10 is in the catalogue only."""
    rng = np.random.default_rng(1)
    clicks = []
    for reader in range(readers):
        own = rng.permutation(5)[:4] + 5 * (reader % 2)
        clicks += [click(f"r{reader}", f"a{row:02}", 1_000 + 60_000 * i) for i, row in enumerate(own)]
    return with_articles(log_of(clicks), [f"a{row:02}" for row in range(11)])


def camp_texts() -> np.ndarray:
    """Articles 0 … 4 are written alike, and 5 … 10 are."""
    noise = 0.05 * np.random.default_rng(2).standard_normal((11, 4))
    return unit((np.repeat(np.eye(2, 4), [5, 6], axis=0) + noise).astype(np.float32))


def test_what_the_same_readers_click_lies_together() -> None:
    vectors = item_vectors(two_camps(), TEXTLESS, CONFIG, seed=1).vectors[:10]
    cosine = vectors @ vectors.T
    inside = [cosine[i, j] for i in range(10) for j in range(i) if i // 5 == j // 5]
    across = [cosine[i, j] for i in range(10) for j in range(i) if i // 5 != j // 5]
    assert min(inside) > max(across)


def test_the_same_seed_and_clicks_give_the_same_bytes() -> None:
    first, second, third = (item_vectors(two_camps(), TEXTLESS, CONFIG, seed=seed).vectors for seed in (3, 3, 4))
    assert first.tobytes() == second.tobytes()
    assert item_space(first) == item_space(second)
    assert item_space(first) != item_space(third)


def test_an_article_without_clicks_lands_where_its_content_belongs() -> None:
    made = item_vectors(two_camps(), camp_texts(), CONFIG, seed=1)
    cosine = made.vectors[:10] @ made.vectors[10]  # article 10 is written like 5 … 9
    assert cosine[5:].min() > cosine[:5].max()
    assert made.source.tolist() == [BEHAVIOUR] * 10 + [CONTENT]


def test_the_projection_is_the_minimum_of_its_penalised_error() -> None:
    rng = np.random.default_rng(4)
    content, behaviour = rng.standard_normal((40, 5)).astype("f4"), rng.standard_normal((40, 3)).astype("f4")
    weights = rng.random(40).astype("f4")
    content[0], behaviour[1] = NAN, NAN
    found = learn_projection(content, behaviour, 2.0, weights).astype(np.float64)
    X, Y = np.column_stack([content[2:], np.ones(38)]).astype(np.float64), behaviour[2:].astype(np.float64)
    gradient = (weights[2:, None] * X).T @ (X @ found - Y) + np.diag([2.0] * 5 + [0.0]) @ found
    np.testing.assert_allclose(gradient, 0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(project(content[2:], found.astype("f4")), axis=1), 1, rtol=1e-5)


def test_what_has_neither_clicks_nor_content_is_nan_and_not_zero() -> None:
    content = camp_texts()
    content[10] = NAN
    made = item_vectors(two_camps(), content, CONFIG, seed=1)
    assert made.source[10] == NO_VECTOR
    assert np.isnan(made.vectors[10]).all()
    assert np.isfinite(made.vectors[:10]).all()


@pytest.mark.parametrize("clicks", [[], [click("r", "a0", 5)], [click(None, "a0", 5), click(None, "a1", 6)]])
def test_a_site_without_context_recommends_by_content_with_the_cosines_of_its_texts(
    clicks: list[tuple[object, ...]],
) -> None:
    content = unit(np.array([[1, 2, 2], [2, 2, 1], [NAN, NAN, NAN]], np.float32))
    made = item_vectors(with_articles(log_of(clicks), ["a0", "a1", "a2"]), content, CONFIG, seed=1)
    assert made.vectors.shape == (3, CONFIG.embedding_dim)
    np.testing.assert_allclose(made.vectors[0] @ made.vectors[1], 8 / 9, rtol=1e-5)
    assert made.source.tolist() == [CONTENT, CONTENT, NO_VECTOR]
    np.testing.assert_array_equal(project(content, made.projection), made.vectors)


def test_content_of_more_dimensions_is_seen_in_the_directions_that_hold_most_of_it() -> None:
    rng = np.random.default_rng(5)
    content = unit((rng.standard_normal((200, 3)) @ rng.standard_normal((3, 12))).astype(np.float32))
    seen = project(content, principal_projection(content, 3))
    np.testing.assert_allclose(seen @ seen.T, content @ content.T, atol=1e-4)


def test_behaviour_without_any_content_projects_nothing() -> None:
    made = item_vectors(two_camps(), TEXTLESS, CONFIG, seed=1)
    assert made.source.tolist() == [BEHAVIOUR] * 10 + [NO_VECTOR]


def contexts(events: Events, window_hours: float) -> list[tuple[int, list[int]]]:
    """Every click in time order with the clicks that it is learned with: article rows."""
    clicks = click_windows(events, window_hours)
    before = [clicks.by_visitor[clicks.start[row] : row].tolist() if row >= 0 else [] for row in clicks.row.tolist()]
    return list(zip(clicks.article.tolist(), before, strict=True))


def test_the_context_is_the_readers_click_before_and_of_a_stranger_the_sessions() -> None:
    clicks = [
        click("r", "b", 9, session="s2"),
        click("r", "a", UNDATED),
        click(None, "c", 4, session="s3"),
        click(None, "d", 5, session="s3"),
        click("lonely", "a", 7),
        click(None, "a", 8),
    ]
    a, b, c, d = range(4)
    assert contexts(log_of(clicks), 1.0) == [(a, []), (c, []), (d, [c]), (a, []), (a, []), (b, [a])]


def test_a_reader_of_a_hundred_thousand_clicks_has_the_context_of_the_window_only() -> None:
    rows = np.random.default_rng(1).integers(0, 50, 100_000)
    events = with_articles(
        log_of([click("r", f"a{row:02}", at) for at, row in enumerate(rows)]), [f"a{n:02}" for n in range(50)]
    )
    items = learned(events, 50, CONFIG.model_copy(update={"window": 2, "epochs": 1}), seed=1)
    pairs = (rows[1:] != rows[:-1]).sum() + (rows[2:] != rows[:-2]).sum()
    assert items.pair_counts.sum() == 2 * pairs
    assert np.isfinite(items.vectors).all()


@pytest.mark.parametrize(("pause", "before"), [(2 * HOUR, [0]), (2 * HOUR + 1, [])])
def test_a_click_is_context_up_to_the_window_and_not_beyond_it(pause: int, before: list[int]) -> None:
    events = log_of([click("r", "a0", 5), click("r", "a1", 5 + pause)])
    assert contexts(events, 2.0) == [(0, []), (1, before)]


def test_a_click_long_ago_is_no_context() -> None:
    clicks = [click("r", "a", 0), click("r", "b", HOUR // 2), click("r", "c", 2 * HOUR)]
    assert contexts(log_of(clicks), 0.5) == [(0, []), (1, [0]), (2, [])]
    assert contexts(log_of(clicks), 1.5) == [(0, []), (1, [0]), (2, [0, 1])]


def test_evidence_counts_a_pair_once_however_often_the_log_is_walked() -> None:
    events = with_articles(log_of([click("r", name, at) for at, name in enumerate("abc")]), list("abcd"))
    for epochs in (1, 7):
        items = learned(events, 4, ItemsConfig(window=2, epochs=epochs), seed=1)
        np.testing.assert_allclose(items.pair_counts, [2, 2, 2, 0], rtol=1e-6)


def test_a_large_log_is_walked_less_often() -> None:
    events = two_camps()
    clicks = len(events.time)
    once, budget = CONFIG.model_copy(update={"epochs": 1}), {"max_trained_clicks": clicks + 1}
    limited = learned(events, 11, CONFIG.model_copy(update=budget), seed=1)
    assert limited.input_embeddings.tobytes() == learned(events, 11, once, seed=1).input_embeddings.tobytes()


def test_vectors_that_grow_beyond_all_bounds_are_refused() -> None:
    items = learned(two_camps(), 11, CONFIG, seed=1)
    items.input_embeddings[3, 0] = np.inf
    nothing_new = np.zeros(len(two_camps()), bool)
    with pytest.raises(DegenerateInput, match=r"items\.learning_rate"):
        updated(items, two_camps(), nothing_new, TEXTLESS, CONFIG)


def test_a_camp_divided_by_an_hours_clicks_moves_together_without_a_retrain() -> None:
    events = two_camps()
    before = item_vectors(events, TEXTLESS, CONFIG, seed=1)
    apart = float(before.vectors[4] @ before.vectors[9])
    late = [click(f"n{n}", name, 10 * HOUR + n) for n in range(60) for name in ("a04", "a09")]
    old = [click(f"r{events.reader[e]}", f"a{events.article[e]:02}", int(events.time[e])) for e in range(len(events))]
    log = with_articles(log_of([*old, *late]), [f"a{row:02}" for row in range(11)])
    after = updated(before.online, log, log.time >= HOUR, TEXTLESS, CONFIG)
    assert float(after.vectors[4] @ after.vectors[9]) > apart + 0.3
    assert after.online.pair_counts[4] == pytest.approx(after.online.pair_counts[9], rel=0.5)


def test_vectors_are_reordered_by_identifier_and_missing_ones_are_nan() -> None:
    found = aligned(np.array([[1, 0], [0, 1]], np.float32), ["x", "y"], ["y", "z", "x"])
    np.testing.assert_array_equal(found, np.array([[0, 1], [NAN, NAN], [1, 0]], np.float32))
