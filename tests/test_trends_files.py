"""Live counts survive being written and read, by the same rows or by those of another catalogue."""

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import CorruptArtefact, StaleArtefact
from recsys.events import KINDS
from recsys.trends.config import TrendsConfig
from recsys.trends.files import load_trends, restore, save_trends
from recsys.trends.stream import Trends
from recsys.units import NEVER_MS, UNKNOWN_ROW
from tests.streams import CONFIG as STREAM
from tests.streams import A, feed, some_events, stream

CLICK, IMPRESSION = KINDS.index("click"), KINDS.index("impression")
CONFIG = TrendsConfig(max_live_articles=8, max_neighbours=4)
START, HOUR = 1_790_000_000_000, 3_600_000
IDS = ["a", "b", "c", "d", "e", "f"]


def some_trends(n_events: int = 300) -> Trends:
    """Six articles, a dozen visitors, an hour."""
    trends, rng = Trends(len(IDS), CONFIG), np.random.default_rng(3)
    trends.describe_articles(np.arange(6, dtype=np.int16) % 2, np.full(6, START - HOUR))
    for step, time in enumerate(np.sort(rng.integers(START, START + HOUR, n_events)).tolist()):
        happen(trends, step, time, int(rng.integers(5)))  # nobody opens the last article
    return trends


def happen(trends: Trends, step: int, time: int, row: int) -> None:
    kind, context = IMPRESSION if step % 4 == 0 else CLICK, json.dumps({"device": f"d{step % 3}"})
    trends.observe(kind, row, time, visitor=f"v{step % 12}", position=step % 8, context=context)


def saved(folder: Path) -> Trends:
    trends = some_trends()
    save_trends(trends, IDS, ["x", "y"], 300, START + HOUR, folder)
    return trends


def test_what_was_written_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    trends = saved(tmp_path)
    found = load_trends(tmp_path, IDS, CONFIG, 30)
    assert (found.categories, found.through) == (["x", "y"], 300)
    restored = found.trends
    restored.describe_articles(trends.state.category, trends.state.published)
    restored.visits = trends.visits  # running visits are known from the store
    assert restored.values == trends.values
    for name, array in trends.arrays().items():
        np.testing.assert_array_equal(restored.arrays()[name], array, err_msg=name)
    restored.visits = some_trends().visits
    for step in range(40):
        happen(trends, step, START + HOUR + step, step % 6)
        happen(restored, step, START + HOUR + step, step % 6)
    for name, array in trends.arrays().items():
        np.testing.assert_array_equal(restored.arrays()[name], array, err_msg=name)


def test_another_catalogue_has_the_same_counts_of_the_same_articles(tmp_path: Path) -> None:
    trends, now = saved(tmp_path), START + HOUR
    ids = ["new", "e", "f", "a", "newer", "c", "d"]  # "b" is gone
    restored = load_trends(tmp_path, ids, CONFIG, 30).trends
    kept = [(ids.index(name), IDS.index(name)) for name in "acdef"]
    rows, old = (np.array(column, np.int32) for column in zip(*kept, strict=True))
    np.testing.assert_array_equal(restored.counts(rows, now), trends.counts(old, now))
    np.testing.assert_array_equal(restored.first_seen(rows), trends.first_seen(old))
    assert restored.total_clicks(np.array([0, 4], np.int32)).tolist() == [0, 0]
    assert restored.first_seen(np.array([0, 4], np.int32)).tolist() == [NEVER_MS, NEVER_MS]
    compared = 0
    for row, was in kept:
        mine = {ids[other]: float(pairs) for other, pairs in zip(*restored.covisits(row, now, 9), strict=True)}
        theirs = {IDS[other]: float(pairs) for other, pairs in zip(*trends.covisits(was, now, 9), strict=True)}
        assert mine == {name: pairs for name, pairs in theirs.items() if name != "b"}
        compared += len(mine)
    assert compared > 5
    state = restored.state
    for at in range(int(state.room[0])):
        assert state.slot_of[state.article_of[at]] == at
        there = state.neighbour[at] != UNKNOWN_ROW
        assert not (np.diff(there.astype(int)) > 0).any(), "a free place stands before a neighbour"
        assert not state.pairs[at][~there].any()


def test_a_released_file_holds_only_the_slots_in_use(tmp_path: Path) -> None:
    config = TrendsConfig()
    save_trends(Trends(6, config), IDS, [], 0, None, tmp_path)
    assert (tmp_path / "state.safetensors").stat().st_size < 1_000_000
    restored = load_trends(tmp_path, IDS, config, 30).trends
    assert restored.state.pairs.shape == (config.max_live_articles, config.max_neighbours, 3)
    assert restored.covisits(0, START, 9)[0].tolist() == []


def test_counts_made_with_other_settings_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(StaleArtefact, match="python -m jobs trends"):
        load_trends(tmp_path, IDS, CONFIG.model_copy(update={"max_live_articles": 2}), 30)
    for context in (("device", "region", "os", "referrer"), ("region", "device", "os", "weather"), ("device",)):
        with pytest.raises(StaleArtefact, match="context"):  # the same columns would mean something else
            load_trends(tmp_path, IDS, CONFIG.model_copy(update={"context": context}), 30)


def test_counts_of_another_number_of_articles_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    state = (tmp_path / "state.safetensors").read_bytes()
    save_trends(Trends(2, CONFIG), ["a", "b"], [], 0, None, tmp_path)
    (tmp_path / "state.safetensors").write_bytes(state)
    with pytest.raises(CorruptArtefact, match="2 articles"):
        load_trends(tmp_path, IDS, CONFIG, 30)


def test_a_snapshot_goes_on_as_the_stream_would_but_for_visits_that_were_running() -> None:
    events = some_events()
    whole = feed(stream(), events)
    half = feed(stream(), events[:300])
    for keep in (True, False):
        restored = restore(half.arrays(), STREAM, tuple(dict(known) for known in half.values))
        restored.describe_articles(half.state.category, half.state.published)
        if keep:
            restored.visits._visits = half.visits._visits.copy()
        feed(restored, events[300:])
        differs = {
            name for name, values in whole.arrays().items() if not np.array_equal(restored.arrays()[name], values)
        }
        assert differs == (set() if keep else {"pairs", "lifts", "all_lifts"})
    assert half.all_total[0] + half.all_total[1] == 300  # a snapshot shares nothing with what it was taken from


def test_a_snapshot_without_an_array_or_of_other_room_is_refused() -> None:
    arrays = stream().arrays()
    with pytest.raises(StaleArtefact):
        restore({name: values for name, values in arrays.items() if name != "pairs"}, STREAM)
    with pytest.raises(StaleArtefact):
        restore({}, STREAM)
    with pytest.raises(StaleArtefact):
        restore(arrays, TrendsConfig(max_live_articles=A - 1, max_neighbours=A))
    with pytest.raises(StaleArtefact):
        restore(arrays, TrendsConfig(max_live_articles=A, max_neighbours=A + 1))
