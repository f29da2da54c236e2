"""The processes of a service: the port, the doorkeeper, workers that die, what is left behind."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys.settings import load_settings
from web.process.folder import PREFIX, ServiceFolder, note_of
from web.process.nursery import Begun
from web.process.port import Port, holder
from web.process.supervisor import FREE_RESTARTS, LONGEST_PAUSE, STOP_SECONDS, Supervisor, pause_before

ROOT = Path(__file__).resolve().parents[1]

WORKER = """
import json, os, signal, socket, sys, threading
def load(doing): LOADING
def serve(listening, said, release, hurried):
    listening = socket.socket(fileno=listening)
    def say(**status): os.write(said, json.dumps(status).encode() + b"\\n")
    def orphaned():
        os.read(0, 1)
        os._exit(0)
    threading.Thread(target=orphaned, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
"""
SERVE = """
listening.listen()
say(ready=True)
while True:
    connection, _ = listening.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n%d" % os.getpid())
    connection.close()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceFolder]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = ServiceFolder(site="Daily", data_dir="/srv/daily")
    yield made
    made.remove()


@asynccontextmanager
async def supervised(
    folder: ServiceFolder, source: str, workers: int = 1, loading: str = "pass", *, early: bool = False
) -> AsyncIterator[tuple[int, list[str]]]:
    """A supervisor of workers that are a few lines of Python; yields its port and what it says."""
    module = WORKER.replace("LOADING", loading) + textwrap.indent(source, "    ")
    (folder.path / "few_lines.py").write_text(module)
    said: list[str] = []
    paths = os.pathsep.join([str(folder.path), str(ROOT)])
    with pytest.MonkeyPatch.context() as patch, Port("127.0.0.1", 0) as held:
        patch.setenv("PYTHONPATH", paths)
        begun = Begun.now("few_lines", folder.path, folder.metrics) if early else None
        supervisor = Supervisor(held, workers, folder, said.append, "Serving", "few_lines", begun)
        running = asyncio.create_task(supervisor.run())
        try:
            await eventually(lambda: supervisor._doorkeeper._server is not None)
            yield held.number, said
        finally:
            supervisor.stop()
            await asyncio.wait_for(running, 30)


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers["Retry-After"]


async def asked(port: int, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str, str | None]:
    return await asyncio.to_thread(ask, port, path, method, body)


async def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.02)


def test_until_a_worker_is_ready_the_parent_says_what_it_does(folder: ServiceFolder) -> None:
    hold = folder.path / "go"
    source = f"import time\nsay(doing='compiling')\nwhile not os.path.exists({str(hold)!r}): time.sleep(0.01)\n" + SERVE

    async def scenario() -> None:
        async with supervised(folder, source) as (port, said):
            await eventually(lambda: "worker 1: compiling" in said)
            assert "Serving" not in said
            status, text, retry = await asked(port, "/api/v1/recommendations?k=3")
            problem = json.loads(text)
            assert (status, retry, problem["code"]) == (503, "2", "starting")
            assert problem["detail"] == "The service starts: compiling."
            assert (await asked(port, "/healthz?x"))[0] == 200
            assert (await asked(port, "/healthz", "POST", b"x" * 200_000))[0] == 503
            assert (await asked(port, "/readyz", "HEAD"))[:2] == (503, "")
            hold.touch()
            await eventually(lambda: "Serving" in said)
            assert (await asked(port, "/"))[0] == 200
            assert said[-1] == "Serving"

    asyncio.run(scenario())


def test_the_process_that_was_begun_first_forks_the_workers_and_another_when_it_has_died(
    folder: ServiceFolder,
) -> None:
    async def scenario() -> None:
        async with supervised(
            folder, SERVE, early=True, loading=f"open({str(folder.path)!r} + '/loads', 'a').write('.')"
        ) as (
            port,
            said,
        ):
            await eventually(lambda: "Serving" in said)
            first = int((await asked(port, "/"))[1])
            forking = parent_of(first)
            assert parent_of(forking) == os.getpid()
            assert (folder.path / "loads").read_text() == "."
            os.kill(forking, signal.SIGKILL)
            os.kill(first, signal.SIGKILL)
            await eventually(lambda: (folder.path / "loads").read_text() == "..")
            await eventually(lambda: not Path("/proc", str(forking)).exists())
            await eventually(lambda: "is ready after" in said[-1])

    asyncio.run(scenario())


