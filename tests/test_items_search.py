"""The search ranks what was clicked next by what was known then, and tells what a setting is worth."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from recsys.dataset.item_search import (
    LEARNED_SHARE,
    OTHERS,
    NextClickTargets,
    changes,
    next_click_ranks,
    next_click_targets,
    search,
)
from recsys.errors import DegenerateInput
from recsys.events import UNDATED, Events
from recsys.events.people import CLICK
from recsys.items.config import ItemsConfig
from recsys.items.next_item import next_item_score, session_vectors
from recsys.items.online import learn_click
from recsys.items.training import item_vectors, with_articles
from tests.clicks import HOUR, click, log_of

A = 80
NAMES = [f"a{row:02}" for row in range(A)]
CONFIG = ItemsConfig(embedding_dim=8, epochs=3)
TEXTLESS = np.full((A, 2), np.nan, np.float32)


def camps(readers: int = 240) -> Events:
    """Readers of one of four camps, in overlapping visits, six clicks each; the last three come a day later."""
    rng = np.random.default_rng(1)
    clicks = []
    for reader in range(readers):
        rows = 4 * rng.permutation(A // 4)[:6] + reader % 4
        times = reader * 50_000 + 60_000 * np.arange(6) + 24 * HOUR * (np.arange(6) // 3)
        clicks += [click(f"r{reader}", NAMES[row], int(time)) for row, time in zip(rows, times, strict=True)]
    return with_articles(log_of([click("r0", NAMES[0], UNDATED), *clicks]), NAMES)


def cut(events: Events, end: int) -> Events:
    columns: dict[str, Any] = {field.name: getattr(events, field.name) for field in fields(events)}
    short: dict[str, Any] = {name: column[:end] for name, column in columns.items() if isinstance(column, np.ndarray)}
    return replace(events, **short)


def targets_in(events: Events) -> NextClickTargets:
    return next_click_targets(events, LEARNED_SHARE, gap_minutes=30, seed=1)


def test_a_list_is_shown_right_after_the_visits_click_before_and_knows_nothing_later() -> None:
    events = camps()
    targets = targets_in(events)
    assert len(targets.click) > 300
    assert (np.diff(targets.known) >= 0).all()
    for known, place, before in zip(targets.known, targets.click, targets.before, strict=True):
        assert events.reader[place] == events.reader[before]
        pause = events.time[place] - events.time[before]
        shown = events.time[before] + 1 if pause <= HOUR // 2 else events.time[place]
        assert known == (events.time < shown).sum()
        assert before < known <= place


def test_the_others_are_recent_different_and_none_that_the_reader_had_clicked() -> None:
    events = camps()
    targets = targets_in(events)
    for known, place, others in zip(targets.known, targets.click, targets.others, strict=True):
        mine = events.article[:place][events.reader[:place] == events.reader[place]].tolist()
        assert len({*others.tolist(), int(events.article[place]), *mine}) == OTHERS + 1 + len(set(mine))
        assert set(others.tolist()) <= set(events.article[:known][-1_000:].tolist())


def previous_clicks(events: Events, window_ms: float) -> list[int]:
    """Each click's click before by the same reader, up to ``window_ms`` ago; -1 for none."""
    last: dict[int, int] = {}
    previous = []
    for place, (reader, time) in enumerate(zip(events.reader.tolist(), events.time.tolist(), strict=True)):
        before = last.get(reader, -1)
        previous.append(before if before >= 0 and time - events.time[before] <= window_ms else -1)
        last[reader] = place
    return previous


def test_a_repeated_click_is_no_target() -> None:
    events = camps()
    again = np.flatnonzero(events.time > events.time[-1] - HOUR)
    previous = np.array(previous_clicks(events, np.inf))
    again = again[previous[again] >= 0]
    assert set(again.tolist()) & set(targets_in(events).click.tolist())
    for place in again.tolist():
        events.article[place] = events.article[previous[place]]
    assert not set(again.tolist()) & set(targets_in(events).click.tolist())


