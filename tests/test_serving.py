"""The service under change: new releases, broken ones, and real granian workers that come and go."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.features.matrix import candidate_rows
from recsys.recommend.context import Tier
from recsys.releases import MANIFEST, Releases
from recsys.settings import Settings
from recsys.store import Store
from recsys.units import now_ms
from recsys.workspace import load_npy, read_table, write_json
from tests.newsroom import SITE, Toy
from tests.service import article, copy_of, fill, for_children, serving

NEWER = "20990101T000000Z-aaaa"
ROOT = Path(__file__).resolve().parents[1]


def newer_release(settings: Settings, name: str = NEWER) -> Releases:
    """A second release with the same content, not yet live."""
    releases = Releases(settings.data_dir / "releases", settings.releases)
    folder = releases.root / name
    shutil.copytree(releases.root / str(releases.current()), folder)
    write_json(folder / MANIFEST, releases.manifest(name) | {"name": name})
    releases.signatures.sign(folder)
    return releases


def tamper(releases: Releases, name: str) -> None:
    """Flip one bit of a release's index."""
    file = releases.root / name / "index" / "items.faiss"
    file.chmod(0o644)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def make_live(releases: Releases, name: str) -> None:
    """Name a release as the live one without a look at it."""
    (releases.root / "CURRENT").write_text(name + "\n")


