"""The features are what a reader of the log would compute by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.features import COLUMN, GROUPS, NAMES
from recsys.features.matrix import ArticleTables, feature_matrix
from recsys.features.similarity import quantised
from recsys.features.tags import ArticleTags
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends import IMPRESSION, PRIOR_IMPRESSIONS
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS
from tests.clicks import START

READERS, TRENDS = ReadersConfig(half_life_clicks=1.0), TrendsConfig()
NAN = float("nan")
ROW_2 = np.array([2], np.int32)
TABLES = ArticleTables(
    item_vectors=np.array([[1, 0], [0, 1], [0.6, 0.8], [NAN, NAN]], np.float32),
    article_vectors=np.array([[1, 0, 0], [NAN] * 3, [0, 1, 0], [0, 1, 0]], np.float32),
    category=np.array([0, 0, 1, -1], np.int16),
    published=np.array([-1, -1, START, -1], np.int64),
)


def words_cosine(means: Any, *read: int) -> list[float]:
    """The column of the candidates 2, 3 and 1 for a reader of some articles."""
    reader = ReaderState()
    for row in read:
        reader.observe(CLICK, row, START)
    rows = np.array([2, 3, 1], np.int32)
    matrix = feature_matrix(
        replace(TABLES, idf_vectors=None if means is None else quantised(means)),
        reader,
        rows,
        START + HOUR_MS,
        Trends(4, TRENDS),
        READERS,
    )
    return [float(value) for value in matrix[:, COLUMN["words_cosine"]]]


def test_the_means_of_words_have_a_cosine_of_their_own() -> None:
    """Clicks weigh 1/3 and 2/3, so the reader is (1, 2) / sqrt(5); an article without words is not known."""
    means = np.array([[1, 0], [0, 1], [0.6, 0.8], [NAN, NAN]], np.float32)
    assert words_cosine(means, 0, 1) == pytest.approx([2.2 / np.sqrt(5), 0, 2 / np.sqrt(5)], abs=3e-3)
    assert words_cosine(means, 3) == [0, 0, 0]  # nothing that was read has words
    assert words_cosine(None, 0, 1) == [0, 0, 0]  # nor is there such a table


def test_one_matrix_agrees_with_the_sum_done_by_hand() -> None:
    reader, trends = ReaderState(), Trends(4, TRENDS)
    for row in (0, 1):  # weights 1/3 and 2/3: the reader vector is (1, 2) / sqrt(5)
        reader.observe(CLICK, row, START)
    for _ in range(3):
        trends.observe(IMPRESSION, 2, START)
    trends.observe(CLICK, 2, START)
    now = START + HOUR_MS
    rows = np.array([2, 3], np.int32)
    known, unknown = feature_matrix(TABLES, reader, rows, now, trends, READERS)
    stream, hour, prior = (1 + 1) / (3 + 10), 0.5, PRIOR_IMPRESSIONS
    expected = {
        "item_cosine": (0.6 + 1.6) / np.sqrt(5),
        "item_max": 0.8,
        "item_known": 1,
        "content_cosine": 0,
        "content_max": 0,
        "content_known": 1,
        "category_share": 0,
        "category_known": 1,
        "clicks_short": np.log1p(hour),
        "clicks_total": np.log(2),
        "impressions_short": np.log1p(3 * hour),
        "impressions_total": np.log(4),
        "click_rate_total": (rate := (1 + prior * stream) / (3 + prior)) and np.log(rate / (1 - rate)),
        "clicks_quarter": np.log1p(0.5**4),
        "clicks_longest": np.log1p(0.5 ** (1 / 64)),
        "slope_short": np.log((0.5**4 / 0.25 + 1) / (0.5 + 1)),
        "slope_middle": np.log((0.5 + 1) / (0.5**0.25 / 4 + 1)),
        "since_click": np.log1p(3600),
        "age": np.log(2),
        "age_published": np.log(2),
        "age_known": 1,
        "age_shelf": np.log1p(4 / (2 ** (0.9 / 4) - 1)),  # all clicks came in the first of four bins of a doubling
        "history": np.log(3),
        "visit_clicks": 0,  # half an hour is over
        "item_visit": 0,
        "earlier_item": (0.6 + 1.6) / np.sqrt(5),
        "read_before": 0,
    }
    for name, value in expected.items():
        assert known[COLUMN[name]] == pytest.approx(value, abs=1e-5), name
    for name in ("item_cosine", "item_known", "category_known", "clicks_total", "age", "age_known"):
        assert unknown[COLUMN[name]] == 0, name
    assert unknown[COLUMN["content_known"]] == 1


def test_a_running_visit_is_told_from_what_was_clicked_before_it() -> None:
    reader, trends = ReaderState(), Trends(4, TRENDS)
    for row, at in ((0, START - 2 * HOUR_MS), (1, START), (2, START + 60_000)):
        reader.observe(CLICK, row, at)
    now = START + 5 * 60_000
    same, unknown = feature_matrix(TABLES, reader, np.array([0, 3], np.int32), now, trends, READERS)
    visit = np.array([0, 1]) / 2 + np.array([0.6, 0.8])  # each click weighs half of the next one
    expected = {
        "item_last": 0.6,
        "item_visit": visit[0] / np.linalg.norm(visit),
        "next_item_score": visit[0] / np.linalg.norm(visit),  # fixed vectors: what is alike is what follows
        "earlier_item": 1,
        "item_max": 1,
        "read_before": 1,
        "category_share": 2 / 3,
        "history": np.log(4),
        "visit_clicks": np.log(3),
        "pause": np.log1p(60),
    }
    for name, value in expected.items():
        assert same[COLUMN[name]] == pytest.approx(value, abs=1e-5), name
    for name in ("item_last", "item_visit", "next_item_score", "earlier_item", "item_max", "read_before"):
        assert unknown[COLUMN[name]] == 0, name


def test_tags_are_compared_with_those_of_the_last_clicks() -> None:
    tags = ArticleTags.empty(4, 3)
    tags.put(0, {7: 3.0, 8: 4.0})  # unit: 0.6, 0.8
    tags.put(1, {9: 2.0, 10: 0.0})
    tags.put(2, {8: 1.0, 7 + 2**32: 1.0})
    reader = ReaderState()
    for row in (0, 3, 1):  # row 3 has no tags, and its click takes no weight from others
        reader.observe(CLICK, row, START)
    clicked = {7: 0.6 / 2, 8: 0.8 / 2, 9: 1.0}  # each click weighs half of the next one
    norm = np.sqrt(sum(weight**2 for weight in clicked.values()))
    tables, trends = replace(TABLES, tags=tags), Trends(4, TRENDS)
    made = feature_matrix(tables, reader, np.arange(4, dtype=np.int32), START + 1, trends, READERS)
    expected = [(0.6 * 0.3 + 0.8 * 0.4) / norm, 1.0 / norm, 0.4 / np.sqrt(2) / norm, 0.0]
    np.testing.assert_allclose(made[:, COLUMN["tag_match"]], expected, rtol=1e-6)
    assert made[:, COLUMN["tag_known"]].tolist() == [1, 1, 1, 0]
    tags.put(0, {})
    for nothing in (
        feature_matrix(tables, ReaderState(), ROW_2, START, trends, READERS),
        feature_matrix(TABLES, reader, ROW_2, START, trends, READERS),
    ):
        assert not nothing[:, [COLUMN["tag_match"], COLUMN["tag_known"]]].any()


def test_an_article_says_at_most_so_many_tags_the_heaviest_first() -> None:
    tags = ArticleTags.empty(1, 2)
    tags.put(0, {5: 3.0, 6: 4.0, 7: 1.0})
    assert tags.ids.tolist() == [[5, 6]]
    np.testing.assert_allclose(tags.weights, [[0.6, 0.8]], rtol=1e-6)
    tags.put(0, {8: 2.0})
    assert (tags.ids.tolist(), tags.weights.tolist()) == ([[8, 0]], [[1.0, 0.0]])


def test_an_articles_age_is_counted_from_its_date_and_from_when_it_was_first_seen() -> None:
    trends, tables = Trends(4, TRENDS), replace(TABLES, published=np.full(4, START - 3 * HOUR_MS))
    trends.observe(IMPRESSION, 0, START)
    seen, never_seen = feature_matrix(
        tables, ReaderState(), np.array([0, 1], np.int32), START + HOUR_MS, trends, READERS
    )
    for row, age in ((seen, 1), (never_seen, 0)):  # hours; what nobody has seen yet is new to everyone
        assert row[COLUMN["age_known"]] == 1
        assert row[COLUMN["age_published"]] == pytest.approx(np.log1p(4), abs=1e-5)
        assert row[COLUMN["age"]] == pytest.approx(np.log1p(age), abs=1e-5)


def test_a_clock_behind_the_newest_event_stands_at_it() -> None:
    trends = Trends(4, TRENDS)
    for row in range(4):
        trends.observe(CLICK, row, START, visitor="v")
    reader = ReaderState()
    reader.observe(CLICK, 0, START)
    behind, there = (
        feature_matrix(TABLES, reader, np.arange(4, dtype=np.int32), now, trends, READERS)
        for now in (START - 60 * 24 * HOUR_MS, START)  # 5,760 halvings of the shortest memory
    )
    counted = [COLUMN[name] for group in ("popularity", "slope", "covisits", "next") for name in GROUPS[group]]
    assert np.isfinite(behind).all()
    np.testing.assert_array_equal(behind[:, counted], there[:, counted])


def test_nobody_nothing_and_the_first_second_of_a_site_are_finite() -> None:
    empty = ArticleTables(*(np.empty((0, 0), np.float32),) * 2, np.empty(0, np.int16), np.empty(0, np.int64))
    none = np.empty(0, np.int32)
    assert feature_matrix(empty, ReaderState(), none, START, Trends(0, TRENDS), READERS).shape == (0, len(NAMES))
    all_rows = np.arange(4, dtype=np.int32)
    assert np.isfinite(feature_matrix(TABLES, ReaderState(), all_rows, START, Trends(4, TRENDS), READERS)).all()
