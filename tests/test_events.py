"""The event log: each event once whatever happens, and the arrays and sessions that are made of it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import CorruptArtefact, StaleArtefact
from recsys.events import KINDS, UNDATED, EventLog, Events, sessions
from recsys.events.config import EventsConfig
from recsys.store import Event, Kind, Store
from recsys.workspace import fsync_folder, replace_json

SITE = "daily"
DAY = 86_400_000
SMALL = EventsConfig(batch_rows=3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def click(event_id: str, time: int | None, article: str = "a", reader: str | None = "ann") -> Event:
    return Event(event_id, SITE, Kind.CLICK, article, reader, time=time)


def ids(event_log: EventLog) -> list[str]:
    return [str(name) for name in event_log.read(["event_id"])["event_id"].to_pylist()]


def test_every_event_is_in_the_log_once_by_day_and_read_in_order_of_time(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click("b", DAY), click("h1", None), click("a", 5), click("h2", None), click("c", DAY + 1)])
    assert event_log.append(store, SITE, SMALL) == (5, 3, 5)
    store.add_events([click("late", 4), Event("other", "weekly", Kind.CLICK, "x", time=1)])
    assert event_log.append(store, SITE, SMALL) == (1, 1, 6)
    assert event_log.append(store, SITE, SMALL) == (0, 0, 6)
    assert ids(event_log) == ["h1", "h2", "late", "a", "b", "c"]
    days = sorted(folder.name for folder in (tmp_path / "log").glob("date=*"))
    assert days == ["date=1970-01-01", "date=1970-01-02", "date=undated"]


def test_a_column_is_read_as_it_was_stored(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    event = Event("e", SITE, Kind.DWELL, "中", "ann", "s", 7, "front", 3, "i", 900, '{"os":1}')
    store.add_events([event, Event("f", SITE, Kind.IMPRESSION, "a", time=8)])
    event_log.append(store, SITE, SMALL)
    rows = event_log.read().to_pylist()
    expected = {**event._asdict(), "kind": "dwell", "seq": 1}
    del expected["site"]
    assert rows[0] == expected
    assert rows[1]["reader"] is None


class Killed(BaseException):
    """What ends the process at a chosen point."""


@pytest.mark.parametrize("point", range(14))
def test_an_append_that_dies_at_any_point_is_made_good_by_the_next(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    event_log = EventLog(tmp_path / "log")
    names = [f"{number:02}" for number in range(8)]
    store.add_events([click(name, DAY * (int(name) % 2)) for name in names])
    steps = 0

    def deadly(real: object, after: bool) -> object:
        def step(*args: object, **kwargs: object) -> object:
            nonlocal steps
            steps += 1
            if steps == point and not after:
                raise Killed
            result = real(*args, **kwargs)  # type: ignore[operator]
            if steps == point:
                raise Killed
            return result

        return step

    with monkeypatch.context() as patch:
        patch.setattr("recsys.events.log.replace_json", deadly(replace_json, after=point % 2 == 0))
        patch.setattr("recsys.events.log.fsync_folder", deadly(fsync_folder, after=False))
        try:
            event_log.append(store, SITE, SMALL)
            died = False
        except Killed:
            died = True
    assert died == (0 < point <= steps)
    partial = ids(event_log)
    assert len(partial) == len(set(partial)) == event_log.through  # what can be read is always whole batches
    event_log.append(store, SITE, SMALL)
    assert sorted(ids(event_log)) == names
    assert not list((tmp_path / "log").glob("**/*.tmp"))


def test_a_log_that_is_ahead_of_its_store_or_of_another_site_is_refused(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click("a", 1)])
    event_log.append(store, SITE, SMALL)
    with pytest.raises(StaleArtefact, match="'weekly'"):
        event_log.append(store, "weekly", SMALL)
    empty = Store.open(f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(StaleArtefact, match="behind its store"):
        event_log.append(empty, SITE, SMALL)
    empty.close()


def test_a_damaged_part_is_named(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click("a", 1)])
    event_log.append(store, SITE, SMALL)
    part = next((tmp_path / "log").glob("date=*/*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(CorruptArtefact, match=part.name):
        event_log.load()


def test_an_empty_log_is_an_empty_array(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    assert event_log.append(store, SITE, SMALL) == (0, 0, 0)
    events = event_log.load()
    assert (len(events), events.article_ids, events.through) == (0, [], 0)
    flat, offsets, starts = sessions(events, 30)
    assert (flat.tolist(), offsets.tolist(), starts.tolist()) == ([], [0], [])


def test_the_arrays_name_rows_in_sorted_order_and_what_is_missing_by_minus_one(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    shown = [
        Event(f"i{n}", SITE, Kind.IMPRESSION, article, None, "s", 9, None, n, "i") for n, article in enumerate("cb")
    ]
    store.add_events([*shown, click("1", 10, "b", "zoe"), click("2", None, "é", "ann"), click("3", 2, "b", None)])
    event_log.append(store, SITE, SMALL)
    events = event_log.load()
    assert events.article_ids == ["b", "c", "é"]
    assert events.reader_ids == ["ann", "zoe"]
    assert events.time.tolist() == [UNDATED, 2, 9, 9, 10]
    assert [KINDS[kind] for kind in events.kind] == ["click", "click", "impression", "impression", "click"]
    assert events.article.tolist() == [2, 0, 1, 0, 0]
    assert events.reader.tolist() == [0, -1, -1, -1, 1]
    assert events.session.tolist() == [-1, -1, 0, 0, -1]
    assert events.impression.tolist() == [-1, -1, 0, 0, -1]
    assert events.position.tolist() == [-1, -1, 0, 1, -1]
    types = [str(getattr(events, name).dtype) for name in ("time", "kind", "article", "reader", "position")]
    assert types == ["int64", "int8", "int32", "int32", "int16"]
    early = events.before(9)
    assert early.time.tolist() == [UNDATED, 2]
    assert early.article_ids == events.article_ids


def test_the_log_can_be_read_as_it_was_at_an_earlier_seq(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click(str(number), 100 - number) for number in range(7)])
    event_log.append(store, SITE, SMALL)
    events = event_log.load(until=5)
    assert events.time.tolist() == [96, 97, 98, 99, 100]
    assert events.through == 5


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
        reader_ids=[],
        through=len(rows),
    )


def sessions_by_hand(events: Events, gap_minutes: int) -> list[tuple[list[int], int]]:
    """The definition, one click after the other."""
    owners: dict[tuple[str, int], list[int]] = {}
    for row in range(len(events)):
        if KINDS[events.kind[row]] != "click":
            continue
        if events.session[row] >= 0:
            owners.setdefault(("session", int(events.session[row])), []).append(row)
        elif events.reader[row] >= 0:
            owners.setdefault(("reader", int(events.reader[row])), []).append(row)
    found: list[list[int]] = []
    for (what, _), rows in owners.items():
        found.append([rows[0]])
        for before, row in itertools.pairwise(rows):
            if what == "reader" and events.time[row] - events.time[before] > gap_minutes * 60_000:
                found.append([])
            found[-1].append(row)
    return [(rows, int(events.time[rows[0]])) for rows in sorted(found)]


ROW = st.tuples(
    st.one_of(st.just(UNDATED), st.integers(0, 200).map(lambda minute: minute * 60_000)),
    st.sampled_from([0, 1, 1, 1]),
    st.integers(-1, 2),
    st.integers(-1, 2),
)


@given(st.lists(ROW, max_size=25))
@settings(deadline=None, max_examples=150)
def test_sessions_are_those_found_by_hand(rows: list[tuple[int, int, int, int]]) -> None:
    events = arrays(rows)
    flat, offsets, starts = sessions(events, 30)
    made = [flat[a:b].tolist() for a, b in itertools.pairwise(offsets)]
    assert list(zip(made, starts.tolist(), strict=True)) == sessions_by_hand(events, 30)
    assert [str(array.dtype) for array in (flat, offsets, starts)] == ["int32", "int64", "int64"]


def test_a_reader_s_clicks_split_at_a_long_pause_and_undated_ones_stay_together() -> None:
    minute = 60_000
    click = KINDS.index("click")
    rows = [(UNDATED, click, 0, -1)] * 2 + [(m * minute, click, 0, -1) for m in (0, 30, 61)]
    flat, offsets, starts = sessions(arrays(rows), 30)
    assert [list(map(int, part)) for part in np.split(flat, offsets[1:-1])] == [[0, 1], [2, 3], [4]]
    assert starts.tolist() == [UNDATED, 0, 61 * minute]


def test_two_readers_with_one_session_name_have_two_sessions_and_nobody_s_is_a_third(
    store: Store, tmp_path: Path
) -> None:
    def in_session(event_id: str, reader: str | None, article: str, session: str = "1") -> Event:
        return Event(event_id, SITE, Kind.CLICK, article, reader, session, time=int(event_id))

    event_log = EventLog(tmp_path / "log")
    store.add_events(
        [
            *(in_session("1", "ann", "a"), in_session("2", "bob", "b"), in_session("3", None, "c")),
            *(in_session("4", "ann", "d"), in_session("5", None, "e"), in_session("6", "bob", "f", "2")),
        ]
    )
    event_log.append(store, SITE, SMALL)
    events = event_log.load()
    rows, offsets, _ = sessions(events, 30)
    read = ["".join(events.article_ids[row] for row in part) for part in np.split(rows, offsets[1:-1])]
    assert read == ["ad", "b", "ce", "f"]


def test_a_log_of_decades_is_kept_in_few_files(store: Store, tmp_path: Path) -> None:
    """One click a day since 1970: a file for each day would cost every stage minutes."""
    clicks = [click(f"e{n}", n * DAY + 7) for n in range(3_000)]
    store.add_events([*clicks, click("u", None)])
    event_log = EventLog(tmp_path / "log")
    event_log.append(store, SITE, EventsConfig())
    assert len(list((tmp_path / "log").glob("date=*/*.parquet"))) == 100  # 99 months and what has no time
    assert event_log.load().time.tolist() == [UNDATED, *(event.time for event in clicks)]
