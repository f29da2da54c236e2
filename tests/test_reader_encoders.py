"""Encoders of a reader's clicks: the vector, interests against an oracle, the network in numpy; the rules of all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.errors import CorruptArtefact, SpaceMismatch
from recsys.events import UNDATED
from recsys.readers import CLICK, ReaderState, interests, reader_vector, weights
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import Interests, MeanEncoder, ReaderEncoder, minutes_of
from recsys.readers.gru import ClickBatch, GruNetwork
from recsys.readers.interests import MAX_CLUSTERED, InterestsEncoder, untrained_encoder, ward
from recsys.readers.trained import TrainedEncoder
from recsys.workspace import save_arrays
from tests.clicks import MINUTE, START

D = 6
SEVERAL = ReadersConfig(encoder="interests")


def unit(rows: Any) -> Any:
    made = np.asarray(rows, np.float32)
    return made / np.linalg.norm(made, axis=-1, keepdims=True)


def random_table(n: int, dim: int = D, seed: int = 3) -> Any:
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


def trained_encoder() -> TrainedEncoder:
    config = ReadersConfig(encoder="gru", sequence_length=5)
    net = GruNetwork(D, config)
    rng = np.random.default_rng(1)
    arrays = {name: rng.normal(0, 0.5, value.shape).astype(np.float32) for name, value in net.state_dict().items()}
    return TrainedEncoder(arrays, config.sequence_length)


ENCODERS: dict[str, Callable[[], ReaderEncoder]] = {
    "mean": lambda: MeanEncoder(8.0),
    "interests": lambda: InterestsEncoder(SEVERAL),
    "gru": trained_encoder,
}


@pytest.fixture(params=list(ENCODERS))
def encoder(request: pytest.FixtureRequest) -> ReaderEncoder:
    return ENCODERS[request.param]()


def test_weights_halve_every_half_life_and_sum_to_one() -> None:
    np.testing.assert_allclose(weights(3, 1.0), np.array([1, 2, 4]) / 7, rtol=1e-6)
    assert weights(0, 8.0).shape == (0,)
    assert weights(200, 8.0).sum() == pytest.approx(1.0, abs=1e-6)


def test_the_reader_vector_is_the_weighted_mean_of_known_clicks_done_by_hand() -> None:
    vectors = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    found = reader_vector(vectors, [0, 2, 1], 1.0)  # 0 weighs 1/3 and 1 weighs 2/3; 2 is unknown
    np.testing.assert_allclose(found, np.array([1, 2]) / np.sqrt(5), rtol=1e-6)


@pytest.mark.parametrize("rows", [[], [2], [2, 99, -1]])
def test_a_reader_of_whom_nothing_is_known_is_nan_and_not_zero(rows: list[int]) -> None:
    vectors = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    assert np.isnan(reader_vector(vectors, rows, 8.0)).all()


def test_clicks_that_cancel_out_say_nothing() -> None:
    vectors = np.array([[1, 0], [-1, 0]], np.float32)
    assert np.isnan(reader_vector(vectors, [0, 1], 1e9)).all()


def test_a_click_a_half_life_back_counts_half_in_the_reader_vector() -> None:
    vectors = np.eye(9, dtype=np.float32)
    found = reader_vector(vectors, list(range(9)), 4.0)
    assert found[8] / found[4] == pytest.approx(2.0, rel=1e-5)
    assert found[4] / found[0] == pytest.approx(2.0, rel=1e-5)


def test_clicks_older_than_those_that_are_clustered_are_left_out() -> None:
    vectors, config = np.eye(3, dtype=np.float32), SEVERAL.model_copy(update={"half_life_clicks": 1e9})
    rows = [0] + [1] * (MAX_CLUSTERED - 1) + [2]
    found = InterestsEncoder(config).encode(vectors, rows, rows)
    assert not found.vectors[:, 0].any()
    whole = InterestsEncoder(config).encode(vectors, rows[:MAX_CLUSTERED], rows[:MAX_CLUSTERED])
    assert whole.vectors[:, 0].any()


@pytest.mark.parametrize(("gain", "interests"), [(0.5, 1), (0.4999, 2)])
def test_two_halves_at_a_right_angle_are_worth_half_and_stay_two_if_more_is_asked_for_less(
    gain: float, interests: int
) -> None:
    points, half = np.eye(2, dtype=np.float32), np.full(2, 0.5, np.float32)
    assert len(set(ward(points, half, 4, gain).tolist())) == interests


@pytest.mark.parametrize("behind", [49, 50])
def test_a_trained_encoder_looks_ten_sequences_back_for_clicks_with_a_vector(behind: int) -> None:
    """Its sequence is 5 clicks: among the last 50 it finds the one with a vector, beyond them it does not."""
    vectors = random_table(2)
    vectors[1] = np.nan
    found = trained_encoder().encode(vectors, [0] + [1] * behind, [1] * (behind + 1))
    assert found.known == (behind == 49)


def test_a_trained_encoder_reads_as_many_clicks_as_its_sequence_is_long() -> None:
    vectors, encoder = random_table(9), trained_encoder()
    last = encoder.encode(vectors, [4, 5, 6, 7, 8], [1, 2, 3, 4, 5])
    more = encoder.encode(vectors, [0, 4, 5, 6, 7, 8], [1, 1, 2, 3, 4, 5])
    fewer = encoder.encode(vectors, [5, 6, 7, 8], [2, 3, 4, 5])
    np.testing.assert_array_equal(last.vectors, more.vectors)
    assert not np.allclose(last.vectors, fewer.vectors, atol=1e-4)


def slow_ward(points: Any, weights: Any, most: int, gain: float) -> set[frozenset[int]]:
    """Ward's method from its definition: centres and masses, every pair looked at in every step."""
    clusters = [frozenset([place]) for place in range(len(points))]

    def cost(one: frozenset[int], other: frozenset[int]) -> float:
        masses = [sum(float(weights[place]) for place in cluster) for cluster in (one, other)]
        centres = [
            sum(float(weights[place]) * points[place].astype(float) for place in cluster) / mass
            for cluster, mass in zip((one, other), masses, strict=True)
        ]
        return masses[0] * masses[1] / sum(masses) * float(((centres[0] - centres[1]) ** 2).sum())

    while len(clusters) > 1:
        pairs = [(cost(a, b), i, j) for i, a in enumerate(clusters) for j, b in enumerate(clusters) if i < j]
        lowest, i, j = min(pairs)
        if lowest > gain and len(clusters) <= most:
            break
        clusters = [one for place, one in enumerate(clusters) if place not in (i, j)] + [clusters[i] | clusters[j]]
    return set(clusters)


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(-1, 1, width=32)),
    st.integers(1, 5),
    st.sampled_from([0.02, 0.1, 0.3, 0.9]),
    st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_clusters_are_those_of_wards_definition(points: Any, most: int, gain: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = unit(points + rng.normal(0, 0.1, points.shape))  # no two distances are equal
    weights = rng.random(len(points)).astype(np.float32) + np.float32(0.1)
    weights /= weights.sum()
    label = ward(points, weights, most, gain)
    found = {frozenset(np.flatnonzero(label == one).tolist()) for one in range(int(label.max()) + 1)}
    assert found == slow_ward(points, weights, most, gain)
    assert [label.tolist().index(one) for one in range(len(found))] == sorted(
        label.tolist().index(one) for one in range(len(found))
    )


def test_a_reader_of_two_subjects_has_two_interests_with_the_shares_of_their_clicks() -> None:
    vectors = unit([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    found = InterestsEncoder(SEVERAL.model_copy(update={"half_life_clicks": 1e9})).encode(
        vectors, [0, 2, 1, 3, 0, 1], [UNDATED] * 6
    )
    assert found.shares == pytest.approx([4 / 6, 2 / 6])
    by_hand = unit([2 * vectors[0] + 2 * vectors[1], vectors[2] + vectors[3]])
    np.testing.assert_allclose(found.vectors, by_hand, rtol=1e-5)
    nearness = found.nearness(vectors)
    assert nearness.min() > 0.75  # each article is near one of the two
    assert nearness[:2].min() > nearness[2:].max()  # and a little nearer where the share is greater
    by_mixture = np.log((np.exp(5 * vectors @ found.vectors.T) * found.shares).sum(axis=1)) / 5
    np.testing.assert_allclose(nearness, by_mixture, rtol=1e-5)
    blurred = MeanEncoder(1e9).encode(vectors, [0, 2, 1, 3, 0, 1], [UNDATED] * 6)
    assert blurred.nearness(vectors).min() < 0.6


def test_what_was_clicked_lately_has_the_greater_share() -> None:
    vectors = unit([[1, 0], [0, 1]])
    found = InterestsEncoder(SEVERAL.model_copy(update={"half_life_clicks": 1.0})).encode(vectors, [0, 0, 1], [1, 2, 3])
    assert found.shares == pytest.approx([4 / 7, 3 / 7])
    np.testing.assert_allclose(found.vectors, [[0, 1], [1, 0]], atol=1e-6)


def test_with_a_very_short_memory_the_last_click_is_the_only_interest() -> None:
    config = SEVERAL.model_copy(update={"half_life_clicks": 0.01})
    found = InterestsEncoder(config).encode(np.eye(3, dtype=np.float32), [0, 1, 2], [1, 2, 3])
    assert found.vectors.tolist() == [[0, 0, 1]]
    assert found.shares.tolist() == [1]


def test_one_subject_is_one_interest_and_then_the_readers_vector() -> None:
    vectors = unit([[1, 0.0, 0], [1, 0.1, 0], [1, 0, 0.1]])
    found = InterestsEncoder(SEVERAL).encode(vectors, [0, 1, 2], [1, 2, 3])
    np.testing.assert_allclose(found.vectors, reader_vector(vectors, [0, 1, 2], 8.0)[None], rtol=1e-5)


def test_never_more_interests_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interests, "_INTEREST_GAIN", 1e-6)
    vectors, rows = np.eye(8, dtype=np.float32), list(range(8))
    for most in (1, 2, 5):
        monkeypatch.setattr(interests, "_MAX_INTERESTS", most)
        assert len(InterestsEncoder(SEVERAL).encode(vectors, rows, rows).shares) == most


def test_an_interest_whose_clicks_cancel_out_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interests, "_MAX_INTERESTS", 1)
    vectors = unit([[1, 0, 0], [-1, 0, 0], [0, 0, 1]])
    one = SEVERAL.model_copy(update={"half_life_clicks": 1e9})
    assert not InterestsEncoder(one).encode(vectors, [0, 1], [1, 2]).known
    assert MeanEncoder(1e9).encode(vectors, [0, 1], [1, 2]).known is False


@pytest.mark.parametrize(
    ("shares", "n", "seats"),
    [
        ([1.0], 200, [200]),
        ([0.5, 0.5], 5, [3, 2]),
        ([0.7, 0.2, 0.1], 10, [7, 2, 1]),
        ([0.97, 0.02, 0.01], 10, [8, 1, 1]),
        ([0.4, 0.35, 0.25], 2, [1, 1, 0]),
        ([0.6, 0.4], 0, [0, 0]),
        ([1 / 3, 1 / 3, 1 / 6, 1 / 12, 1 / 12], 6, [2, 1, 1, 1, 1]),
    ],
)
def test_places_are_shared_out_and_nobody_who_has_a_share_gets_none(
    shares: list[float], n: int, seats: list[int]
) -> None:
    found = Interests(np.eye(len(shares), dtype=np.float32), np.array(shares, np.float32)).quotas(n)
    assert found.tolist() == seats


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8), st.integers(0, 60))
def test_quotas_add_up(raw: list[float], n: int) -> None:
    shares = np.sort(np.array(raw, np.float32))[::-1] / np.float32(sum(raw))
    seats = Interests(np.eye(len(raw), dtype=np.float32), shares).quotas(n)
    assert seats.sum() == n
    assert (seats >= (1 if n >= len(raw) else 0)).all()
    assert (np.diff(seats) <= 0).all()


