"""Encoders that are trained: networks that learn what there is to learn, numpy and torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recsys.errors import CorruptArtefact, DegenerateInput, SpaceMismatch
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers import reader_vector
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import MeanEncoder
from recsys.readers.learning import frame, learned, lists_in_frame
from recsys.readers.networks import Clicks, Network
from recsys.readers.shown import Shown, minutes_of
from recsys.readers.trained import TrainedEncoder
from recsys.readers.training import EncoderFit, fit
from recsys.readers.walks import walk, walkable
from tests.clicks import MINUTE, START, camps, click, log_of

KINDS = ("gru", "attention")
ITEMS = ItemsConfig(embedding_dim=6)
QUICK: dict[str, Any] = {"hidden": 8, "heads": 2, "last": 4, "batch_size": 32, "negatives": 6, "epochs": 6}


def config(kind: str, **more: Any) -> ReadersConfig:
    return ReadersConfig(**({"encoder": kind} | QUICK | more))


def unit(rows: Any) -> Any:
    made = np.asarray(rows, np.float32)
    return made / np.linalg.norm(made, axis=-1, keepdims=True)


def shuffled_net(kind: str, dim: int) -> Network:
    torch.manual_seed(3)
    net = Network(kind, dim, config(kind), 8.0)
    with torch.no_grad():
        for one in net.parameters():
            one.normal_(0, 0.5)
    return net.eval()


def arrays_of(net: Network) -> dict[str, Any]:
    return {name: value.numpy() for name, value in net.state_dict().items()}


@pytest.mark.parametrize("kind", KINDS)
def test_before_training_a_network_is_the_decayed_mean(kind: str) -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng.standard_normal((6, 5)))
    half_life = {"gru": 2.0, "attention": 4.0}[kind]  # attention's first head forgets twice as fast
    net = Network(kind, 5, config(kind, heads=1), half_life)
    encoder = TrainedEncoder(kind, arrays_of(net), 4)
    for rows in ([5], [0, 3], [0, 3, 1, 4]):
        found = encoder.encode(vectors, rows, [START + row * MINUTE for row in range(len(rows))])
        np.testing.assert_allclose(found.vectors[0], reader_vector(vectors, rows, 2.0), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 4, 9])
def test_numpy_and_torch_foresee_the_same(kind: str, n: int) -> None:
    rng = np.random.default_rng(n)
    vectors = unit(rng.standard_normal((12, 5)))
    rows = rng.integers(0, 12, n).tolist()
    times = (START + np.cumsum(rng.integers(0, 90 * MINUTE, n))).tolist()
    net = shuffled_net(kind, 5)
    found = TrainedEncoder(kind, arrays_of(net), 4).encode(vectors, rows, times)
    last = rows[-4:]
    padded = np.zeros((1, 4, 5), np.float32)
    padded[0, : len(last)] = vectors[last]
    minutes = np.zeros((1, 4), np.float32)
    minutes[0, : len(last)] = minutes_of(np.array(times[-4:], np.int64))
    with torch.inference_mode():
        size = torch.tensor([len(last)])
        wanted = net(Clicks(torch.from_numpy(padded), torch.from_numpy(minutes), size))
    np.testing.assert_allclose(found.vectors, wanted.numpy(), atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_behind_the_last_click_changes_nothing(kind: str) -> None:
    net = shuffled_net(kind, 5)
    vectors = torch.from_numpy(unit(np.random.default_rng(1).standard_normal((2, 4, 5))))
    minutes = torch.tensor([[0.0, 1, 5, 9], [0, 2, 3, 0]])
    vectors[1, 3] = 0
    with torch.inference_mode():
        both = net(Clicks(vectors, minutes, torch.tensor([4, 3])))
        alone = net(Clicks(vectors[1:, :3], minutes[1:, :3], torch.tensor([3])))
    np.testing.assert_allclose(both[1:].numpy(), alone.numpy(), atol=1e-5)


def patterned(n: int = 600, dim: int = 4) -> Shown:
    """Lists of what is near to one of three clicks each, and always the first one's neighbour is clicked next."""
    rng = np.random.default_rng(8)
    clicks = unit(rng.standard_normal((n, 3, dim)))
    candidates = unit(rng.standard_normal((n, 7, dim)))
    candidates[:, :3] = unit(clicks + 0.2 * rng.standard_normal((n, 3, dim)))
    return Shown(
        clicks.reshape(-1, dim),
        np.tile(np.arange(3, dtype=np.float32), n),
        np.arange(0, 3 * n + 1, 3, dtype=np.int64),
        candidates,
    )


