"""Training of the encoder ``gru``: the lists of a log, what a network learns from them, and the stage ``readers``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.runner import Context, run_stages
from jobs.stages import stage_of
from recsys.dataset import encoder_lists as lists_of_clicks
from recsys.dataset.encoder_lists import _followed_clicks, click_log, encoder_lists, frame_rotation, next_click_lists
from recsys.dataset.log_arrays import NO_COUNTS, LogArrays, apply_events
from recsys.errors import DegenerateInput, SpaceMismatch
from recsys.events import UNDATED, Events
from recsys.events.visits import visit_ends
from recsys.items.config import ItemsConfig
from recsys.items.online import OnlineItems, empty_online
from recsys.readers import training
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import MeanEncoder, TrainingLists, minutes_of
from recsys.readers.trained import TrainedEncoder
from recsys.readers.training import MIN_LISTS, fit
from recsys.settings import Settings
from recsys.workspace import load_npy, read_json
from tests.clicks import MINUTE, START, camps, click, log_of
from tests.newsroom import QUICK as QUICK_STAGES
from tests.newsroom import fill_almost_nothing, fill_toy, toy_settings

UNTIL = ("events", "tokens", "words", "keywords", "articles", "items", "readers")
SMALL: dict[str, Any] = {"sequence_length": 6, "epochs": 3}
ITEMS = ItemsConfig(embedding_dim=6)
QUICK: dict[str, Any] = {"sequence_length": 4, "epochs": 6}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_BATCH_SIZE", 32)
    monkeypatch.setattr(lists_of_clicks, "NEGATIVES_PER_LIST", 6)


def config(**more: Any) -> ReadersConfig:
    return ReadersConfig(**({"encoder": "gru"} | QUICK | more))


def unit(rows: Any) -> Any:
    made = np.asarray(rows, np.float32)
    return made / np.linalg.norm(made, axis=-1, keepdims=True)


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


def apply(items: OnlineItems, log: LogArrays, first: int, stop: int) -> None:
    apply_events(NO_COUNTS, items, log, first, stop, 0)


def items_of(events: Events) -> OnlineItems:
    """The item vectors after a log, without any text."""
    log, items = click_log(events, 30), empty_online(len(events.article_ids), ITEMS, seed=1)
    apply(items, log, 0, len(log.time))
    return items


def lists_of(events: Events, max_lists: int = 1000, **readers: Any) -> TrainingLists:
    log, items = click_log(events, 30), empty_online(len(events.article_ids), ITEMS, seed=1)
    known, rng = config(**readers), np.random.default_rng(1)
    return next_click_lists(items, log, 0, len(log.time), known, max_lists=max_lists, rng=rng)


def test_a_list_is_described_by_the_vectors_of_its_moment() -> None:
    events = camps()
    log, lists = click_log(events, 30), lists_of(camps())
    assert len(lists) > 300
    items = empty_online(len(events.article_ids), ITEMS, seed=1)
    after = int(np.flatnonzero(log.row + 1 < visit_ends(log.clicks)[log.row])[-1])  # the last list is shown after it
    apply(items, log, 0, after + 1)
    newest, target = log.clicks.article[[log.row[after], log.row[after] + 1]]
    np.testing.assert_array_equal(lists.clicks[-1], items.vectors[newest])
    np.testing.assert_array_equal(lists.candidates[-1, 0], items.vectors[target])
    apply(items, log, after + 1, after + 2)
    assert (lists.candidates[-1, 0] != items.vectors[target]).any()  # the click itself would have moved it


def test_a_list_follows_a_click_whose_visit_goes_on_with_another_article() -> None:
    clicks = [
        *[click("r", name, minute * MINUTE, session="s") for name, minute in (("a", 0), ("b", 30), ("b", 31))],
        *[click("r", name, minute * MINUTE, session="s") for name, minute in (("c", 62), ("d", 63))],
        *[click(None, name, minute * MINUTE, session="t") for name, minute in (("c", 1), ("d", 2))],
        *[click(None, name, minute * MINUTE) for name, minute in (("a", 3), ("b", 4))],
    ]
    log = click_log(log_of(clicks), 30)
    ids = np.array(log_of(clicks).article_ids)
    after = _followed_clicks(log, 0, len(log.time))
    times = (log.time[after] // MINUTE).tolist()
    assert list(zip(ids[log.article[after]].tolist(), times, strict=True)) == [("a", 0), ("c", 1), ("c", 62)]
    assert _followed_clicks(log, 1, 2).tolist() == []  # the next click of the visit is not applied yet
    assert _followed_clicks(log, 1, 3).tolist() == [1]


def test_the_future_of_a_log_changes_no_list_before_it() -> None:
    events = camps()
    half = START + 80 * 10 * MINUTE
    early, whole = lists_of(events.before(half)), lists_of(events)
    n = len(early)
    assert 0 < n < len(whole)
    np.testing.assert_array_equal(early.clicks, whole.clicks[: early.offsets[-1]])
    np.testing.assert_array_equal(early.candidates[:, 0], whole.candidates[:n, 0])


def test_a_list_holds_the_next_click_and_others_that_the_reader_has_not_clicked() -> None:
    made = lists_of(camps(), sequence_length=4)
    sizes = np.diff(made.offsets)
    assert sizes.min() >= 1
    assert sizes.max() == 4
    for n in range(0, len(made), 17):
        clicked = made.clicks[made.offsets[n] : made.offsets[n + 1]]
        there = made.candidates[n][~np.isnan(made.candidates[n, :, 0])]
        assert np.isfinite(made.candidates[n, 0]).all()
        assert len(np.unique(there, axis=0)) == len(there)
        assert (there @ clicked.T).max() < 1 - 1e-5
        minutes = made.minutes[made.offsets[n] : made.offsets[n + 1]]
        assert minutes[0] == 0
        assert (np.diff(minutes) > 0).all()


def test_every_other_list_knows_the_visit_alone() -> None:
    one_reader = [
        click("r", f"a{row:02}", START + day * 1440 * MINUTE + row * MINUTE, session=f"s{day}")
        for day in range(12)
        for row in range(day % 3, 20, 5)
    ]
    crowd = [
        click(f"x{n}", f"a{row:02}", START - 1440 * MINUTE + n * MINUTE, session=f"x{n}")
        for n in range(40)
        for row in (n % 20, (n * 7 + 1) % 20)
    ]
    sizes = np.diff(lists_of(log_of(crowd + one_reader), sequence_length=10).offsets)
    assert sizes[41::2].max() <= 4
    assert sizes[40::2].max() == 10


def test_a_list_is_not_made_for_undated_clicks_or_the_same_article_again() -> None:
    undated = [click("r", f"a{row}", UNDATED) for row in range(5)]
    assert len(lists_of(log_of(undated))) == 0
    again = [click("r", "a0", START + step * MINUTE, session="s") for step in range(5)]
    assert len(lists_of(log_of(again))) == 0
    assert len(lists_of(log_of([]))) == 0


def test_of_many_lists_a_random_part_is_kept_in_time_order() -> None:
    made = lists_of(camps(), max_lists=50)
    assert 30 < len(made) <= 50
    assert made.offsets[-1] == len(made.clicks) == len(made.minutes)


def test_minutes_are_counted_from_the_first_dated_click() -> None:
    times = np.array([UNDATED, START, START + 90_000], np.int64)
    assert minutes_of(times).tolist() == [0.0, 0.0, 1.5]
    assert minutes_of(np.array([UNDATED, UNDATED], np.int64)).tolist() == [0.0, 0.0]
    assert minutes_of(np.empty(0, np.int64)).tolist() == []


def test_lists_are_turned_into_the_released_frame() -> None:
    events = camps()
    items = items_of(events)
    turn = unit(np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0])
    released = items._replace(
        input_embeddings=items.input_embeddings @ turn,
        output_embeddings=items.output_embeddings @ turn,
        vectors=items.vectors @ turn,
    )
    rotation = frame_rotation(items, released)
    assert rotation is not None
    np.testing.assert_allclose(rotation, turn, atol=1e-3)
    plain = encoder_lists(events, items, ITEMS, config(), 30, seed=1)
    turned = encoder_lists(events, released, ITEMS, config(), 30, seed=1)
    assert plain is not None
    assert turned is not None
    np.testing.assert_allclose(turned.clicks, plain.clicks @ turn, atol=1e-3)
    np.testing.assert_allclose(turned.candidates, plain.candidates @ turn, atol=1e-3)


def test_a_text_is_known_before_the_first_click() -> None:
    events = camps()
    items = items_of(events)
    without = encoder_lists(events, items, ITEMS, config(), 30, seed=1)
    written = items._replace(content=unit(np.random.default_rng(0).standard_normal((20, 6))))
    with_text = encoder_lists(events, written, ITEMS, config(), 30, seed=1)
    assert without is not None
    assert with_text is not None
    assert len(with_text) > len(without)


def test_a_log_without_visits_has_no_lists_and_one_of_another_frame_none() -> None:
    events = log_of([click(f"r{n}", f"a{n % 5}", START + n * MINUTE) for n in range(50)])
    assert encoder_lists(events, empty_online(5, ITEMS, seed=1), ITEMS, config(), 30, seed=1) is None
    other = empty_online(20, ItemsConfig(embedding_dim=4), seed=1)
    assert encoder_lists(camps(), other, ITEMS, config(), 30, seed=1) is None


def test_an_encoder_learned_from_a_log_of_two_camps_foresees_the_camp() -> None:
    events = camps(400)
    items = items_of(events)
    lists = encoder_lists(events, items, ITEMS, config(), 30, seed=1)
    assert lists is not None
    assert len(lists) > MIN_LISTS
    encoder, _ = fit(lists, config(), seed=1)
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
    for name, size in (("one", 6), ("two", 6), ("three", 7)):
        context = run_until_readers(tmp_path / name, encoder="gru", **SMALL | {"sequence_length": size})
        digests.append(context.workspace.record("readers").digest)
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_log_with_too_little_to_learn_from_is_served_by_the_mean(tmp_path: Path) -> None:
    settings = Settings(**(QUICK_STAGES | {"data_dir": tmp_path, "readers": {"encoder": "gru"}}))
    fill_almost_nothing(settings)
    context = Context(settings, seed=1)
    run_stages(context, [stage_of(name) for name in UNTIL])
    assert read_json(context.workspace.path("readers") / "readers.json") == {"encoder": "mean"}


def test_encoders_do_not_mind_that_the_table_has_grown(tmp_path: Path) -> None:
    context = run_until_readers(tmp_path, encoder="gru", **SMALL)
    items = context.workspace.path("items")
    loaded = TrainedEncoder.load(context.workspace.path("readers"), read_json(items / "space.json")["space"])
    vectors = load_npy(items / "vectors.npy")
    grown = np.vstack([vectors, np.full((5, vectors.shape[1]), np.nan, np.float32)])
    one, two = (loaded.encode(table, [0, 1, 18], [1, 2, 3]) for table in (vectors, grown))
    assert one.vectors.tobytes() == two.vectors.tobytes()
