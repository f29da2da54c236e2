"""The store, on SQLite and on a real PostgreSQL server with the very same tests."""

import multiprocessing
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import SelectBase, text

from recsys.errors import BadReader, ConfigError, InputError, StoreError
from recsys.store import (
    AccessToken,
    Article,
    Event,
    Kind,
    Scope,
    Store,
    Written,
    clean_text,
    compact_json,
    engine,
    identifier,
    schema,
)
from recsys.store.config import StoreConfig
from recsys.store.engine import BUSY_SECONDS, READING_CACHE_KIB, written_out
from recsys.store.events import READER_HISTORY, READER_PAST
from recsys.store.migrate import alembic_config
from recsys.units import UNDATED
from tests.postgres_server import fresh_database
from tests.stores import watched

SITE = "daily"
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])  # the processes of a test load the program once for all of them


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/folder/store.db"
        return
    with fresh_database(request.getfixturevalue("postgresql"), "recsys_test") as fresh:
        yield fresh


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def click(event_id: str, reader: str | None = "ann", time: int | None = 1, article: str = "a") -> Event:
    return Event(event_id, SITE, Kind.CLICK, article, reader, time=time)


def test_what_is_put_in_comes_out_again(store: Store) -> None:
    article = Article(
        "a/1", SITE, "标题 😀", "body", "/u", "/i", "src", "zh", "cat", "sub", ("Q1:É", "q"), 1, 2**45, hidden=True
    )
    event = Event("e", SITE, Kind.DWELL, "a/1", "ann", "s", 2**45, "slot", 3, "imp", 2**31 - 1, '{"os":1}')
    store.put_articles([article])
    store.add_events([event])
    stored = store.article(SITE, "a/1")
    assert stored is not None
    assert all(getattr(stored, name) == getattr(article, name) for name in Article.__slots__)
    assert store.events_after(SITE, 0, 9)[0][1:] == event
    assert store.events_after(SITE, 0, 9)[0].kind is Kind.DWELL


def test_an_article_is_new_then_a_duplicate_then_updated(store: Store) -> None:
    first, second = Article("a", SITE, "one"), Article("a", SITE, "two")
    assert store.put_articles([first, Article("b", SITE, "b")]) == Written(2, 0, 0)
    before = store.article(SITE, "a")
    assert store.preview_articles([second]) == Written(0, 1, 0)
    assert store.put_articles([first]) == Written(0, 0, 1)
    assert store.article(SITE, "a") == before
    assert store.put_articles([second]) == Written(0, 1, 0)
    after = store.article(SITE, "a")
    assert before is not None
    assert after is not None
    assert (after.title, after.created_at) == ("two", before.created_at)
    assert after.updated_at >= before.updated_at


def test_of_equal_identifiers_in_one_batch_the_last_one_wins(store: Store) -> None:
    assert store.put_articles([Article("a", SITE, "one"), Article("a", SITE, "two")]) == Written(1, 0, 1)
    assert [article.title for article in store.articles(SITE)] == ["two"]


def test_a_hidden_article_stays_hidden_when_it_is_sent_again(store: Store) -> None:
    store.put_articles([Article("a", SITE, "one")])
    store.hide_article(SITE, "a", "ann")
    store.put_articles([Article("a", SITE, "two")])
    hidden = store.article(SITE, "a")
    assert hidden is not None
    assert (hidden.title, hidden.hidden) == ("two", True)


def test_articles_are_streamed_in_byte_order_across_chunks_and_sites(store: Store) -> None:
    ids = [f"n{number}" for number in range(1_203)] + ["B", "a", "中", "é"]
    store.put_articles([Article(id, SITE, "t") for id in ids] + [Article("other", "weekly", "t")])
    assert [article.id for article in store.articles(SITE)] == sorted(ids)


def test_only_what_changed_after_a_number_is_streamed_whatever_the_clock_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.last_change(SITE) == 0
    store.put_articles([Article("a", SITE, "t"), Article("b", SITE, "t"), Article("o", "weekly", "t")])
    first = store.last_change(SITE)
    monkeypatch.setattr("recsys.store.articles.now_ms", lambda: 500)  # the clock is set back
    store.put_articles([Article("a", SITE, "new"), Article("b", SITE, "t")])
    assert [article.id for article in store.articles(SITE, changed_after=first)] == ["a"]
    second = store.last_change(SITE)
    assert list(store.articles(SITE, changed_after=second)) == []
    store.put_articles([Article("b", SITE, "t")])  # nothing new
    store.show_article(SITE, "b", "ann")  # it is shown
    assert store.last_change(SITE) == second
    store.hide_article(SITE, "b", "ann")
    assert [article.id for article in store.articles(SITE, changed_after=second)] == ["b"]


