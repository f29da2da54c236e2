"""Tags that a reader weakened or removed: which clicks still speak for them, small enough to count by hand."""

from typing import Any

import numpy as np
import pytest

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.readers import CLICK, IMPRESSION, ReaderState
from recsys.recommend.chosen import as_chosen
from recsys.store import TagChoice

SUBJECTS = {"a": ("sport", "goal"), "b": ("sport", "goal keeper"), "c": ("money", "bond"), "d": ("money", "goal")}


@pytest.fixture
def catalogue() -> Catalogue:
    made = Catalogue((), 8, "Paper")
    for id, (category, words) in SUBJECTS.items():
        facts: dict[str, Any] = {"category": category, "bar": ((category, 1.0),), "given": True}
        made.put(id, CatalogueArticle(id, **facts, keywords=(words,), weights=(1.0,), parts=(words,)))
    return made


def reader(catalogue: Catalogue, clicks: str, shown: str = "") -> ReaderState:
    state = ReaderState()
    for time, name in enumerate(shown):
        state.observe(IMPRESSION, catalogue.row_of[name], 1 + time, position=0)
    for time, name in enumerate(clicks):
        state.observe(CLICK, catalogue.row_of[name], 1_000_000 * (1 + time), '{"k":1}')
    return state


def left(catalogue: Catalogue, state: ReaderState, **weights: float) -> str:
    chosen = {tag.replace("_", " "): TagChoice(tag, weight) for tag, weight in weights.items()}
    made = as_chosen(state, catalogue, chosen)
    assert len(made.times) == len(made.clicks)
    return "".join(catalogue.ids[row] for row in made.clicks.tolist())


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        ({}, "abcdabcd"),
        ({"sport": 0.0}, "cdcd"),
        ({"goal": 0.0}, "bcbc"),  # the whole tag, not one that holds it
        ({"goal_keeper": 0.0}, "acdacd"),
        ({"sport": 0.0, "money": 0.0}, ""),
        ({"sport": 0.5}, "acdacd"),  # of b, a, b, a from the newest: every second one
        ({"sport": 0.25}, "bcdcd"),
        ({"sport": 0.75}, "abcdbcd"),
        ({"sport": 0.5, "goal": 0.0}, "bcc"),  # a and d go by goal; of b, b from the newest the second
        ({"nobody_shows_it": 0.0}, "abcdabcd"),
    ],
)
def test_clicks_count_as_the_weight_of_their_lightest_tag_says(
    catalogue: Catalogue, weights: dict[str, float], kept: str
) -> None:
    assert left(catalogue, reader(catalogue, "abcdabcd"), **weights) == kept


def test_what_was_seen_stays_seen_and_the_window_loses_what_no_longer_counts(catalogue: Catalogue) -> None:
    state = reader(catalogue, "ac", shown="abc")
    made = as_chosen(state, catalogue, {"sport": TagChoice("sport", 0.0)})
    assert made.seen.tolist() == state.seen.tolist()
    assert {catalogue.ids[row] for row in made.impressions.rows.tolist()} == {"c"}
    assert len(made.impressions.times) == len(made.impressions.positions) == len(made.impressions.rows) == 2
    assert state.impressions.rows.tolist() == [0, 1, 2, 0, 2], "the one that is remembered stays as it is"
    assert np.array_equal(state.clicks, [0, 2])


def test_the_context_of_a_last_click_that_no_longer_counts_is_none_either(catalogue: Catalogue) -> None:
    money = {"money": TagChoice("money", 0.0)}
    assert as_chosen(reader(catalogue, "ac"), catalogue, money).context is None
    assert as_chosen(reader(catalogue, "ca"), catalogue, money).context == '{"k":1}'
