"""The ids of a training row say who was asked, from where, when, after which articles; nothing of what came later."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.dataset import training_set
from recsys.dataset.impressions import Impressions, click_histories, recorded_impressions
from recsys.dataset.replay import LogReplay
from recsys.dataset.training_set import TrainingSet, build_training_set, leaking_columns
from recsys.events import UNDATED, Events
from recsys.features import HISTORY, LIST_FIELDS, NAMES
from recsys.features.ids import hashed_article_ids, list_ids
from recsys.features.matrix import ArticleTables, candidate_rows, feature_matrix
from recsys.hashing import hashed
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS
from tests.clicks import START, click, log_of, shown
from tests.cut_logs import found, honest, lists_in, visits_log

READERS, TRENDS = ReadersConfig(), TrendsConfig()
NORTH, SOUTH = '{"region": "north", "device": 7}', '{"region": "south", "os": null}'


def tables_for(events: Events, category: list[int] | None = None) -> ArticleTables:
    A = len(events.article_ids)
    nothing = np.full((A, 2), np.nan, np.float32)
    codes = np.array(category or [-1] * A, np.int16)
    named = hashed_article_ids(events.article_ids, codes, ["sport", "markets"])
    return ArticleTables(nothing, nothing, codes, np.full(A, -1, np.int64), ids=named)


def rows_of(events: Events, config: ReadersConfig = READERS, category: list[int] | None = None) -> TrainingSet:
    lists = replace(recorded_impressions(events), refits=np.array([0], np.int64))
    return build_training_set(events, lists, lambda *_: tables_for(events, category), TRENDS, config)


def context_of(rows: TrainingSet, number: int) -> dict[str, int]:
    return dict(zip(LIST_FIELDS, rows.context[number].tolist(), strict=True))


def articles(*names: str) -> list[int]:
    ids = [hashed("article", name) for name in names]
    return ids + [0] * (HISTORY - len(ids))


def test_a_candidate_is_known_by_its_article_and_its_category() -> None:
    rows = rows_of(log_of([shown("r", name, START, "i") for name in "abc"]), category=[1, -1, 0])
    assert rows.ids[:, 0].tolist() == [hashed("article", name) for name in "abc"]
    assert rows.ids[:, 1].tolist() == [hashed("category", "markets"), 0, hashed("category", "sport")]


def test_a_list_is_described_by_the_click_before_it_and_never_by_its_own() -> None:
    events = [
        click("r", "a", START, context=NORTH),
        shown("r", "b", START + HOUR_MS, "i1"),
        click("r", "b", START + HOUR_MS, impression="i1", context=SOUTH),
        shown("r", "c", START + 2 * HOUR_MS, "i2"),
    ]
    first, second = (context_of(rows_of(log_of(events)), number) for number in range(2))
    assert first["region"] == hashed("region", "north")
    assert first["device"] == hashed("device", "7")  # whatever the log says is taken as text
    assert first["os"] == first["referrer"] == 0
    assert second["region"] == hashed("region", "south")
    assert second["device"] == second["os"] == 0
    assert first["reader"] == second["reader"] == hashed("reader", "r")


@pytest.mark.parametrize(
    ("said", "region"), [(NORTH, "north"), ("no JSON", None), ("[1]", None), ('{"country": "x"}', None)]
)
def test_a_sites_own_attributes_fill_the_fields_in_their_order_and_what_is_not_said_is_none(
    said: str, region: str | None
) -> None:
    names = ("region", "plan")
    asked = dict(zip(LIST_FIELDS, list_ids("r", said, names, START, None).tolist(), strict=True))
    assert asked["region"] == (0 if region is None else hashed("region", region))
    assert asked["device"] == asked["os"] == asked["slot"] == 0
    planned = list_ids("r", '{"plan": "free"}', names, START, None)
    assert planned[LIST_FIELDS.index("device")] == hashed("device", "free")  # the second field, whatever it is called


def test_the_last_clicks_come_newest_first_and_only_those_from_before_the_list() -> None:
    events = [click("r", name, START + at) for at, name in enumerate(["a", "b", "a"])] + [click("s", "z", START)]
    events += [shown("r", "c", START + 2, "i1"), shown("r", "c", START + 3, "i2"), shown("t", "c", START + 3, "i3")]
    assert rows_of(log_of(events)).history.tolist() == [articles("b", "a"), articles("a", "b", "a"), articles()]


def test_undated_clicks_are_the_oldest_of_a_readers_history() -> None:
    events = [click("r", "new", START), click("r", "old", UNDATED), shown("r", "c", START + 1, "i")]
    assert rows_of(log_of(events)).history.tolist() == [articles("new", "old")]


@pytest.mark.parametrize(("remembered", "kept"), [(50, HISTORY), (3, 3)])
def test_no_more_clicks_are_named_than_fit_and_than_are_remembered_of_a_reader(remembered: int, kept: int) -> None:
    names = [f"a{number:02}" for number in range(HISTORY + 5)]
    events = [click("r", name, START + at) for at, name in enumerate(names)] + [shown("r", "b", START + 99, "i")]
    rows = rows_of(log_of(events), ReadersConfig(max_history=remembered))
    assert rows.history.tolist() == [articles(*names[::-1][:kept])]


def test_the_hour_and_the_weekday_are_those_in_utc_at_which_the_list_is_shown() -> None:
    thursday = 7 * 24 * HOUR_MS  # 1970-01-08
    lists = [(thursday, "0", "3"), (thursday - 1, "23", "2"), (thursday + 100 * HOUR_MS, "4", "0")]
    rows = rows_of(log_of([shown("r", "a", time, f"i{time}") for time, _, _ in lists]))
    for number, (_, hour, weekday) in enumerate(sorted(lists)):
        asked = context_of(rows, number)
        assert (asked["hour"], asked["weekday"]) == (hashed("hour", hour), hashed("weekday", weekday))


def test_a_slot_is_that_of_the_lists_first_card_and_a_session_has_no_reader() -> None:
    log = log_of([shown("r", "a", START, "i1"), shown("r", "b", START, "i1"), shown(None, "a", START + 1, "i2")])
    session = np.where(log.reader < 0, 0, -1).astype(np.int32)
    log = replace(log, session=session, slot=np.array([1, 0, -1], np.int32), slots=["below", "front"])
    rows = rows_of(log)
    assert [context_of(rows, number)["slot"] for number in range(2)] == [hashed("slot", "front"), 0]
    assert [context_of(rows, number)["reader"] for number in range(2)] == [hashed("reader", "r"), 0]


def test_a_session_without_a_reader_has_its_own_clicks_as_history() -> None:
    events = [click(None, "a", START, session="v"), shown(None, "b", START + 1, "i")]
    log = log_of(events)
    rows = rows_of(replace(log, session=np.zeros(2, np.int32)))
    assert rows.history.tolist() == [articles("a")]
    assert context_of(rows, 0)["reader"] == 0


def test_a_position_is_the_cards_own_and_unknown_in_a_list_that_was_never_shown() -> None:
    events = [shown("r", "a", START, "i", 1), shown("r", "b", START, "i", 0), shown("r", "c", START, "i")]
    assert rows_of(log_of(events)).position.tolist() == [1, 0, -1]
    drawn = [click(f"r{n % 3}", f"a{n % 7}", START + n * 60_000) for n in range(60)]
    pseudo = build_training_set(
        log_of(drawn), lists_in(log_of(drawn)), lambda *_: tables_for(log_of(drawn)), TRENDS, READERS
    )
    assert len(pseudo)
    assert (pseudo.position == -1).all()


def test_lists_that_are_cut_keep_their_slots_and_positions() -> None:
    log = log_of([shown("r", name, START + at, f"i{at}", at) for at, name in enumerate("abc")])
    lists = recorded_impressions(replace(log, slot=np.array([0, 1, 2], np.int32), slots=["x", "y", "z"])).cut(1, 3)
    assert (lists.slot.tolist(), lists.position.tolist()) == ([1, 2], [1, 2])


class SeesItsOwnClick(LogReplay):
    """Takes the readers' clicks as they are two seconds after each list was shown."""

    def __init__(self, events: Events, lists: Impressions, *settings: Any, **more: Any) -> None:
        super().__init__(events, lists, *settings, **more)
        late = replace(lists, time=lists.time + 2_000)
        self.histories = click_histories(events, late, 30)