def test_every_encoder_gives_unit_rows_and_falling_shares_that_sum_to_one(encoder: ReaderEncoder) -> None:
    vectors = random_table(40)
    found = encoder.encode(vectors, list(range(30)), list(range(30)))
    assert found.known
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, rtol=1e-5)
    assert found.shares.sum() == pytest.approx(1)
    assert (np.diff(found.shares) <= 0).all()
    assert [found.vectors.dtype.name, found.shares.dtype.name] == ["float32", "float32"]


def test_every_encoder_gives_the_same_again(encoder: ReaderEncoder) -> None:
    vectors, rows = random_table(40), [3, 9, 9, 30, 1, 17]
    one, two = (encoder.encode(vectors, rows, [UNDATED, 5, 6, 7, 8, 9]) for _ in range(2))
    assert one.vectors.tobytes() == two.vectors.tobytes()


@pytest.mark.parametrize("rows", [[], [2], [2, 99, -1]])
def test_every_encoder_says_of_an_unknown_reader_that_nothing_is_known(encoder: ReaderEncoder, rows: list[int]) -> None:
    vectors = random_table(3)
    vectors[2] = np.nan
    found = encoder.encode(vectors, rows, [1] * len(rows))
    assert (found.known, found.vectors.shape, found.shares.tolist()) == (False, (1, D), [1.0])
    assert np.isnan(found.vectors).all()
    assert found.nearness(vectors).tolist() == [0.0, 0.0, 0.0]


