"""Audiences: who clicked an article, and how much a reader is like them; counted alike by the replay and live."""

from typing import Any

import numpy as np
import pytest

from recsys.dataset.impressions import click_histories
from recsys.dataset.log_counts import count_log
from recsys.dataset.replay import NO_IMPRESSIONS, LogReplay
from recsys.events import UNDATED
from recsys.features import COLUMN
from recsys.features.matrix import ArticleTables, feature_matrix
from recsys.features.similarity import AUDIENCE_PRIOR
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.state import ReaderEvent
from recsys.trends.audiences import count_audience
from recsys.trends.config import TrendsConfig
from recsys.trends.files import rearranged, restore
from recsys.trends.stream import Trends
from tests.clicks import START, click, log_of, toy_log

READERS = ReadersConfig(half_life_clicks=2.0, max_history=3)
EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8], [np.nan, np.nan]], np.float32)
NOBODY = np.full(4, -1)


def clicked(*rows: int) -> Trends:
    trends = Trends(4, TrendsConfig(), reader_dim=2)
    for place, row in enumerate(rows):
        trends.observe(CLICK, row, START + place)
    return trends


def audience_column(trends: Trends, *read: int) -> list[float]:
    tables = ArticleTables(VECTORS, VECTORS, NOBODY.astype(np.int16), NOBODY.astype(np.int64))
    reader = ReaderState.of(READERS, [ReaderEvent(CLICK, row, START + row) for row in read])
    rows = np.arange(4, dtype=np.int32)
    matrix = feature_matrix(tables, reader, rows, START + 100, trends, READERS)
    return [float(value) for value in matrix[:, COLUMN["audience"]]]


def test_the_likeness_is_that_to_the_audience_less_that_to_everyone_who_clicks() -> None:
    trends = clicked(0, 1, 2)
    for row, vector in ((0, EAST), (0, EAST), (1, NORTH)):
        count_audience(trends.state, row, vector)
    everyone = 2 / 3  # of three readers who click, two look east, as the one who asks does
    likeness = [(2 - 2 * everyone) / (2 + AUDIENCE_PRIOR), (0 - everyone) / (1 + AUDIENCE_PRIOR), 0, 0]
    assert audience_column(trends, 0) == pytest.approx(likeness, abs=1e-6)
    assert audience_column(trends) == [0, 0, 0, 0]  # nothing is known of the reader
    assert audience_column(trends, 3) == [0, 0, 0, 0]  # nor of what they read


def test_without_a_live_slot_there_is_no_audience_and_one_taken_back_begins_anew() -> None:
    trends = Trends(4, TrendsConfig(max_live_articles=1), reader_dim=2)
    count_audience(trends.state, 0, EAST)
    assert trends.state.all_audience.tolist() == [0, 0, 0]
    trends.observe(CLICK, 0, START)
    count_audience(trends.state, 0, EAST)
    assert trends.state.audience.tolist() == [[1, 0]]
    trends.observe(CLICK, 1, START + 1)
    assert trends.state.article_of.tolist() == [1]
    assert (trends.state.audience.tolist(), trends.state.audience_clicks.tolist()) == ([[0, 0]], [0])


def by_hand(events: Any, vectors: Any) -> dict[int, Any]:
    """The sum of its readers' vectors of each article, from the log as it stands."""
    sums: dict[int, Any] = {}
    clicks = np.flatnonzero(events.kind == CLICK)
    for place in clicks[events.time[clicks] != UNDATED].tolist():
        before = clicks[(clicks < place) & (events.reader[clicks] == events.reader[place])]
        read = events.article[before][-READERS.max_history :]
        weights = 0.5 ** (np.arange(len(read))[::-1] / READERS.half_life_clicks)
        mean = (weights[:, None] * vectors[read]).sum(axis=0)
        if events.reader[place] >= 0 and len(read) and np.linalg.norm(mean) > 1e-6:
            row = int(events.article[place])
            sums[row] = sums.get(row, 0) + np.append(mean / np.linalg.norm(mean), 1)
    return sums


def test_a_replay_counts_what_each_reader_had_clicked_before_their_click() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(20, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    events, expected = toy_log(), by_hand(toy_log(), vectors)
    nothing = np.full(20, -1)
    trends = count_log(events, TrendsConfig(), nothing.astype(np.int16), nothing.astype(np.int64), 30, vectors, READERS)
    state = trends.state
    assert len(expected) == 20
    for row, sums in expected.items():
        slot = state.slot_of[row]
        got = np.append(state.audience[slot], state.audience_clicks[slot])
        assert got == pytest.approx(sums, abs=1e-4)
    assert state.all_audience == pytest.approx(np.sum(list(expected.values()), axis=0), abs=1e-3)


def test_a_session_without_a_reader_joins_no_audience() -> None:
    named = [click("ann", "a", START), click("ann", "b", START + 1)]
    nameless = [click(None, "a", START + 2, session="s"), click(None, "b", START + 3, session="s")]
    replay = LogReplay(
        log_of(named + nameless), NO_IMPRESSIONS, TrendsConfig(), READERS, article_vectors=np.stack([EAST, NORTH])
    )
    replay.apply_until(START + 10)
    assert replay.trends.state.all_audience.tolist() == [1, 0, 1]  # ann's, on b, after a
    assert len(click_histories(log_of(named + nameless), NO_IMPRESSIONS, 30).clicks.article) == 4


def test_counts_of_other_rows_keep_their_audiences() -> None:
    trends = clicked(0, 1)
    count_audience(trends.state, 0, EAST)
    count_audience(trends.state, 1, NORTH)
    moved = restore(rearranged(trends.arrays(), np.array([-1, 0, 1, 2]), 3), TrendsConfig())
    slot = moved.state.slot_of[0]
    assert (moved.state.audience[slot].tolist(), moved.state.audience_clicks[slot]) == ([0, 1], 1)
    assert moved.state.all_audience.tolist() == [1, 1, 2]
