"""Item vectors that are learned again stay in the frame of the last ones, and say how far they have drifted."""

from typing import Any

import numpy as np
import pytest

from recsys.events import Events
from recsys.items import Vectors
from recsys.items.alignment import aligned_with, continues, drift, trained_in_frame
from recsys.items.config import ItemsConfig
from recsys.items.online import OnlineItems, empty_online
from recsys.items.training import item_vectors, with_articles
from tests.clicks import HOUR, click, log_of

A, D = 30, 6
CONFIG = ItemsConfig(embedding_dim=D)
NAMES = [f"a{row:02}" for row in range(A)]


def random_items(seed: int = 1, dimensions: int = D) -> OnlineItems:
    """Tables of random vectors, each article with other evidence; article 29 has none."""
    rng = np.random.default_rng(seed)
    items = empty_online(A, CONFIG.model_copy(update={"embedding_dim": dimensions}), seed=seed)
    items.input_embeddings[:] = rng.standard_normal((A, dimensions))
    items.output_embeddings[:] = rng.standard_normal((A, dimensions))
    items.vectors[:] = (items.input_embeddings + items.output_embeddings) / np.linalg.norm(
        items.input_embeddings + items.output_embeddings, axis=1, keepdims=True
    )
    items.pair_counts[:] = np.arange(A)[::-1]
    return items


def rotated(items: OnlineItems, seed: int = 5) -> OnlineItems:
    """The same space, seen from another side."""
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((D, D)))[0].astype(np.float32)
    return items._replace(
        input_embeddings=items.input_embeddings @ turn,
        output_embeddings=items.output_embeddings @ turn,
        vectors=items.vectors @ turn,
        pair_counts=items.pair_counts.copy(),
    )


