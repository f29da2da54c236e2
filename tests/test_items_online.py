"""One click moves the vectors as skip-gram says, and everything can be stopped and gone on with."""

from typing import Any

import numpy as np
import pytest

from recsys.errors import CorruptArtefact
from recsys.items import unit
from recsys.items.config import ItemsConfig
from recsys.items.files import load_online, reordered, restored, save_online, snapshot
from recsys.items.next_item import next_item_score, session_vectors
from recsys.items.online import BACKWARD_WEIGHT, OnlineItems, empty_online, grown, learn_click, place_content

SMALL: dict[str, Any] = {"embedding_dim": 4, "window": 2, "negatives": 3, "recent_clicks": 5}
CONFIG = ItemsConfig(**SMALL)
NAMES = ["a", "b", "c", "d", "e", "f"]


def stream(clicks: int, articles: int = 6, seed: int = 1) -> list[tuple[np.ndarray[Any, Any], int]]:
    """Random clicks with up to three clicks of context."""
    rng = np.random.default_rng(seed)
    return [
        (rng.integers(0, articles, rng.integers(0, 4)).astype(np.int32), int(rng.integers(articles)))
        for _ in range(clicks)
    ]


def walk(items: OnlineItems, clicks: list[tuple[np.ndarray[Any, Any], int]]) -> OnlineItems:
    for context, row in clicks:
        learn_click(items, context, row)
    return items


def bytes_of(items: OnlineItems) -> list[bytes]:
    return [array.tobytes() for array in items]


