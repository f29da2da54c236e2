"""A forgotten reader: gone from the store, the log, the rejects and, release by release, from what was learned."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recsys.errors import UnknownReader
from recsys.events import EventLog, log
from recsys.events.personal import PersonalDataStores, clear_log, forget, forgotten_state, personal_data_of
from recsys.releases import Releases
from recsys.releases.config import ReleasesConfig
from recsys.store import Article, Event, Kind, Store, Written
from recsys.workspace import fsync_folder, write_json

SITE = "daily"
DAY = 86_400_000
AFTERWARDS = 4_000_000_000_000  # after any run of these tests


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[PersonalDataStores]:
    store = Store.open(f"sqlite:///{tmp_path}/store.db")
    releases = Releases(tmp_path / "releases", ReleasesConfig(keep=2))
    (tmp_path / "rejects").mkdir()
    yield PersonalDataStores(store, SITE, EventLog(tmp_path / "log"), releases, tmp_path / "rejects", tmp_path / "work")
    store.close()


def click(event_id: str, reader: str | None, time: int | None = 1, article: str = "a") -> Event:
    return Event(event_id, SITE, Kind.CLICK, article, reader, "1", time=time)


def append(stores: PersonalDataStores) -> None:
    stores.log.append(stores.database, SITE)


def ids(stores: PersonalDataStores) -> list[str]:
    return sorted(map(str, stores.log.read(["event_id"])["event_id"].to_pylist()))


def release(stores: PersonalDataStores, name: str, created_at: int, without: int | None) -> None:
    folder = stores.releases.root / name
    (folder / "events").mkdir(parents=True)
    write_json(folder / "manifest.json", {"created_at": created_at})
    write_json(folder / "events" / "log.json", {} if without is None else {"forgotten": without})


def test_the_log_is_rewritten_without_them_and_goes_on_where_it_was(stores: PersonalDataStores) -> None:
    events = [
        click("1", "ann"),
        click("2", "bob"),
        click("3", "ann", DAY),
        click("4", None, None),
        click("5", "ann", None),
    ]
    stores.database.add_events([*events, click("5", "ann", None)])
    append(stores)
    assert forget(stores, "ann", "ops") == 3
    append(stores)  # the newest event of the log is not in the store any more
    assert clear_log(stores.log, stores.database, SITE) == 3
    assert (ids(stores), stores.log.count(), stores.log.through) == (["2", "4"], 2, 5)
    for part in stores.log.root.glob("date=*/*.parquet"):
        assert "ann" not in pq.read_table(part)["reader"].to_pylist()
    assert not list(stores.log.root.glob("date=1970-01-02/*"))
    assert clear_log(stores.log, stores.database, SITE) == 0
    stores.database.add_events([click("6", "ann", AFTERWARDS), click("7", "bob")])  # a new reader of the same name
    append(stores)
    assert ids(stores) == ["2", "4", "6", "7"]
    assert clear_log(stores.log, stores.database, SITE) == 0
    assert stores.log.count_of("ann") == (1, 1)


def test_what_a_new_reader_of_that_name_did_before_the_log_was_cleared_stays(stores: PersonalDataStores) -> None:
    stores.database.add_events([click("1", "ann"), click("2", "bob")])
    append(stores)
    forget(stores, "ann", "ops")
    stores.database.add_events([click("3", "ann", AFTERWARDS)])
    append(stores)
    clear_log(stores.log, stores.database, SITE)
    assert ids(stores) == ["2", "3"]


class Killed(BaseException):
    """What ends the process at a chosen point."""


@pytest.mark.parametrize("point", range(1, 10))
def test_a_clearing_that_dies_at_any_point_is_made_good_by_the_next(
    stores: PersonalDataStores, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    stores.database.add_events([click(str(n), "ann" if n % 2 else "bob", DAY * n) for n in range(4)])
    stores.database.add_events([click("same day", "ann", 2), click("too", "bob", 2)])
    append(stores)
    forget(stores, "ann", "ops")
    steps = 0

    def deadly(path: Path) -> None:
        nonlocal steps
        steps += 1
        if steps == point:
            raise Killed
        fsync_folder(path)

    with monkeypatch.context() as patch:
        patch.setattr("recsys.events.log.fsync_folder", deadly)
        try:
            clear_log(stores.log, stores.database, SITE)
        except Killed:
            assert stores.database.forgotten_readers(SITE, in_log=True)
            assert {"0", "2", "too"} <= set(ids(stores))
    append(stores)
    clear_log(stores.log, stores.database, SITE)
    assert ids(stores) == ["0", "2", "too"]
    assert not stores.database.forgotten_readers(SITE, in_log=True)
    assert not list(stores.log.root.glob("**/*.tmp"))


def test_rejected_rows_that_name_them_go_and_the_others_stay(stores: PersonalDataStores) -> None:
    file = stores.rejects / "clicks.csv-1.jsonl"
    rows = ["a,u1,click", '{"reader": "u1"}', "a,u11,click", "a,u2,click"]
    lines = [json.dumps({"line": n, "reason": "kind", "row": row}) for n, row in enumerate(rows)]
    file.write_text("\n".join([*lines, '{"line": 9, "row": "x,u1']) + "\n", encoding="utf-8")
    stores.database.add_events([click("1", "u1")])
    forget(stores, "u1", "ops")
    assert [json.loads(line)["row"] for line in file.read_text(encoding="utf-8").splitlines()] == rows[2:]


def test_what_is_kept_of_a_reader_and_where(stores: PersonalDataStores, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.database.put_articles([Article("a", SITE, "Title")])
    clicks = [click(str(n), "ann", n * 10) for n in range(30)]
    stores.database.add_events([*clicks, Event("d", SITE, Kind.DISMISS, "gone", "ann", time=7)])
    monkeypatch.setattr(log, "_BATCH_ROWS", 1)
    append(stores)
    kept = personal_data_of(stores, "ann")
    assert kept["events"]["click"] == {"events": 30, "first": 0, "last": 290}
    assert kept["clicks"][0] == {"article": "a", "title": "Title", "time": 290, "session": "1"}
    assert len(kept["clicks"]) == 20
    assert len(personal_data_of(stores, "ann", whole=True)["clicks"]) == 30
    assert [(one["article"], one["title"]) for one in kept["dismissed"]] == [("gone", None)]
    assert kept["where"] == {"store": 31, "log": 31, "log_parts": 31}
    assert kept["forgotten"] is None
    json.dumps(kept)


def test_nobody_knows_a_reader_who_was_never_there(stores: PersonalDataStores) -> None:
    for ask in (lambda: personal_data_of(stores, "u9"), lambda: forget(stores, "u9", "ops")):
        with pytest.raises(UnknownReader, match="'u9'"):
            ask()
    assert stores.database.audit(SITE, 9) == []


def test_it_says_when_everything_is_gone(stores: PersonalDataStores) -> None:
    stores.database.add_events([click("1", "ann")])
    append(stores)
    release(stores, "1-old", 1, None)
    forget(stores, "ann", "ops")
    state = forgotten_state(stores, "ann")
    assert state is not None
    assert (state["releases"], state["log_cleared_at"], state["done"]) == (["1-old"], None, False)
    clear_log(stores.log, stores.database, SITE)
    change = stores.database.last_forgotten(SITE)
    state = personal_data_of(stores, "ann")["forgotten"]
    assert state["log_cleared_at"] is not None
    assert "1-old" in state["says"]
    assert "when 2 more are published" in state["says"]  # keep: 2
    release(stores, "2-new", 2, change)
    state = forgotten_state(stores, "ann")
    assert state is not None
    assert (state["done"], "when 1 more" in state["says"]) == (False, True)
    release(stores, "3-new", 3, change)
    (stores.releases.root / "1-old" / "manifest.json").unlink()
    state = forgotten_state(stores, "ann")
    assert state is not None
    assert (state["releases"], state["done"]) == ([], True)
    assert "everything is gone" in state["says"]


def test_without_a_release_the_stages_of_the_workspace_count(stores: PersonalDataStores) -> None:
    stores.database.add_events([click("1", "ann")])
    append(stores)
    forget(stores, "ann", "ops")
    clear_log(stores.log, stores.database, SITE)
    assert personal_data_of(stores, "ann")["forgotten"]["done"]  # nothing was ever made
    (stores.work / "events").mkdir(parents=True)
    write_json(stores.work / "events" / "log.json", {"through": 1, "forgotten": 0})
    assert not personal_data_of(stores, "ann")["forgotten"]["done"]


def test_an_old_file_does_not_bring_a_forgotten_reader_back(stores: PersonalDataStores) -> None:
    old = [click("1", "ann"), click("2", "ann", None), click("3", "bob")]
    stores.database.add_events(old)
    assert forget(stores, "ann", "ops") == 2
    forgotten_at = stores.database.forgotten_readers(SITE)[0].forgotten_at
    assert stores.database.preview_events(old) == Written(0, 0, 1, forgotten=2)
    assert stores.database.add_events(old) == Written(0, 0, 1, forgotten=2)
    assert stores.database.add_events(old[:2]) == Written(0, 0, 0, forgotten=2)
    later = [click("4", "ann", forgotten_at), click("5", "ann", forgotten_at + 1)]
    assert stores.database.add_events(later) == Written(1, 0, 0, forgotten=1)
