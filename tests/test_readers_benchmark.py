"""The readers' benchmark: honest lists, and figures that a hand can check."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.readers import OTHERS, ItemReplay, figures, g1, lists, main, simulated
from recsys.events.visits import visit_ends
from recsys.units import HOUR_MS

START = 1_506_826_800_000
ARTICLES = 120


def write_clicks(file: Path, visits: int = 900, hours: float = 12.0) -> None:
    """A log in G1's format: visits of two to five clicks among the articles of one of two camps."""
    rng = np.random.default_rng(3)
    columns: dict[str, list[int]] = {
        name: [] for name in ("user_id", "session_id", "click_article_id", "click_timestamp")
    }
    for number in range(visits):
        rows = 2 * rng.permutation(ARTICLES // 2)[: int(rng.integers(2, 6))] + number % 2
        began = START + int(number / visits * hours * HOUR_MS)
        for step, row in enumerate(rows.tolist()):
            values = (number % 150, number, 1000 + row, began + step * 40_000)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    shuffled = rng.permutation(len(columns["user_id"]))
    pq.write_table(pa.table({name: np.array(column)[shuffled] for name, column in columns.items()}), file)


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    file = tmp_path / "clicks.parquet"
    write_clicks(file)
    return file


def test_a_list_is_the_next_click_and_fifty_others_of_the_hour_before(clicks: Path) -> None:
    log = g1(clicks, 1.0, 1)
    replay, rng = ItemReplay(log, 1), np.random.default_rng(1)
    table, ends = replay.arrays.clicks, visit_ends(replay.arrays.clicks)
    judged = list(lists(replay, START + 4 * HOUR_MS, START + 6 * HOUR_MS, 1.0, rng))
    assert len(judged) > 100
    for row, candidates in judged[::20]:
        rows = candidates.tolist()
        assert len(set(rows)) == len(rows) == OTHERS + 1
        assert rows[-1] == table.article[row + 1]
        assert set(rows[:-1]).isdisjoint(table.article[table.visit_start[row] : ends[row]].tolist())
        now = table.time[row]
        recent = log.events.article[(log.events.time > now - HOUR_MS) & (log.events.time <= now)]
        assert set(rows[:-1]) <= set(recent.tolist())


def test_the_log_is_in_time_order_and_a_sample_keeps_whole_readers(clicks: Path) -> None:
    log, half = g1(clicks, 1.0, 1), g1(clicks, 0.5, 1)
    assert (np.diff(log.events.time) >= 0).all()
    kept = np.unique(half.events.reader)
    assert 50 < len(kept) < 100
    assert len(half.events) == np.isin(log.events.reader, kept).sum()


def test_item_vectors_know_nothing_of_what_comes(clicks: Path) -> None:
    log = g1(clicks, 1.0, 1)
    now = START + 5 * HOUR_MS
    whole = ItemReplay(log, 1)
    whole.apply_until(now)
    cut = ItemReplay(log._replace(events=log.events.before(now)), 1)
    cut.apply_until(now + 3 * HOUR_MS)
    np.testing.assert_array_equal(whole.items.vectors, cut.items.vectors)


def test_figures_are_what_the_hand_computes() -> None:
    ranks = np.zeros((4, 2, 2))
    ranks[:, 0, 0], ranks[:, 1, 0] = [0, 1, 9, 10], [0, 0, 0, 50]
    table = figures(ranks, ["mean", "other"], np.random.default_rng(1))
    assert (table["mean, visit"]["hr@10"], table["mean, visit"]["mrr@10"]) == (0.75, 0.4)
    assert (table["other, visit"]["hr@10"], table["other, visit"]["mrr@10"]) == (0.75, 0.75)
    assert table["other, visit"]["over_mean"][0] == pytest.approx(0.35)
    assert table["mean, visit"]["over_mean"] == [0.0, 0.0, 0.0]
    assert table["mean, reader"]["mrr@10"] == 1.0


def test_simulated_readers_are_a_log_of_their_clicks_alone() -> None:
    log = simulated(30, 2, 1)
    assert len(log.events) > 60
    assert (np.diff(log.events.time) >= 0).all()
    assert log.events.reader.max() < 30
    assert len(log.language) == len(log.events.article_ids)


def test_every_encoder_is_trained_and_judged(
    clicks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = ("--from-hour", "8", "--to-hour", "12", "--train-hours", "7")
    monkeypatch.setattr(sys, "argv", ["readers", "--clicks", str(clicks), *times, "--share", "0.5"])
    main()
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    names = {
        f"{name}, {reads}"
        for name in ("last click", "short mean", "mean", "interests", "gru")
        for reads in ("visit", "reader")
    }
    assert set(outcome["encoders"]) == names
    assert outcome["lists"] > 100
    chance = 10 / 51
    assert all(values["hr@10"] > 1.3 * chance for values in outcome["encoders"].values())  # camps halve the field