def eventually(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def told(item: dict[str, Any]) -> dict[str, Any]:
    """An item of an answer without its score."""
    return {name: value for name, value in item.items() if name != "score"}


@contextmanager
def asking(ask: Callable[[], Any], threads: int = 3) -> Iterator[list[Any]]:
    """Ask without a pause from several threads for the length of a block; yields what comes back, or went wrong."""
    answers: list[Any] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                answers.append(ask())
            except Exception as error:
                answers.append(error)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield answers
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def test_a_new_release_is_taken_over_without_a_failed_request(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path, poll_seconds=0.1)
    releases = newer_release(settings)
    with serving(settings) as service:
        service.click("football-0", session="visit")
        service.click("late", session="visit")
        before = service.get("/api/v1/recommendations", session="visit", k=4, include="scores")

        def ask() -> tuple[int, str, int]:
            answer = service.live.recommend("markets-fan-01", None, article=None, k=5, lang=None)
            made = answer.recommendation
            return len(made.cards), str(made.release), len(answer.catalogue.ids)

        with asking(ask) as answers:
            releases.activate(NEWER)
            eventually(lambda: service.live.release == NEWER, 10)
            time.sleep(0.1)
        assert {answer[0] for answer in answers} == {5}, answers
        assert {answer[1] for answer in answers} == {before["release"], NEWER}
        after = service.get("/api/v1/recommendations", session="visit", k=4, include="scores")
        assert after["release"] == NEWER
        assert [told(item) for item in after["items"]] == [told(item) for item in before["items"]]
        scores = [[item["score"] for item in made["items"]] for made in (before, after)]
        assert scores[1] == pytest.approx(scores[0], abs=1e-3)  # a second has passed


def test_a_release_with_a_flipped_bit_is_refused_and_the_old_one_serves_on(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = copy_of(toy, tmp_path, poll_seconds=0.1)
    releases = newer_release(settings)
    old = str(releases.current())
    tamper(releases, NEWER)
    with serving(settings) as service:
        make_live(releases, NEWER)
        eventually(lambda: "release refused" in capsys.readouterr().out, 10)
        assert service.get("/readyz")["release"] == old
        assert service.get("/api/v1/recommendations", reader="markets-fan-01")["tier"] == "personal"
    with serving(settings) as service:  # and a worker that starts now serves the newest one that verifies
        assert service.get("/readyz")["release"] == old


def test_without_any_release_that_verifies_the_newest_articles_are_served(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    releases = Releases(settings.data_dir / "releases")
    tamper(releases, str(releases.current()))
    with serving(settings) as service:
        made = service.get("/api/v1/recommendations")
        assert (made["release"], made["tier"]) == (None, "popular")


def test_counts_go_on_where_the_release_ends(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        row = np.array([service.live.catalogue.row_of["markets-0"]], np.int32)
        trends = service.live._frame.state.recommender.trends
        clicks = int(trends.total_clicks(row)[0])
        stored = service.store.events_after(SITE, 0, 100_000)
        assert clicks == sum(event.kind == "click" and event.article == "markets-0" for event in stored)
        service.click("markets-0", reader="r")
        assert int(trends.total_clicks(row)[0]) == clicks + 1
    with serving(settings) as service:
        assert int(service.live._frame.state.recommender.trends.total_clicks(row)[0]) == clicks + 1


def test_served_scores_are_those_that_the_artefacts_give(toy: Toy, tmp_path: Path) -> None:
    release = toy.release()
    ids = read_table(release.path("items") / "ids.parquet")["id"].to_pylist()
    vectors = load_npy(release.path("items") / "vectors.npy")
    with serving(copy_of(toy, tmp_path)) as service:
        reader = next(iter(toy.withheld))
        made = service.live.recommend(reader, None, article=None, k=5, lang=None).recommendation
        assert made.tier is Tier.PERSONAL
        recommender, state = service.live._frame.state.recommender, service.live._frame.memory.reader(reader)
        assert state is not None
        assert recommender.tables.item_vectors[: len(ids)] == pytest.approx(vectors, nan_ok=True)
        rows = np.array([card.row for card in made.cards], np.int32)
        listed = candidate_rows(
            recommender.tables, state, rows, now_ms(), recommender.trends, settings_readers(toy), name=reader
        )
        assert recommender.model is not None
        assert [card.score for card in made.cards] == pytest.approx(recommender.model.score(listed), abs=1e-3)


def settings_readers(toy: Toy) -> Any:
    return toy.settings.readers


def _children(pid: int) -> list[int]:
    """Process ids of the children of a process that have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:  # it has just ended
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(folder.name))
    return found


class Process:
    """``python -m web`` as an operator starts it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.child = subprocess.Popen([sys.executable, "-m", "web", "--port", str(port)], cwd=ROOT)

    def answer(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """One request over a connection of its own, so that any worker may get it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": "text/plain"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        """The JSON of an answer that must be good."""
        status, text = self.answer(method, path, None if value is None else json.dumps(value))
        assert status in (200, 202), text
        return json.loads(text)

    def up(self) -> bool:
        assert self.child.poll() is None, "the service ended"
        try:
            return self.answer("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Process ids of the workers that there are."""
        return sorted(worker for nursery in _children(self.child.pid) for worker in _children(nursery))

    def stop(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(20)


@pytest.fixture
def process(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Process, Settings]]:
    settings = copy_of(toy, tmp_path, poll_seconds=0.2)
    for_children(settings, monkeypatch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = Process(port)
    try:
        eventually(running.up, 600)  # machine code may have to be made first
        yield running, settings
    finally:
        if running.child.poll() is None:
            running.stop()


def test_two_workers_serve_as_one(process: tuple[Process, Settings]) -> None:
    running, settings = process
    eventually(lambda: len(running.workers()) == 2 and all(running.up() for _ in range(20)), 30)
    store = Store.open(settings.database_url, settings.store)

    def ids() -> list[str]:
        made = running.ask("GET", "/api/v1/recommendations?reader=newcomer&k=16")
        return [item["id"] for item in made["items"]]

    assert "markets-1" in ids()
    event = {"event_id": "e1", "kind": "click", "article": "markets-1", "reader": "newcomer"}
    assert running.ask("POST", "/api/v1/events", event)["accepted"] == 1
    time.sleep(1.0)
    assert all("markets-1" not in ids() for _ in range(20)), "a worker did not see the click within a second"

    store.put_articles([article("brand-new", body="bonds inflation interest investor dividend")])
    store.hide_article(SITE, "markets-2", "ann")
    time.sleep(1.0)
    for _ in range(20):
        assert "brand-new" in ids()
        assert "markets-2" not in ids()
    store.close()

    releases = newer_release(settings)
    with asking(lambda: running.ask("GET", "/api/v1/recommendations?reader=newcomer&k=3")["release"]) as answers:
        releases.activate(NEWER)
        eventually(lambda: answers[-20:] == [NEWER] * 20, 180)  # a successor waits a minute for idle cores
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers[-3:]

    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("POST", "/api/v1/events", iter([b" " * 70_000]), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 413  # a body without a length is measured too
    connection.close()

    victim = running.workers()[0]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{victim}").exists(), 5)  # all its threads have ended, its socket is closed
    for _ in range(20):  # the other one answers
        assert running.ask("GET", "/readyz")["status"] == "ready"
    eventually(lambda: len(running.workers()) == 2, 20)
    assert running.stop() == 0


def test_workers_end_with_the_process_that_started_them(process: tuple[Process, Settings]) -> None:
    running, settings = process
    eventually(lambda: len(running.workers()) == 2 and all(running.up() for _ in range(20)), 30)
    event = {"event_id": "last", "kind": "click", "article": "markets-1", "reader": "newcomer"}
    assert running.ask("POST", "/api/v1/events", event)["accepted"] == 1
    workers = running.workers()
    running.child.kill()
    running.child.wait()
    eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 20)
    store = Store.open(settings.database_url, settings.store)
    assert [stored.article for stored in store.clicks_of(SITE, "newcomer", 10)] == ["markets-1"]
    store.close()


def test_the_process_that_watches_the_workers_loads_no_model_library() -> None:
    code = "import sys, web.process.__main__; print(sorted({'torch', 'flask', 'numpy', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


WORKER = """
import sys
from web.unused import hide_unused_libraries
hide_unused_libraries()
from web.app import close_app, create_app
app = create_app()
answer = app.test_client().get("/api/v1/recommendations", query_string={"reader": "r0", "k": 3})
close_app(app)
heavy = {"torch", "sklearn", "pandas", "scipy.linalg", "scipy.stats", "gensim", "networkx", "matplotlib", "rjieba"}
print(len(answer.json["items"]), sorted(heavy & set(sys.modules)))
"""


def test_a_worker_of_default_models_loads_no_library_of_the_training(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    fill(settings, article("newer", body="the striker scored a goal"))  # classified with the release's models
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(settings.model_dump(mode="json")))
    env = {**os.environ, "RECSYS_CONFIG": str(config)}
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, cwd=ROOT, env=env, check=True)
    assert done.stdout.strip().splitlines()[-1] == "3 []"


def test_a_second_service_on_the_port_is_refused_with_the_first_one_s_name_and_data(
    process: tuple[Process, Settings],
) -> None:
    running, settings = process
    second = [sys.executable, "-m", "web", "--port", str(running.port)]
    refused = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2
    assert f"process {running.child.pid} " in refused.stderr
    assert f"serves 'Toy' from {settings.data_dir.resolve()}" in refused.stderr
    assert running.up()


def test_slow_clients_of_all_workers_keep_nobody_waiting_and_the_service_ends_at_the_first_signal(
    process: tuple[Process, Settings],
) -> None:
    running, _ = process
    slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{")
    for _ in range(12):
        assert running.ask("GET", "/healthz")["status"] == "ok"
        assert len(running.ask("GET", "/api/v1/recommendations?k=3")["items"]) == 3
    event = {"event_id": "quick", "kind": "click", "article": "markets-1", "reader": "newcomer"}
    assert running.ask("POST", "/api/v1/events", event)["accepted"] == 1
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):  # make and its terminal both send one
        running.child.send_signal(number)
    assert running.child.wait(20) == 0
    for connection in slow:
        assert connection.recv(12) == b"HTTP/1.1 503"
        connection.close()