def test_ranks_are_those_of_a_plain_walk() -> None:
    events, half_life = camps(), 2.0
    targets = targets_in(events)
    ranks = next_click_ranks(events, TEXTLESS, CONFIG, targets, gap_minutes=30, half_life=half_life, seed=1)
    rows, previous = events.article, previous_clicks(events, CONFIG.covisit_window_hours * HOUR)
    done = int(LEARNED_SHARE * len(rows))
    items = item_vectors(cut(events, done), TEXTLESS, CONFIG, seed=1).online

    def chain(place: int, most: int) -> np.ndarray[Any, Any]:
        found: list[int] = []
        while place >= 0 and len(found) < most:
            found.append(int(rows[place]))
            place = previous[place]
        return np.array(found[::-1], np.int32)

    for number, (known, place, before, others) in enumerate(zip(*targets, strict=True)):
        for done_now in range(done, known):
            learn_click(items, chain(previous[done_now], CONFIG.window), int(rows[done_now]))
        done = max(done, int(known))
        clicked = chain(before, 10)
        weights = 0.5 ** (np.arange(len(clicked))[::-1] / half_life)
        wanted = (weights[:, None] * np.nan_to_num(items.vectors[clicked])).sum(axis=0)
        candidates = np.append(others, rows[place])
        session = session_vectors(items, clicked, half_life)
        near = np.array([next_item_score(items, session, int(row)) for row in candidates])
        for by, scores in enumerate((items.vectors[candidates] @ wanted, near)):
            scores = np.nan_to_num(scores.astype(np.float64))
            close = np.abs(scores[:-1] - scores[-1]) < 1e-5  # the sums are added in another order
            ahead = (scores[:-1] > scores[-1])[~close].sum()
            assert ahead <= ranks[number, by] <= ahead + close.sum()
    assert (ranks[:, 0] < 10).mean() > 0.5  # of 51 of which 12 are of the right camp


def test_what_comes_later_changes_no_rank() -> None:
    events = camps()
    targets = targets_in(events)
    early = targets.click < 0.8 * (events.kind == CLICK).sum()
    ranks = next_click_ranks(events, TEXTLESS, CONFIG, targets, gap_minutes=30, half_life=2.0, seed=1)
    changed = replace(events, article=events.article.copy())
    last = int(targets.known[early].max())
    kept = np.zeros(len(events), bool)
    kept[targets.click[early]] = True  # what is guessed stays; everything else after the last early list is another
    kept[:last] = True
    changed.article[~kept] = (changed.article[~kept] + 37) % A
    assert last > LEARNED_SHARE * len(events)
    again = next_click_ranks(changed, TEXTLESS, CONFIG, targets, gap_minutes=30, half_life=2.0, seed=1)
    np.testing.assert_array_equal(again[early], ranks[early])
    assert not np.array_equal(again[~early], ranks[~early])


def test_the_search_tries_each_change_alone_and_finds_what_is_worth_something() -> None:
    events = camps()
    found = list(search(events, TEXTLESS, CONFIG, gap_minutes=30, half_life=2.0, seed=1))
    assert [(row["setting"], row["value"]) for row in found] == [("", None), *changes(CONFIG)]
    assert found[0]["cosine_mrr@10_gain"] == 0.0
    assert all(getattr(CONFIG, name) != value for name, value in changes(CONFIG))
    by_name = {(row["setting"], row["value"]): row for row in found}
    assert {value for name, value in by_name if name == "ns_exponent" and value < 0}
    slow = by_name["learning_rate", 0.1]  # three passes over so small a log teach nothing at that rate
    assert slow["cosine_mrr@10_gain"] < -slow["cosine_mrr@10_error"] < 0
    assert slow["cosine_mrr@10"] == pytest.approx(found[0]["cosine_mrr@10"] + slow["cosine_mrr@10_gain"], abs=2e-4)
    assert found[0] == next(search(events, TEXTLESS, CONFIG, gap_minutes=30, half_life=2.0, seed=1))


@pytest.mark.parametrize("clicks", [[], [click("r", "a00", 1)], [click("r", NAMES[i], i) for i in range(20)]])
def test_a_log_without_anything_to_guess_is_refused(clicks: list[tuple[Any, ...]]) -> None:
    with pytest.raises(DegenerateInput, match="lists to rank"):
        list(search(with_articles(log_of(clicks), NAMES), TEXTLESS, CONFIG, gap_minutes=30, half_life=2.0, seed=1))