def test_every_encoder_takes_a_table_without_any_vector(encoder: ReaderEncoder) -> None:
    for vectors in (np.full((4, D), np.nan, np.float32), np.empty((4, 0), np.float32), np.empty((0, D), np.float32)):
        assert not encoder.encode(vectors, [0, 1], [5, 6]).known


def test_every_encoder_skips_clicks_without_a_vector(encoder: ReaderEncoder) -> None:
    vectors = random_table(6)
    vectors[3] = np.nan
    with_gaps = encoder.encode(vectors, [0, 3, 1, 77, -1, 2], [60_000, 70_000, 120_000, 130_000, 140_000, 180_000])
    without = encoder.encode(vectors, [0, 1, 2], [60_000, 120_000, 180_000])
    assert with_gaps.vectors.tobytes() == without.vectors.tobytes()


def test_every_encoder_takes_undated_clicks_by_their_order(encoder: ReaderEncoder) -> None:
    vectors = random_table(6)
    found = encoder.encode(vectors, [0, 1, 2], [UNDATED] * 3)
    turned = encoder.encode(vectors, [2, 1, 0], [UNDATED] * 3)
    assert found.known
    assert not np.allclose(found.vectors[0], turned.vectors[0], atol=1e-4)
    assert np.isfinite(encoder.encode(vectors, [0, 1, 2], [UNDATED, 7, 8]).vectors).all()


