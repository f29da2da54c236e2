"""The operator's verbs as calls of the admin API and as commands: in every answer at once, in the audit, by any id."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner, Result

from jobs.__main__ import app
from jobs.runner import Context, open_store, run_stages
from jobs.stages import stage_of
from recsys.config import plain
from recsys.errors import UnknownArticle, UnknownReader
from recsys.events import EventLog
from recsys.serving.day_clicks import site_day
from recsys.serving.snapshot import ModelSnapshot, PreparedArticle
from recsys.settings import Settings
from recsys.store import Article, ArticlePatch, Event, Kind, Run, StoredArticle
from recsys.units import now_ms
from recsys.workspace import exclusive
from tests.newsroom import SITE, toy_settings
from tests.service import Service, article, four, problem, serving

ODD_IDS = ["news/2024/11?id=7&x=%41#top", "渡轮 🚢 é", "-4110354420726924665", "a//b", "x/hide"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, and no job that really starts."""
    with four(tmp_path) as service:
        yield service


def ask(site: Service, method: str, path: str, token: str | None = None) -> Any:
    if token is None:
        token = site.store.add_token(f"editor {now_ms()} {method} {path}"[:200])
    return site.client.open(f"/admin/api{path}", method=method, headers={"Authorization": f"Bearer {token}"})


def reads(site: Service, reader: str | None, session: str, *articles: str) -> None:
    for name in articles:
        event = {"event_id": f"{reader}-{session}-{name}", "kind": "click", "article": name, "session": session}
        answer = site.client.post("/api/v1/events", json=event | ({"reader": reader} if reader else {}))
        assert answer.status_code == 202


def test_hide_and_show_are_in_the_very_next_answer(site: Service) -> None:
    assert ask(site, "POST", "/articles/a2/hide").json == {"article": "a2", "outcome": "hidden"}
    assert site.ids() == ["a1", "a3", "a4"]
    for path in ("/article/a2", "/api/v1/articles/a2", "/api/v1/articles/a2/similar"):
        assert site.client.get(path).status_code == 404, path
    assert ask(site, "POST", "/articles/a2/hide").json["outcome"] == "as before"
    assert ask(site, "POST", "/articles/a2/show").json["outcome"] == "shown"
    site.live.refresh()
    assert site.ids() == ["a1", "a2", "a3", "a4"]
    assert site.client.get("/api/v1/articles/a2/similar").status_code == 200


def test_a_deleted_article_is_nowhere_even_after_an_import_and_a_restart(site: Service) -> None:
    reads(site, "ann", "s", "a2")
    assert ask(site, "DELETE", "/articles/a2").json["outcome"] == "deleted"
    site.store.put_articles([article("a2")])
    site.live.refresh()
    with serving(site.settings) as restarted:
        for service in (site, restarted):
            assert service.ids() == ["a1", "a3", "a4"]
            for path in ("/article/a2", "/api/v1/articles/a2", "/api/v1/articles/a2/similar"):
                assert service.client.get(path).status_code == 404, path
            assert [item["id"] for item in service.get("/api/v1/today")["items"]] == []
    assert ask(site, "POST", "/articles/a2/show").json["outcome"] == "tombstone lifted"
    site.store.put_articles([article("a2", title="Again")])
    site.live.refresh()
    assert "a2" in site.ids()


@pytest.mark.parametrize("name", ODD_IDS)
def test_every_id_works_in_every_address(site: Service, name: str) -> None:
    path = f"/articles/{quote(name, safe='')}"
    site.store.put_articles([article(name)])
    site.live.refresh()
    assert ask(site, "POST", f"{path}/hide").json == {"article": name, "outcome": "hidden"}
    assert ask(site, "POST", f"{path}/show").json["outcome"] == "shown"
    assert ask(site, "DELETE", path).json["outcome"] == "deleted"
    reads(site, name, "s", "a1")
    assert ask(site, "GET", f"/readers/{quote(name, safe='')}").json["events"]["click"]["events"] == 1
    assert ask(site, "DELETE", f"/readers/{quote(name, safe='')}").json["events"] == 1
    about = f"/audit?object={quote(name, safe='')}"
    assert [entry["verb"] for entry in ask(site, "GET", about).json["entries"]] == ["delete", "show", "hide"]


def test_what_is_not_there_is_404_and_without_a_token_nothing_works(site: Service) -> None:
    for method, path in [("POST", "/articles/no/hide"), ("POST", "/articles/no/show"), ("DELETE", "/articles/no")]:
        assert "'no'" in problem(ask(site, method, path), 404, "unknown-article")
    for method in ("GET", "DELETE"):
        assert "'no'" in problem(ask(site, method, "/readers/no"), 404, "unknown-reader")
    reads(site, "u1", "s", "a1")
    for method in ("GET", "DELETE"):
        problem(ask(site, method, "/readers/u1", "wrong"), 401, "unauthorized")
        answer = site.client.open("/api/v1/readers/u1", method=method)
        problem(answer, 401, "no-reader-token")
    assert site.store.has_reader(SITE, "u1")
    assert {entry.verb for entry in site.store.audit(SITE, 9)} == {"token"}


