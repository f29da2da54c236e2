"""Experiments and exposures in both databases: one at a time, each reader once, sums by hand, none of the forgotten."""

import pytest

from recsys.errors import Busy, UnknownName
from recsys.store import Article, Event, Evidence, ExperimentArm, Exposure, Kind, ReaderOutcome, Store, StoredExperiment
from recsys.units import DAY_MS
from tests.stores import server, store

__all__ = ["server", "store"]
SITE, T = "daily", 1_790_000_000_000
ARMS = (ExperimentArm("control", 0.5, {}), ExperimentArm("two", 0.5, {"max_per_category": 2}))


def experiment(name: str, started_at: int = T) -> StoredExperiment:
    return StoredExperiment(SITE, name, "salt", ARMS, 7, started_at, "token desk")


def test_one_experiment_runs_at_a_time_and_a_name_is_never_taken_again(store: Store) -> None:
    store.start_experiment(experiment("first"))
    with pytest.raises(Busy, match="'first'"):
        store.start_experiment(experiment("second"))
    assert store.experiments(SITE, running=True) == [experiment("first")]
    stopped = store.stop_experiment(SITE, "first", "token desk", T + 5, "seen enough")
    assert (stopped.stopped_at, stopped.stopped_by) == (T + 5, "token desk")
    assert store.stop_experiment(SITE, "first", "somebody else", T + 9) == stopped, "it has ended"
    with pytest.raises(Busy, match="has been"):
        store.start_experiment(experiment("first"))
    store.start_experiment(experiment("second", T + 10))
    assert [one.name for one in store.experiments(SITE)] == ["second", "first"]
    with pytest.raises(UnknownName):
        store.stop_experiment(SITE, "third", "token desk", T)
    told = [(entry.verb, entry.object) for entry in store.audit(SITE, 9)]
    assert told == [("start", "experiment second"), ("stop", "experiment first"), ("start", "experiment first")]
    assert store.experiments("weekly") == []


def test_a_reader_is_exposed_once_and_not_at_all_where_they_were_forgotten_since(store: Store) -> None:
    store.start_experiment(experiment("e"))
    assert store.add_exposures(SITE, "e", [Exposure("ann", 0, T), Exposure("ben", 1, T)]) == 2
    assert store.add_exposures(SITE, "e", [Exposure("ann", 1, T - 9), Exposure("eve", 1, T)]) == 1
    assert store.exposed_readers(SITE, "e") == {0: 1, 1: 2}
    store.forget_reader(SITE, "ben", "command ann")
    assert store.exposed_readers(SITE, "e") == {0: 1, 1: 1}
    assert store.add_exposures(SITE, "e", [Exposure("ben", 1, T)]) == 0, "it was on its way"
    later = 2 * T  # the clock of the forgetting is that of now
    assert store.add_exposures(SITE, "e", [Exposure("ben", 1, later)]) == 1, "a new reader of that name"
    assert store.add_exposures(SITE, "e", []) == 0


def event(name: str, kind: Kind, article: str, time: int, **more: object) -> Event:
    return Event(name, SITE, kind, article, "ann", None, time, **more)  # type: ignore[arg-type]


def test_the_sums_of_a_reader_are_those_of_the_window_and_of_as_long_before(store: Store) -> None:
    store.put_articles([Article("a", SITE, "A", category="x"), Article("b", SITE, "B", category="y")])
    week = 7 * DAY_MS
    store.add_events(
        [
            event("too-early", Kind.CLICK, "a", T - week - 1),
            event("before-1", Kind.IMPRESSION, "a", T - week),
            event("before-2", Kind.CLICK, "a", T - 1),
            event("first", Kind.IMPRESSION, "b", T),
            event("after-1", Kind.CLICK, "a", T),
            event("after-2", Kind.CLICK, "b", T + DAY_MS),
            event("after-3", Kind.CLICK, "b", T + DAY_MS + 1),
            event("dwelt", Kind.DWELL, "b", T + DAY_MS + 2, dwell_ms=9_000),
            event("hid", Kind.DISMISS, "a", T + week - 1),
            event("too-late", Kind.CLICK, "a", T + week),
            event("nobody-s", Kind.CLICK, "a", T + 3, proof=Evidence.UNSIGNED),
            event("shown", Kind.CLICK, "a", T + 4, proof=Evidence.SIGNED),
        ]
    )
    store.start_experiment(experiment("e"))
    store.add_exposures(SITE, "e", [Exposure("ann", 1, T), Exposure("quiet", 0, T), Exposure("late", 0, T + 1)])
    (rows,) = store.outcomes(SITE, "e", 7 * DAY_MS, T + 1)
    assert rows == [
        ReaderOutcome("ann", 1, 4, 1, 1, 9_000, 3, 2, 1, 1, 0, 0, 2, 1),
        ReaderOutcome("quiet", 0, *[0] * 12),
    ]
    assert store.shown_articles(SITE, "e", 7) == {1: 1}


def test_outcomes_come_some_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.store.experiments.READERS_AT_ONCE", 2)
    store.start_experiment(experiment("e"))
    store.add_exposures(SITE, "e", [Exposure(f"r{n}", n % 2, T) for n in range(5)])
    assert [[row.reader for row in rows] for rows in store.outcomes(SITE, "e", 7 * DAY_MS, T + 1)] == [
        ["r0", "r1"],
        ["r2", "r3"],
        ["r4"],
    ]
