"""The operator's verbs as commands: what they print, their exit codes, and any id."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from jobs.__main__ import app
from jobs.runner import Context, open_store, run_stages
from jobs.stages import stage_of
from recsys.config import plain
from recsys.errors import UnknownArticle, UnknownReader
from recsys.events import EventLog
from recsys.settings import Settings
from recsys.store import Article, Event, Kind
from recsys.workspace import exclusive
from tests.newsroom import SITE, toy_settings

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
    assert "nothing yet" in command("audit").stdout


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
