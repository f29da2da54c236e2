"""The encoder that is trained: a network that learns what there is to learn, in numpy and torch, and its stage."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.runner import Context, run_stages
from jobs.stages import stage_of
from recsys.errors import CorruptArtefact, DegenerateInput, SpaceMismatch
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers import reader_vector, training
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import MeanEncoder, TrainingLists, minutes_of
from recsys.readers.gru import ClickBatch, GruNetwork
from recsys.readers.learning import frame, learned, lists_in_frame
from recsys.readers.trained import TrainedEncoder
from recsys.readers.training import EncoderFit, fit
from recsys.readers.walks import walk, walkable
from recsys.settings import Settings
from recsys.workspace import load_npy, read_json, save_arrays
from tests.clicks import MINUTE, START, camps, click, log_of
from tests.newsroom import QUICK as QUICK_STAGES
from tests.newsroom import fill_almost_nothing, fill_toy, toy_settings

UNTIL = ("events", "tokens", "words", "keywords", "articles", "items", "readers")
SMALL: dict[str, Any] = {"sequence_length": 6, "hidden_size": 8, "negatives": 8, "epochs": 3}
ITEMS = ItemsConfig(embedding_dim=6)
QUICK: dict[str, Any] = {"hidden_size": 8, "sequence_length": 4, "negatives": 6, "epochs": 6}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_BATCH_SIZE", 32)


def config(**more: Any) -> ReadersConfig:
    return ReadersConfig(**({"encoder": "gru"} | QUICK | more))


def unit(rows: Any) -> Any:
    made = np.asarray(rows, np.float32)
    return made / np.linalg.norm(made, axis=-1, keepdims=True)


def shuffled_net(dim: int) -> GruNetwork:
    torch.manual_seed(3)
    net = GruNetwork(dim, config())
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.5)
    return net.eval()


def arrays_of(net: GruNetwork) -> dict[str, Any]:
    return {name: value.numpy() for name, value in net.state_dict().items()}


def test_before_training_a_network_is_the_decayed_mean() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng.standard_normal((6, 5)))
    encoder = TrainedEncoder(arrays_of(GruNetwork(5, config(half_life_clicks=2.0))), 4)
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


def patterned(n: int = 600, dim: int = 4) -> TrainingLists:
    """Lists of what is near to one of three clicks each, and always the first one's neighbour is clicked next."""
    rng = np.random.default_rng(8)
    clicks = unit(rng.standard_normal((n, 3, dim)))
    candidates = unit(rng.standard_normal((n, 7, dim)))
    candidates[:, :3] = unit(clicks + 0.2 * rng.standard_normal((n, 3, dim)))
    return TrainingLists(
        clicks.reshape(-1, dim),
        np.tile(np.arange(3, dtype=np.float32), n),
        np.arange(0, 3 * n + 1, 3, dtype=np.int64),
        candidates,
    )


def hits(encoder: Any, made: TrainingLists) -> float:
    ranks = []
    for n in range(len(made)):
        clicks = made.clicks[made.offsets[n] : made.offsets[n + 1]]
        times = [START + step * MINUTE for step in range(len(clicks))]
        near = encoder.encode(clicks, list(range(len(clicks))), times).nearness(made.candidates[n])
        ranks.append(int((near[1:] >= near[0]).sum()))
    return float((np.array(ranks) == 0).mean())


def test_training_finds_out_which_click_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "EARLY_STOPPING_EPOCHS", 5)
    monkeypatch.setattr(training, "_LEARNING_RATE", 0.02)
    made = patterned()
    encoder, fitted = fit(made, config(epochs=25), seed=1)
    assert fitted.validation_loss[fitted.best_epoch] < 0.7 * fitted.validation_loss[0]
    assert hits(MeanEncoder(8.0), made) < 0.5
    assert hits(encoder, made) > 0.7
    assert 0 < fitted.base_epochs < len(fitted.fit_loss)