def parent_of(pid: int) -> int:
    return int(Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[1])


def test_a_process_that_was_begun_ends_with_a_start_that_comes_to_nothing(folder: ServiceFolder) -> None:
    (folder.path / "few_lines.py").write_text("import time\ntime.sleep(60)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder.path), str(ROOT)]))
        begun = Begun.now("few_lines", folder.path, folder.metrics)
    begun.end()
    assert not Path("/proc", str(begun.pid)).exists()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(begun.control)


def test_a_start_that_is_refused_leaves_neither_process_nor_folder(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "TMPDIR": str(temporary), "RECSYS_DATA_DIR": str(tmp_path / "data")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for more in ({}, {"RECSYS_WEB__WORKERS": "many"}):
            refused = subprocess.run(
                [sys.executable, "-m", "web", "--port", port],
                cwd=ROOT,
                env=env | more,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert refused.returncode == ConfigError.exit_code, refused.stderr
            assert not list(temporary.iterdir())


@pytest.mark.parametrize("port", ["70000", "65536", "0", "-1", "http"])
def test_a_port_that_there_is_not_is_refused_before_anything_begins(port: str, tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "web", f"--port={port}"]
    refused = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert refused.returncode == ConfigError.exit_code
    assert f"argument --port: expected a port from 1 to 65535; got '{port}'" in refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("port", ["70000", "0", "-1"])
def test_a_port_of_the_settings_that_there_is_not_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_WEB__PORT", port)
    with pytest.raises(ConfigError, match=f"'web.port'.*got '{port}'.*RECSYS_WEB__PORT"):
        load_settings()


def test_health_is_answered_beside_slow_clients_while_the_service_starts(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with supervised(folder, "import time\nsay(doing='x')\ntime.sleep(60)\n") as (port, _):
            slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
            for connection in slow:
                connection.sendall(b"GET /healthz HT")
            for _ in range(12):
                assert (await asked(port, "/healthz"))[0] == 200
            for connection in slow:
                connection.close()

    asyncio.run(scenario())


def test_killed_workers_come_back_and_the_others_answer_meanwhile(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with supervised(folder, SERVE, workers=2) as (port, said):
            await eventually(lambda: sum("is ready" in line for line in said) == 2)
            pids = {int((await asked(port, "/"))[1]) for _ in range(50)}
            victim = pids.pop()
            os.kill(victim, signal.SIGKILL)
            await eventually(lambda: not Path(f"/proc/{victim}").exists())  # its socket is closed
            answers = [await asked(port, "/") for _ in range(20)]
            assert {status for status, _, _ in answers} == {200}
            await eventually(lambda: sum("is ready" in line for line in said) == 3)
            assert any("signal SIGKILL" in line for line in said)
            for _ in range(2):  # all of them, twice within a second
                for pid in {int((await asked(port, "/"))[1]) for _ in range(50)}:
                    os.kill(pid, signal.SIGKILL)
                ready = sum("is ready" in line for line in said)
                await eventually(lambda ready=ready: sum("is ready" in line for line in said) > ready)  # type: ignore[misc]
            assert (await asked(port, "/healthz"))[0] == 200
            assert said.count("Serving") == 1

    asyncio.run(scenario())


def test_those_whom_a_dead_worker_left_waiting_are_answered(folder: ServiceFolder) -> None:
    source = "listening.listen()\nsay(ready=True)\nimport time\ntime.sleep(60)\n"

    async def scenario() -> None:
        async with supervised(folder, source) as (port, said):
            await eventually(lambda: "Serving" in said)
            waiting = [asyncio.create_task(asked(port, path)) for path in ("/", "/healthz")]
            await eventually(lambda: connections(port) == 2)
            os.kill(workers_of(os.getpid())[0], signal.SIGKILL)
            page, health = await asyncio.gather(*waiting)
            assert (page[0], health[0]) == (503, 200)
            assert json.loads(page[1])["code"] in ("starting", "restarting")

    asyncio.run(scenario())


def connections(port: int) -> int:
    """Connections to a port of this machine that are open on the side that called."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def children(pid: int) -> list[int]:
    """Process ids of the children of a process that fork workers, or are such."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split() if b"few_lines" in command_of(child)]


def command_of(process: str) -> bytes:
    """The command line of a process; empty for one that has ended meanwhile."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def workers_of(pid: int) -> list[int]:
    """Process ids of the workers of a service whose parent is ``pid``."""
    return [worker for nursery in children(pid) for worker in children(nursery)]


def test_a_worker_that_cannot_start_is_named_and_tried_again(
    folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.process.supervisor.FIRST_PAUSE", 0.01)
    tries = folder.path / "tries"
    source = f"""
with open({str(tries)!r}, "a") as file: file.write("x")
if os.path.getsize({str(tries)!r}) < 6:
    say(failed="the database at db.internal is out of reach")
    sys.exit(1)
"""

    async def scenario() -> None:
        async with supervised(folder, source + SERVE) as (port, said):
            await eventually(lambda: any("cannot start" in line for line in said))
            status, text, _ = await asked(port, "/")
            assert status == 200 or "db.internal" not in text
            await eventually(lambda: "Serving" in said)
            assert said.count("worker 1 cannot start: the database at db.internal is out of reach") == 5
            assert (await asked(port, "/"))[0] == 200

    asyncio.run(scenario())


def test_a_worker_that_is_stuck_is_replaced(folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.process.life.SILENT_SECONDS", 0.2)
    stuck = folder.path / "stuck"
    source = f"""
if not os.path.exists({str(stuck)!r}):
    open({str(stuck)!r}, "w").close()
    say(ready=True)
    while True: os.read(0, 1)
"""

    async def scenario() -> None:
        async with supervised(folder, source + "import time\nwhile True:\n say(ready=True)\n time.sleep(0.01)") as (
            _,
            said,
        ):
            await eventually(lambda: "worker 1 has said nothing for 0.2 s and is ended" in said)
            await eventually(lambda: sum("is ready" in line for line in said) > 3)

    asyncio.run(scenario())


def test_a_worker_comes_back_though_the_process_that_forked_it_was_killed(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with supervised(folder, SERVE, workers=2) as (port, said):
            await eventually(lambda: sum("is ready" in line for line in said) == 2)
            nursery = children(os.getpid())[0]
            first, second = workers_of(os.getpid())
            os.kill(nursery, signal.SIGKILL)
            await eventually(lambda: not Path(f"/proc/{nursery}").exists())
            answers = {int((await asked(port, "/"))[1]) for _ in range(30)}
            assert answers <= {first, second}, "those who live go on"
            os.kill(first, signal.SIGKILL)
            await eventually(lambda: sum("is ready" in line for line in said) == 3)
            assert len(workers_of(os.getpid())) == 1
            assert (await asked(port, "/"))[0] == 200
            began = time.monotonic()
        assert time.monotonic() - began < STOP_SECONDS, "an orphan is asked to end, too"
        assert not Path(f"/proc/{second}").exists() or b"few_lines" not in Path(f"/proc/{second}/cmdline").read_bytes()

    asyncio.run(scenario())


def test_workers_share_what_was_loaded_before_them_and_count_in_places_of_their_own(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        loading = "doing('loading it all'); globals()['loaded_by'] = os.getpid()"
        source = "say(doing=f'forked by {loaded_by}, {os.getppid()}, place {os.environ[\"WORKER_PLACE\"]}')\n" + SERVE
        source = source.replace("say(ready=True)", "import time; time.sleep(0.3); say(ready=True)")  # both have spoken
        async with supervised(folder, source, workers=2, loading=loading) as (_, said):
            await eventually(lambda: "Serving" in said)
            pid = children(os.getpid())[0]
            forked = [f"worker {place + 1}: forked by {pid}, {pid}, place {place}" for place in range(2)]
            assert said[0] == "loading it all"
            assert sorted(said[1:3]) == forked

    asyncio.run(scenario())


def test_what_cannot_be_loaded_is_named_and_tried_again(folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.process.supervisor.FIRST_PAUSE", 0.01)
    whole = folder.path / "whole"

    async def scenario() -> None:
        loading = f"os.path.exists({str(whole)!r}) or 1 / 0"
        async with supervised(folder, SERVE, loading=loading) as (_, said):
            await eventually(lambda: "worker 1 cannot start: division by zero" in said)
            whole.touch()
            await eventually(lambda: "Serving" in said)

    asyncio.run(scenario())


def test_a_service_that_is_asked_to_end_does_not_wait_for_what_it_loads(folder: ServiceFolder) -> None:
    async def scenario() -> None:
        async with supervised(folder, SERVE, loading="doing('compiling'); import time; time.sleep(600)") as (_, said):
            await eventually(lambda: "compiling" in said)

    asyncio.run(scenario())


def test_the_pauses_grow_and_end_somewhere() -> None:
    assert [pause_before(deaths) for deaths in range(FREE_RESTARTS + 1)] == [0.0] * (FREE_RESTARTS + 1)
    pauses = [pause_before(deaths) for deaths in range(FREE_RESTARTS + 1, 40)]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_a_port_that_is_held_is_refused_with_its_holder(folder: ServiceFolder) -> None:
    with Port("127.0.0.1", 0) as held:
        port = held.number
        with pytest.raises(ConfigError, match=f"a free port {port} on 127.0.0.1"):
            Port("127.0.0.1", port)  # before anybody listens
        with held.socket() as first, held.socket() as second:
            for listening in (first, second):
                listening.listen()
            for host in ("127.0.0.1", "0.0.0.0"):
                with pytest.raises(ConfigError, match=f"process {os.getpid()} .*serves 'Daily' from /srv/daily"):
                    Port(host, port)
    with Port("127.0.0.1", port):
        assert "another user" in holder(port)  # nobody listens


def test_a_host_that_is_not_of_this_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="an address of this machine"):
        Port("no.such.host.invalid", 0)
    with pytest.raises(ConfigError, match="a free port"):
        Port("192.0.2.1", 0)


def test_the_folder_of_a_service_goes_with_it(folder: ServiceFolder) -> None:
    assert note_of(os.getpid()) == {"site": "Daily", "data_dir": "/srv/daily"}
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = folder.path.parent / f"{PREFIX}{ended.pid}-killed"
    left.mkdir()
    ServiceFolder().remove()  # the next start
    assert not left.exists()
    assert folder.path.exists()
    folder.remove()
    assert note_of(os.getpid()) is None


def test_workers_count_together_and_go_on_where_a_dead_one_ended(tmp_path: Path) -> None:
    source = "from web import metrics; metrics.STARTS.inc(); metrics.IN_FLIGHT.set(1)"
    show = "from recsys.telemetry import exposition; print(exposition().decode())"
    for place in ("0", "1", "0"):  # the last one takes the place of the first
        env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "WORKER_PLACE": place}
        shown = subprocess.run(
            [sys.executable, "-c", f"{source}; {show}"], env=env, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    assert "recsys_worker_starts_total 3.0" in shown
    assert "recsys_requests_in_flight 2.0" in shown
    assert len(list(tmp_path.glob("counter_*"))) == 2


def test_connections_that_a_killed_service_left_behind_do_not_hold_up_the_next_one() -> None:
    with Port("127.0.0.1", 0) as port:
        number, listening = port.number, port.socket()
        listening.listen()
        client = socket.create_connection(("127.0.0.1", number))
        served, _ = listening.accept()
        with pytest.raises(ConfigError, match="free port"):
            Port("127.0.0.1", number)
        served.close()  # first, as the kernel does for a process that was killed: it waits for a minute
        assert client.recv(1) == b""
        client.close()
        listening.close()
    with Port("127.0.0.1", number) as again:
        assert again.number == number
