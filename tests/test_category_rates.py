"""What a reader was shown and did not open: by category, against what everyone opens, from the past alone."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from recsys.dataset import replay, training_set
from recsys.dataset.impressions import Impressions, exposures_of
from recsys.dataset.replay import LogReplay
from recsys.events import UNDATED, Events
from recsys.events.people import visitor_keys
from recsys.features import COLUMN, NAMES
from recsys.features.matrix import ArticleTables, feature_matrix
from recsys.features.rows import Matrix
from recsys.readers import CLICK, DISMISS, IMPRESSION, ReaderState, state
from recsys.readers.config import MAX_IMPRESSIONS, ReadersConfig
from recsys.readers.packed import pack
from recsys.readers.state import CLICK_POSITION, ImpressionWindow
from recsys.serving.reader_memory import ReaderMemory
from recsys.store import Kind, StoredEvent
from recsys.trends import PRIOR_IMPRESSIONS
from recsys.trends.config import TrendsConfig
from recsys.trends.state import CATEGORIES, SHELF_HALF_LIFE_DAYS
from recsys.trends.stream import Trends
from tests.clicks import HOUR, START, click, log_of, shown
from tests.cut_logs import found, honest
from tests.stores import past

A, NOW = 6, START + HOUR
CATEGORY = np.array([0, 0, 1, 1, -1, CATEGORIES], np.int16)
NOTHING = np.full((A, 2), np.nan, np.float32)
TABLES = ArticleTables(NOTHING, NOTHING, CATEGORY, np.full(A, -1, np.int64))
TRENDS, READERS = TrendsConfig(max_live_articles=A), ReadersConfig()
RATE, LOOKS = COLUMN["category_rate"], COLUMN["category_impressions"]
ALL = np.arange(A, dtype=np.int32)


def counts(*seen: tuple[int, int, int], opened: tuple[int, ...] = ()) -> Trends:
    """Trends of everybody: (article, times shown, place), and clicks."""
    trends = Trends(A, TRENDS)
    trends.describe_articles(CATEGORY, TABLES.published)
    for row, times, place in seen:
        for _ in range(times):
            trends.observe(IMPRESSION, row, START, position=place)
    for row in opened:
        trends.observe(CLICK, row, START)
    return trends


def columns(reader: ReaderState, trends: Trends, now: int = NOW) -> Matrix:
    """The two columns of all articles: float32 (A, 2)."""
    return feature_matrix(TABLES, reader, ALL, now, trends, READERS)[:, [RATE, LOOKS]]


def reader_of(*events: tuple[int, int, int]) -> ReaderState:
    """A reader of these events: kind, article, time."""
    reader = ReaderState.empty(READERS)
    for kind, row, time in events:
        reader.observe(kind, row, time)
    return reader


def test_the_columns_are_the_sum_done_by_hand() -> None:
    trends = counts((0, 10, -1), (2, 30, -1), opened=(0, 0, 2))
    fade, prior = 0.5 ** (1 / (24 * SHELF_HALF_LIFE_DAYS)), PRIOR_IMPRESSIONS
    site = (3 * fade + 1) / (40 * fade + 10)
    sport, money = ((n * fade + prior * site) / (shows * fade + prior) for n, shows in ((2, 10), (1, 30)))
    reader = reader_of(*((IMPRESSION, row, START) for row in (0, 1, 1, 2, 3, 2)), (CLICK, 3, START + 1))
    expected = {0: (np.log(1 / (3 * sport + 1)), np.log(4)), 2: (np.log(2 / (3 * money + 1)), np.log(4))}
    made = columns(reader, trends)
    for row, same in ((0, 0), (1, 0), (2, 2), (3, 2)):
        np.testing.assert_allclose(made[row], expected[same], rtol=1e-5)
    assert not made[4:].any()  # no category, and one that trends does not count apart


def test_a_look_at_a_place_that_is_hardly_looked_at_counts_little() -> None:
    trends = counts((0, 500, 0), (0, 500, 7))
    for n in range(100):
        trends.observe(CLICK, 0, START, position=7 if n < 5 else 0)
    looks = {}
    for place in (0, 7, -1, 300):
        reader = ReaderState.empty(READERS)
        reader.observe(IMPRESSION, 0, START, position=place)
        looks[place] = np.expm1(columns(reader, trends)[0, 1])
    assert looks[0] == pytest.approx(1.9, rel=0.05)
    assert looks[7] == pytest.approx(0.1, rel=0.5)
    assert looks[-1] == 1.0  # an unknown place is like all places together
    assert looks[300] == pytest.approx(1.0)  # as is one that nobody was shown


@pytest.mark.parametrize("opened", [0, 1, 4, 9])
def test_who_opens_more_of_a_category_is_expected_to_open_more_of_it(opened: int) -> None:
    trends = counts((0, 100, -1), (2, 100, -1), opened=(0,) * 20 + (2,) * 20)
    looks = [(IMPRESSION, row, START) for row in (0, 2) for _ in range(20)]
    clicks = [(CLICK, 0, START)] * opened + [(CLICK, 2, START)] * 4
    rate = columns(reader_of(*looks, *clicks), trends)[:, 0]
    assert np.sign(rate[0] - rate[2]) == np.sign(opened - 4)
    assert rate[2] == pytest.approx(0, abs=0.1)  # as everyone does


def test_one_look_says_less_than_many() -> None:
    trends = counts((0, 100, -1), opened=(0,) * 20)
    rates = [columns(reader_of(*[(IMPRESSION, 0, START)] * n), trends)[0, 0] for n in (0, 1, 5, 50)]
    assert all(before > after for before, after in pairwise(rates))
    assert rates[0] == 0


@pytest.mark.parametrize(
    ("events", "looks"),
    [
        ([(IMPRESSION, 0, UNDATED)], 0),
        ([(IMPRESSION, 0, NOW)], 0),  # of the moment itself: the list's own
        ([(IMPRESSION, 0, NOW + HOUR)], 0),  # dated ahead
        ([(IMPRESSION, 0, NOW - 1)], 1),
        ([(IMPRESSION, 2, NOW - 5), (IMPRESSION, 0, NOW - HOUR)], 1),  # late
        ([(IMPRESSION, 0, START), (IMPRESSION, 0, START)], 2),  # in two lists
        ([(IMPRESSION, 4, START), (IMPRESSION, 5, START)], 0),  # of no category
        ([(DISMISS, 0, START)], 0),
        ([(CLICK, 0, START)], 0),  # clicks alone
        ([(CLICK, 0, START), (IMPRESSION, 2, START)], 1),  # a click without a look is one
        ([(CLICK, 0, UNDATED), (IMPRESSION, 2, START)], 0),
    ],
)
def test_odd_events_follow_the_rules(events: list[tuple[int, int, int]], looks: int) -> None:
    made = columns(reader_of(*events), counts((0, 9, -1)))
    assert np.expm1(made[0, 1]) == pytest.approx(looks)
    if not any(kind == IMPRESSION for kind, *_ in events):
        assert not made.any()


def test_the_window_is_bounded_and_holds_looks_and_clicks_alike() -> None:
    kept = ImpressionWindow(3)
    for at in range(10):
        kept.add(at, at, CLICK_POSITION if at % 2 else at)
    assert (kept.rows.tolist(), kept.times.tolist()) == ([7, 8, 9], [7, 8, 9])
    rows, places = kept.before(9)
    assert (rows.tolist(), places.tolist()) == ([7, 8], [CLICK_POSITION, 8])
    assert [rows.dtype, places.dtype] == [np.dtype(np.int32), np.dtype(np.int16)]
    assert len(kept) == 3


def log() -> Events:
    """Six hours of two readers, a session and nobody; lists of three, some opened, places, equal times."""
    rng = np.random.default_rng(4)
    events = [click("a", "a0", UNDATED), shown("a", "a1", UNDATED, "u")]
    for number in range(120):
        time, who = START + number * 3 * 60_000, ["a", "b", None][number % 3]
        session = "s" if number % 6 == 2 else None
        for place, row in enumerate(rng.permutation(A)[:3].tolist()):
            one = shown(who, f"a{row}", time + 60_000 * (place == 2), f"i{number:03}", place - 1)
            events.append((*one[:4], session, *one[5:]))
            if rng.random() < 0.4:
                events.append(click(who, f"a{row}", time + 1_000, session=session, impression=f"i{number:03}"))
    return log_of(events)


@pytest.mark.parametrize("window", [7, 300])
def test_the_service_and_the_walk_read_the_same_window(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for reading in (replay, state):
        monkeypatch.setattr(reading, "MAX_IMPRESSIONS", window)
    events, readers = log(), ReadersConfig()
    keys = visitor_keys(events)
    who, moments = np.unique(keys), np.unique(events.time[events.time != UNDATED])[::40]
    times, asking = (part.ravel() for part in np.meshgrid(moments, who, indexing="ij"))
    offsets = np.arange(len(times) + 1) * A
    lists = Impressions.unclicked(times, asking.astype(np.int64), offsets, np.tile(ALL, len(times)))
    walk = LogReplay(events, lists, TRENDS, readers)
    walk.use_tables(TABLES)
    out, moved = np.empty((len(lists.article), len(NAMES)), np.float32), 0
    for i, (now, key) in enumerate(zip(times.tolist(), asking.tolist(), strict=True)):
        part = out[offsets[i] : offsets[i + 1]]
        walk.describe(i, i + 1, part)
        reader = ReaderState.empty(readers)
        for at in np.flatnonzero((keys == key) & (key >= 0) & (events.time < now)).tolist():
            kind, row, time, place = (int(of[at]) for of in (events.kind, events.article, events.time, events.position))
            reader.observe(kind, row, time, position=place)
        assert len(reader.impressions) <= window
        served = feature_matrix(TABLES, reader, ALL, now, walk.trends, readers)[:, [RATE, LOOKS]]
        np.testing.assert_allclose(part[:, [RATE, LOOKS]], served, atol=1e-6)
        moved += int(np.abs(served).max() > 0.1)
    assert moved >= len(moments)


def test_a_log_of_clicks_alone_has_no_looks() -> None:
    events = log_of([click("a", f"a{row}", START + row) for row in range(A)])
    lists = Impressions.unclicked(np.array([NOW]), np.zeros(1, np.int64), np.array([0, A]), ALL)
    assert not len(exposures_of(events, lists).event)
    walk, out = LogReplay(events, lists, TRENDS, READERS), np.empty((A, len(NAMES)), np.float32)
    walk.use_tables(TABLES)
    walk.describe(0, 1, out)
    assert out[0, COLUMN["category_share"]] > 0
    assert not out[:, [RATE, LOOKS]].any()


class SeesOwnCards(LogReplay):
    """Describes each list by the looks of a moment later, when its own cards have been reported."""

    def __init__(self, events: Events, lists: Impressions, *settings: Any, **more: Any) -> None:
        super().__init__(events, lists, *settings, **more)
        late = exposures_of(events, replace(lists, time=lists.time + 1))
        self._impressions = self._impressions._replace(first_exposure=late.first, last_exposure=late.last)


def test_a_lists_own_cards_counted_before_it_is_described_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_set, "LogReplay", SeesOwnCards)
    assert found(honest, 6) == {"category_rate", "category_impressions"}


def stored(seq: int, kind: Kind, name: str, time: int | None, position: int | None = None) -> StoredEvent:
    values = {"seq": seq, "event_id": f"e{seq}", "kind": kind, "article": name, "reader": "ann", "time": time}
    return StoredEvent(**dict.fromkeys(StoredEvent._fields) | values | {"position": position})  # type: ignore[arg-type]


def test_a_reader_met_again_is_who_they_were_and_each_event_counts_once() -> None:
    row_of = {f"a{row}": row for row in range(A)}
    events = [
        stored(1, Kind.IMPRESSION, "a0", START, 2),
        stored(2, Kind.IMPRESSION, "a2", START),
        stored(3, Kind.CLICK, "a2", START + 1),
        stored(4, Kind.IMPRESSION, "gone", START + 2, 0),
        stored(5, Kind.DISMISS, "a1", START + 2),
    ]
    learned, met = ReaderMemory(9, READERS, row_of), ReaderMemory(9, READERS, row_of)
    with learned.meeting("ann") as arrive:
        arrive(past())
    for event in [*events, events[0]]:  # the last one again
        if event.article in row_of:
            learned.learn(event, row_of[event.article])
    with met.meeting("ann") as arrive:
        arrive(past(*events))
    one, other = learned.reader("ann"), met.reader("ann")
    assert one is not None
    assert other is not None
    assert pack(one) == pack(other)
    assert (one.impressions.rows.tolist(), one.impressions.positions.tolist()) == ([0, 2, 2], [2, -1, CLICK_POSITION])
    moved = met.moved([f"a{row}" for row in range(A)], {"a2": 5}, ReadersConfig()).reader("ann")
    assert moved is not None
    assert (moved.impressions.rows.tolist(), moved.impressions.times.tolist()) == ([5, 5], [START, START + 1])
    assert (moved.impressions.size, moved.clicks.tolist()) == (MAX_IMPRESSIONS, [5])
