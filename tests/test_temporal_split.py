"""The fence of the temporal split: a click labels its list if it came before the next part, to the millisecond."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION, Impressions
from recsys.dataset.temporal_split import split_impressions
from recsys.events import Events
from recsys.features.config import FeaturesConfig
from tests.clicks import HOUR, START, click, log_of, shown

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