def test_where_there_is_nothing_to_learn_the_mean_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_LEARNING_RATE", 0.05)
    rng = np.random.default_rng(4)
    made = TrainingLists(
        unit(rng.standard_normal((200, 4))),
        np.zeros(200, np.float32),
        np.arange(201),
        unit(rng.standard_normal((200, 7, 4))),
    )
    encoder, fitted = fit(made, config(), seed=1)
    assert fitted.validation_loss[fitted.best_epoch] <= fitted.validation_loss[0]
    if fitted.best_epoch == 0:
        vector = unit(rng.standard_normal((1, 4)))
        np.testing.assert_allclose(encoder.encode(vector, [0], [START]).vectors, vector, atol=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    made = patterned(120)
    written = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        fit(made, config(epochs=2), seed=seed)[0].save(folder)
        written.append((folder / "encoder.safetensors").read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_as_many_lists_as_are_needed_train_and_fewer_are_refused() -> None:
    fit(patterned(10), config(epochs=1), seed=1)
    with pytest.raises(DegenerateInput, match="10 lists"):
        fit(patterned(9), config(), seed=1)


def test_a_loss_that_is_not_finite_is_refused() -> None:
    made = patterned(40)
    made.clicks[5] = np.inf
    with pytest.raises(DegenerateInput, match="finite loss"):
        fit(made, config(), seed=1)


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
    plain = lists_in_frame(events, items, ITEMS, config(), 30, seed=1)
    turned = lists_in_frame(events, released, ITEMS, config(), 30, seed=1)
    assert plain is not None
    assert turned is not None
    np.testing.assert_allclose(turned.clicks, plain.clicks @ turn, atol=1e-3)
    np.testing.assert_allclose(turned.candidates, plain.candidates @ turn, atol=1e-3)


def test_a_text_is_known_before_the_first_click() -> None:
    events = camps()
    log = walkable(events, 30)
    items = empty_online(20, ITEMS, seed=1)
    walk(items, log, 0, len(log.row))
    without = lists_in_frame(events, items, ITEMS, config(), 30, seed=1)
    written = items._replace(content=unit(np.random.default_rng(0).standard_normal((20, 6))))
    with_text = lists_in_frame(events, written, ITEMS, config(), 30, seed=1)
    assert without is not None
    assert with_text is not None
    assert len(with_text) > len(without)


def test_a_log_without_enough_visits_trains_nothing() -> None:
    events = log_of([click(f"r{n}", f"a{n % 5}", START + n * MINUTE) for n in range(50)])
    items = empty_online(5, ITEMS, seed=1)
    assert learned(events, items, ITEMS, config(), 30, seed=1) is None
    busy = camps()
    other = empty_online(20, ItemsConfig(embedding_dim=4), seed=1)
    assert learned(busy, other, ITEMS, config(), 30, seed=1) is None


def test_an_encoder_learned_from_a_log_of_two_camps_foresees_the_camp() -> None:
    events = camps(400)
    log = walkable(events, 30)
    items = empty_online(20, ITEMS, seed=1)
    walk(items, log, 0, len(log.row))
    made = learned(events, items, ITEMS, config(), 30, seed=1)
    assert made is not None
    encoder, fitted = made
    assert isinstance(fitted, EncoderFit)
    for camp in (0, 1):
        near = encoder.encode(items.vectors, [camp, camp + 4], [START, START + MINUTE]).nearness(items.vectors)
        own = [row for row in range(20) if row % 2 == camp and row not in (camp, camp + 4)]
        others = [row for row in range(20) if row % 2 != camp]
        assert near[own].mean() > near[others].mean() + 0.3


def run_until_readers(folder: Path, **readers: Any) -> Context:
    """The toy newsroom up to the stage ``readers``."""
    settings = toy_settings(folder, readers=readers)
    if not (folder / "store.db").exists():
        fill_toy(settings)
    context = Context(settings, seed=1)
    run_stages(context, [stage_of(name) for name in UNTIL])
    return context


@pytest.mark.parametrize("encoder", ["mean", "interests"])
def test_an_encoder_without_training_leaves_nothing_but_its_name(encoder: str, tmp_path: Path) -> None:
    folder = run_until_readers(tmp_path, encoder=encoder).workspace.path("readers")
    assert read_json(folder / "readers.json") == {"encoder": encoder}
    assert not (folder / "encoder.json").exists()


def test_a_trained_encoder_knows_its_readers_subject(tmp_path: Path) -> None:
    context = run_until_readers(tmp_path, encoder="gru", **SMALL)
    folder, items = context.workspace.path("readers"), context.workspace.path("items")
    facts = read_json(folder / "readers.json")
    assert facts["encoder"] == "gru"
    assert facts["validation_loss"][facts["best_epoch"]] <= facts["validation_loss"][0]
    loaded = TrainedEncoder.load(folder, read_json(items / "space.json")["space"])
    vectors = load_npy(items / "vectors.npy")  # rows 0 to 7 are football, 8 to 15 markets
    near = loaded.encode(vectors, [8, 9, 10], [1, 2, 3]).nearness(vectors)
    assert near[11:].min() > near[:8].max()
    with pytest.raises(SpaceMismatch):
        TrainedEncoder.load(folder, "another space")


def test_the_same_log_gives_the_same_encoder_and_another_setting_a_new_one(tmp_path: Path) -> None:
    digests = []
    for name, size in (("one", 8), ("two", 8), ("three", 9)):
        context = run_until_readers(tmp_path / name, encoder="gru", **SMALL | {"hidden_size": size})
        digests.append(context.workspace.record("readers").digest)
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_log_with_too_little_to_learn_from_is_served_by_the_mean(tmp_path: Path) -> None:
    settings = Settings(**(QUICK_STAGES | {"data_dir": tmp_path, "readers": {"encoder": "gru"}}))
    fill_almost_nothing(settings)
    context = Context(settings, seed=1)
    run_stages(context, [stage_of(name) for name in UNTIL])
    assert read_json(context.workspace.path("readers") / "readers.json") == {"encoder": "mean"}


def test_every_encoder_that_may_be_asked_for_is_known() -> None:
    assert [ReadersConfig(encoder=name).is_trained for name in ("mean", "interests", "gru")] == [False, False, True]
    with pytest.raises(ValueError, match="encoder"):
        ReadersConfig(encoder="oracle")


def test_encoders_do_not_mind_that_the_table_has_grown(tmp_path: Path) -> None:
    context = run_until_readers(tmp_path, encoder="gru", **SMALL)
    items = context.workspace.path("items")
    loaded = TrainedEncoder.load(context.workspace.path("readers"), read_json(items / "space.json")["space"])
    vectors = load_npy(items / "vectors.npy")
    grown = np.vstack([vectors, np.full((5, vectors.shape[1]), np.nan, np.float32)])
    one, two = (loaded.encode(table, [0, 1, 18], [1, 2, 3]) for table in (vectors, grown))
    assert one.vectors.tobytes() == two.vectors.tobytes()
