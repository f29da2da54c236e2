"""The compiled walk knows at each moment what a slow reader of the log would know, and nothing else."""

import json
from typing import Any

import numpy as np
import pytest

from recsys.dataset.impressions import Impressions
from recsys.dataset.replay import LogReplay
from recsys.events import KINDS, UNDATED, Events
from recsys.events.people import visitor_keys
from recsys.features import COLUMN, NAMES, SPEEDS
from recsys.features.matrix import ArticleTables, feature_matrix
from recsys.features.similarity import quantised
from recsys.features.tags import ArticleTags
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.trends import CLICK, PRIOR_COVISITS, PRIOR_IMPRESSIONS
from recsys.trends.config import TrendsConfig
from recsys.trends.state import COVISIT_HALF_LIVES_HOURS, HALF_LIVES_HOURS, LIFT_HALF_LIFE_HOURS
from recsys.trends.stream import Trends
from tests import trend_oracles as oracle
from tests.clicks import HOUR, START, click, log_of, shown

ARTICLES, MINUTE = 40, 60_000
TRENDS = TrendsConfig(
    max_live_articles=ARTICLES, max_neighbours=ARTICLES
)  # room for everything: the oracle forgets nothing
READERS = ReadersConfig()
KINDS_OF_VISITORS = 9


def random_log(seed: int, clicks: int = 250, hours: int = 20) -> Events:
    """Readers, sessions without a reader, clicks of nobody, undated ones, repeats, equal times, contexts, places."""
    rng = np.random.default_rng(seed)
    made: list[tuple[Any, ...]] = [click(f"r{n % 3}", f"a{rng.integers(ARTICLES):02}", UNDATED) for n in range(6)]
    for time in (START + np.sort(rng.integers(0, hours * 60, clicks)) * MINUTE).tolist():  # whole minutes: many equal
        who = int(rng.integers(KINDS_OF_VISITORS))
        reader, session = (f"r{who}" if who < 6 else None), (f"s{who}" if who in (6, 7) else None)
        article = f"a{int(ARTICLES * rng.random() ** 2):02}"
        said = {"region": f"p{rng.integers(3)}", "device": "phone", "noise": "x"} if rng.random() < 0.7 else None
        more: dict[str, Any] = {"session": session, "position": int(rng.integers(8)) if rng.random() < 0.5 else None}
        made.append(click(reader, article, time, context=json.dumps(said) if said else None, **more))
        if rng.random() < 0.6:
            made.append(shown(reader, f"a{rng.integers(ARTICLES):02}", time, "i", int(rng.integers(70))))
    return log_of(made)


def without_places(events: Events) -> Events:
    """The same log without places: then every impression counts one."""
    events.position[:] = -1
    return events


