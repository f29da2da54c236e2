"""Honest lists from a log: the next click beside what the reader has not clicked, by the vectors of its moment."""

from typing import Any

import numpy as np

from recsys.events import UNDATED, Events
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers.encoders import TrainingLists, minutes_of
from recsys.readers.shown import shown
from recsys.readers.walks import walk, walkable
from tests.clicks import MINUTE, START, camps, click, log_of

ITEMS = ItemsConfig(embedding_dim=6)


def made_of(events: Events, **more: Any) -> TrainingLists:
    log = walkable(events, 30)
    items = empty_online(len(events.article_ids), ITEMS, seed=1)
    options: dict[str, Any] = {"last": 4, "negatives": 6, "most": 1000, "rng": np.random.default_rng(1)}
    return shown(items, log, 0, len(log.row), **(options | more))


def test_visits_are_sessions_and_without_one_ended_by_a_pause() -> None:
    events = log_of(
        [
            click("r", "a", 0, session="s"),
            click("r", "b", 50 * MINUTE, session="s"),
            click("r", "c", 51 * MINUTE, session="t"),
            click("q", "a", 10 * MINUTE),
            click("q", "b", 20 * MINUTE),
            click("q", "c", 60 * MINUTE),
            click(None, "a", 5, session="u"),
            click(None, "b", 6, session="u"),
            click(None, "a", 7),
            click(None, "b", 8),
        ]
    )
    log = walkable(events, 30)
    visits = {tuple(log.by_row[begin:end].tolist()) for begin, end in zip(log.visit, log.end, strict=True)}
    sizes = sorted((log.end - log.visit).tolist())
    assert sizes == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert visits == {(0, 1), (2,), (0,), (1,)}
    assert log.by_row[log.place].tolist() == log.row.tolist()
    assert (log.reader <= log.visit).all()


def test_a_list_is_described_by_the_vectors_of_its_moment() -> None:
    events = camps()
    log = walkable(events, 30)
    made = made_of(events)
    follow = np.flatnonzero(log.place + 1 < log.end[log.place])
    assert len(made) > 300
    items = empty_online(len(events.article_ids), ITEMS, seed=1)
    after = int(follow[-1])  # the last list is shown after this click
    walk(items, log, 0, after + 1)
    place = log.place[after]
    newest, target = log.by_row[place], log.by_row[place + 1]
    np.testing.assert_array_equal(made.clicks[-1], items.vectors[newest])
    np.testing.assert_array_equal(made.candidates[-1, 0], items.vectors[target])
    walk(items, log, after + 1, after + 2)
    assert (made.candidates[-1, 0] != items.vectors[target]).any()  # the click itself would have moved it


def test_the_future_of_a_log_changes_no_list_before_it() -> None:
    events = camps()
    half = START + 80 * 10 * MINUTE
    early, whole = made_of(events.before(half)), made_of(events)
    n = len(early)
    assert 0 < n < len(whole)
    np.testing.assert_array_equal(early.clicks, whole.clicks[: early.offsets[-1]])
    np.testing.assert_array_equal(early.candidates[:, 0], whole.candidates[:n, 0])


def test_a_list_holds_the_next_click_and_others_that_the_reader_has_not_clicked() -> None:
    made = made_of(camps(), last=4)
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
    sizes = np.diff(made_of(log_of(crowd + one_reader), last=10).offsets)
    assert sizes[41::2].max() <= 4
    assert sizes[40::2].max() == 10


def test_a_list_is_not_made_for_undated_clicks_or_the_same_article_again() -> None:
    undated = [click("r", f"a{row}", UNDATED) for row in range(5)]
    assert len(made_of(log_of(undated))) == 0
    again = [click("r", "a0", START + step * MINUTE, session="s") for step in range(5)]
    assert len(made_of(log_of(again))) == 0
    assert len(made_of(log_of([]))) == 0


def test_of_many_lists_a_random_part_is_kept_in_time_order() -> None:
    made = made_of(camps(), most=50)
    assert 30 < len(made) <= 50
    assert made.offsets[-1] == len(made.clicks) == len(made.minutes)


def test_minutes_are_counted_from_the_first_dated_click() -> None:
    times = np.array([UNDATED, START, START + 90_000], np.int64)
    assert minutes_of(times).tolist() == [0.0, 0.0, 1.5]
    assert minutes_of(np.array([UNDATED, UNDATED], np.int64)).tolist() == [0.0, 0.0]
    assert minutes_of(np.empty(0, np.int64)).tolist() == []
