"""The items job goes on from the last vectors with an hour's clicks, or learns anew and turns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.runner import Context, open_store, run_stage, run_stages
from jobs.stages import stage_of
from recsys.dataset.item_search import changes
from recsys.items.files import load_online
from recsys.settings import Settings
from recsys.store import Event, Kind
from recsys.workspace import load_npy, read_json
from tests.newsroom import HOUR, NOW, SITE, fill_almost_nothing, fill_toy, toy_settings

UPSTREAM = ("events", "tokens", "words", "keywords", "articles")


def with_items(settings: Settings, **changes_of: Any) -> Settings:
    """The same newsroom with other settings of the section ``items``."""
    return settings.model_copy(update={"items": settings.items.model_copy(update=changes_of)})


def made(settings: Settings, seed: int = 1) -> dict[str, Any]:
    """Make the items anew; returns ``training.json``."""
    run_stages(Context(settings, seed=1), [stage_of("events")])
    run_stages(Context(settings, seed=1), [stage_of(name) for name in UPSTREAM[1:]])
    run_stage(Context(settings, seed=seed, fresh=True), *stage_of("items"))
    return dict(read_json(settings.data_dir / "work/items/training.json"))


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The toy newsroom, with item vectors and nothing after them."""
    settings = toy_settings(tmp_path_factory.mktemp("items"))
    fill_toy(settings)
    assert made(settings) == {"start": "random", "clicks": 2 * 24 * 7, "parent": None, "aligned": False}
    return settings


def test_the_clicks_since_the_last_run_are_learned_late_ones_too_and_no_others(newsroom: Settings) -> None:
    settings = with_items(newsroom, start="last")
    before = made(settings)
    assert (before["start"], before["clicks"], before["mean_cosine"]) == ("last", 0, 1.0)
    folder = settings.data_dir / "work/items"
    evidence = load_npy(folder / "pair_counts.npy")
    space = read_json(folder / "space.json")
    times = (NOW - HOUR, NOW - HOUR + 1, NOW - 40 * HOUR)  # the last one comes late: it is older than all others
    clicks = zip(("football-0", "markets-0", "football-1"), times, strict=True)
    new = [Event(f"new-{at}", SITE, Kind.CLICK, name, "new-reader", "new", at, "front") for name, at in clicks]
    store = open_store(settings)
    store.add_events(new)
    store.close()
    facts = made(settings)
    assert (facts["start"], facts["clicks"], facts["parent"]) == ("last", 3, space["space"])
    assert 0.8 < facts["mean_cosine"] < 1
    items, ids = load_online(folder)
    learned = {ids[row]: float(more) for row, more in enumerate(items.pair_counts - evidence) if more > 0.01}
    assert learned == pytest.approx({"football-0": 2, "markets-0": 2, "football-1": 2}, abs=0.01)
    assert read_json(folder / "space.json")["through"] > space["through"]


def test_a_full_retrain_stays_in_the_frame_of_the_last_one(newsroom: Settings) -> None:
    made(newsroom)
    old = load_npy(newsroom.data_dir / "work/items/vectors.npy")
    facts = made(newsroom, seed=5)
    new = load_npy(newsroom.data_dir / "work/items/vectors.npy")
    assert (facts["start"], facts["aligned"], facts["shared"]) == ("random", True, 16)
    assert facts["mean_cosine"] > 0.8
    np.testing.assert_allclose((old * new).sum(axis=1).mean(), facts["mean_cosine"], atol=1e-3)
    assert 8 <= len(facts["moved_most"]) < 16  # of the half with more evidence, ties included
    assert facts["moved_most"] == sorted(facts["moved_most"], key=lambda pair: float(pair[1]))


def test_other_dimensions_have_no_common_frame_and_the_log_says_so(
    newsroom: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    facts = made(with_items(newsroom, embedding_dim=4, start="last"))
    assert (facts["start"], facts["aligned"]) == ("random", False)
    assert "not aligned" in "".join(capfd.readouterr())
    made(newsroom)


def test_last_vectors_with_a_damaged_file_are_not_gone_on_from(
    newsroom: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    (newsroom.data_dir / "work/items/output_embeddings.npy").unlink()
    facts = made(with_items(newsroom, start="last"))
    assert (facts["start"], facts["parent"]) == ("random", None)
    assert "cannot be used" in "".join(capfd.readouterr())


def test_the_search_prints_and_writes_what_each_setting_is_worth(
    newsroom: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(newsroom)
    rng = np.random.default_rng(1)  # sixteen articles are too few to guess among: eighty more, and their readers
    store.add_events(
        [
            Event(f"s{n}-{i}", SITE, Kind.CLICK, f"more-{row}", f"s{n}", None, NOW - 2 * HOUR + 9_000 * n + i, "front")
            for n in range(300)
            for i, row in enumerate(rng.permutation(80)[:3].tolist())
        ]
    )
    store.close()
    few = with_items(newsroom, epochs=6)  # it learns once for each setting
    made(few)
    run_stage(Context(few, seed=1), *stage_of("items_search"))
    written = read_json(few.data_dir / "work/items_search/search.json")
    assert written["settings"]["epochs"] == 6
    tried = [(row["setting"], row["value"]) for row in written["tried"]]
    assert tried == [("", None), *changes(few.items)]
    printed = capsys.readouterr().out
    assert f"{written['tried'][0]['cosine_mrr@10']:.4f}" in printed
    assert all(name in printed for name, _ in changes(few.items))


def test_a_search_of_nothing_says_what_is_missing(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_almost_nothing(settings)
    run_stages(Context(settings, seed=1), [stage_of(name) for name in UPSTREAM])
    with pytest.raises(Exception, match="lists to rank") as refused:
        run_stage(Context(settings, seed=1), *stage_of("items_search"))
    assert refused.value.exit_code == 2  # type: ignore[attr-defined]


def test_item_vectors_that_learned_from_a_forgotten_reader_are_not_gone_on_from(newsroom: Settings) -> None:
    settings = with_items(newsroom, start="last")
    assert made(settings)["start"] == "last"
    store = open_store(settings)
    gone = store.forget_reader(SITE, "football-fan-01", "ops")
    store.close()
    facts = made(settings)
    assert facts["start"] == "random"
    assert facts["aligned"]  # the frame stays: what is stored elsewhere goes on to mean the same
    assert gone > 0
    assert read_json(settings.data_dir / "work/events/log.json")["forgotten"] > 0