def tables_of(events: Events, seed: int = 3) -> ArticleTables:
    """Random vectors, some unknown; categories and tags, some unknown; nothing published."""
    rng, A = np.random.default_rng(seed), len(events.article_ids)
    vectors = rng.standard_normal((A, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[rng.random(A) < 0.2] = np.nan
    category, published, tags = (
        rng.integers(-1, 4, A).astype(np.int16),
        np.full(A, -1, np.int64),
        ArticleTags.empty(A, 3),
    )
    for row in np.flatnonzero(rng.random(A) < 0.8).tolist():
        tags.put(row, {int(tag): float(rng.random()) for tag in rng.integers(1, 9, 3)})
    means = np.roll(vectors, 1, axis=0)
    return ArticleTables(vectors, vectors[::-1].copy(), category, published, tags=tags, idf_vectors=quantised(means))


def lists_in(events: Events, n: int = 40, seed: int = 5) -> Impressions:
    """Lists of everything, shown at a click's own time, a moment after it, or at any time, to anybody."""
    rng, A = np.random.default_rng(seed), len(events.article_ids)
    dated = events.time[events.time != UNDATED]
    return Impressions.unclicked(
        time=np.sort(rng.choice(dated, n) + rng.choice([0, 1, 5 * MINUTE, HOUR], n)),
        reader=rng.choice(np.append(np.unique(visitor_keys(events)), -1), n).astype(np.int64),
        offsets=np.arange(n + 1) * A,
        article=np.concatenate([rng.permutation(A) for _ in range(n)]).astype(np.int32),
    )


def described(
    events: Events, lists: Impressions, tables: ArticleTables, *, audiences: bool = False
) -> np.ndarray[Any, np.dtype[np.float32]]:
    vectors = tables.article_vectors if audiences else None
    walk = LogReplay(events, lists, TRENDS, READERS, article_vectors=vectors)
    walk.use_tables(tables)
    out = np.full((len(lists.article), len(NAMES)), np.nan, np.float32)
    walk.describe(0, len(lists), out)
    return out


def one_by_one(events: Events, trends: Trends, until: int | None = None) -> Trends:
    """What the service does with a log: one event after the other."""
    columns = (events.kind, events.article, events.time, events.position, visitor_keys(events))
    contexts = events.context.tolist() or [-1] * len(events)
    for (*event, position, key), context in zip(
        zip(*(c.tolist() for c in columns), strict=True), contexts, strict=True
    ):
        if until is None or event[2] < until:
            said = events.contexts[context] if context >= 0 else None
            trends.observe(*event, position=position, visitor=str(key) if key >= 0 else None, context=said)
    return trends


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("live", [6, ARTICLES])  # with 6 slots articles are turned out all the time
def test_the_walk_counts_what_the_service_counts_event_by_event(seed: int, live: int) -> None:
    events = random_log(seed)
    config = TrendsConfig(max_live_articles=live, max_neighbours=5)
    tables = tables_of(events)
    walk = LogReplay(events, lists_in(events), config, READERS)
    live_counts = Trends(len(events.article_ids), config)
    walk.use_tables(tables)
    live_counts.describe_articles(tables.category, tables.published)
    for time in np.quantile(events.time[events.time != UNDATED], [0.2, 0.2, 0.7, 1]).astype(np.int64).tolist():
        walk.apply_until(time + 1)  # in steps, one of them empty
    one_by_one(events, live_counts)
    assert live_counts.all_total[1] > 200
    for name, values in live_counts.arrays().items():
        np.testing.assert_allclose(walk.trends.arrays()[name], values, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_company_is_what_a_sum_over_the_log_says(seed: int) -> None:
    events = random_log(seed)
    lists, tables = lists_in(events), tables_of(events)
    rows = described(events, lists, tables)
    met = 0.0
    for i in range(len(lists)):
        past = oracle.past_of(events, int(lists.time[i]), int(lists.reader[i]))
        for place in range(lists.offsets[i], lists.offsets[i + 1], 3):
            row = int(lists.article[place])
            expected = oracle.covisit_columns(past, row, PRIOR_COVISITS, COVISIT_HALF_LIVES_HOURS, HALF_LIVES_HOURS[2])
            for name, value in expected.items():
                assert rows[place, COLUMN[name]] == pytest.approx(value, abs=2e-4), (i, row, name)
            met += expected["last_covisits_count"] + expected["last_next_count"]
    assert met > 10  # the columns were not all empty


@pytest.mark.parametrize("seed", [1, 2])
def test_popularity_slopes_and_ages_are_what_a_sum_over_the_log_says(seed: int) -> None:
    events = without_places(random_log(seed))
    lists, tables = lists_in(events), tables_of(events)
    rows = described(events, lists, tables)
    for i in range(len(lists)):
        past = oracle.past_of(events, int(lists.time[i]))
        for place in range(lists.offsets[i], lists.offsets[i + 1], 3):
            row = int(lists.article[place])
            expected = oracle.popularity_columns(past, row, HALF_LIVES_HOURS, PRIOR_IMPRESSIONS, SPEEDS)
            for name, value in expected.items():
                assert rows[place, COLUMN[name]] == pytest.approx(value, abs=2e-4), (i, row, name)


@pytest.mark.parametrize("seed", [1, 2])
def test_lifts_are_what_a_sum_over_the_log_says(seed: int) -> None:
    events = random_log(seed)
    lists, tables = lists_in(events), tables_of(events)
    rows, category = described(events, lists, tables), tables.category.tolist()
    lifted = dict.fromkeys(("lift_region", "lift_hour", "lift_before"), 0)
    for i in range(len(lists)):
        past = oracle.past_of(events, int(lists.time[i]), int(lists.reader[i]))
        for place in range(lists.offsets[i], lists.offsets[i + 1], 3):
            row = int(lists.article[place])
            expected = oracle.lift_columns(past, row, TRENDS.context, category, LIFT_HALF_LIFE_HOURS)
            for name, value in expected.items():
                assert rows[place, COLUMN[name]] == pytest.approx(value, abs=2e-4), (i, row, name)
            for name in lifted:
                lifted[name] += abs(expected[name]) > 0.01
    assert min(lifted.values()) > 10


@pytest.mark.parametrize("seed", [1, 2])
def test_the_service_describes_a_list_as_the_walk_does(seed: int) -> None:
    events = random_log(seed)
    lists, tables = lists_in(events, n=12), tables_of(events)
    rows = described(events, lists, tables)
    for i in range(len(lists)):
        now, key = int(lists.time[i]), int(lists.reader[i])
        trends, reader = Trends(len(events.article_ids), TRENDS), ReaderState.empty(READERS)
        trends.describe_articles(tables.category, tables.published)
        one_by_one(events, trends, until=now)
        told = zip(
            *(column.tolist() for column in (events.kind, events.article, events.time, events.position)),
            visitor_keys(events).tolist(),
            events.context.tolist(),
            strict=True,
        )
        for kind, row, time, place, who, context in told:
            if who == key >= 0 and time < now:
                reader.observe(kind, row, time, events.contexts[context] if context >= 0 else None, place)
        part = slice(lists.offsets[i], lists.offsets[i + 1])
        served = feature_matrix(tables, reader, lists.article[part], now, trends, READERS)
        shelf = COLUMN["age_shelf"]  # the walk reads shelf lives once an hour, here they are of this moment
        np.testing.assert_allclose(np.delete(served, shelf, 1), np.delete(rows[part], shelf, 1), atol=1e-5)


def test_a_stale_walk_knows_what_was_known_at_the_last_full_hour() -> None:
    events = random_log(1)
    lists, tables = lists_in(events), tables_of(events)
    out = np.empty((len(lists.article), len(NAMES)), np.float32)
    walk = LogReplay(events, lists, TRENDS, READERS, stale_ms=HOUR)
    walk.use_tables(tables)
    walk.describe(0, len(lists), out)
    clicks = (events.kind == CLICK) & (events.time != UNDATED)
    behind = 0
    for i, now in enumerate(lists.time.tolist()):
        rows = lists.article[lists.offsets[i] : lists.offsets[i + 1]]
        known, all_ = (
            np.bincount(events.article[clicks & (events.time < until)], minlength=ARTICLES)[rows]
            for until in (now // HOUR * HOUR, now)
        )
        column = out[lists.offsets[i] : lists.offsets[i + 1], COLUMN["clicks_total"]]
        np.testing.assert_allclose(column, np.log1p(known), rtol=1e-5)
        behind += int((known < all_).sum())
    assert behind > 50


def test_every_column_is_finite_and_moves() -> None:
    events = random_log(4)
    rows = described(events, lists_in(events), tables_of(events), audiences=True)
    assert np.isfinite(rows).all()
    still = {name for name in NAMES if np.ptp(rows[:, COLUMN[name]]) == 0}
    assert still == {"lift_device", "lift_os", "lift_referrer"}  # every device is a phone, the others are never told


def test_events_of_other_kinds_count_nothing_and_undated_clicks_are_counted_apart() -> None:
    made = [click("r", "a", UNDATED), ("dwell", "r", "a", START, None, None, None, None, None)]
    events = log_of([*made, ("dismiss", "r", "a", START, None, None, None, None, None)])
    assert {KINDS[kind] for kind in events.kind} == {"click", "dwell", "dismiss"}
    walk = LogReplay(events, lists_of_nothing(), TRENDS, READERS)
    walk.apply_until(START + HOUR)
    empty = Trends(1, TRENDS).arrays() | {"undated": np.ones(1, np.int64)}
    for name, values in walk.trends.arrays().items():
        np.testing.assert_array_equal(values, empty[name], err_msg=name)


def lists_of_nothing() -> Impressions:
    none, longs = np.empty(0, np.int32), np.empty(0, np.int64)
    return Impressions.unclicked(longs, longs, np.zeros(1, np.int64), none)


def test_a_list_that_the_walk_has_passed_is_refused() -> None:
    events = random_log(1)
    lists, out = lists_in(events, n=4), np.empty((4 * ARTICLES, len(NAMES)), np.float32)
    walk = LogReplay(events, lists, TRENDS, READERS)
    walk.use_tables(tables_of(events))
    walk.apply_until(int(lists.time[2]))
    with pytest.raises(ValueError, match="passed"):
        walk.describe(1, 2, out)


def test_lists_out_of_time_order_are_refused() -> None:
    events = random_log(1)
    lists = lists_in(events, n=4)
    lists.time[:] = lists.time[::-1].copy()
    with pytest.raises(ValueError, match="time order"):
        LogReplay(events, lists, TRENDS, READERS)


def test_a_reader_of_a_hundred_thousand_clicks_costs_as_much_as_one_of_fifty() -> None:
    """Only the last clicks are looked at, so that the rest changes nothing in what the reader's own columns say."""
    rng, n = np.random.default_rng(1), 100_000
    articles = [f"a{row:02}" for row in rng.integers(0, ARTICLES, n)]
    events = log_of([click("r", name, START + 20_000 * at) for at, name in enumerate(articles)])
    end = START + 20_000 * n
    everything = np.arange(ARTICLES, dtype=np.int32)
    lists = Impressions.unclicked(np.array([end - 10_000]), np.zeros(1, np.int64), np.array([0, ARTICLES]), everything)
    walk = LogReplay(events, lists, TRENDS, READERS)
    walk.use_tables(tables_of(events))
    before = {name: values.nbytes for name, values in walk.trends.arrays().items()}
    out = np.empty((ARTICLES, len(NAMES)), np.float32)
    walk.describe(0, 1, out)
    assert walk.trends.all_total == (0, n)
    assert {name: values.nbytes for name, values in walk.trends.arrays().items()} == before
    assert out[0, COLUMN["history"]] == pytest.approx(np.log1p(READERS.max_history))
    assert out[0, COLUMN["visit_clicks"]] == pytest.approx(np.log1p(READERS.max_history))
    reader = ReaderState.empty(READERS)
    for name, time in zip(articles[-200:], events.time[-200:].tolist(), strict=True):
        reader.observe(CLICK, int(name[1:]), time)
    np.testing.assert_allclose(
        feature_matrix(tables_of(events), reader, lists.article, int(lists.time[0]), walk.trends, READERS),
        out,
        atol=1e-5,
    )