def test_an_article_clicked_twice_counts_twice(encoder: ReaderEncoder) -> None:
    vectors = unit([[1, 0, 0, 0, 0, 0.0], [0.8, 0.6, 0, 0, 0, 0]])
    once = encoder.encode(vectors, [0, 1], [1, 1])
    twice = encoder.encode(vectors, [0, 0, 0, 0, 1], [1] * 5)
    assert float(twice.vectors[0, 0]) != pytest.approx(float(once.vectors[0, 0]), abs=1e-4)


def test_a_reader_with_a_hundred_thousand_clicks_is_their_last_ones(encoder: ReaderEncoder) -> None:
    vectors = random_table(1000)
    reader = ReaderState.empty(ReadersConfig())
    rows = np.random.default_rng(4).integers(0, 1000, 100_000).tolist()
    for time_ms, row in enumerate(rows):
        reader.observe(CLICK, row, time_ms)
    bounded = encoder.encode(vectors, reader.clicks, reader.times)
    whole = encoder.encode(vectors, rows, list(range(100_000)))
    assert (len(reader.clicks), whole.known, bounded.known) == (50, True, True)
    if len(bounded.shares) == len(whole.shares) == 1:
        assert float(bounded.vectors[0] @ whole.vectors[0]) > 0.98


@pytest.mark.parametrize(
    ("name", "kind"), [("mean", MeanEncoder), ("interests", InterestsEncoder), ("gru", MeanEncoder)]
)
def test_the_configuration_names_the_encoder_and_an_untrained_one_is_the_mean(name: str, kind: type) -> None:
    assert type(untrained_encoder(ReadersConfig(encoder=name))) is kind


def gru_config(half_life_clicks: float = 8.0) -> ReadersConfig:
    return ReadersConfig(encoder="gru", sequence_length=4, half_life_clicks=half_life_clicks)


def shuffled_net(dim: int) -> GruNetwork:
    torch.manual_seed(3)
    net = GruNetwork(dim, gru_config())
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.5)
    return net.eval()


