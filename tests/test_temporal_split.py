"""Impressions of a log, their split in time, and the fence between its parts, to the millisecond."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION, Impressions, recorded_impressions
from recsys.dataset.temporal_split import NEGATIVES_PER_CLICK, split_impressions
from recsys.dataset.training_set import TrainingSet, build_training_set
from recsys.events import UNDATED, Events
from recsys.features import COLUMN, NAMES
from recsys.features.config import FeaturesConfig
from recsys.features.matrix import ArticleTables
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from tests.clicks import HOUR, MINUTE, START, click, log_of, shown, toy_log

LISTS = 10  # one an hour
CONFIG = FeaturesConfig(warmup_share=0.0, refits=1)


def log_with(*late: tuple[int, int]) -> Events:
    """Ten lists of two articles, an hour apart; ``late`` are (list, ms) at which its first article is clicked."""
    cards = [
        shown("r", article, START + number * HOUR, f"i{number}") for number in range(LISTS) for article in ("a", "b")
    ]
    return log_of([*cards, *(click("r", "a", time, impression=f"i{number}") for number, time in late)])


def split(events: Events) -> Impressions:
    rng = np.random.default_rng(1)
    return split_impressions(events, CONFIG, holdout=0.2, validation=0.2, session_gap_minutes=30, rng=rng)


def test_parts_begin_with_the_list_of_their_share() -> None:
    parts = split(log_with())
    assert parts.part.tolist() == [FIT] * 6 + [VALIDATION] * 2 + [HOLDOUT] * 2
    assert parts.fences[:2].tolist() == [START + 6 * HOUR, START + 8 * HOUR]


@pytest.mark.parametrize(("number", "fence"), [(0, 6), (5, 6), (6, 8), (7, 8)])
def test_a_click_labels_its_list_before_the_fence_of_its_part_and_not_at_it(number: int, fence: int) -> None:
    at = START + fence * HOUR
    assert split(log_with((number, at - 1))).label[2 * number] == 1
    assert split(log_with((number, at))).label[2 * number] == 0


def test_a_held_out_list_is_labelled_by_every_later_click() -> None:
    assert split(log_with((9, START + 1_000 * HOUR))).label[18] == 1


def test_the_fence_belongs_to_the_lists_part_and_not_to_the_time_of_the_click() -> None:
    parts = split(log_with((6, START + 7 * HOUR)))
    assert parts.label[12] == 1
    moved = replace(parts, part=np.zeros(LISTS, np.int8))  # had all lists been of the part to fit
    assert moved.label[12] == 0


def layout(events: Events, **changes: Any) -> Impressions:
    values: dict[str, Any] = {
        "holdout": 0.25,
        "validation": 0.25,
        "session_gap_minutes": 30,
        "rng": np.random.default_rng(1),
        "config": FeaturesConfig(warmup_share=0.0),
    }
    return split_impressions(events, **(values | changes))


def rows_of(events: Events, lists: Impressions) -> TrainingSet:
    """Training rows of four articles of which nothing is known."""
    nothing = np.full((4, 2), np.nan, np.float32)
    tables = ArticleTables(nothing, nothing, np.full(4, -1, np.int16), np.full(4, -1, np.int64))
    return build_training_set(events, lists, lambda *_: tables, TrendsConfig(), ReadersConfig())


def test_a_list_is_its_candidates_labelled_by_their_clicks() -> None:
    events = [shown("r", name, START, "i1") for name in ("b", "a", "b")]  # b is shown twice
    events += [click("r", "b", START + 7, impression="i1"), click("r", "b", START + 9, impression="i1")]
    events += [click("r", "z", START + 9, impression="i1"), click("r", "a", START + 9)]  # not in it; not by it
    lists = recorded_impressions(log_of(events))
    assert lists.offsets.tolist() == [0, 2]
    assert dict(zip(lists.article[lists.clicked].tolist(), lists.clicked_at.tolist(), strict=True)) == {1: START + 7}


def test_a_click_from_before_its_own_list_moves_the_list_back() -> None:
    lists = recorded_impressions(log_of([shown("r", "a", START + 50, "i"), click("r", "a", START, impression="i")]))
    assert lists.time.tolist() == [START]


def test_the_timeline_is_warm_up_fit_validation_and_holdout_in_time() -> None:
    lists = layout(toy_log(), config=FeaturesConfig(warmup_share=0.1, refits=3))
    assert np.bincount(lists.part).tolist() == [48, 30, 30]
    assert (np.diff(lists.part) >= 0).all()
    assert lists.refits[0] == lists.time[0]
    assert lists.refits[-1] == lists.time[lists.part == HOLDOUT][0]
    assert len(lists.refits) == 4


@pytest.mark.parametrize(
    ("days", "parts"),
    [
        ((40, 40, 40, 40, 40, 40, 40, 40, 40, 40), [240, 80, 80]),
        ((100, 100, 100), [100, 100, 100]),
        ((100, 300), [100, 0, 300]),  # too few days to stop the training by
        ((40, 40, 320), [40, 40, 320]),
        ((100,), [0, 0, 100]),
    ],
)
def test_where_times_are_whole_days_a_day_is_of_one_part(days: tuple[int, ...], parts: list[int]) -> None:
    events = []
    for day, size in enumerate(days):
        for n in range(size):
            time = START + day * 24 * HOUR
            events += [shown(f"r{n}", "a", time, f"{day}-{n}"), click(f"r{n}", "a", time, impression=f"{day}-{n}")]
    lists = layout(log_of(events), config=FeaturesConfig(warmup_share=0.0), holdout=0.2, validation=0.2)
    assert np.bincount(lists.part, minlength=3).tolist() == parts


def test_a_log_that_hardly_grows_learns_its_vectors_less_often() -> None:
    old = [click(f"r{n % 40}", f"a{n % 20:02}", START - HOUR - n) for n in range(2_000)]
    few = [event for n in range(100) for event in (shown("r", "a00", START + n, f"{n}"), click("r", "a01", START + n))]
    lists = layout(log_of([*old, *few]), config=FeaturesConfig(warmup_share=0.0, refits=8))
    known = [2_000 + int(moment - START) for moment in lists.refits.tolist()]  # one click a millisecond
    assert known[0] == 2_000
    assert 2 <= len(known) < 9  # 75 new clicks before the holdout: 1 % of 2,000 fits three times
    assert all(later > 1.01 * earlier for earlier, later in pairwise(known))


def test_a_click_that_comes_after_the_next_part_began_is_not_known_to_this_one() -> None:
    events = [
        event for n in range(8) for event in (shown("r", "a", START + n, f"{n}"), shown("r", "b", START + n, f"{n}"))
    ]
    late = click("r", "a", START + 6, impression="3")
    lists = layout(log_of([*events, click("r", "a", START + 3, impression="2"), late]), validation=0.25)
    rows = rows_of(log_of(events), lists)
    assert lists.part[3] == FIT
    assert rows.label[rows.impression == 2].tolist() == [1, 0]
    assert rows.label[rows.impression == 3].tolist() == [0, 0]


def test_lists_shown_at_one_moment_do_not_see_each_others_events() -> None:
    events = [shown("r", "a", START, "i1"), click("r", "a", START, impression="i1"), shown("s", "a", START, "i2")]
    events += [shown("r", "a", START + 1, "i3")]
    lists = recorded_impressions(log_of(events))
    lists = replace(lists, refits=np.array([0]))
    clicks = rows_of(log_of(events), lists).matrix[:, COLUMN["clicks_total"]]
    np.testing.assert_allclose(clicks, [0, 0, np.log(2)], rtol=1e-6)


def test_a_log_of_clicks_alone_gets_lists_of_what_others_clicked_just_before() -> None:
    rng = np.random.default_rng(5)
    events = [click(f"r{n % 9}", f"a{rng.integers(0, 30):02}", START + n * MINUTE) for n in range(300)]
    log = log_of(events)
    lists = layout(log, config=FeaturesConfig(warmup_share=0.0))
    clicked = np.zeros(len(lists.article), bool)
    clicked[lists.clicked] = True
    assert np.add.reduceat(clicked, lists.offsets[:-1]).tolist() == [1] * len(lists)
    assert (np.diff(lists.offsets) <= 1 + NEGATIVES_PER_CLICK).all()
    first_clicks = {row: int(log.time[log.article == row].min()) for row in np.unique(log.article).tolist()}
    shown_at = np.repeat(lists.time, np.diff(lists.offsets))
    drawn = zip(lists.article[~clicked].tolist(), shown_at[~clicked].tolist(), strict=True)
    assert all(first_clicks[row] < at for row, at in drawn)
    assert (lists.clicked_at > shown_at[clicked] - 1).all()


@pytest.mark.parametrize("events", [[], [click("r", "a", UNDATED)], [click("r", "a", START)]])
def test_a_log_that_shows_nothing_gives_no_rows(events: list[tuple[Any, ...]]) -> None:
    lists = layout(log_of(events))
    rows = rows_of(log_of(events), lists)
    assert rows.matrix.shape == (0, len(NAMES))
    assert len(rows.label) == len(lists) == 0
