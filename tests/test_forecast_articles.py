"""Forecasts of an article's first day: the trees, the columns, and that nothing later is read."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DegenerateInput
from recsys.events import KINDS, Events
from recsys.forecast.article_columns import ArticleClicks, article_clicks, columns_of
from recsys.forecast.articles import backtest_articles, fit_articles, judged_articles, log_r2, site_traffic
from recsys.forecast.naive import LastValue
from recsys.forecast.series import click_series
from recsys.forecast.trees import fit_trees
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.test_forecast import MONDAY

WINDOW = HOUR_MS


def log_of(rows: list[tuple[int, int, int]], contexts: list[str] | None = None) -> Events:
    """Clicks of (minute, article, reader), each a session of its reader."""
    rows = sorted(rows)
    minute, article, reader = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Events(
        time=MONDAY + minute * MINUTE_MS,
        kind=np.full(n, KINDS.index("click"), np.int8),
        article=article.astype(np.int32),
        reader=reader.astype(np.int32),
        session=reader.astype(np.int32),
        impression=np.full(n, -1, np.int32),
        position=np.full(n, -1, np.int16),
        article_ids=[str(one) for one in range(int(article.max()) + 1)],
        reader_ids=[str(one) for one in range(int(reader.max()) + 1)],
        through=n,
        context=np.arange(n, dtype=np.int32) % 2 if contexts else np.empty(0, np.int32),
        contexts=contexts or [],
    )


def newsroom(articles: int = 400) -> Events:
    """Two kinds of articles begin alike; those of readers below 50 become ten times as big."""
    rng, rows = np.random.default_rng(4), []
    for article in range(articles):
        begin, big = article * 20, rng.random() < 0.5
        size = int(rng.integers(12, 24)) * (10 if big else 1)
        minutes = np.append(np.arange(4) * 10, rng.integers(60, 1440, size=size))
        readers = rng.integers(50, size=len(minutes)) + (0 if big else 50)
        rows += [(begin + int(minute), article, int(reader)) for minute, reader in zip(minutes, readers, strict=True)]
    return log_of(rows)


def columns(clicks: ArticleClicks, rows: np.ndarray) -> np.ndarray:
    return columns_of(clicks, rows, WINDOW, np.zeros((len(rows), 2)))


def test_trees_learn_what_a_line_cannot() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(1500, 6))
    target = np.where(table[:, 0] * table[:, 1] > 0, 1.0, -1.0)
    said = fit_trees(table[:1000], target[:1000], np.random.default_rng(1)).predict(table[1000:])
    assert np.corrcoef(said, target[1000:])[0, 1] > 0.9
    again = fit_trees(table[:1000], target[:1000], np.random.default_rng(1)).predict(table[1000:])
    np.testing.assert_array_equal(said, again)


def test_trees_of_one_value_say_it_and_refuse_what_is_no_number() -> None:
    table = np.ones((40, 3))
    table[0, 0] = np.nan
    assert fit_trees(table, np.full(40, 2.0), np.random.default_rng(1)).predict(table).tolist() == [2.0] * 40
    for target in (np.array([]), np.array([np.inf])):
        with pytest.raises(DegenerateInput, match="finite targets"):
            fit_trees(np.ones((len(target), 3)), target, np.random.default_rng(1))


def test_what_is_known_of_each_click_by_hand() -> None:
    clicks = article_clicks(log_of([(0, 0, 0), (5, 1, 0), (6, 0, 1), (5000, 0, 0)]))
    assert clicks.first.tolist() == [MONDAY, MONDAY + 5 * MINUTE_MS]
    assert clicks.total.tolist() == [2, 1]  # the last one came after a day
    assert clicks.before.tolist() == [0, 0, 1, 2]
    assert clicks.place.tolist() == [0, 1, 0, 2]
    assert clicks.previous.tolist() == [-1, 0, -1, 1]


def test_columns_read_nothing_after_the_window() -> None:
    events = newsroom(120)
    contexts = [json.dumps({"device": 1}), json.dumps({"device": 2})]
    events = replace(events, context=np.arange(len(events), dtype=np.int32) % 2, contexts=contexts)
    whole = article_clicks(events)
    rows = judged_articles(whole, MONDAY, MONDAY + 3 * DAY_MS)
    row = rows[-1:]
    cut = article_clicks(events.before(int(whole.first[row[0]]) + WINDOW))
    np.testing.assert_array_equal(columns(cut, row), columns(whole, row))
    assert not np.array_equal(columns(whole, rows[:1]), columns(whole, row))


def test_a_section_tells_what_its_articles_had_and_only_those_whose_day_has_ended() -> None:
    events = newsroom(200)
    section = np.where(article_clicks(events).total > 60, 1, 0)
    clicks = article_clicks(events, section)
    rows = judged_articles(clicks, MONDAY, MONDAY + 4 * DAY_MS)
    own = columns(clicks, rows)[:, -1]
    late = clicks.first[rows] > MONDAY + 2 * DAY_MS
    assert (own[late & (section[rows] == 1)].min()) > own[late & (section[rows] == 0)].max() + 1
    assert (own[clicks.first[rows] < MONDAY + 23 * HOUR_MS] == 0).all()


def test_readers_of_the_first_hour_tell_what_counts_do_not() -> None:
    clicks = article_clicks(newsroom())
    begin = MONDAY + 4 * DAY_MS
    rows = judged_articles(clicks, MONDAY, clicks.end)
    told = backtest_articles(clicks, columns(clicks, rows), rows, begin, WINDOW, seed=1)
    later = clicks.first[rows] >= begin
    assert np.isnan(told[~later]).all()
    assert log_r2(told[later], clicks.total[rows][later]) > 0.5
    few = judged_articles(clicks, MONDAY, MONDAY + 2 * DAY_MS)[:40]
    with pytest.raises(DegenerateInput, match="50 articles"):
        fit_articles(np.zeros((len(few), 2)), clicks.total[few], WINDOW, np.random.default_rng(1))


def test_log_r2_by_hand() -> None:
    came = np.array([1, 10, 100])
    assert log_r2(came.astype(float), came) == 1.0
    assert log_r2(np.full(3, 10.0), came) == pytest.approx(0.0)
    assert np.isnan(log_r2(np.ones(2), np.array([3, 3])))


def test_the_sites_traffic_at_a_moment_by_hand() -> None:
    series = click_series(MONDAY + np.arange(0, 3 * HOUR_MS, 10 * MINUTE_MS))  # six clicks an hour
    told = site_traffic(LastValue(), series, np.array([MONDAY + 2 * HOUR_MS + 5]), 4)
    assert np.exp(told[0]).tolist() == pytest.approx([7.0, 25.0])
