"""Nothing from after an impression may describe it: its row does not change when the future is cut off, and planted
leaks are caught."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.ctr.config import CtrConfig
from recsys.ctr.training import evaluated_model
from recsys.dataset import training_set
from recsys.dataset.impressions import HOLDOUT, Impressions
from recsys.dataset.replay import NO_IMPRESSIONS, LogReplay
from recsys.dataset.training_set import build_training_set, leaking_columns
from recsys.events import UNDATED, Events
from recsys.features import COLUMN, GROUPS
from recsys.features.matrix import ArticleTables
from recsys.trends.state import TrendState
from tests.clicks import click, log_of, shown, toy_log
from tests.cut_logs import READERS, TRENDS, facts, found, honest, learning, lists_in, tables_of, visits_log


def test_the_real_builder_knows_nothing_of_the_future() -> None:
    assert found(honest) == set()


def test_item_vectors_that_learn_on_know_nothing_of_the_future() -> None:
    assert found(learning) == set()


def test_the_scores_of_the_holdout_do_not_depend_on_what_was_clicked_in_it() -> None:
    """The job's order: fit on what is not held out, score what is."""
    events = toy_log()
    rows = build_training_set(events, lists_in(events), honest, TRENDS, READERS)
    other = replace(rows, label=np.where(rows.part == HOLDOUT, 1 - rows.label, rows.label).astype(np.int8))
    config = CtrConfig(epochs=3, hidden_units=(8,), batch_size=32, device="cpu")
    first, second = (evaluated_model(one.chunks(), config, seed=1).scores for one in (rows, other))
    np.testing.assert_array_equal(first, second)


def test_item_vectors_of_all_clicks_are_caught() -> None:
    assert {"item_cosine", "item_max"} <= found(lambda events, time: tables_of(events))


@pytest.mark.shared_data
def test_the_mind_sample_is_described_by_its_past_alone(shared_data: Path) -> None:
    events = mind_events(shared_data / "mind_sample" / "behaviors.tsv", lists=120)
    lists = lists_in(events)
    made = build_training_set(events, lists, honest, TRENDS, READERS)
    for time in lists.time[[50, len(lists) - 1]].tolist():
        assert leaking_columns(events, lists, honest, TRENDS, READERS, made, time) == []


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


POPULARITY = {name for group in ("popularity", "slope", "impressions") for name in GROUPS[group]}
COMPANY = {name for group in ("covisits", "visit", "next", "second", "earlier") for name in GROUPS[group]} - {
    "earlier_item",  # a vector
    "read_before",  # the reader's own
}
READER = set(GROUPS["reader"]) | {"read_before"}


class Foreseeing(LogReplay):
    """Stands on what the whole log said."""

    takes: tuple[str, ...] = ()

    def __init__(self, events: Events, lists: Impressions, *settings: Any, **more: Any) -> None:
        super().__init__(events, lists, *settings, **more)
        whole = LogReplay(events, NO_IMPRESSIONS, *settings, **more)
        whole.trends.describe_articles(*facts(len(events.article_ids)))
        whole.apply_until(int(events.time[-1]) + 1)
        state: TrendState = whole.trends.state
        self.trends.state = self.trends.state._replace(**{name: getattr(state, name) for name in self.takes})


class SeesPopularity(Foreseeing):
    """Popularity of the whole log."""

    takes = ("decayed", "row_landmark", "all_decayed", "total", "all_total", "last")


class SeesCompany(Foreseeing):
    """Co-visits of the whole log."""

    takes = ("slot_of", "article_of", "room", "neighbour", "pairs", "slot_landmark")


class SeesLifts(Foreseeing):
    """What was clicked in which context in the whole log."""

    takes = ("lifts", "slot_landmark", "all_lifts")


class SeesAudiences(Foreseeing):
    """Who clicked what in the whole log."""

    takes = ("slot_of", "article_of", "room", "audience", "audience_clicks", "all_audience")


class SeesOwnClick(LogReplay):
    """Describes each list two seconds after it was shown, when its own clicks have come."""

    def __init__(self, events: Events, lists: Impressions, *settings: Any, **more: Any) -> None:
        late = replace(lists, time=lists.time + 2_000)
        super().__init__(events, late, *settings, **more)


def caught(monkeypatch: pytest.MonkeyPatch, walk: type[LogReplay], moments: int = 6) -> set[str]:
    monkeypatch.setattr(training_set, "LogReplay", walk)
    return found(honest, moments)


def test_the_right_walk_passes() -> None:
    assert found(honest, 20) == set()


def test_popularity_of_the_future_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = caught(monkeypatch, SeesPopularity)
    assert columns >= POPULARITY
    assert not columns & (READER | set(GROUPS["items"]))  # the check names what leaked, not everything


def test_company_of_the_future_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = caught(monkeypatch, SeesCompany)
    assert columns >= COMPANY
    assert not columns & (READER | POPULARITY | set(GROUPS["items"]))


def test_audiences_of_the_future_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)

    def of_texts(events: Events, time: int) -> ArticleTables:
        return replace(honest(events, time), article_vectors=vectors)

    assert found(of_texts, 20) == set()
    monkeypatch.setattr(training_set, "LogReplay", SeesAudiences)
    columns = found(of_texts)
    assert "audience" in columns
    assert not columns & (READER | POPULARITY | set(GROUPS["items"]))


def test_contexts_of_future_clicks_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = caught(monkeypatch, SeesLifts, moments=20)
    assert columns == {"lift_region", "lift_hour", "lift_before"}


def test_a_lists_own_click_applied_before_it_is_described_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = caught(monkeypatch, SeesOwnClick, moments=40)
    assert columns >= {"clicks_quarter", "clicks_total", "since_click", "history", "read_before", "visit_clicks"}


def test_item_vectors_that_were_taught_the_future_are_caught() -> None:
    def taught(events: Events, time: int) -> ArticleTables:
        return learning(events, int(events.time[-1]) + 1)

    assert found(taught) >= {"item_cosine", "item_max", "next_item_score"}


def test_a_leak_of_one_click_would_be_worth_a_perfect_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the check protects from: with the own click counted, the time since the last click tells the label."""
    events = visits_log()
    lists = lists_in(events)
    own = np.zeros(len(lists.article), bool)
    number = np.searchsorted(lists.offsets, lists.clicked, side="right") - 1
    own[lists.clicked[lists.clicked_at < lists.time[number] + 2_000]] = True
    column = COLUMN["since_click"]

    def worth() -> float:
        rows = build_training_set(events, lists, honest, TRENDS, READERS).matrix[:, column]
        return abs(float(np.corrcoef(rows, own)[0, 1]))

    assert own.any()
    assert worth() < 0.3
    monkeypatch.setattr(training_set, "LogReplay", SeesOwnClick)
    assert worth() > 0.7