def test_an_event_is_taken_in_once_however_often_it_is_sent(store: Store) -> None:
    assert store.preview_events([click("1"), click("2"), click("1")]) == Written(2, 0, 1)
    assert store.last_seq(SITE) == 0
    assert store.add_events([click("1"), click("2"), click("1")]) == Written(2, 0, 1)
    assert store.add_events([click("2"), click("3"), click("4", reader=None)]) == Written(2, 0, 1)
    assert store.add_events([click("1")._replace(site="weekly")]) == Written(1, 0, 0)
    assert store.add_events([]) == Written(0, 0, 0)
    assert [event.event_id for event in store.events_after(SITE, 0, 9)] == ["1", "2", "3", "4"]


def test_readers_poll_by_seq(store: Store) -> None:
    store.add_events([click(str(number)) for number in range(5)])
    first = store.events_after(SITE, 0, 3)
    rest = store.events_after(SITE, first[-1].seq, 3)
    assert [event.event_id for event in first + rest] == list("01234")
    assert rest[-1].seq == store.last_seq(SITE)
    assert store.events_after(SITE, store.last_seq(SITE), 3) == []


def test_a_seq_never_comes_back_after_the_newest_event_is_deleted(store: Store) -> None:
    store.add_events([click("1"), click("2")])
    newest = store.last_seq(SITE)
    with store.writing() as connection:
        connection.execute(text("DELETE FROM events WHERE event_id = '2'"))
    store.add_events([click("3")])
    assert store.last_seq(SITE) > newest


def test_a_reader_s_last_clicks_come_oldest_first_and_undated_before_all(store: Store) -> None:
    dismissed = Event("d", SITE, Kind.DISMISS, "x", "ann", time=25)
    shown = Event("i", SITE, Kind.IMPRESSION, "x", "ann", time=40)
    other = click("o", reader="bob", time=50)
    clicks = [click("late", time=30), click("early", time=20), click("h1", time=None), click("h2", time=None)]
    store.add_events([*clicks, dismissed, shown, other])
    assert [event.time for event in store.clicks_of(SITE, "ann", 9)] == [UNDATED, UNDATED, 20, 25, 30]
    first, second, *_ = store.clicks_of(SITE, "ann", 9)
    assert first.seq < second.seq
    assert [(event.kind, event.article) for event in store.clicks_of(SITE, "ann", 2)] == [
        ("dismiss", "x"),
        ("click", "a"),
    ]
    store.add_events(
        [Event("j", SITE, Kind.IMPRESSION, "x", "ann", time=5), shown._replace(event_id="p", reader="bob")]
    )
    assert store.history_of(SITE, "ann", 0, 9).times == (5, 40)
    assert store.history_of(SITE, "ann", 0, 1).times == (40,)
    assert store.history_of(SITE, "ann", 2, 9).times == (5, 25, 30, 40)


@pytest.mark.parametrize(("clicks", "impressions"), [(50, 50), (7, 50), (50, 9), (7, 9), (0, 9), (7, 0)])
def test_a_reader_s_history_is_the_same_by_one_walk_and_kind_by_kind(
    store: Store, monkeypatch: pytest.MonkeyPatch, clicks: int, impressions: int
) -> None:
    rng = np.random.default_rng(clicks + impressions)
    kinds = rng.choice([Kind.CLICK, Kind.DISMISS, Kind.IMPRESSION, Kind.DWELL], 40).tolist()
    times = [None if rng.random() < 0.2 else int(time) for time in rng.integers(0, 9, 40)]  # many at one moment
    store.add_events(
        [
            Event(f"{n}", SITE, kind, f"a{n}", "ann", time=time, position=n, context="{}")
            for n, (kind, time) in enumerate(zip(kinds, times, strict=True))
        ]
    )
    at_once = store.history_of(SITE, "ann", clicks, impressions)
    monkeypatch.setattr("recsys.store.events._AT_ONCE", 10)
    of_each = store.history_of(SITE, "ann", clicks, impressions)
    assert at_once._replace(contexts=()) == of_each._replace(contexts=())
    assert len(at_once.seqs) == min(clicks, sum(kind in (Kind.CLICK, Kind.DISMISS) for kind in kinds)) + min(
        impressions, kinds.count(Kind.IMPRESSION)
    )
    known = dict(zip(of_each.seqs, of_each.contexts, strict=True))
    assert all(
        context == (None if kind == "impression" else known[seq])
        for seq, kind, context in zip(at_once.seqs, at_once.kinds, at_once.contexts, strict=True)
    )
    assert store.history_of(SITE, "bob", clicks, impressions).seqs == ()


