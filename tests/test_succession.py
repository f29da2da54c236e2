"""Workers that are succeeded by others: who starts when, what is lost meanwhile (nothing), and who goes on."""

import asyncio
import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import CorruptArtefact
from recsys.releases import Releases
from recsys.serving.live import LiveState
from recsys.settings import Settings
from recsys.store import Kind, Store
from tests.newsroom import SITE, Toy
from tests.service import FOUR, copy_of, fill, for_children, plain_settings
from tests.test_process import ask, asked, children, eventually, folder, supervised, workers_of
from tests.test_serving import NEWER, Process, make_live, newer_release, tamper
from tests.test_serving import _children as for_parent
from tests.test_serving import eventually as soon
from web.background import LOWEST, NICE, in_background
from web.process.folder import ServiceFolder
from web.worker import ASK_SECONDS, Status

__all__ = ["folder"]  # a fixture

# Answers "PID RELEASE PLACE"; /succeed/RELEASE has it ask for a successor. Those of some names do not get far.
WORKER = """
import time
heir = os.path.join(FOLDER, "heir")
if release == "damaged":
    say(failed="the release is damaged")
    sys.exit(2)
if release is not None:
    with open(heir, "x"): pass  # fails where two lay out at once
    slow = release == "slow" or (release == "starved" and not hurried)
    deadline = time.monotonic() + (60 if slow else 0.1)
    while time.monotonic() < deadline: time.sleep(0.01)
    os.unlink(heir)
leaving = threading.Event()
if release != "stays":
    signal.signal(signal.SIGUSR1, lambda *_: leaving.set())
else:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
listening.listen()
listening.settimeout(0.02)
say(ready=True)
while not leaving.is_set():
    try:
        connection, _ = listening.accept()
    except OSError:
        continue
    connection.setblocking(True)
    path = connection.recv(4096).split()[1].decode()
    if path.startswith("/succeed/"):
        release_wished, _, urgent = path.removeprefix("/succeed/").partition("?")
        say(succeed=release_wished, urgent=bool(urgent))
    text = f"{os.getpid()} {release} {os.environ['WORKER_PLACE']}"
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + text.encode())
    connection.close()
os._exit(0)
"""


@asynccontextmanager
async def serving_workers(folder: ServiceFolder, workers: int = 1) -> AsyncIterator[tuple[int, list[str]]]:
    """A supervisor of workers that can be asked to ask for a successor; ready."""
    async with supervised(folder, WORKER.replace("FOLDER", repr(str(folder.path))), workers) as (port, said):
        await eventually(lambda: sum("is ready" in line for line in said) == workers)
        yield port, said


async def worker_at(port: int, path: str = "/") -> tuple[int, str, int]:
    """Process, release and place of the worker that answers."""
    status, text, _ = await asked(port, path)
    assert status == 200, text
    pid, release, place = text.split()
    return int(pid), release, int(place)