def camps(hours: int = 24, seed: int = 1, first_hour: int = 0) -> list[tuple[Any, ...]]:
    """Ten readers an hour, each clicking four articles of one of three camps."""
    rng = np.random.default_rng(seed)
    clicks = []
    for hour in range(first_hour, first_hour + hours):
        for reader in range(10):
            rows = 3 * rng.permutation(A // 3)[:4] + reader % 3
            clicks += [click(f"r{hour}-{reader}", NAMES[row], hour * HOUR + i) for i, row in enumerate(rows)]
    return clicks


def events_of(clicks: list[tuple[Any, ...]]) -> Events:
    return with_articles(log_of(clicks), NAMES)


TEXTLESS: Vectors = np.full((A, 2), np.nan, np.float32)


def test_a_turned_space_is_turned_back_and_no_product_changes() -> None:
    parent = random_items()
    parent.input_embeddings[3] += 0.1  # so that the spaces are not the same up to the turn
    items = rotated(random_items())
    found = aligned_with(items, parent)
    assert found is not None
    np.testing.assert_allclose(
        found.input_embeddings @ found.output_embeddings.T,
        items.input_embeddings @ items.output_embeddings.T,
        atol=1e-4,
    )
    np.testing.assert_allclose(
        np.delete(found.input_embeddings, 3, 0), np.delete(parent.input_embeddings, 3, 0), atol=0.05
    )
    assert np.abs(items.input_embeddings - parent.input_embeddings).max() > 1


def test_a_space_that_has_not_moved_keeps_its_bytes() -> None:
    parent = random_items()
    found = aligned_with(rotated(parent), parent)
    assert found is not None
    assert found.input_embeddings.tobytes() == parent.input_embeddings.tobytes()
    assert found.output_embeddings.tobytes() == parent.output_embeddings.tobytes()


def test_what_has_more_evidence_decides_the_frame() -> None:
    parent, items = random_items(), rotated(random_items())
    items.input_embeddings[15:], items.output_embeddings[15:] = (
        random_items(9).input_embeddings[15:],
        random_items(9).output_embeddings[15:],
    )
    parent.pair_counts[:15], parent.pair_counts[15:] = 1e6, 1e-6
    items.pair_counts[:15], items.pair_counts[15:] = 1e6, 1e-6
    found = aligned_with(items, parent)
    assert found is not None
    np.testing.assert_allclose(found.input_embeddings[:15], parent.input_embeddings[:15], atol=1e-3)


def test_spaces_of_other_dimensions_or_too_few_shared_articles_have_no_common_frame() -> None:
    few = random_items()
    few.pair_counts[D - 1 :] = 0
    assert aligned_with(random_items(), random_items(dimensions=D + 1)) is None
    assert aligned_with(random_items(), few) is None
    few.pair_counts[D - 1] = 1
    assert aligned_with(random_items(), few) is not None


def test_the_article_that_moved_most_is_named() -> None:
    parent, items = random_items(), random_items()
    items.vectors[4] *= -1
    items.vectors[28] *= -1  # has little evidence: that it moves says nothing
    found = drift(items, parent)
    assert (found.shared, int(found.moved[0])) == (A - 1, 4)
    assert found.cosines[0] == pytest.approx(-1, abs=1e-5)
    assert found.mean_cosine == pytest.approx((A - 1 - 4) / (A - 1), abs=1e-3)
    assert 28 not in found.moved


def test_a_readers_stored_vector_survives_a_full_retrain() -> None:
    before = item_vectors(events_of(camps()), TEXTLESS, CONFIG, seed=1)
    stored = before.vectors[[0, 3, 6]].mean(axis=0)  # a reader of camp 0
    log = events_of([*camps(), *camps(6, seed=2, first_hour=24)])
    nothing = np.zeros(len(log), bool)
    after, moved = trained_in_frame(log, TEXTLESS, CONFIG, before.online, nothing, seed=2)
    plain = item_vectors(log, TEXTLESS, CONFIG, seed=2)
    assert moved is not None
    assert moved.mean_cosine > 0.8
    assert moved.mean_cosine > float((plain.vectors * before.vectors).sum(axis=1).mean()) + 0.3
    best = np.argsort(-(after.vectors @ stored))[:10]
    assert {int(row) % 3 for row in best} == {0}


def test_an_hours_clicks_are_gone_on_with_in_the_same_frame() -> None:
    config = CONFIG.model_copy(update={"start": "last"})
    before = item_vectors(events_of(camps()), TEXTLESS, config, seed=1)
    old = before.vectors.copy()
    log = events_of([*camps(), *camps(1, seed=2, first_hour=24)])
    made, moved = trained_in_frame(log, TEXTLESS, config, before.online, log.time >= 24 * HOUR, seed=9)
    assert moved is not None
    assert 0.9 < moved.mean_cosine < 1.0
    assert made.online.pair_counts.sum() == pytest.approx(25 / 24 * 24 * 10 * 6 * 2, rel=1e-3)  # each pair counted once
    np.testing.assert_allclose((made.vectors * old).sum(axis=1).mean(), moved.mean_cosine, atol=1e-3)


def test_an_hour_without_clicks_moves_nothing() -> None:
    config = CONFIG.model_copy(update={"start": "last"})
    log = events_of(camps())
    before = item_vectors(log, TEXTLESS, config, seed=1)
    old = before.vectors.tobytes()
    made, moved = trained_in_frame(log, TEXTLESS, config, before.online, np.zeros(len(log), bool), seed=9)
    assert made.vectors.tobytes() == old
    assert moved is not None
    assert moved.mean_cosine == pytest.approx(1)


def test_without_a_last_space_or_with_one_of_other_dimensions_training_starts_anew() -> None:
    config = CONFIG.model_copy(update={"start": "last"})
    log = events_of(camps(4))
    other = random_items(dimensions=D + 2)
    assert not continues(config, None)
    assert not continues(config, other)
    assert continues(config, random_items())
    assert not continues(CONFIG, random_items())
    plain = item_vectors(log, TEXTLESS, config, seed=1).vectors
    for parent in (None, other):
        made, moved = trained_in_frame(log, TEXTLESS, config, parent, np.zeros(len(log), bool), seed=1)
        assert moved is None
        assert made.vectors.tobytes() == plain.tobytes()
