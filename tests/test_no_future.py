"""Nothing from after an impression may describe it: its row does not change when the future is cut off."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recsys.ctr.config import CtrConfig
from recsys.ctr.training import evaluated_model
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.training_set import build_training_set, leaking_columns
from recsys.events import UNDATED, Events
from tests.clicks import click, log_of, shown, toy_log
from tests.cut_logs import READERS, TRENDS, found, honest, learning, lists_in, tables_of


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
