"""Freshness under load: an article put, an article hidden, a click, each until every worker's lists have changed.

A probe holds a connection to each worker and asks again and again. An article that is put is the only one in its
language, so that a list in that language begins with it as soon as a worker has it, whatever else is read; hidden, it
must be gone. A reader of their own clicks a card, which no list may hold from then on. Times are from before the call
that changes something to the first list that shows it.
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from benchmarks.serve.client import Outcomes
from benchmarks.serve.load import Setting, Table, open_run, percentile, started, summary
from benchmarks.serve.service import Line
from benchmarks.serve.workload import click
from recsys.store import Article, Store
from recsys.units import now_ms

LANGUAGES = ("da", "sv")  # of no article of the built folder; one thread each
PAUSE_SECONDS = 0.02  # between two looks at one worker: what is measured is late by at most as much
PATIENCE_SECONDS = 15.0  # after which a change counts as never seen
AGAIN_SECONDS = 0.3  # a hidden article is looked for so much longer


Work = Callable[[dict[int, Line], int], None]  # what a probe does with a connection to each worker, the nth time


class Publisher(Protocol):
    """A way to put an article and to hide it, which threads may share."""

    def put(self, article: Article) -> None:
        """Add it, and return when it is committed."""

    def hide(self, article: Article) -> None:
        """Take it out of every answer, and return when that is committed."""


class StorePublisher:
    """The store in this process, as a job writes to it."""

    def __init__(self, url: str) -> None:
        self._store = Store.open(url)

    def put(self, article: Article) -> None:
        """See ``Publisher``."""
        self._store.put_articles([article])

    def hide(self, article: Article) -> None:
        """See ``Publisher``."""
        self._store.hide_article(article.site, article.id, "benchmark")


class Times:
    """Seconds until a change was seen: on every worker, and of a click on the same one, too."""

    def __init__(self) -> None:
        self.put: list[float] = []
        self.hide: list[float] = []
        self.click_same: list[float] = []
        self.click_all: list[float] = []
        self.never: list[str] = []  # what was not seen in time
        self.reconnected = 0


def freshness(setting: Setting, publisher: Publisher, texts: Sequence[str], rate: float, seconds: float) -> Table:
    """Change things under load and see when the answers do.

    Args:
        setting: the circumstances.
        publisher: how an article is put and hidden.
        texts: bodies of articles that are put, one after the other.
        rate: requests per second meanwhile; 0: none.
        seconds: for how long.
    """
    times, stop = Times(), threading.Event()
    works: list[Work] = [
        *(partial(_put_and_hide, publisher, texts, language, times, setting.k) for language in LANGUAGES),
        partial(_click, times, setting.k),
    ]
    probes = [threading.Thread(target=_repeat, args=(setting, work, stop, times)) for work in works]
    outcomes: Outcomes | None = None
    if rate:
        with started(open_run(setting, rate, seconds)) as running:
            _run(probes, stop, seconds)
            outcomes = running.result()
    else:
        _run(probes, stop, seconds)
    return _table(times) | ({f"load_{name}": value for name, value in summary(outcomes).items()} if outcomes else {})


def _run(probes: Sequence[threading.Thread], stop: threading.Event, seconds: float) -> None:
    for probe in probes:
        probe.start()
    stop.wait(seconds)
    stop.set()
    for probe in probes:
        probe.join()


def _repeat(setting: Setting, work: Work, stop: threading.Event, times: Times) -> None:
    """Do one probe's work over and over, on a connection to each worker."""
    lines, number = dict[int, Line](), 0
    while not stop.is_set():
        try:
            lines = lines or setting.service.one_per_worker()
            work(lines, number)
            number += 1
        except OSError:  # closed: a kept connection that was idle, or a worker that ended
            times.reconnected += 1
            lines = _closed(lines)
    _closed(lines)


def _closed(lines: dict[int, Line]) -> dict[int, Line]:
    for line in lines.values():
        line.close()
    return {}


def _put_and_hide(
    publisher: Publisher,
    texts: Sequence[str],
    language: str,
    times: Times,
    k: int,
    lines: dict[int, Line],
    number: int,
) -> None:
    text = texts[(2 * number + LANGUAGES.index(language)) % len(texts)]
    name = f"put-{language}-{uuid.uuid4().hex[:12]}"
    title = f"{language} {text[:60]}"
    article = Article(name, "default", title, text, language=language, category="topic01", published_at=now_ms())
    path = f"/api/v1/recommendations?session={name}&lang={language}&k={k}"
    began = time.monotonic()
    publisher.put(article)
    _note(times.put, _seen(lines.values(), lambda line: name in _ids(line, path), began), f"put {name}", times)
    began = time.monotonic()
    publisher.hide(article)
    gone = _seen(lines.values(), lambda line: name not in _ids(line, path), began)
    _note(times.hide, gone, f"hide {name}", times)
    until = time.monotonic() + AGAIN_SECONDS
    while gone is not None and time.monotonic() < until:
        if any(name in _ids(line, path) for line in lines.values()):
            times.never.append(f"hide {name}: shown again")
        time.sleep(PAUSE_SECONDS)


def _click(times: Times, k: int, lines: dict[int, Line], number: int) -> None:
    reader = f"probe-{uuid.uuid4().hex[:12]}"
    path = f"/api/v1/recommendations?reader={reader}&session={reader}&k={k}"
    workers = list(lines)
    same = lines[workers[number % len(workers)]]
    shown = _ids(same, path)
    for line in lines.values():
        _ids(line, path)  # every worker knows the reader
    if not shown:
        times.never.append("click: an empty list")
        return
    article = shown[number % len(shown)]
    began = time.monotonic()
    status, _ = same.post("/api/v1/events", click(reader, article, reader, reader))
    if status != 202:
        times.never.append(f"click: {status}")
        return
    mine = _seen([same], lambda line: article not in _ids(line, path), began)
    _note(times.click_same, mine, f"click {reader}", times)
    everybody = _seen(lines.values(), lambda line: article not in _ids(line, path), began)
    _note(times.click_all, everybody, f"click {reader}", times)
    time.sleep(0.2)


def _ids(line: Line, path: str) -> list[str]:
    """The ids of a list; an answer that is no list is asked for again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        status, answer = line.get(path)
        if status == 200:
            return [item["id"] for item in answer["items"]]
        if time.monotonic() > until:
            raise OSError(f"{status}: {path}")
        time.sleep(PAUSE_SECONDS)


def _seen(lines: Any, is_seen: Callable[[Line], bool], began: float) -> float | None:
    """Seconds until each of the workers has answered as it should; None: one has not in time."""
    for line in lines:
        while not is_seen(line):
            if time.monotonic() - began > PATIENCE_SECONDS:
                return None
            time.sleep(PAUSE_SECONDS)
    return time.monotonic() - began


def _note(times: list[float], seconds: float | None, what: str, all_times: Times) -> None:
    if seconds is None:
        all_times.never.append(f"{what}: not in {PATIENCE_SECONDS:.0f} s")
    else:
        times.append(seconds)


def _table(times: Times) -> Table:
    table: Table = {}
    for name in ("put", "hide", "click_same", "click_all"):
        seconds = np.array(getattr(times, name))
        table |= {f"{name}_p{percent}_ms": percentile(seconds, percent) for percent in (50, 99)}
        table[f"{name}_samples"] = len(seconds)
    return table | {"never_seen": len(times.never), "never": times.never[:5], "reconnected": times.reconnected}
