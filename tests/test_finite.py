"""Whatever dates come, every column and every score is finite: in training, in replay and in the service."""

import json
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.eligibility import AllowedRows
from recsys.dataset.impressions import Impressions
from recsys.dataset.replay import LogReplay
from recsys.events import Events
from recsys.features import NAMES
from recsys.features.logarithms import take_logarithms
from recsys.features.matrix import ArticleTables, feature_matrix
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.recommend.candidates import covisit_candidates
from recsys.trends import CLICK, IMPRESSION, state
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import Trends
from tests.clicks import HOUR, START, click, log_of, shown
from tests.test_log_replay import one_by_one, tables_of

DAY, YEAR = 24 * HOUR, 365 * 24 * HOUR
GAPS = (0, 1, 30_000, HOUR, 15 * HOUR, DAY, 9 * DAY, 145 * DAY, 240 * DAY, YEAR)
HALF_LIVES = (0.01, 0.25, 4.0, 64.0, 24.0 * 365, 1e6)
ARTICLES = 6
READERS = ReadersConfig()


@st.composite
def logs(draw: st.DrawFn) -> Events:
    """Up to two years of impressions and clicks with gaps, every context among them, sometimes a single event."""
    made, time = [], START - 2 * YEAR
    for _ in range(draw(st.integers(1, 14))):
        time += draw(st.sampled_from(GAPS))
        said = {name: f"{name}{draw(st.integers(0, 2))}" for name in TrendsConfig().context}
        who, article = f"r{draw(st.integers(0, 2))}", f"a{draw(st.integers(0, ARTICLES - 1))}"
        place = draw(st.sampled_from([None, 0, 5, 200]))
        if draw(st.booleans()):
            made.append(click(who, article, time, context=json.dumps(said), position=place))
        else:
            made.append(shown(who, article, time, "i", place))
    made += [shown("z", f"a{n}", START - 2 * YEAR - 1, "first") for n in range(ARTICLES)]  # all have rows
    return log_of(made)


@st.composite
def half_lives(draw: st.DrawFn) -> dict[str, Any]:
    """Every half-life at its own, from seconds to a century: values of the constants of ``recsys.trends.state``."""
    one = st.sampled_from(HALF_LIVES)
    return {
        "HALF_LIVES_HOURS": tuple(draw(st.lists(one, min_size=5, max_size=5))),
        "COVISIT_HALF_LIVES_HOURS": tuple(draw(st.lists(one, min_size=3, max_size=3))),
        "LIFT_HALF_LIFE_HOURS": draw(one),
        "SHELF_HALF_LIFE_DAYS": draw(one),
    }


def moments(events: Events, draw: st.DataObject) -> list[int]:
    """Times of lists: at events, long after the last, and before the first."""
    some = draw.draw(st.lists(st.sampled_from(events.time.tolist()), min_size=1, max_size=3))
    return sorted([*some, *(time + gap for time in some for gap in draw.draw(st.lists(st.sampled_from(GAPS))))])


@settings(max_examples=120, deadline=None)
@given(logs(), half_lives(), st.sampled_from([2, 8]), st.data())
def test_every_column_is_finite_after_any_gap_at_any_half_life(
    events: Events, speeds: dict[str, Any], live: int, data: st.DataObject
) -> None:
    with patch.multiple(state, **speeds):
        all_finite(events, TrendsConfig(max_live_articles=live, max_neighbours=3), data)


def all_finite(events: Events, config: TrendsConfig, data: st.DataObject) -> None:
    """Every column of a replay, and of the service."""
    times = moments(events, data)
    rows = np.arange(ARTICLES, dtype=np.int32)
    lists = Impressions.unclicked(
        np.array(times, np.int64),
        np.resize(np.arange(-1, len(events.reader_ids)), len(times)).astype(np.int64),
        np.arange(len(times) + 1) * ARTICLES,
        np.tile(rows, len(times)),
    )
    tables = tables_of(events)
    walk = LogReplay(events, lists, config, READERS)
    walk.use_tables(tables)
    out = np.full((len(lists.article), len(NAMES)), np.nan, np.float32)
    walk.describe(0, len(lists), out)
    assert np.isfinite(out).all()
    served(events, config, tables, [*times, START - 9 * YEAR, START + 50 * YEAR])