class Oracle:
    """The same in plain Python and double precision."""

    def __init__(self, items: OnlineItems, config: ItemsConfig) -> None:
        self.input_embeddings, self.output_embeddings = (
            items.input_embeddings.astype(np.float64),
            items.output_embeddings.astype(np.float64),
        )
        self.pair_counts, self.config = np.zeros(len(items.pair_counts)), config
        self.ring: list[int] = []
        self.written, self.random = 0, int(items.state[2])

    def draw(self) -> int:
        self.random = (self.random * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.random >> 33 & 0x7FFFFFFF

    def rate(self, row: int) -> float:
        return float(self.config.learning_rate * (1 + self.pair_counts[row]) ** -self.config.learning_rate_decay)

    def pair(self, centre: int, other: int, weight: float) -> None:
        moved = np.zeros_like(self.input_embeddings[0])
        for place in range(1 + self.config.negatives * bool(self.ring)):
            row, share = (other, 1.0) if not place else (self.ring[self.draw() % len(self.ring)], 0.0)
            if place:
                if row in (centre, other):
                    continue
                share = self.ring.count(row) ** (self.config.ns_exponent - 1)
            error = (not place) - 1 / (1 + np.exp(-self.input_embeddings[centre] @ self.output_embeddings[row]))
            moved += weight * share * self.rate(centre) * error * self.output_embeddings[row]
            self.output_embeddings[row] += weight * share * self.rate(row) * error * self.input_embeddings[centre]
        self.input_embeddings[centre] += moved

    def click(self, context: np.ndarray[Any, Any], row: int) -> None:
        for back, other in enumerate(context[::-1][: self.config.window].tolist(), 1):
            if other != row:
                self.pair(other, row, 1 / back)
                self.pair(row, other, BACKWARD_WEIGHT / back)
                self.pair_counts[[other, row]] += 1
        if len(self.ring) < self.config.recent_clicks:
            self.ring.append(row)
        else:
            self.ring[self.written % len(self.ring)] = row
        self.written += 1


@pytest.mark.parametrize("exponent", [-0.5, 0.2, 1.0])
def test_a_stream_moves_the_vectors_as_a_plain_oracle_does(exponent: float) -> None:
    config = ItemsConfig(**SMALL, ns_exponent=exponent)
    items = empty_online(6, config, seed=3)
    oracle = Oracle(items, config)
    for context, row in stream(40):
        learn_click(items, context, row)
        oracle.click(context, row)
    np.testing.assert_allclose(items.input_embeddings, oracle.input_embeddings, atol=1e-4)
    np.testing.assert_allclose(items.output_embeddings, oracle.output_embeddings, atol=1e-4)
    np.testing.assert_array_equal(items.pair_counts, oracle.pair_counts)
    np.testing.assert_array_equal(items.ring_counts, np.bincount(oracle.ring, minlength=6))
    learn_click(items, np.array([1], np.int32), 2)
    np.testing.assert_allclose(items.vectors[2], unit(items.input_embeddings + items.output_embeddings)[2], atol=1e-5)
    assert np.abs(items.input_embeddings - empty_online(6, config, seed=3).input_embeddings).max() > 0.01
    assert np.abs(items.output_embeddings).max() > 0.01


def test_equal_seeds_and_clicks_give_equal_bytes_and_another_seed_does_not() -> None:
    first, second, third = (walk(empty_online(6, CONFIG, seed=seed), stream(50)) for seed in (1, 1, 2))
    assert bytes_of(first) == bytes_of(second)
    assert first.input_embeddings.tobytes() != third.input_embeddings.tobytes()


def test_a_click_without_context_teaches_nothing_and_is_remembered() -> None:
    items = empty_online(6, CONFIG, seed=1)
    before = items.input_embeddings.copy()
    learn_click(items, np.empty(0, np.int32), 2)
    learn_click(items, np.array([2, 2], np.int32), 2)  # context of nothing but itself
    np.testing.assert_array_equal(items.input_embeddings, before)
    assert (items.pair_counts.sum(), items.ring_counts.tolist()) == (0, [0, 0, 2, 0, 0, 0])
    assert np.isnan(items.vectors).all()


def test_what_stands_before_the_window_is_no_context() -> None:
    items = empty_online(6, CONFIG, seed=1)
    learn_click(items, np.array([5, 4, 3], np.int32), 0)
    assert items.pair_counts.tolist() == [2, 0, 0, 1, 1, 0]
    assert np.isnan(items.vectors[5]).all()


def test_a_fresh_article_starts_at_its_text_and_drifts_to_its_clicks() -> None:
    config = ItemsConfig(**SMALL, prior_pairs=4.0)
    items = walk(empty_online(6, config, seed=1), stream(30, articles=5))
    text = unit(np.array([[1, -1, 2, 0]], np.float32))[0]
    place_content(items, 5, text)
    np.testing.assert_array_equal(items.vectors[5], text)
    near = [1.0]
    for _ in range(30):
        learn_click(items, np.array([1], np.int32), 5)
        near.append(float(items.vectors[5] @ text))
        share = items.pair_counts[5] / (items.pair_counts[5] + 4)
        behaviour = unit(items.input_embeddings[5:] + items.output_embeddings[5:])[0]
        expected = unit((share * behaviour + (1 - share) * text)[None])[0]
        np.testing.assert_allclose(items.vectors[5], expected, atol=1e-5)
    assert near[1] > 0.95  # one click does not tear it away
    assert near[-1] < near[10] < near[1]


def test_a_text_that_says_nothing_leaves_an_unknown_article_unknown() -> None:
    items = empty_online(6, CONFIG, seed=1)
    place_content(items, 5, np.full(4, np.nan, np.float32))
    assert np.isnan(items.vectors[5]).all()
    assert np.isfinite(items.input_embeddings).all()


@pytest.mark.parametrize(("context", "row"), [([0], 6), ([0], -1), ([6], 0), ([-1], 0)])
def test_rows_that_the_tables_do_not_have_are_refused(context: list[int], row: int) -> None:
    with pytest.raises(IndexError, match="outside the item vectors"):
        learn_click(empty_online(6, CONFIG, seed=1), np.array(context, np.int32), row)


def test_rows_that_are_added_later_do_not_change_what_is_learned() -> None:
    whole = walk(empty_online(9, CONFIG, seed=1), stream(60))
    parts = walk(grown(walk(empty_online(6, CONFIG, seed=1), stream(60)[:20]), 9), stream(60)[20:])
    assert bytes_of(whole) == bytes_of(parts)


def test_a_snapshot_goes_on_as_if_it_had_never_stopped(tmp_path: Any) -> None:
    clicks = stream(60)
    items = walk(empty_online(6, CONFIG, seed=1), clicks[:30])
    place_content(items, 3, unit(np.ones((1, 4), np.float32))[0])
    save_online(items, NAMES, tmp_path)
    loaded, ids = load_online(tmp_path)
    assert ids == NAMES
    assert bytes_of(loaded) == bytes_of(items)
    assert bytes_of(walk(loaded, clicks[30:])) == bytes_of(walk(items, clicks[30:]))


def test_a_snapshot_is_a_copy_that_later_clicks_do_not_change() -> None:
    items = walk(empty_online(6, CONFIG, seed=1), stream(30))
    kept = restored(snapshot(items))
    before = bytes_of(kept)
    walk(items, stream(30, seed=2))
    assert bytes_of(kept) == before


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("output_embeddings", np.zeros((6, 3), np.float32)),
        ("input_embeddings", np.zeros(6, np.float32)),
        ("pair_counts", np.zeros(6, np.float64)),
        ("recent", np.full(5, 6, np.int32)),
        ("state", np.array([7, 5, 1, 1], np.int64)),
        ("settings", None),
    ],
)
def test_a_snapshot_that_contradicts_itself_is_refused(name: str, wrong: Any) -> None:
    arrays = snapshot(walk(empty_online(6, CONFIG, seed=1), stream(30)))
    changed = {key: value for key, value in arrays.items() if key != name} | ({} if wrong is None else {name: wrong})
    with pytest.raises(CorruptArtefact, match="python -m jobs items --fresh"):
        restored(changed)


