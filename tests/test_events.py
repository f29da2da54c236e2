"""The event log: each event once whatever happens, and the arrays that are made of it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import CorruptArtefact, StaleArtefact, StoreError
from recsys.events import KINDS, UNDATED, EventLog, log
from recsys.events.catalogue import write_catalogue
from recsys.quality.reading import all_events
from recsys.store import Article, Event, Forgotten, Kind, Store, StoredEvent, reader_digest
from recsys.workspace import fsync_folder, read_table, replace_json

SITE = "daily"
DAY = 86_400_000


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(log, "_BATCH_ROWS", 3)
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
    assert event_log.append(store, SITE) == (5, 3, 5)
    store.add_events([click("late", 4), Event("other", "weekly", Kind.CLICK, "x", time=1)])
    assert event_log.append(store, SITE) == (1, 1, 6)
    assert event_log.append(store, SITE) == (0, 0, 6)
    assert ids(event_log) == ["h1", "h2", "late", "a", "b", "c"]
    days = sorted(folder.name for folder in (tmp_path / "log").glob("date=*"))
    assert days == ["date=1970-01-01", "date=1970-01-02", "date=undated"]


def test_a_column_is_read_as_it_was_stored(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    event = Event("e", SITE, Kind.DWELL, "中", "ann", "s", 7, "front", 3, "i", 900, '{"os":1}')
    store.add_events([event, Event("f", SITE, Kind.IMPRESSION, "a", time=8)])
    event_log.append(store, SITE)
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
        patch.setattr("recsys.events.log_state.replace_json", deadly(replace_json, after=point % 2 == 0))
        patch.setattr("recsys.events.log.fsync_folder", deadly(fsync_folder, after=False))
        try:
            event_log.append(store, SITE)
            died = False
        except Killed:
            died = True
    assert died == (0 < point <= steps)
    partial = ids(event_log)
    assert len(partial) == len(set(partial)) == event_log.through  # what can be read is always whole batches
    event_log.append(store, SITE)
    assert sorted(ids(event_log)) == names
    assert not list((tmp_path / "log").glob("**/*.tmp"))


def test_a_log_that_is_ahead_of_its_store_or_of_another_site_is_refused(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click("a", 1)])
    event_log.append(store, SITE)
    with pytest.raises(StaleArtefact, match="'weekly'"):
        event_log.append(store, "weekly")
    (tmp_path / "elsewhere").mkdir()
    empty = Store.open(f"sqlite:///{tmp_path}/elsewhere/other.db")
    with pytest.raises(StaleArtefact, match="behind its store"):
        event_log.append(empty, SITE)
    empty.close()


def test_a_damaged_part_is_named(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click("a", 1)])
    event_log.append(store, SITE)
    part = next((tmp_path / "log").glob("date=*/*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(CorruptArtefact, match=part.name):
        event_log.load()


@pytest.mark.parametrize("damage", ["flipped", "removed", "swapped"])
def test_a_part_that_was_damaged_or_deleted_is_named_with_the_remedy(store: Store, tmp_path: Path, damage: str) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click(str(n), DAY * n) for n in range(3)])
    event_log.append(store, SITE)
    part, other, _ = sorted((tmp_path / "log").glob("date=*/*.parquet"))
    if damage == "flipped":
        content = bytearray(part.read_bytes())
        content[40] ^= 1
        part.write_bytes(content)
    elif damage == "removed":
        part.unlink()
    else:
        part.write_bytes(other.read_bytes())
    said = rf"{part.name}.*Remove the folder .*log and run `python -m jobs events`"
    for reads in (event_log.load, event_log.read, lambda: event_log.append(store, SITE), event_log.count):
        with pytest.raises(CorruptArtefact, match=said):
            reads()
    shutil.rmtree(tmp_path / "log")
    assert event_log.append(store, SITE).events == len(event_log.load()) == 3


@pytest.mark.parametrize(
    "change", ['"through": 3=>"through": 2', '"sha256": "=>"sha256": "a', '"parts"=>"partr"', "{=>"]
)
def test_a_state_that_somebody_changed_is_named(store: Store, tmp_path: Path, change: str) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click(str(n), DAY * n) for n in range(3)])
    event_log.append(store, SITE)
    state = tmp_path / "log" / "state.json"
    old, new = change.split("=>")
    state.write_text(state.read_text().replace(old, new, 1))
    with pytest.raises(CorruptArtefact, match=r"state\.json.*python -m jobs events"):
        event_log.append(store, SITE)


def test_a_log_of_before_learns_its_parts_with_the_next_append(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    store.add_events([click(str(n), DAY * n) for n in range(3)])
    event_log.append(store, SITE)
    replace_json(tmp_path / "log" / "state.json", {"site": SITE, "through": 3})
    assert (len(event_log.load()), event_log.through) == (3, 3)
    assert event_log.append(store, SITE) == (0, 0, 3)
    next((tmp_path / "log").glob("date=*/*.parquet")).unlink()
    with pytest.raises(CorruptArtefact, match="no such file"):
        event_log.load()


@pytest.mark.parametrize("readers", [("ann",), ("ann", "bob")], ids=["rewritten", "emptied"])
def test_forgetting_that_dies_at_any_point_leaves_no_part_in_doubt(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readers: tuple[str, ...]
) -> None:
    whole = EventLog(tmp_path / "log")
    store.add_events([click("1", 1, reader="ann"), click("2", 2, reader="bob"), click("3", DAY, reader="eve")])
    whole.append(store, SITE)
    gone = [Forgotten(reader_digest(SITE, name), 0, 3, None, 0) for name in readers]

    def deadly(real: Callable[..., None], left: list[int]) -> Callable[..., None]:
        def step(*args: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            real(*args)

        return step

    deaths = 0
    for point in range(1, 7):
        root = Path(shutil.copytree(tmp_path / "log", tmp_path / f"log-{point}"))
        with monkeypatch.context() as patch:
            left = [point]
            patch.setattr("recsys.events.log_state.replace_json", deadly(replace_json, left))
            for module in ("log", "parts"):
                patch.setattr(f"recsys.events.{module}.fsync_folder", deadly(fsync_folder, left))
            try:
                EventLog(root).forget(SITE, gone)
            except Killed:
                deaths += 1
        assert len(EventLog(root).load()) in (3, 3 - len(readers)), "readable, whatever is half done"
        again = EventLog(root)
        assert again.append(store, SITE).events == 0
        again.forget(SITE, gone)
        assert again.load().reader_ids == [name for name in ("bob", "eve") if name not in readers]
    assert deaths >= 3


def test_rows_that_no_importer_could_have_written_are_named_and_cost_themselves_alone(
    store: Store, tmp_path: Path
) -> None:
    store.add_events([click(str(n), n) for n in range(1, 12)])
    store.close()
    database = sqlite3.connect(tmp_path / "store.db")
    odd = {
        2: "time = 'yesterday'",
        3: "article = x'ff00'",
        5: "position = 99999",
        8: "kind = 'views'",
        9: "session = CAST(x'ff' AS TEXT)",
        11: "dwell_ms = x'00'",
    }
    database.execute("PRAGMA ignore_check_constraints = 1")
    for seq, change in odd.items():
        database.execute(f"UPDATE events SET {change} WHERE seq = {seq}")
    database.commit()
    database.close()
    damaged, event_log = Store.open(f"sqlite:///{tmp_path}/store.db"), EventLog(tmp_path / "log")
    beyond = all_events(event_log, damaged, SITE).table
    assert event_log.append(damaged, SITE) == (5, 1, 11)
    assert ids(event_log) == ["1", "4", "6", "7", "10"]
    assert [row["seq"] for row in event_log.set_aside] == list(odd)
    assert all(row["got"] for row in event_log.set_aside)
    assert set(beyond["seq"].to_pylist()) >= {1, 4, 6, 7, 10}, "the data page is drawn all the same"
    assert event_log.append(damaged, SITE) == (0, 0, 11)
    damaged.close()


def test_no_row_is_set_aside_because_the_database_was_out_of_reach_for_a_moment(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_events([click(str(n), n) for n in range(1, 4)])
    monkeypatch.setattr(log, "_BATCH_ROWS", 100)
    read = store.event_columns_after

    def gone(site: str, seq: int, limit: int, names: Sequence[str] = StoredEvent._fields) -> dict[str, tuple[Any, ...]]:
        if limit < 100:
            raise StoreError("a database that answers", "no connection", "Try again.")
        return (
            read(site, seq, limit, names) if names == ("seq",) else read(site, seq, limit, names) | {"time": ("x",) * 3}
        )

    monkeypatch.setattr(store, "event_columns_after", gone)
    with pytest.raises(StoreError, match="no connection"):
        EventLog(tmp_path / "log").append(store, SITE)
    assert EventLog(tmp_path / "log").through == 0


def test_an_article_that_no_importer_could_have_written_is_left_out_of_the_catalogue(
    store: Store, tmp_path: Path
) -> None:
    store.put_articles([Article(name, SITE, "Title", entities=("Oslo",)) for name in "abcd"])
    store.close()
    database = sqlite3.connect(tmp_path / "store.db")
    for name, change in (("a", "published_at = 'soon'"), ("b", "title = x'ff'"), ("c", "entities = '[oslo'")):
        database.execute(f"UPDATE articles SET {change} WHERE id = '{name}'")
    database.commit()
    database.close()
    damaged = Store.open(f"sqlite:///{tmp_path}/store.db")
    written, set_aside = write_catalogue(damaged.articles(SITE), tmp_path / "articles.parquet")
    assert (written, [row["id"] for row in set_aside]) == (2, ["'a'", "'b'"])
    left = read_table(tmp_path / "articles.parquet", ["id", "entities"]).to_pylist()
    assert left == [{"id": "c", "entities": []}, {"id": "d", "entities": ["Oslo"]}]
    damaged.close()


def test_an_empty_log_is_an_empty_array(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    assert event_log.append(store, SITE) == (0, 0, 0)
    events = event_log.load()
    assert (len(events), events.article_ids, events.through) == (0, [], 0)


def test_the_arrays_name_rows_in_sorted_order_and_what_is_missing_by_minus_one(store: Store, tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "log")
    shown = [
        Event(f"i{n}", SITE, Kind.IMPRESSION, article, None, "s", 9, None, n, "i") for n, article in enumerate("cb")
    ]
    store.add_events([*shown, click("1", 10, "b", "zoe"), click("2", None, "é", "ann"), click("3", 2, "b", None)])
    event_log.append(store, SITE)
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
    event_log.append(store, SITE)
    events = event_log.load()
    clicked = dict.fromkeys(events.session.tolist(), "")
    for session, row in zip(events.session.tolist(), events.article.tolist(), strict=True):
        clicked[session] += events.article_ids[row]
    assert sorted(clicked.values()) == ["ad", "b", "ce", "f"]


def test_a_log_of_decades_is_kept_in_few_files(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One click a day since 1970: a file for each day would cost every stage minutes."""
    monkeypatch.setattr(log, "_BATCH_ROWS", 100_000)
    clicks = [click(f"e{n}", n * DAY + 7) for n in range(3_000)]
    store.add_events([*clicks, click("u", None)])
    event_log = EventLog(tmp_path / "log")
    event_log.append(store, SITE)
    assert len(list((tmp_path / "log").glob("date=*/*.parquet"))) == 100  # 99 months and what has no time
    assert event_log.load().time.tolist() == [UNDATED, *(event.time for event in clicks)]