def served(events: Events, config: TrendsConfig, tables: ArticleTables, times: list[int]) -> None:
    """The same of the service, at moments when its clock may be years behind or ahead."""
    rows = np.arange(ARTICLES, dtype=np.int32)
    trends = Trends(ARTICLES, config)
    trends.describe_articles(tables.category, tables.published)
    one_by_one(events, trends)
    for now in times:
        reader = ReaderState.empty(READERS)
        for place, time in enumerate(events.time.tolist()[-4:]):
            context = events.contexts[place % len(events.contexts)] if events.contexts else None
            reader.observe(CLICK if place % 2 else IMPRESSION, place, time, context, place)
        told = feature_matrix(tables, reader, rows, now, trends, READERS)
        assert np.isfinite(told).all()
        assert np.isfinite(trends.counts(rows, now)).all()
        assert np.isfinite(trends.click_rate(rows, now)).all()
        company = covisit_candidates(trends, rows.tolist(), AllowedRows.of(np.ones(ARTICLES, bool)), now, 9)
        assert np.isfinite(company.visits).all()
        assert np.isfinite(company.lift).all()
    assert np.isfinite(trends.shelf()).all()
    assert (trends.shelf() > 0).all()


def test_a_context_that_was_last_heard_five_months_ago_says_nothing() -> None:
    """Twenty clicks a day from one region, and one from another 145 days ago."""
    trends = Trends(ARTICLES, TrendsConfig())
    trends.observe(CLICK, 0, START, visitor="v", context='{"region": "rare"}')
    for n in range(145 * 20):
        trends.observe(CLICK, n % ARTICLES, START + n * DAY // 20, visitor=f"u{n}", context='{"region": "north"}')
    reader = ReaderState.empty(READERS)
    reader.observe(CLICK, 0, START, '{"region": "rare"}')
    rows, vectors = np.arange(ARTICLES, dtype=np.int32), np.full((ARTICLES, 2), np.nan, np.float32)
    tables = ArticleTables(vectors, vectors, np.full(ARTICLES, -1, np.int16), np.full(ARTICLES, -1, np.int64))
    told = feature_matrix(tables, reader, rows, START + 145 * DAY, trends, READERS)
    assert np.isfinite(told).all()
    assert not told[:, NAMES.index("lift_region")].any()


def test_a_landmark_that_moves_with_every_event_moves_no_array_of_articles() -> None:
    """One click a day: the counts of all others stand at the landmark of their own last event, and read right."""
    trends = Trends(ARTICLES, TrendsConfig(max_live_articles=ARTICLES, max_neighbours=3))
    for n in range(400):
        trends.observe(CLICK, n % 2 if n else 5, START + n * DAY)
    state, now = trends.state, START + 400 * DAY
    assert state.row_landmark[5] == START < state.row_landmark[0] < state.row_landmark[1]
    expected = [sum(2.0 ** -((400 - n) * 24 / hours) for n in range(1, 400, 2)) for hours in (16.0, 64.0)]
    np.testing.assert_allclose(trends.counts(np.array([1], np.int32), now)[0, 1, 3:], expected, rtol=1e-9)
    assert trends.counts(np.array([5], np.int32), now)[0, 1].max() < 1e-40


def test_a_logarithm_is_exact_and_what_is_not_finite_becomes_none() -> None:
    numbers = np.geomspace(1e-30, 1e30, 64, dtype=np.float32).reshape(8, 8)
    odd = np.array([[np.inf, np.nan, 1.0, -np.inf, 2.0, np.inf, np.nan, 3.0]], np.float32)
    columns = np.array([True] * 7 + [False])
    taken = np.concatenate([numbers, odd])
    take_logarithms(taken, columns)
    np.testing.assert_allclose(taken[:8, :7], np.log(numbers[:, :7].astype(np.float64)), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(taken[:, 7], [*numbers[:, 7], 3.0])
    np.testing.assert_allclose(taken[8, :7], [np.nan, np.nan, 0, np.nan, np.log(2), np.nan, np.nan], atol=1e-6)