def test_files_of_another_number_of_articles_are_refused(tmp_path: Any) -> None:
    save_online(empty_online(6, CONFIG, seed=1), NAMES[:5], tmp_path)
    with pytest.raises(CorruptArtefact, match="5 articles"):
        load_online(tmp_path)


def test_articles_that_come_and_go_keep_the_others_vectors_and_the_rings_order() -> None:
    items = empty_online(6, CONFIG, seed=1)
    for row in (4, 0, 1, 2, 0, 3, 1):  # a ring of five: 1, 2, 0, 3, 1
        learn_click(items, np.array([5], np.int32), row)
    moved = reordered(items, NAMES, ["x", "d", "b", "c"], CONFIG)
    np.testing.assert_array_equal(moved.input_embeddings[1:], items.input_embeddings[[3, 1, 2]])
    np.testing.assert_array_equal(moved.pair_counts, [0, *items.pair_counts[[3, 1, 2]]])
    assert np.isnan(moved.vectors[0]).all()
    assert moved.recent[: moved.state[1]].tolist() == [2, 3, 1, 2]  # b, c, d, b
    assert moved.ring_counts.tolist() == [0, 1, 2, 1]
    shorter = reordered(items, NAMES, NAMES, ItemsConfig(**{**SMALL, "recent_clicks": 2}, learning_rate=0.1))
    assert sorted(shorter.recent.tolist()) == [1, 3]
    assert shorter.settings[0] == pytest.approx(0.1)
    assert len(learn_on(shorter).recent) == 2


def learn_on(items: OnlineItems) -> OnlineItems:
    return walk(items, stream(10, articles=len(items.pair_counts)))


def test_the_next_item_score_is_the_mean_of_two_cosines() -> None:
    items = walk(empty_online(6, CONFIG, seed=1), stream(60, articles=5))
    context = np.array([0, 3], np.int32)
    session = session_vectors(items, context, 2.0)
    weights = np.array([0.5**0.5, 1.0])[:, None]
    sides = [
        unit((weights * unit(table[context])).sum(0)[None])[0]
        for table in (items.output_embeddings, items.input_embeddings)
    ]
    np.testing.assert_allclose(session, sides, atol=1e-6)
    expected = (unit(items.input_embeddings[2:3])[0] @ sides[0] + unit(items.output_embeddings[2:3])[0] @ sides[1]) / 2
    assert next_item_score(items, session, 2) == pytest.approx(float(expected), abs=1e-6)


def test_the_next_item_score_to_or_of_what_is_unknown_is_nan() -> None:
    items = walk(empty_online(6, CONFIG, seed=1), stream(60, articles=5))
    known, unknown = np.array([0, 5], np.int32), np.array([5], np.int32)
    assert np.isnan(next_item_score(items, session_vectors(items, known, 1.0), 5))
    assert np.isnan(session_vectors(items, unknown, 1.0)).all()
    assert np.isnan(session_vectors(items, np.empty(0, np.int32), 1.0)).all()
    np.testing.assert_array_equal(
        session_vectors(items, known[:1], 1.0), session_vectors(items, np.array([0], np.int32), 1.0)
    )


def test_the_next_item_score_names_what_follows_and_not_what_stands_in_the_same_context() -> None:
    config = ItemsConfig(embedding_dim=8, recent_clicks=50)
    items = empty_online(12, config, seed=1)
    rng = np.random.default_rng(3)
    for _ in range(3_000):  # after each of six front pages comes its own story
        page = int(rng.integers(6))
        learn_click(items, np.empty(0, np.int32), page)
        learn_click(items, np.array([page], np.int32), page + 6)
    for page in range(6):
        session = session_vectors(items, np.array([page], np.int32), 1.0)
        scores = [next_item_score(items, session, row) if row != page else -1.0 for row in range(12)]
        assert int(np.argmax(scores)) == page + 6
