"""One definition of a visit: the batch table, a slow reading of it, and the service's running visits agree."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.dataset.impressions import Impressions, click_histories
from recsys.events import KINDS, UNDATED, Events
from recsys.events.people import visitor_keys
from recsys.events.visits import same_visit, visit_ends, visits_of
from recsys.readers.state import ReaderState
from recsys.trends.covisits import MAX_COVISITS, RunningVisits
from tests.clicks import MINUTE

GAP = 30  # minutes
SHOWN, CLICK = KINDS.index("impression"), KINDS.index("click")
READERS = 3


def arrays(rows: list[tuple[int, int, int, int]]) -> Events:
    """Events from (time, kind, reader, session) rows; the article of each is its row number."""
    rows = sorted(rows, key=lambda row: row[0])
    time, kind, reader, session = (np.array([row[i] for row in rows], np.int64) for i in range(4))
    none = np.full(len(rows), -1)
    return Events(
        time=time,
        kind=kind.astype(np.int8),
        article=np.arange(len(rows), dtype=np.int32),
        reader=reader.astype(np.int32),
        session=session.astype(np.int32),
        impression=none.astype(np.int32),
        position=none.astype(np.int16),
        article_ids=[str(row) for row in range(len(rows))],
        reader_ids=[str(row) for row in range(READERS)],
        through=len(rows),
    )


def visits_by_hand(events: Events) -> list[list[int]]:
    """The definition, one click after the other: rows of the log, visit by visit."""
    by_visitor: dict[tuple[str, int], list[int]] = {}
    for row in range(len(events)):
        if KINDS[events.kind[row]] != "click":
            continue
        if events.reader[row] >= 0:
            by_visitor.setdefault(("reader", int(events.reader[row])), []).append(row)
        elif events.session[row] >= 0:
            by_visitor.setdefault(("session", int(events.session[row])), []).append(row)
    visits: list[list[int]] = []
    for rows in by_visitor.values():
        visits.append([rows[0]])
        for before, row in itertools.pairwise(rows):
            times = events.time[before], events.time[row]
            if UNDATED in times or times[1] - times[0] > GAP * MINUTE:
                visits.append([])
            visits[-1].append(row)
    return sorted(visits)


def visits_in(events: Events) -> list[list[int]]:
    table = visits_of(events, GAP)
    starts = np.unique(table.visit_start).tolist()
    return sorted(table.event[a:b].tolist() for a, b in itertools.pairwise([*starts, len(table.event)]))


ROW = st.tuples(
    st.one_of(st.just(UNDATED), st.integers(0, 200).map(lambda minute: minute * MINUTE)),
    st.sampled_from([SHOWN, CLICK, CLICK, CLICK]),
    st.integers(-1, READERS - 1),
    st.integers(-1, 2),
)
ROWS = st.lists(ROW, max_size=25)


@given(ROWS)
@settings(deadline=None, max_examples=150)
def test_visits_are_those_found_by_hand(rows: list[tuple[int, int, int, int]]) -> None:
    events = arrays(rows)
    table = visits_of(events, GAP)
    assert visits_in(events) == visits_by_hand(events)
    assert table.article.tolist() == events.article[table.event].tolist()
    assert table.visitor.tolist() == sorted(visitor_keys(events)[table.event].tolist())
    assert table.event[table.order].tolist() == sorted(table.event.tolist())
    ends = [int(row) + len(visit) for row, visit in zip(np.unique(table.visit_start), _by_start(events), strict=True)]
    assert np.unique(visit_ends(table)).tolist() == ends


def _by_start(events: Events) -> list[list[int]]:
    table = visits_of(events, GAP)
    starts = np.unique(table.visit_start).tolist()
    return [table.event[a:b].tolist() for a, b in itertools.pairwise([*starts, len(table.event)])]


@given(ROWS)
@settings(deadline=None, max_examples=100)
def test_the_running_visits_of_the_service_are_those_of_the_log(rows: list[tuple[int, int, int, int]]) -> None:
    events = arrays([row for row in rows if row[0] != UNDATED])  # the service counts no undated click as co-visit
    table, live = visits_of(events, GAP), RunningVisits(1_000, GAP * MINUTE)
    row_of = {event: row for row, event in enumerate(table.event.tolist())}
    for event, key in enumerate(visitor_keys(events).tolist()):
        if event in row_of:
            row = row_of[event]
            before = live.click(str(key), event, int(events.time[event])).tolist()
            assert before == table.article[max(table.visit_start[row], row - MAX_COVISITS) : row].tolist()


@given(ROWS, st.integers(0, 240))
@settings(deadline=None, max_examples=100)
def test_a_reader_s_own_state_knows_the_visit_of_the_log(rows: list[tuple[int, int, int, int]], minute: int) -> None:
    events, now = arrays(rows), minute * MINUTE
    reader, clicks = ReaderState(), np.flatnonzero((events.kind == CLICK) & (events.reader == 0) & (events.time < now))
    for row in clicks.tolist():
        reader.observe(CLICK, row, int(events.time[row]))
    one = np.array([now]), np.zeros(1, np.int64), np.zeros(2, np.int64), np.empty(0, np.int32)
    past = click_histories(events, Impressions.unclicked(*one), GAP)
    assert len(reader.clicks) == past.last[0] - past.first[0]
    assert reader.visit(now, GAP * MINUTE) == past.visit[0] - past.first[0]


def test_a_visit_ends_after_the_gap_and_not_at_it() -> None:
    assert same_visit(0, GAP * MINUTE, GAP * MINUTE)
    assert not same_visit(0, GAP * MINUTE + 1, GAP * MINUTE)
    assert not same_visit(UNDATED, 0, GAP * MINUTE)
    assert same_visit(np.array([0, UNDATED, 5]), np.array([0, UNDATED, 5]), 0).tolist() == [True, False, True]


def test_an_undated_click_is_a_visit_of_its_own_and_a_session_does_not_part_a_reader_s_visit() -> None:
    undated = [(UNDATED, CLICK, 0, -1)] * 2
    events = arrays([*undated, *((m * MINUTE, CLICK, 0, session) for m, session in ((0, 0), (30, 1), (61, 1)))])
    assert visits_in(events) == [[0], [1], [2, 3], [4]]


def test_clicks_of_nobody_are_in_no_visit() -> None:
    assert visits_in(arrays([(0, CLICK, -1, -1), (1, CLICK, -1, 2)])) == [[1]]