def test_who_reads_by_the_driver_has_a_connection_of_their_own_that_an_error_ends(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    assert store.fetched("SELECT 1", ()) == [(1,)]
    first = store._spare[0]
    assert store.fetched("PRAGMA cache_size", ()) == [(-READING_CACHE_KIB,)]
    assert store._spare == [first], "it is used again"
    with pytest.raises(StoreError, match="no such table"):
        store.fetched("SELECT 1 FROM nowhere", ())
    assert store._spare == []
    assert store.fetched("PRAGMA busy_timeout", ()) == [(1_000 * BUSY_SECONDS,)]
    store.add_events([click("1")])
    assert store.last_seq(SITE) == store.fetched("SELECT max(seq) FROM events", ())[0][0], "nothing is left open"
    store.close()
    assert store._spare == []


@pytest.mark.parametrize(("query", "walks"), [(READER_HISTORY, 2), (READER_PAST, 1)])
def test_a_reader_s_history_is_a_statement_that_walks_an_index_and_sorts_nothing(
    tmp_path: Path, query: SelectBase, walks: int
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    statement, values = written_out(query, store._engine.dialect)
    asked = values(site=SITE, reader="ann", clicks=9, impressions=9, limit=9)
    steps = [row[3] for row in store.fetched(f"EXPLAIN QUERY PLAN {statement}", asked)]
    store.close()
    assert sum("USING INDEX ix_events_reader_site_time (reader=? AND site=?)" in step for step in steps) == walks
    assert not any("TEMP B-TREE" in step or "SCAN events" in step for step in steps)


@pytest.mark.parametrize("readers", [3, 9])
def test_clicks_of_many_readers_are_those_of_each(store: Store, readers: int) -> None:
    names = [f"reader-{number}" for number in range(readers)]
    for number, name in enumerate(names[1:]):
        for place in range(number + 2):
            kind = Kind.DISMISS if place == 1 else Kind.CLICK
            time = None if place == 0 else 100 - place
            store.add_events([Event(f"{name}-{place}", SITE, kind, f"a{place}", name, time=time)])
    of_many = store.clicks_of_many(SITE, names, 4)
    assert of_many == {name: store.clicks_of(SITE, name, 4) for name in names[1:]}
    assert [event.time for event in of_many[names[2]]] == [UNDATED, 98, 99]
    assert store.clicks_of_many("another", names, 4) == {}


def test_the_dated_clicks_of_a_span_of_time_up_to_an_event(store: Store) -> None:
    clicks = [click(f"{time}", time=time, article=f"a{time}") for time in (9, 10, 11, 12)]
    store.add_events([*clicks, click("undated", time=None), Event("i", SITE, Kind.IMPRESSION, "b", time=10)])
    store.add_events([click("late", time=11, article="late")])
    newest = store.last_seq(SITE)
    assert {one.article for one in store.clicks_between(SITE, 10, 12, newest)} == {"a10", "a11", "late"}
    assert {one.article for one in store.clicks_between(SITE, 10, 12, newest - 1)} == {"a10", "a11"}
    assert store.clicks_between("other", 10, 12, newest) == []
    assert [one.reader for one in store.clicks_between(SITE, 9, 10, newest)] == ["ann"]


def test_deleting_a_reader_deletes_what_they_did(store: Store) -> None:
    store.add_events([click("1"), click("2", reader="bob"), click("3", reader=None)])
    with store.writing() as connection:
        connection.execute(text("DELETE FROM readers WHERE id = 'ann'"))
    assert [event.event_id for event in store.events_after(SITE, 0, 9)] == ["2", "3"]


def test_a_refused_batch_leaves_nothing(store: Store) -> None:
    with pytest.raises(StoreError):
        store.add_events([click("1"), click("2")._replace(article=None)])  # type: ignore[arg-type]
    assert store.last_seq(SITE) == 0


def _write(url: str, writer: int) -> None:
    store = Store.open(url)
    for batch in range(20):
        own = [click(f"{writer}-{batch}-{number}", reader=f"r{number % 7}") for number in range(40)]
        shared = [click(f"shared-{number}") for number in range(batch, batch + 10)]
        store.add_events(own + shared)
        store.put_articles([Article(f"{writer}-{batch}", SITE, "t"), Article("shared", SITE, f"{writer}-{batch}")])
    store.close()


def test_four_processes_that_write_at_once_lose_nothing_and_a_reader_that_polls_sees_all(url: str) -> None:
    writers = [CONTEXT.Process(target=_write, args=(url, writer)) for writer in range(4)]
    for writer in writers:
        writer.start()  # each opens the empty database: only one of them makes the schema
    store = Store.open(url)
    seen: list[str] = []
    seq = 0
    while True:
        running = any(writer.is_alive() for writer in writers)
        for event in store.events_after(SITE, seq, 100):
            seen.append(event.event_id)
            seq = event.seq
        if not running and seq == store.last_seq(SITE):
            break
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    assert len(seen) == len(set(seen)) == 4 * 20 * 40 + 29
    assert len(list(store.articles(SITE))) == 81
    store.close()


def test_the_migrations_build_the_tables_that_the_code_uses(store: Store) -> None:
    def is_here(object: Any, *_: Any) -> bool:
        return object is not schema.titles or not store.is_postgresql

    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_here})
        assert compare_metadata(context, schema.metadata) == []