def test_a_forgotten_reader_starts_anew_in_every_worker(site: Service) -> None:
    with serving(site.settings) as other:
        reads(site, "u1", "s", "a1", "a2")
        other.live.catch_up()
        for service in (site, other):
            assert service.ids(reader="u1", session="s") == ["a3", "a4"]
            assert service.tags_of("u1")["clicks"] == 2
        forgot = ask(site, "DELETE", "/readers/u1").json
        (run,) = site.store.active_runs(SITE)
        assert (forgot["events"], forgot["run_id"], forgot["done"]) == (2, run.id, False)
        assert (run.job, run.state) == ("events", "queued")
        other.live.forget()
        for service in (site, other):
            assert set(service.ids(reader="u1", session="s")) == {"a1", "a2", "a3", "a4"}
            assert service.tags_of("u1", session="s")["clicks"] == 0
            assert len(service.live._frame.state.recommender.trends.visits) == 0
        kept = ask(site, "GET", "/readers/u1").json
        assert (kept["events"], kept["clicks"], kept["where"]["store"]) == ({}, [], 0)
        reads(site, "u1", "s", "a3")
        other.live.catch_up()
        for service in (site, other):
            assert "a3" not in service.ids(reader="u1")
            assert service.tags_of("u1")["clicks"] == 1


def test_the_log_is_cleared_by_the_run_that_waits_already(site: Service) -> None:
    site.store.queue_run(Run.asked(SITE, "events", {}, "the night", 1))
    reads(site, "u1", "s", "a1")
    log = EventLog(site.settings.data_dir / "log")
    log.append(site.store, SITE)
    assert ask(site, "DELETE", "/readers/u1").json["run_id"] is None
    kept = ask(site, "GET", "/readers/u1").json
    assert kept["where"] == {"store": 0, "log": 1, "log_parts": 1}
    assert kept["forgotten"]["log_cleared_at"] is None


def test_a_take_down_does_not_wait_for_a_long_import(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The article that is hidden was read before it was; it must not come back when its turn comes."""
    site.store.put_articles([article(f"n{n}") for n in range(3)])
    prepare = ModelSnapshot.prepare

    def slow(snapshot: ModelSnapshot, one: StoredArticle) -> PreparedArticle:
        if one.id == "n0":
            site.store.hide_article(SITE, "a1", "ann")
            site.store.hide_article(SITE, "n2", "ann")
            site.live.take_down()
            assert "a1" not in site.ids()
        return prepare(snapshot, one)

    monkeypatch.setattr(ModelSnapshot, "prepare", slow)
    site.live.refresh()
    assert set(site.ids()) == {"a2", "a3", "a4", "n0", "n1"}
    site.store.show_article(SITE, "n2", "ann")
    monkeypatch.undo()
    site.live.refresh()
    assert "n2" in site.ids()


def test_two_readers_with_one_session_name_never_see_each_other_s_reading(site: Service) -> None:
    everything = {"a1", "a2", "a3", "a4"}
    reads(site, "ann", "1", "a1")
    reads(site, "bob", "1", "a2")
    assert set(site.ids(reader="ann", session="1")) == everything - {"a1"}
    assert set(site.ids(reader="bob", session="1")) == everything - {"a2"}
    assert set(site.ids(reader="eve", session="1")) == everything
    assert set(site.ids(session="1")) == everything
    assert site.tags_of("eve", session="1")["clicks"] == 0


def test_what_was_read_before_the_reader_was_known_is_theirs_unless_two_claim_it(site: Service) -> None:
    reads(site, None, "s", "a1")
    assert "a1" not in site.ids(session="s")
    assert "a1" not in site.ids(reader="ann", session="s")
    assert "a1" in site.ids(reader="bob", session="s")
    assert "a1" in site.ids(reader="ann", session="s")  # now nobody can say whose it is


def test_an_embargoed_article_is_shown_from_its_time_on_and_not_before(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = now_ms()
    at = (now + site_day(now, site.settings.site.timezone).until) // 2  # while it is today
    site.store.merge_articles([ArticlePatch("soon", SITE, {"title": "T", "published_at": at, "category": "new"})])
    site.live.refresh()
    addresses = ["/article/soon", "/api/v1/articles/soon", "/api/v1/articles/soon/similar", "/category/new"]
    reads(site, "ann", "s", "soon")

    def look() -> tuple[set[int], bool, bool]:
        statuses = {site.client.get(path).status_code for path in addresses}
        today = "soon" in [item["id"] for item in site.get("/api/v1/today")["items"]]
        tags = [tag["tag"] for tag in site.tags_of("ann")["tags"]["bar"]]
        return statuses, today, "new" in tags or "soon" in site.ids()

    assert look() == ({404}, False, False)
    for module in ("recsys.serving.live", "web.api.handlers", "web.demo.newsroom"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: at)
    monkeypatch.setattr("web.demo.site.time.time", lambda: at / 1000)
    assert look() == ({200}, True, True)


def test_verbs_of_many_at_once_are_all_in_the_audit(site: Service) -> None:
    token = site.store.add_token("many")
    threads = [threading.Thread(target=ask, args=(site, "POST", f"/articles/a{n}/hide", token)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.ids() == []
    entries = ask(site, "GET", "/audit?actor=token+many").json["entries"]
    assert sorted(entry["object"] for entry in entries) == ["a1", "a2", "a3", "a4"]


Command = Callable[..., Result]
READER = "reader-zq"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two articles and two readers, in the store and in the log."""
    settings = toy_settings(tmp_path)
    (tmp_path / "config.yaml").write_text(json.dumps(plain(settings)), encoding="utf-8")  # JSON is YAML
    store = open_store(settings)
    store.put_articles([Article("a", SITE, "First"), Article("-411", SITE, "Second")])
    clicks = [
        Event(f"{reader}{n}", SITE, Kind.CLICK, "a", reader, time=n) for reader in (READER, "bob") for n in (1, 2)
    ]
    store.add_events(clicks)
    store.close()
    run_stages(Context(settings, seed=1), [stage_of("events")])
    return settings


@pytest.fixture
def command(settings: Settings) -> Command:
    """Run one command line on that site."""

    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, [*words, "--config", str(settings.data_dir / "config.yaml")])
        if code:
            assert getattr(result.exception, "exit_code", None) == code, result
        else:
            assert result.exit_code == 0, result
        return result

    return run