def test_a_history_and_a_context_that_know_the_lists_own_click_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_set, "LogReplay", SeesItsOwnClick)
    named = {"history_id", "region_id"}
    assert found(lambda log, time: replace(honest(log, time), ids=tables_for(log).ids), 40) == named


def test_categories_of_the_future_are_caught() -> None:
    events = visits_log()
    lists = lists_in(events)

    def tables_at(log: Events, time: int) -> ArticleTables:
        category = [int(len(log) == len(events))] * len(log.article_ids)  # another one, once the whole log is known
        return replace(honest(log, time), ids=tables_for(log, category).ids)

    made = build_training_set(events, lists, tables_at, TRENDS, READERS)
    time = int(lists.time[len(lists) // 2])
    assert leaking_columns(events, lists, tables_at, TRENDS, READERS, made, time) == ["category_id"]


def served_of(events: Events, tables: ArticleTables, name: str | None, slot: str | None, now: int) -> object:
    """What the service says of all articles, for a reader who made the log's clicks."""
    reader, trends = ReaderState.empty(READERS), Trends(len(events.article_ids), TRENDS)
    for at in np.flatnonzero(events.kind == CLICK).tolist():
        said = events.contexts[events.context[at]] if len(events.context) and events.context[at] >= 0 else None
        reader.observe(CLICK, int(events.article[at]), int(events.time[at]), said)
    every = np.arange(len(events.article_ids), dtype=np.int32)
    return candidate_rows(tables, reader, every, now, trends, READERS, name=name, slot=slot)


@pytest.mark.parametrize("clicks", [0, 1, HISTORY + 3])
def test_the_service_names_a_list_as_the_log_would(clicks: int) -> None:
    events = [click("r", f"a{n:02}", START + n, context=(NORTH, SOUTH)[n % 2]) for n in range(clicks)]
    events += [shown("r", f"a{n:02}", START + HOUR_MS, "i", n) for n in range(clicks + 2)]
    log = log_of(events)
    log = replace(log, slot=np.zeros(len(log), np.int32), slots=["front"])
    category = [n % 3 - 1 for n in range(clicks + 2)]
    rows = rows_of(log, category=category)
    made = served_of(log, tables_for(log, category), "r", "front", START + HOUR_MS)
    for name in ("ids", "context", "history", "impression"):
        np.testing.assert_array_equal(getattr(made, name), getattr(rows, name), name)


def test_articles_that_are_not_known_by_name_have_no_ids() -> None:
    log = log_of([click("r", "a", START)])
    made = served_of(log, replace(tables_for(log), ids=None), None, None, START + 1)
    assert not made.ids.any() and not made.history.any()  # type: ignore[attr-defined]  # noqa: PT018


ODD = [
    ("a category that no release has seen", lambda t: replace(t, category=np.full(len(t.category), 30_000, np.int16))),
    ("no category", lambda t: replace(t, category=np.full(len(t.category), -1, np.int16))),
    ("no vectors", lambda t: replace(t, article_vectors=np.empty((len(t.category), 0), np.float32))),
]


@pytest.mark.parametrize(("_", "change"), ODD, ids=[name for name, _ in ODD])
def test_what_is_unknown_of_an_article_is_zero_and_finite(
    _: str, change: Callable[[ArticleTables], ArticleTables]
) -> None:
    log = log_of([click("r", name, START) for name in "abc"])
    trends, reader, rows = Trends(3, TRENDS), ReaderState(), np.arange(3, dtype=np.int32)
    reader.observe(CLICK, 0, START)
    trends.observe(CLICK, 0, START, visitor="v", context='{"region": "never seen"}')
    made = feature_matrix(change(tables_for(log, [0, 1, 1])), reader, rows, START + 1, trends, READERS)
    assert np.isfinite(made).all()
    unknown = [NAMES.index(name) for name in ("content_cosine", "content_known", "item_cosine", "item_known")]
    assert not made[:, unknown].any()