def test_a_worker_is_succeeded_without_a_lost_connection(folder: ServiceFolder) -> None:
    answers: list[tuple[int, str, str | None]] = []
    stop = threading.Event()

    def stream(port: int) -> None:
        while not stop.is_set():
            answers.append(ask(port, "/"))

    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            threads = [threading.Thread(target=stream, args=(port,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            try:
                seen = [await worker_at(port)]
                for name in ("first", "second", "third"):
                    await worker_at(port, f"/succeed/{name}")
                    await eventually(lambda: len(workers_of(os.getpid())) == 2)
                    await eventually(lambda: len(workers_of(os.getpid())) == 1)
                    seen.append(await worker_at(port))
            finally:
                stop.set()
                for thread in threads:
                    await asyncio.to_thread(thread.join)
            assert [release for _, release, _ in seen] == ["None", "first", "second", "third"]
            assert [place for _, _, place in seen] == [0, 2, 0, 2], "none counts where another one may"
            assert len({pid for pid, _, _ in seen}) == 4
            assert sum("has ended" in line for line in said) == 0
            assert said.count("Serving") == 1

    asyncio.run(scenario())
    assert len(answers) > 100
    assert {status for status, _, _ in answers} == {200}


def test_a_successor_that_cannot_start_leaves_the_worker_and_is_tried_again_after_a_while(
    folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = "the successor of worker 1 cannot start: the release is damaged"

    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            before = await worker_at(port)
            for _ in range(5):
                assert await worker_at(port, "/succeed/damaged") == before
                await asyncio.sleep(0.05)
            assert said.count(failed) == 1
            await eventually(lambda: "worker 1 goes on: its successor has ended (exit code 2)" in said[-1])
            monkeypatch.setattr("web.process.supervisor.monotonic", lambda: time.monotonic() + 60.0)
            assert await worker_at(port, "/succeed/damaged") == before
            await eventually(lambda: said.count(failed) == 2)
            assert await worker_at(port, "/succeed/whole") == before, "another one does not wait"
            await eventually(lambda: any("successor of worker 1 is ready" in line for line in said))
            await eventually(lambda: len(workers_of(os.getpid())) == 1)
            assert (await worker_at(port))[1] == "whole"

    asyncio.run(scenario())


def test_a_successor_that_dies_leaves_the_worker(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            before = await worker_at(port, "/succeed/slow")
            await eventually((folder.path / "heir").exists)
            (heir,) = set(workers_of(os.getpid())) - {before[0]}
            os.kill(heir, signal.SIGKILL)
            await eventually(lambda: any("its successor has ended (signal SIGKILL)" in line for line in said))
            assert [await worker_at(port) for _ in range(10)] == [before] * 10
            assert workers_of(os.getpid()) == [before[0]]

    asyncio.run(scenario())


def test_a_successor_that_finds_no_idle_core_takes_a_share_of_busy_ones(
    folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.process.supervisor.PATIENCE_SECONDS", 0.5)

    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            before = await worker_at(port, "/succeed/starved")
            await eventually((folder.path / "heir").exists)
            (folder.path / "heir").unlink()  # it will be killed
            await eventually(lambda: any("successor of worker 1 is ready" in line for line in said))
            assert any("has found no idle core for 0.5 s" in line for line in said)
            await eventually(lambda: workers_of(os.getpid()) != [] and before[0] not in workers_of(os.getpid()))
            assert (await worker_at(port))[1] == "starved"
            assert not any("goes on" in line for line in said)

    asyncio.run(scenario())


def test_a_successor_that_somebody_waits_for_takes_its_share_at_once(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            await worker_at(port, "/succeed/starved?urgent")
            await eventually(lambda: any("successor of worker 1 is ready" in line for line in said))
            assert not any("has found no idle core" in line for line in said)

    asyncio.run(scenario())


def test_who_rolls_back_is_waited_for(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    releases = newer_release(settings)
    old = str(releases.current())
    releases.activate(NEWER)
    store = Store.open(settings.database_url, settings.store)
    live, wishes = LiveState(settings, store, releases), list[tuple[str | None, bool]]()
    live.succeed = lambda release, urgent: wishes.append((release, urgent))
    releases.activate(old)
    live.follow()
    assert wishes == [(old, True)]
    store.close()


def test_a_worker_that_dies_before_its_successor_answers_starts_as_any_other(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            pid, _, _ = await worker_at(port, "/succeed/slow")
            await eventually((folder.path / "heir").exists)
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda: sum("is ready" in line for line in said) == 2)
            after, release, _ = await worker_at(port)
            assert (release, workers_of(os.getpid())) == ("None", [after])
            assert not any("goes on" in line for line in said)

    asyncio.run(scenario())


def test_workers_are_succeeded_one_after_the_other(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with serving_workers(folder, workers=3) as (port, said):
            deadline = time.monotonic() + 30
            releases, most = {"None"}, 0
            while releases != {"next"}:
                assert time.monotonic() < deadline, said
                answers = [await worker_at(port) for _ in range(20)]
                releases = {release for _, release, _ in answers}
                for _ in range(6 if "None" in releases else 0):  # whoever of the old ones gets it
                    if (await worker_at(port))[1] == "None":
                        await worker_at(port, "/succeed/next")
                most = max(most, len(workers_of(os.getpid())))
            assert most == 4, "one at a time is one too many"
            assert not any("cannot start" in line or "goes on" in line for line in said), "two laid out at once"

    asyncio.run(scenario())


def test_a_worker_that_does_not_leave_is_ended(folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.process.supervisor.LEAVE_SECONDS", 0.3)

    async def scenario() -> None:
        async with serving_workers(folder) as (port, said):
            await worker_at(port, "/succeed/stays")
            await eventually(lambda: len(workers_of(os.getpid())) == 2)
            await eventually(lambda: len(workers_of(os.getpid())) == 1)
            gauge = folder.metrics / "gauge_livesum_2.db"  # where the one that stays counts
            gauge.touch()
            await worker_at(port, "/succeed/next")
            await eventually(lambda: "worker 1 has not ended 0.3 s after its successor took over, and is ended" in said)
            await eventually(lambda: len(workers_of(os.getpid())) == 1)
            assert (await worker_at(port))[1] == "next"
            await eventually(lambda: not gauge.exists())

    asyncio.run(scenario())


@pytest.mark.parametrize("release", ["slow", "stays"])
def test_a_service_that_is_asked_to_end_during_a_succession_ends(folder: ServiceFolder, release: str) -> None:
    async def scenario() -> list[int]:
        async with serving_workers(folder) as (port, said):
            await worker_at(port, f"/succeed/{release}")
            if release == "stays":  # an old worker that stays when it is to leave, beside its successor
                await eventually(lambda: any("successor of worker 1 is ready" in line for line in said))
                await eventually(lambda: len(workers_of(os.getpid())) == 1)
                await worker_at(port, "/succeed/next")
            await eventually(lambda: len(workers_of(os.getpid())) == 2)
            pids = workers_of(os.getpid())
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert not any("goes on" in line or "has ended" in line for line in said), said
        return pids

    pids = asyncio.run(scenario())
    soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 10)  # one that was just born ends by itself
    assert children(os.getpid()) == []


def test_the_parent_is_asked_for_a_successor_at_once_and_then_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("web.worker.time.monotonic", lambda: now)
    reading, writing = os.pipe()
    status = Status(writing)
    for release in ("r1", "r1", None, None, "r2"):
        status.succeed(release, False)
    now += ASK_SECONDS
    status.succeed("r2", True)
    status.succeed("r2", True)
    os.close(writing)
    with os.fdopen(reading) as said:
        asked = [tuple(json.loads(line).values()) for line in said]
    assert asked == [("r1", False), ("", False), ("r2", False), ("r2", True)]


def test_background_work_has_a_low_priority_and_nobody_else(tmp_path: Path) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority()
    assert in_background(priority, hurried=True) == min(LOWEST, before + NICE)
    assert in_background(lambda: os.sched_getscheduler(threading.get_native_id())) == os.SCHED_IDLE
    assert (priority(), os.sched_getscheduler(0)) == (before, os.SCHED_OTHER)
    with pytest.raises(CorruptArtefact):
        in_background(lambda: (_ for _ in ()).throw(CorruptArtefact("a whole file", "half of one", "Make it anew.")))


def test_who_can_be_succeeded_lays_nothing_out(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    releases = newer_release(settings)
    store = Store.open(settings.database_url, settings.store)
    live, wishes = LiveState(settings, store, releases), list[tuple[str | None, bool]]()
    live.succeed = lambda release, urgent: wishes.append((release, urgent))
    old = live.release
    live.follow()
    assert wishes == []
    releases.activate(NEWER)
    live.follow()
    live.follow()
    assert wishes == [(NEWER, False), (NEWER, False)]
    releases.activate(str(old))
    live._frame.state.full = True
    live.follow()
    assert wishes == [(NEWER, False), (NEWER, False), (old, False)]
    assert live._builder is None
    assert live.release == old
    store.close()


def test_a_successor_serves_the_release_it_is_told_to_or_none(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    releases = newer_release(settings)
    store = Store.open(settings.database_url, settings.store)
    assert LiveState(settings, store, releases, release=NEWER).release == NEWER
    assert LiveState(settings, store, releases, release="").release is None
    tamper(releases, NEWER)
    make_live(releases, NEWER)
    with pytest.raises(CorruptArtefact):
        LiveState(settings, store, releases, release=NEWER)
    assert LiveState(settings, store, releases).release not in (NEWER, None), "a first worker takes the next best"
    store.close()


def test_what_was_hidden_while_a_successor_started_is_hidden_before_it_answers(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, *FOUR)
    store = Store.open(settings.database_url, settings.store)
    live = LiveState(settings, store, Releases(tmp_path / "releases", settings.releases), release="")
    store.hide_article(SITE, "a2", "ann")
    live.follow()
    answer = live.recommend(None, None, article=None, k=9, lang=None)
    assert {answer.catalogue.ids[card.row] for card in answer.recommendation.cards} == {"a1", "a3", "a4"}
    store.close()


@contextmanager
def web(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """``python -m web``, with every worker ready; whatever happens, it has ended afterwards."""
    for_children(settings, monkeypatch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = Process(port)
    try:
        soon(lambda: running.up() and len(running.workers()) == settings.web.workers, 600)
        soon(lambda: all(running.up() for _ in range(20)), 60)
        yield running
    finally:
        if running.child.poll() is None:
            running.stop()


class Stream(threading.Thread):
    """A client that keeps its connection: lists, and an event after every second one; nothing is sent again.

    It pauses between two lists: a successor waits for an idle core.
    """

    def __init__(self, port: int, number: int) -> None:
        super().__init__()
        self.number, self.stop = number, threading.Event()
        self.lists, self.sent, self.faults = list[dict[str, Any]](), list[str](), list[str]()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def run(self) -> None:
        while not self.stop.wait(0.02):
            try:
                made = self._ask("GET", "/api/v1/recommendations?session=visit&k=6", None)
                self.lists.append(made)
                if len(self.lists) % 2:
                    name, seen = f"{self.number}-{len(self.lists)}", made["items"][-1]["id"]
                    event = {"event_id": name, "kind": "impression", "article": seen, "session": f"s{self.number}"}
                    assert self._ask("POST", "/api/v1/events", event)["accepted"] == 1
                    self.sent.append(name)
            except Exception as error:
                self.faults.append(repr(error))
        self._connection.close()

    def _ask(self, method: str, path: str, value: Any) -> Any:
        self._connection.request(method, path, None if value is None else json.dumps(value))
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 202), (answer.status, text[:300])
        return json.loads(text)


def counted_events(running: Process) -> float:
    """Events that were answered, as all workers' figures say."""
    text = running.answer("GET", "/metrics")[1].decode()
    lines = [line for line in text.splitlines() if line.startswith("recsys_requests_total{")]
    return sum(float(line.split()[-1]) for line in lines if 'route="/api/v1/events"' in line and 'status="202"' in line)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_release_is_taken_over_by_successors_and_nobody_notices(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    settings = copy_of(toy, tmp_path, poll_seconds=0.2, workers=workers)
    releases = newer_release(settings)
    old = releases.current()
    store = Store.open(settings.database_url, settings.store)
    with web(settings, monkeypatch) as running:
        first = running.workers()
        click = {"event_id": "c", "kind": "click", "article": "football-0", "session": "visit"}
        assert running.ask("POST", "/api/v1/events", click)["accepted"] == 1
        store.hide_article(SITE, "football-1", "ann")
        time.sleep(1.0)
        streams = [Stream(running.port, number) for number in range(4)]
        for stream in streams:
            stream.start()
        try:
            soon(lambda: all(len(stream.lists) > 20 for stream in streams), 30)
            releases.activate(NEWER)
            soon(lambda: not set(first) & set(running.workers()), 300)  # each may wait a minute for an idle core
            soon(lambda: all(len(stream.lists) > 100 for stream in streams), 60)
        finally:
            for stream in streams:
                stream.stop.set()
            for stream in streams:
                stream.join()
        assert [stream.faults for stream in streams] == [[]] * 4
        lists = [made for stream in streams for made in stream.lists]
        assert {made["release"] for made in lists} == {old, NEWER}
        assert {len(made["items"]) for made in lists} == {6}
        assert {made["tier"] for made in lists} == {"session"}, "the visit goes on in the successor"
        shown = {item["id"] for made in lists for item in made["items"]}
        assert not shown & {"football-0", "football-1"}, "read, and hidden"
        assert all(made["release"] == NEWER for stream in streams for made in stream.lists[-3:])
        sent = [name for stream in streams for name in stream.sent]
        soon(lambda: counted_events(running) == len(sent) + 1, 10)
        assert len(running.workers()) == workers
        assert running.stop() == 0
    stored = [event.event_id for event in store.events_after(SITE, 0, 1_000_000) if event.kind == Kind.IMPRESSION]
    assert set(sent) <= set(stored)
    store.close()


def test_workers_go_on_beside_a_release_that_is_damaged(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = copy_of(toy, tmp_path, poll_seconds=0.1, workers=2)
    releases = newer_release(settings)
    old, said = releases.current(), list[str]()
    tamper(releases, NEWER)

    def heard(words: str) -> int:
        said.append(capfd.readouterr().err)
        return "".join(said).count(words)

    with web(settings, monkeypatch) as running:
        workers = running.workers()
        make_live(releases, NEWER)
        soon(lambda: heard("its successor has ended (exit code 1) and is tried again in 60 s") == 1, 180)
        time.sleep(1.0)
        assert heard("cannot start") == 1, "both want it, one tries"
        assert running.workers() == workers
        assert {running.ask("GET", "/readyz")["release"] for _ in range(20)} == {old}
        make_live(releases, str(old))
        time.sleep(0.5)
        assert running.workers() == workers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_whose_parent_ends_during_a_succession_leaves_no_process(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    settings = copy_of(toy, tmp_path, poll_seconds=0.1, workers=1)
    releases = newer_release(settings)
    with web(settings, monkeypatch) as running:
        (nursery,) = for_parent(running.child.pid)
        releases.activate(NEWER)
        soon(lambda: len(running.workers()) == 2, 30)
        pids = [nursery, *running.workers()]
        running.child.send_signal(number)
        assert running.child.wait(20) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
        soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20)