def test_a_database_of_a_later_version_is_refused(url: str) -> None:
    store = Store.open(url)
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match="newer version"):
        Store.open(url)


def test_a_token_is_shown_once_stored_as_a_hash_and_can_be_revoked(store: Store) -> None:
    secret = store.add_token("editor")
    assert store.token(secret) == AccessToken("editor", Scope.OWNER, None)
    assert store.token(secret + "x") is None
    with pytest.raises(InputError, match="editor"):
        store.add_token("editor", Scope.WRITE, SITE)
    with store.reading() as connection:
        assert secret not in str(connection.execute(text("SELECT * FROM tokens")).all())
    assert store.revoke_token("editor")
    assert not store.revoke_token("editor")
    assert store.token(secret) is None
    again = store.add_token("editor", Scope.WRITE, SITE)  # the name may come again, with other rights
    assert store.token(again) == AccessToken("editor", Scope.WRITE, SITE)


def test_a_token_of_a_database_of_before_is_an_administrator_s_of_every_site(store: Store) -> None:
    secret = store.add_token("old", Scope.WRITE, SITE)
    with store.writing() as connection:
        command.downgrade(alembic_config(connection), "0002")
    store.migrate()
    assert store.token(secret) == AccessToken("old", Scope.OWNER, None)


def test_a_site_s_events_are_found_by_an_index_beside_any_number_of_another_site_s(store: Store) -> None:
    for start in range(0, 40_000, 10_000):
        store.add_events([click(str(n))._replace(site="weekly", reader=None) for n in range(start, start + 10_000)])
    store.add_events([click("own")])
    with store.writing() as connection:
        connection.execute(text("ANALYZE"))
    explain = "EXPLAIN" if store.is_postgresql else "EXPLAIN QUERY PLAN"
    with watched(store) as statements:
        assert store.last_seq(SITE) == 40_001
        assert len(store.events_after(SITE, 10, 9)) == 1
        assert store.last_seq("nobody") == 0
    assert len(statements) == 3, "one statement each"
    with store.reading() as connection:
        for statement, values in statements:
            plan = "\n".join(map(str, connection.exec_driver_sql(f"{explain} {statement}", values)))
            assert "ix_events_site_seq" in plan, plan
            assert not re.search(r"SCAN events\b|Seq Scan|Sort|TEMP B-TREE", plan), plan


def test_sqlite_is_opened_as_configured(tmp_path: Path) -> None:
    config = StoreConfig(synchronous="normal")
    store = Store.open(f"sqlite:///{tmp_path}/s.db", config, cache_mib=8)
    with store.reading() as connection:
        pragmas = ("journal_mode", "foreign_keys", "busy_timeout", "synchronous", "cache_size")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 1, 1_000 * BUSY_SECONDS, 1, -8192]
    store.close()