def hits(encoder: Any, made: Shown) -> float:
    ranks = []
    for n in range(len(made)):
        clicks = made.clicks[made.offsets[n] : made.offsets[n + 1]]
        times = [START + step * MINUTE for step in range(len(clicks))]
        near = encoder.encode(clicks, list(range(len(clicks))), times).nearness(made.candidates[n])
        ranks.append(int((near[1:] >= near[0]).sum()))
    return float((np.array(ranks) == 0).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_training_finds_out_which_click_counts(kind: str) -> None:
    made = patterned()
    encoder, training = fit(made, config(kind, epochs=25, learning_rate=0.02, patience=5), seed=1)
    assert training.validation_loss[training.best_epoch] < 0.7 * training.validation_loss[0]
    assert hits(MeanEncoder(8.0), made) < 0.5
    assert hits(encoder, made) > 0.7
    assert 0 < training.base_epochs < len(training.fit_loss)


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_nothing_to_learn_the_mean_is_kept(kind: str) -> None:
    rng = np.random.default_rng(4)
    made = Shown(
        unit(rng.standard_normal((200, 4))),
        np.zeros(200, np.float32),
        np.arange(201),
        unit(rng.standard_normal((200, 7, 4))),
    )
    encoder, training = fit(made, config(kind, learning_rate=0.05), seed=1)
    assert training.validation_loss[training.best_epoch] <= training.validation_loss[0]
    if training.best_epoch == 0:
        one = unit(rng.standard_normal((1, 4)))
        np.testing.assert_allclose(encoder.encode(one, [0], [START]).vectors, one, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(kind: str, tmp_path: Path) -> None:
    made = patterned(120)
    written = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        fit(made, config(kind, epochs=2), seed=seed)[0].save(folder)
        written.append((folder / "encoder.safetensors").read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_too_few_lists_are_refused() -> None:
    with pytest.raises(DegenerateInput, match="10 lists"):
        fit(patterned(9), config("gru"), seed=1)


def test_a_loss_that_is_not_finite_is_refused() -> None:
    made = patterned(40)
    made.clicks[5] = np.inf
    with pytest.raises(DegenerateInput, match="finite loss"):
        fit(made, config("gru"), seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_is_read_back_for_its_own_space_alone(kind: str, tmp_path: Path) -> None:
    encoder = TrainedEncoder(kind, arrays_of(shuffled_net(kind, 5)), 4, "items-1")
    encoder.save(tmp_path)
    again = TrainedEncoder.load(tmp_path, "items-1")
    vectors = unit(np.random.default_rng(0).standard_normal((6, 5)))
    one, two = (which.encode(vectors, [0, 5, 2], [1, 2, 3]) for which in (encoder, again))
    assert one.vectors.tobytes() == two.vectors.tobytes()
    with pytest.raises(SpaceMismatch, match="items-2"):
        TrainedEncoder.load(tmp_path, "items-2")


@pytest.mark.parametrize("damage", ["kind", "last", "arrays", "bytes"])
def test_a_damaged_encoder_is_refused(damage: str, tmp_path: Path) -> None:
    TrainedEncoder("gru", arrays_of(shuffled_net("gru", 5)), 4, "s").save(tmp_path)
    facts = json.loads((tmp_path / "encoder.json").read_text(encoding="utf-8"))
    if damage == "kind":
        facts["kind"] = "attention"
    elif damage == "last":
        del facts["last"]
    elif damage == "arrays":
        facts["kind"] = "oracle"
    else:
        (tmp_path / "encoder.safetensors").write_bytes(b"nothing")
    (tmp_path / "encoder.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(CorruptArtefact, match=r"python -m jobs readers|--fresh"):
        TrainedEncoder.load(tmp_path, "s")


def test_a_walk_is_turned_into_the_released_frame() -> None:
    events = camps()
    log = walkable(events, 30)
    items = empty_online(20, ITEMS, seed=1)
    walk(items, log, 0, len(log.row))
    turn = unit(np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0])
    released = items._replace(
        input_embeddings=items.input_embeddings @ turn,
        output_embeddings=items.output_embeddings @ turn,
        vectors=items.vectors @ turn,
    )
    found = frame(items, released)
    assert found is not None
    np.testing.assert_allclose(found, turn, atol=1e-3)
    plain = lists_in_frame(events, items, ITEMS, config("gru"), 30, seed=1)
    turned = lists_in_frame(events, released, ITEMS, config("gru"), 30, seed=1)
    assert plain is not None
    assert turned is not None
    np.testing.assert_allclose(turned.clicks, plain.clicks @ turn, atol=1e-3)
    np.testing.assert_allclose(turned.candidates, plain.candidates @ turn, atol=1e-3)


def test_a_text_is_known_before_the_first_click() -> None:
    events = camps()
    log = walkable(events, 30)
    items = empty_online(20, ITEMS, seed=1)
    walk(items, log, 0, len(log.row))
    without = lists_in_frame(events, items, ITEMS, config("gru"), 30, seed=1)
    written = items._replace(content=unit(np.random.default_rng(0).standard_normal((20, 6))))
    with_text = lists_in_frame(events, written, ITEMS, config("gru"), 30, seed=1)
    assert without is not None
    assert with_text is not None
    assert len(with_text) > len(without)


def test_a_log_without_enough_visits_trains_nothing() -> None:
    events = log_of([click(f"r{n}", f"a{n % 5}", START + n * MINUTE) for n in range(50)])
    items = empty_online(5, ITEMS, seed=1)
    assert learned(events, items, ITEMS, config("gru"), 30, seed=1) is None
    busy = camps()
    other = empty_online(20, ItemsConfig(embedding_dim=4), seed=1)
    assert learned(busy, other, ITEMS, config("gru"), 30, seed=1) is None


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_learned_from_a_log_of_two_camps_foresees_the_camp(kind: str) -> None:
    events = camps(400)
    log = walkable(events, 30)
    items = empty_online(20, ITEMS, seed=1)
    walk(items, log, 0, len(log.row))
    made = learned(events, items, ITEMS, config(kind), 30, seed=1)
    assert made is not None
    encoder, training = made
    assert isinstance(training, EncoderFit)
    for camp in (0, 1):
        near = encoder.encode(items.vectors, [camp, camp + 4], [START, START + MINUTE]).nearness(items.vectors)
        own = [row for row in range(20) if row % 2 == camp and row not in (camp, camp + 4)]
        others = [row for row in range(20) if row % 2 != camp]
        assert near[own].mean() > near[others].mean() + 0.3
