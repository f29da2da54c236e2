"""A feed that is polled: one line when it brings something, ever longer waits while it cannot be read, a clean end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import feed_polling
from jobs.feed_polling import ended_by_signal, poll
from jobs.runner import open_store
from recsys.errors import ImportRefused, StoreError
from recsys.imports import Summary
from tests.newsroom import SITE, toy_settings
from tests.test_import_feed import RSS, serve

__all__ = ["serve"]
NOTHING = Summary("articles", "", 0, 0, 0, 0, 0, 0.0, None, "", dry_run=False)


class Polled:
    """A poll over outcomes that a test gives, without waiting; ``said`` are its lines, ``waits`` its seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *outcomes: Summary | Exception, every: float = 60) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[float] = []
        self.kept: list[Summary] = []
        self._outcomes = iter(outcomes)
        self._left = len(outcomes)
        monkeypatch.setattr(feed_polling, "log", self)
        poll("feed", every, self._read, self.kept.append, self._wait)

    def info(self, event: str, **facts: Any) -> None:
        self.said.append((event, facts))

    warning = info

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.said]

    def _read(self) -> Summary:
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self._left -= 1
        return self._left < 0


def test_only_a_time_that_brought_something_is_said_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    news, changed = replace(NOTHING, read=2, stored=2), replace(NOTHING, read=2, updated=1, duplicate=1)
    polled = Polled(monkeypatch, news, NOTHING, replace(NOTHING, read=2, duplicate=2), changed)
    assert polled.events == ["start", "read", "read", "done"]
    assert polled.said[1][1]["stored"] == 2
    assert polled.said[3][1]["times"] == 4
    assert polled.kept == [news, changed]
    assert polled.waits == [0, 60, 60, 60, 60]


def test_a_feed_that_cannot_be_read_is_asked_ever_less_often_and_then_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused, locked = ImportRefused("a feed", "status 503", ""), StoreError("a database", "none", "")
    polled = Polled(monkeypatch, refused, locked, refused, *[refused] * 5, NOTHING, refused, NOTHING)
    assert polled.waits == [0, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 60, 60, 60]
    assert polled.events == ["start", *["not read"] * 8, "read again", "not read", "read again", "done"]
    assert "status 503" in polled.said[1][1]["because"]


def test_a_pace_slower_than_the_longest_wait_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ImportRefused("a feed", "status 503", "")
    assert Polled(monkeypatch, refused, refused, NOTHING, every=7_200).waits == [0, 7_200, 7_200, 7_200]


def test_entries_that_are_rejected_every_time_are_said_once_and_leave_one_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = [tmp_path / f"{n}.jsonl" for n in range(4)]
    for file in files:
        file.touch()
    one = [replace(NOTHING, read=1, rejected=1, rejects=file) for file in files]
    two = replace(one[2], rejected=2)
    polled = Polled(monkeypatch, one[0], one[1], two, replace(two, rejects=files[3]))
    assert polled.events == ["start", "read", "read", "done"]
    assert [file.exists() for file in files] == [True, False, True, False]


def test_any_other_error_is_no_reason_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        Polled(monkeypatch, ZeroDivisionError())


def test_a_signal_while_the_feed_is_read_ends_the_next_wait_and_nothing_else() -> None:
    before = signal.getsignal(signal.SIGTERM)
    for number in (signal.SIGTERM, signal.SIGINT):
        with ended_by_signal() as wait:
            assert not wait(0)
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            assert wait(30)
            assert wait(30), "for good"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def answering(serve: Callable[..., str]) -> tuple[str, list[str]]:
    """A feed whose text a test may change, on a server that knows no conditions."""
    texts = [RSS]
    return serve(lambda server: server.say(200, texts[0].encode())), texts


def test_the_job_stores_what_a_feed_brings_and_ends_cleanly(tmp_path: Path, answering: tuple[str, list[str]]) -> None:
    url, texts = answering
    command = [sys.executable, "-m", "jobs", "import", "feed", f"{url}/feed.xml", "--every", "1", "--allow-private"]
    environment = os.environ | {"RECSYS_DATA_DIR": str(tmp_path), "RECSYS_SITE__ID": SITE}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as job:
        assert job.stderr is not None
        lines = iter(job.stderr.readline, "")
        assert "event=start" in next(lines)
        assert "stored=2" in next(lines)
        texts[0] = RSS.replace("No guid", "Another title")
        assert "updated=1" in next(lines)
        job.send_signal(signal.SIGTERM)
        assert "event=done" in next(lines)
        assert job.wait(30) == 0
    store = open_store(toy_settings(tmp_path))
    assert len(list(store.articles(SITE))) == 2
    store.close()
    assert len(list((tmp_path / "imports").glob("*.json"))) == 2
