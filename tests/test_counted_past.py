"""Counts that go on from the last night's are those of the whole log, and a past that changed is counted anew."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.dataset import log_counts
from recsys.dataset.counted_past import PastTerms, day_digests, load_past, places_of, save_past
from recsys.dataset.log_counts import CountedPast, LogCounter, LogTables, settled_place
from recsys.dataset.replay import NO_IMPRESSIONS, LogReplay
from recsys.events import UNDATED, Events
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from recsys.units import DAY_MS
from tests.clicks import HOUR, MINUTE, START, click, log_of, shown

CONFIG = TrendsConfig(max_live_articles=16, max_neighbours=4)
READERS = ReadersConfig(max_history=12)
TERMS = PastTerms({"half": 1}, ["x", "y"], 0)
MIDNIGHT = START // DAY_MS * DAY_MS
ARTICLES = 24

Row = tuple[Any, ...]


def some_days(days: int = 5, seed: int = 3) -> list[Row]:
    """Visits of readers and nameless sessions, some of them over midnight, after a history without times."""
    rng, rows = np.random.default_rng(seed), [click(f"r{n % 6}", f"a{n:02}", UNDATED) for n in range(18)]
    for visit in range(40 * days):
        time, reader = MIDNIGHT + visit * days * DAY_MS // (40 * days), f"r{int(rng.integers(6))}"
        who = (None, f"s{visit}") if visit % 3 == 0 else (reader, None)
        for step in range(int(rng.integers(1, 6))):
            at, article = int(time - HOUR + step * 20 * MINUTE), f"a{int(rng.integers(ARTICLES)):02}"
            rows.append(shown(who[0], article, at, f"l{visit}", step))
            context = f'{{"device": "d{visit % 3}"}}'
            rows.append(click(who[0], article, at + 1, session=who[1], context=context, position=step))
    return rows


def log(rows: Sequence[Row], numbers: Sequence[int] | None = None) -> Events:
    """A log whose events have numbers; by default their places in ``rows``."""
    order = sorted(range(len(rows)), key=lambda place: int(rows[place][3]))
    seq = np.array(numbers if numbers is not None else range(1, len(rows) + 1), np.int64)[order]
    return replace(log_of(rows), seq=seq, through=int(seq.max()))


def tables(events: Events, seed: int = 1) -> LogTables:
    """Tables whose rows depend on the articles' names alone."""
    rows = np.array([int(name[1:]) for name in events.article_ids])
    vectors = np.random.default_rng(seed).normal(size=(99, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return LogTables((rows % 2).astype(np.int16), MIDNIGHT - rows * HOUR, vectors[rows])


def counter(events: Events, past: CountedPast | None = None) -> LogCounter:
    return LogCounter(events, tables(events), CONFIG, 30, READERS, past)


def whole(events: Events) -> Trends:
    counts = counter(events)
    counts.count(len(events))
    return counts.trends


def saved(events: Events, folder: Path, terms: PastTerms = TERMS) -> int:
    """Count the days that have ended and write them; returns how many events they had."""
    counts = counter(events)
    counts.count(settled_place(events))
    save_past(counts.past(), events, tables(events), terms, folder)
    return counts.place


def loaded(
    folder: Path, events: Events, *, pruned: bool = False, known: LogTables | None = None, terms: PastTerms = TERMS
) -> CountedPast | None:
    return load_past(folder, events, known or tables(events), terms, CONFIG, 30, pruned=pruned)


def assert_same(one: Trends, two: Trends) -> None:
    assert one.values == two.values
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(two.arrays()[name], array, err_msg=name)


@pytest.mark.parametrize("stretch", [7, 100, 10**6])
def test_days_and_stretches_count_as_one_replay_of_the_whole_log(monkeypatch: pytest.MonkeyPatch, stretch: int) -> None:
    monkeypatch.setattr(log_counts, "STRETCH_EVENTS", stretch)
    events = log(some_days())
    known = tables(events)
    replay = LogReplay(events, NO_IMPRESSIONS, CONFIG, READERS, 30, article_vectors=known.vectors)
    replay.trends.describe_articles(known.category, known.published)
    replay.apply_until(int(events.time[-1]) + 1)
    assert_same(whole(events), replay.trends)
    assert replay.trends.state.audience_clicks.sum() > 100, "audiences are among what is compared"


def test_the_next_night_counts_what_is_new_and_has_what_the_whole_log_gives(tmp_path: Path) -> None:
    rows = some_days()
    until = [row for row in rows if row[3] < MIDNIGHT + 3 * DAY_MS + 5 * HOUR]
    more = [*(row for row in rows if row not in until), click("a new reader", "a98", MIDNIGHT + 4 * DAY_MS)]
    place = saved(log(until), tmp_path / "past")
    events = log([*until, *more])
    past = loaded(tmp_path / "past", events)
    assert past is not None
    assert past.place == place > 100
    assert len(past.tail) < place / 2, "of the past no more than the last clicks of each"
    counts = counter(events, past)
    counts.count(len(events))
    assert_same(counts.trends, whole(events))
    assert counts.trends.taught.keys() == whole(events).taught.keys()


def test_a_past_that_changed_is_counted_anew(tmp_path: Path) -> None:
    rows = some_days()
    saved(log(rows), tmp_path / "past")
    numbers = range(1, len(rows) + 1)
    without = [place for place, row in enumerate(rows) if row[1] != "r1"]
    changed = {
        "late event": log([*rows, click("r1", "a01", MIDNIGHT + HOUR)]),
        "a day that had no event": log([*rows, click("r1", "a01", MIDNIGHT - 9 * DAY_MS)]),
        "events that are gone": log([rows[place] for place in without], [numbers[place] for place in without]),
    }
    assert loaded(tmp_path / "past", log(rows)) is not None
    for name, events in changed.items():
        assert loaded(tmp_path / "past", events) is None, name
    kinds = log(rows)
    kinds.kind[40] = 9  # as a click does that turned out to repeat one
    assert loaded(tmp_path / "past", kinds) is None
    assert loaded(tmp_path / "past", log(rows), known=tables(log(rows), seed=2)) is None, "other vectors"
    other = tables(log(rows))
    assert loaded(tmp_path / "past", log(rows), known=other._replace(category=other.category[::-1].copy())) is None
    for terms in (TERMS._replace(forgotten=1), TERMS._replace(categories=["y"]), TERMS._replace(settings={})):
        assert loaded(tmp_path / "past", log(rows), terms=terms) is None
    assert loaded(tmp_path / "nothing", log(rows)) is None


def test_days_that_are_pruned_stay_counted_where_a_site_prunes(tmp_path: Path) -> None:
    rows, before = some_days(), MIDNIGHT + DAY_MS + HOUR
    saved(log(rows), tmp_path / "past")
    kept = [place for place, row in enumerate(rows) if row[3] >= before or row[3] == UNDATED]
    events = log([rows[place] for place in kept], [place + 1 for place in kept])
    assert loaded(tmp_path / "past", events, pruned=False) is None
    past = loaded(tmp_path / "past", events, pruned=True)
    assert past is not None
    assert past.trends.all_total[1] > int((events.kind[: past.place] == 0).sum()), "and so more than the log has"
    counts = counter(events, past)
    counts.count(len(events))
    assert counts.trends.all_total == whole(log(rows)).all_total
    late = log([*(rows[place] for place in kept), click("r1", "a01", MIDNIGHT + 3 * DAY_MS)], [*kept, 10**6])
    assert loaded(tmp_path / "past", late, pruned=True) is None, "a late event is one there, too"


def test_a_log_whose_first_day_has_not_ended_leaves_no_past(tmp_path: Path) -> None:
    events = log([click("r", "a01", MIDNIGHT + HOUR), click("r", "a02", MIDNIGHT + DAY_MS + 59 * MINUTE)])
    assert settled_place(events) == 0, "events of the last hour of a day still come after midnight"
    saved(events, tmp_path / "past")
    assert loaded(tmp_path / "past", events) is None
    assert settled_place(log([click("r", "a01", UNDATED)])) == 0
    later = log([click("r", "a01", MIDNIGHT + HOUR), click("r", "a02", MIDNIGHT + DAY_MS + HOUR)])
    assert settled_place(later) == 1


def test_places_are_found_by_number_and_what_is_gone_is_left_out() -> None:
    events = log([click("r", "a01", START + 2), click("r", "a02", START + 1), click("r", "a03", START)], [5, 7, 9])
    assert places_of(events, np.array([5, 6, 9])).tolist() == [0, 2]
    assert places_of(events, np.empty(0, np.int64)).tolist() == []
    assert list(day_digests(events, 3, tables(events))) == [str(np.datetime64(START, "ms").astype("datetime64[D]"))]