def printed(result: Result) -> Any:
    """The JSON that a command printed, after its log lines."""
    return json.loads(result.stdout[result.stdout.index("{\n") :])


def test_an_article_is_hidden_shown_and_deleted_by_any_id(command: Command, settings: Settings) -> None:
    for verb in ("hide", "show", "delete"):
        command(verb, "-411")
    store = open_store(settings)
    assert [entry.verb for entry in store.audit(SITE, 9)] == ["delete", "show", "hide"]
    assert store.audit(SITE, 1)[0].actor.startswith("command")
    assert [article.id for article in store.articles(SITE)] == ["a"]
    store.close()
    line = next(line for line in command("audit").stdout.splitlines() if "delete" in line)
    assert line.split()[-2:] == ["-411", "title='Second'"]


def test_an_id_of_a_table_is_the_one_that_was_imported(command: Command, settings: Settings) -> None:
    store = open_store(settings)
    store.put_articles([Article("12", SITE, "Twelve")])
    store.close()
    command("hide", "12.0")


def test_what_is_not_there_ends_with_exit_code_2(command: Command) -> None:
    for verb in ("hide", "show", "delete"):
        assert isinstance(command(verb, "nobody", code=2).exception, UnknownArticle)
    for verb in ("forget", "reader"):
        assert isinstance(command(verb, "nobody", code=2).exception, UnknownReader)
    command("hide", " ", code=2)
    assert "nothing yet" in command("audit").output


def test_a_forgotten_reader_is_gone_from_store_and_log_and_it_says_so(command: Command, settings: Settings) -> None:
    kept = printed(command("reader", READER))
    assert (kept["events"]["click"]["events"], kept["where"]["log"]) == (2, 2)
    told = printed(command("forget", READER))
    assert (told["events"], told["from_log"], told["done"]) == (2, 2, False)
    assert "`python -m jobs all` makes them anew" in told["says"]
    kept = printed(command("reader", READER))
    assert (kept["events"], kept["where"]) == ({}, {"store": 0, "log": 0, "log_parts": 0})
    assert EventLog(settings.data_dir / "log").count() == 2
    store = open_store(settings)  # while it is open, SQLite's log of changes stays
    store.add_events([Event("later", SITE, Kind.CLICK, "a", READER, time=9)])
    command("forget", READER)
    for file in settings.data_dir.glob("*.db*"):  # not even in the database's free pages
        assert READER.encode() not in file.read_bytes(), file
    store.close()


def test_a_run_that_holds_the_log_clears_it_later(command: Command, settings: Settings) -> None:
    with exclusive(settings.data_dir / "work" / ".lock", "the workspace"):
        told = printed(command("forget", READER))
    assert (told["events"], told["from_log"], told["log_cleared_at"]) == (2, 0, None)
    run_stages(Context(settings, seed=1), [stage_of("events")])
    assert EventLog(settings.data_dir / "log").count_of(READER) == (0, 0)
    assert printed(command("reader", READER))["forgotten"]["done"]