def arrays_of(net: GruNetwork) -> dict[str, Any]:
    return {name: value.numpy() for name, value in net.state_dict().items()}


def test_before_training_a_network_is_the_decayed_mean() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng.standard_normal((6, 5)))
    encoder = TrainedEncoder(arrays_of(GruNetwork(5, gru_config(2.0))), 4)
    for rows in ([5], [0, 3], [0, 3, 1, 4]):
        found = encoder.encode(vectors, rows, [START + row * MINUTE for row in range(len(rows))])
        np.testing.assert_allclose(found.vectors[0], reader_vector(vectors, rows, 2.0), atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 4, 9])
def test_numpy_and_torch_foresee_the_same(n: int) -> None:
    rng = np.random.default_rng(n)
    vectors = unit(rng.standard_normal((12, 5)))
    rows = rng.integers(0, 12, n).tolist()
    times = (START + np.cumsum(rng.integers(0, 90 * MINUTE, n))).tolist()
    net = shuffled_net(5)
    found = TrainedEncoder(arrays_of(net), 4).encode(vectors, rows, times)
    last = rows[-4:]
    padded = np.zeros((1, 4, 5), np.float32)
    padded[0, : len(last)] = vectors[last]
    minutes = np.zeros((1, 4), np.float32)
    minutes[0, : len(last)] = minutes_of(np.array(times[-4:], np.int64))
    with torch.inference_mode():
        size = torch.tensor([len(last)])
        wanted = net(ClickBatch(torch.from_numpy(padded), torch.from_numpy(minutes), size))
    np.testing.assert_allclose(found.vectors, wanted.numpy(), atol=2e-5)


def test_what_lies_behind_the_last_click_changes_nothing() -> None:
    net = shuffled_net(5)
    vectors = torch.from_numpy(unit(np.random.default_rng(1).standard_normal((2, 4, 5))))
    minutes = torch.tensor([[0.0, 1, 5, 9], [0, 2, 3, 0]])
    vectors[1, 3] = 0
    with torch.inference_mode():
        both = net(ClickBatch(vectors, minutes, torch.tensor([4, 3])))
        alone = net(ClickBatch(vectors[1:, :3], minutes[1:, :3], torch.tensor([3])))
    np.testing.assert_allclose(both[1:].numpy(), alone.numpy(), atol=1e-5)


def test_an_encoder_is_read_back_for_its_own_space_alone(tmp_path: Path) -> None:
    encoder = TrainedEncoder(arrays_of(shuffled_net(5)), 4, "items-1")
    encoder.save(tmp_path)
    again = TrainedEncoder.load(tmp_path, "items-1")
    vectors = unit(np.random.default_rng(0).standard_normal((6, 5)))
    one, two = (which.encode(vectors, [0, 5, 2], [1, 2, 3]) for which in (encoder, again))
    assert one.vectors.tobytes() == two.vectors.tobytes()
    with pytest.raises(SpaceMismatch, match="items-2"):
        TrainedEncoder.load(tmp_path, "items-2")


@pytest.mark.parametrize("damage", ["kind", "length", "arrays", "bytes"])
def test_a_damaged_encoder_is_refused(damage: str, tmp_path: Path) -> None:
    TrainedEncoder(arrays_of(shuffled_net(5)), 4, "s").save(tmp_path)
    facts = json.loads((tmp_path / "encoder.json").read_text(encoding="utf-8"))
    if damage == "kind":
        facts["kind"] = "attention"
    elif damage == "length":
        del facts["sequence_length"]
    elif damage == "arrays":
        arrays = arrays_of(shuffled_net(5))
        del arrays["base.gate.weight"]
        save_arrays(tmp_path / "encoder.safetensors", arrays)
    else:
        (tmp_path / "encoder.safetensors").write_bytes(b"nothing")
    (tmp_path / "encoder.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(CorruptArtefact, match=r"python -m jobs readers|--fresh"):
        TrainedEncoder.load(tmp_path, "s")


def test_every_encoder_that_may_be_asked_for_is_known() -> None:
    assert [ReadersConfig(encoder=name).is_trained for name in ("mean", "interests", "gru")] == [False, False, True]
    with pytest.raises(ValueError, match="encoder"):
        ReadersConfig(encoder="oracle")
