"""Nothing from after an impression may describe it: planted leaks are caught, and the real builder has none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from jobs.ctr import holdout_scores
from recsys.ctr import CtrConfig
from recsys.events import UNDATED, Events
from recsys.features import COLUMN, FeaturesConfig, Tables
from recsys.features import training as timeline
from recsys.features.lists import HOLDOUT, Lists, lists_of
from recsys.features.training import TablesAt, build, leaks
from recsys.items import ItemsConfig
from recsys.items.training import item_vectors
from recsys.readers import ReadersConfig
from recsys.trends import Trends, TrendsConfig, counted
from tests.clicks import click, log_of, shown, toy_log

ITEMS = ItemsConfig(embedding_dim=4, epochs=2, min_count=1)
TRENDS, READERS = TrendsConfig(), ReadersConfig()


def tables_of(known: Events) -> Tables:
    """Tables as a log tells them, without any text."""
    A = len(known.article_ids)
    content = np.full((A, 2), np.nan, np.float32)
    vectors = item_vectors(known, content, ITEMS, seed=1).vectors
    return Tables(vectors, content, np.full(A, -1, np.int16), np.full(A, -1, np.int64))


def honest(events: Events, time: int) -> Tables:
    return tables_of(events.before(time))


def lists_in(events: Events) -> Lists:
    rng = np.random.default_rng(1)
    config = FeaturesConfig(warmup=0.1, refits=3)
    return lists_of(events, config, holdout=0.2, validation=0.2, session_gap_minutes=30, rng=rng)


def found(tables_at: TablesAt, moments: int = 6) -> set[str]:
    """Columns in which the check finds a leak, at several lists' own times."""
    events = toy_log()
    lists = lists_in(events)
    made = build(events, lists, tables_at, TRENDS, READERS)
    times = lists.time[np.linspace(1, len(lists) - 2, moments).astype(int)].tolist()
    return {name for time in times for name in leaks(events, lists, tables_at, TRENDS, READERS, made, time)}


@pytest.mark.parametrize("many", [0, 30, 1_000])  # events from which on they are counted at once
def test_the_real_builder_knows_nothing_of_the_future(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(timeline, "MANY", many)
    assert found(honest) == set()


def test_the_scores_of_the_holdout_do_not_depend_on_what_was_clicked_in_it() -> None:
    """The job's order: fit on what is not held out, score what is."""
    events = toy_log()
    rows = build(events, lists_in(events), honest, TRENDS, READERS)
    other = replace(rows, label=np.where(rows.part == HOLDOUT, 1 - rows.label, rows.label).astype(np.int8))
    config = CtrConfig(epochs=3, hidden=(8,), batch_size=32, device="cpu")
    first, second = (holdout_scores(one, config, seed=1)[0] for one in (rows, other))
    np.testing.assert_array_equal(first, second)


def test_item_vectors_of_all_clicks_are_caught() -> None:
    assert {"item_cosine", "item_max"} <= found(lambda events, time: tables_of(events))


def test_popularity_of_the_whole_log_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Foreseeing(timeline._Walk):
        def __init__(self, events: Events, *rest: object) -> None:
            super().__init__(events, *rest)  # type: ignore[arg-type]
            self.trends = counted(events, TRENDS)

        def advance(self, now: int) -> None:
            trends, self.trends = self.trends, Trends(len(self.trends), TRENDS)
            super().advance(now)
            self.trends = trends

    monkeypatch.setattr(timeline, "_Walk", Foreseeing)
    assert {"clicks_total", "click_rate_total", "impressions_total"} <= found(honest)


def test_an_impressions_own_click_applied_before_it_is_scored_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    before: Callable[[timeline._Walk, int], None] = timeline._Walk.advance
    monkeypatch.setattr(timeline._Walk, "advance", lambda walk, now: before(walk, now + 1))
    columns = found(honest, moments=40)
    assert "clicks_total" in columns
    assert "history" in columns


def test_a_leak_of_one_click_would_be_worth_a_perfect_score() -> None:
    """What the check protects from: the own click in the counts tells the label."""
    events = toy_log()
    lists = lists_in(events)
    honest_rows = build(events, lists, honest, TRENDS, READERS)
    column = honest_rows.matrix[:, COLUMN["clicks_total"]]
    own = lists.clicked_at == np.repeat(lists.time, np.diff(lists.offsets))
    assert own.any()
    assert abs(np.corrcoef(column, own)[0, 1]) < 0.3


@pytest.mark.shared_data
def test_the_mind_sample_is_described_by_its_past_alone(shared_data: Path) -> None:
    events = mind_events(shared_data / "mind_sample" / "behaviors.tsv", lists=120)
    lists = lists_in(events)
    made = build(events, lists, honest, TRENDS, READERS)
    for time in lists.time[[50, len(lists) - 1]].tolist():
        assert leaks(events, lists, honest, TRENDS, READERS, made, time) == []


def mind_events(file: Path, lists: int) -> Events:
    """The first lists of a file in MIND's format, as events."""
    events, met = [], set()
    for line in file.read_text(encoding="utf-8").splitlines()[:lists]:
        number, reader, when, history, candidates = line.split("\t")
        moment = datetime.strptime(when, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
        time = int(moment.timestamp() * 1000)
        if reader not in met:
            events += [click(reader, article, UNDATED) for article in history.split()]
        met.add(reader)
        marked = [candidate.rsplit("-", 1) for candidate in candidates.split()]
        events += [shown(reader, article, time, number) for article, _ in marked]
        events += [click(reader, article, time, impression=number) for article, mark in marked if mark == "1"]
    return log_of(events)