def test_a_writer_that_waits_too_long_is_told_who_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    store = Store.open(f"sqlite:///{tmp_path}/s.db")
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.last_seq(SITE) == 0  # readers do not wait
    with pytest.raises(StoreError, match=r"longer than 0\.05 s"):
        store.add_events([click("1")])
    other.close()
    store.close()


def test_a_writer_takes_its_turn_as_soon_as_the_other_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/s.db")
    other, waited = sqlite3.connect(tmp_path / "s.db", isolation_level=None), list[float]()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr("recsys.store.engine.time.sleep", sleep)
    other.execute("BEGIN IMMEDIATE")
    assert store.add_events([click("1")]).stored == 1
    assert len(waited) == 3
    assert max(waited) <= 0.001, "never longer for having waited long"
    with store.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1_000 * BUSY_SECONDS
    other.close()
    store.close()


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "nonsense", "postgresql+asyncpg://u:secret@h/d", ""])
def test_another_kind_of_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1") as caught:
        Store.open("postgresql://u:secret@127.0.0.1:1/d")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("beside", ["s.db.exists", "releases/CURRENT", "log/parts.json"])
def test_a_lost_database_file_is_refused_and_not_made_anew(tmp_path: Path, beside: str) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    store = Store.open(url)
    store.put_articles([Article("a", SITE, "t")])
    store.close()
    Store.open(url).close()
    backup = (tmp_path / "s.db").read_bytes()
    for file in tmp_path.iterdir():
        file.unlink()
    Store.open(f"sqlite:///{tmp_path}/other.db").close()  # a folder without anything of it: a first start
    (tmp_path / beside).parent.mkdir(exist_ok=True)
    (tmp_path / beside).touch()
    evidence = tmp_path / Path(beside).parts[0]
    with pytest.raises(StoreError, match=re.escape(str(evidence))) as caught:
        Store.open(url)
    assert "Put it back" in caught.value.remedy
    assert not (tmp_path / "s.db").exists()
    (tmp_path / "s.db").write_bytes(backup)
    store = Store.open(url)
    assert store.article(SITE, "a") is not None
    store.close()
    assert (tmp_path / "s.db.exists").exists()


def test_a_file_that_is_lost_while_the_store_is_open_does_not_come_back_empty(tmp_path: Path) -> None:
    file = tmp_path / "odd name#é.db"
    store = Store.open(f"sqlite:///{file}")
    store.put_articles([Article("a", SITE, "t")])
    assert file.exists()
    store._engine.dispose()  # the next statement needs a new connection
    file.rename(tmp_path / "away")
    with pytest.raises(StoreError, match="unable to open"):
        store.article(SITE, "a")
    assert not file.exists()
    (tmp_path / "away").rename(file)
    assert store.article(SITE, "a") is not None
    store.close()


def test_a_folder_that_cannot_be_written_is_a_database_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refused)
    with pytest.raises(StoreError, match=r"Read-only file system.*folder can be written"):
        Store.open(f"sqlite:///{tmp_path}/store.db")


def test_an_empty_folder_of_releases_is_no_sign_of_a_database(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    Store.open(f"sqlite:///{tmp_path}/s.db").close()


def test_a_bare_sqlite_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("hello " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{tmp_path}/s.db")


def test_a_database_that_cannot_be_opened_is_refused_without_waiting(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(StoreError, match="unable to open"):
        Store.open(f"sqlite:///{tmp_path}", StoreConfig())
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("value", ["", "x" * 257, "a\nb", "a\x00b", "a\x7f", "a\x85", "a\ud800"])
def test_what_cannot_be_an_identifier_is_refused(value: str) -> None:
    with pytest.raises(BadReader, match="reader"):
        identifier(value, "reader")


def test_identifiers_of_all_scripts_pass_and_texts_are_repaired(store: Store) -> None:
    assert identifier("读者 😀 é/1", "reader") == "读者 😀 é/1"
    assert clean_text("a\x00b\ud800c\udfff") == "ab�c�"
    assert compact_json({"b": "\ud800\x00", "a": 1}) == '{"a":1,"b":"�\\u0000"}'
    store.put_articles([Article("读者 😀", SITE, clean_text("a\x00\ud800"))])
