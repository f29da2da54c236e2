"""The held-out lists are scored at a pace that was chosen before them."""

from dataclasses import replace

import numpy as np

from recsys.baselines import Baseline, Popularity, SessionKnn
from recsys.baselines.held_out import held_out_scores
from recsys.dataset.impressions import Impressions
from recsys.events import Events
from tests.baseline_logs import random_lists, random_log, scored


def held_out_lists(seed: int) -> tuple[Events, Impressions]:
    """A log with a validation and a held-out part, in which the newest click of everybody is clicked next."""
    events = random_log(seed, clicks=400, hours=24.0)
    lists = random_lists(events, seed, n=90)
    lists.part[:] = np.repeat([0, 1, 2], 30)
    newest = np.empty(90, np.int64)
    for i in range(90):
        before = events.article[: np.searchsorted(events.time, lists.time[i])].tolist()
        rows = lists.article[lists.offsets[i] : lists.offsets[i + 1]].tolist()
        newest[i] = rows.index(next(row for row in reversed(before) if row in rows))
    return events, replace(lists, clicked=lists.offsets[:-1] + newest, clicked_at=lists.time)


def test_the_held_out_lists_are_scored_at_the_pace_that_ranked_the_lists_before_them_best() -> None:
    events, lists = held_out_lists(8)
    found = held_out_scores(events, lists, gap_minutes=30, seed=1)
    assert set(found) == {"popularity", "rules", "item_knn", "v_sknn"}
    assert found["popularity"].model == Popularity()  # who forgets quickly knows the newest click
    assert found["v_sknn"].model == SessionKnn()
    for name, one in found.items():
        assert one.model.name == name
        assert np.array_equal(one.scores, scored(one.model, events, lists.cut(30, 90))[30 * 7 :])


def test_a_pace_is_not_chosen_on_the_lists_that_judge() -> None:
    events, lists = held_out_lists(9)

    def chosen_models(lists: Impressions) -> dict[str, Baseline]:
        return {name: one.model for name, one in held_out_scores(events, lists, gap_minutes=30, seed=1).items()}

    chosen = chosen_models(lists)
    clicked = lists.clicked.copy()
    clicked[60:] += np.where(clicked[60:] % 7 < 4, 3, -4)
    assert chosen_models(replace(lists, clicked=clicked)) == chosen
    most = np.flatnonzero(lists.article == 0)  # now the most clicked one is, where the lists hold it
    clicked = np.concatenate([clicked[:30], most[(most >= 30 * 7) & (most < 60 * 7)], clicked[60:]])
    assert chosen["popularity"] == Popularity()
    assert (
        chosen_models(replace(lists, clicked=clicked, clicked_at=np.zeros(len(clicked), np.int64)))["popularity"]
        != Popularity()
    )


def test_without_held_out_lists_there_are_no_scores() -> None:
    events, lists = held_out_lists(8)
    lists.part[:] = 0
    found = held_out_scores(events, lists, gap_minutes=30, seed=1)
    assert all(one.scores.shape == (0,) and one.scores.dtype == np.float32 for one in found.values())
