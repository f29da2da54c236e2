"""``python -m web`` on a free port: started, watched from outside by ``/proc``, and ended.

Memory is given twice. *RSS* is what ``ps`` shows: everything that a process has mapped and in memory, shared pages in
full. *PSS* counts a page that n processes share as an nth. ``worker_mib`` is the largest RSS, which is the figure that
cannot flatter a service that shares memory; the PSS beside it is what the machine gives up.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from benchmarks.cost import family, text_of
from benchmarks.serve.data import environment
from recsys.errors import ArtefactError

POLL_SECONDS = 0.02
START_SECONDS = 600.0  # that the first start may take: it compiles
STOP_SECONDS = 30.0
SPREAD_SECONDS = 10.0  # that are waited for every worker to take a connection
ESTABLISHED = "01"
_TICKS = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Memory of one process, MiB."""

    rss: float
    pss: float


class Service:
    """One running service.

    Args:
        data: its data folder.
        workers: processes that answer.
        log: where what it says goes.
        more: further settings.

    Attributes:
        port: that it listens on.
        first_seconds: from start to the first 200 of ``/readyz``.
        ready_seconds: from start until every worker has said 200.

    Raises:
        ArtefactError: it ended, or was not ready in time; the message ends with what it said last.
    """

    def __init__(self, data: Path, workers: int, log: Path, more: Mapping[str, str] | None = None) -> None:
        self.port, self.workers, self.log = free_port(), workers, log
        settings = environment(data) | {"RECSYS_WEB__WORKERS": str(workers)} | dict(more or {})
        self._said = log.open("ab")
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "web", "--port", str(self.port)],
            env=os.environ | settings,
            stdout=self._said,
            stderr=self._said,
            start_new_session=True,
        )
        try:
            self._wait_ready(began)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _wait_ready(self, began: float) -> None:
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() - began > START_SECONDS:
                tail = self.log.read_bytes()[-2000:].decode(errors="replace")
                code = self._process.poll()
                raise ArtefactError("a service that is ready", f"exit code {code}: {tail}", "Run python -m web.")
            time.sleep(POLL_SECONDS)
        self.first_seconds = time.monotonic() - began
        for connection in self.one_per_worker().values():
            connection.close()
        self.ready_seconds = time.monotonic() - began

    def _is_ready(self) -> bool:
        try:
            line = Line(self.port, timeout=2.0)
        except OSError:
            return False
        ready = line.is_ready()
        line.close()
        return ready

    def one_per_worker(self) -> dict[int, "Line"]:
        """A kept connection to each worker, by its process; fewer when the others take none within some seconds."""
        lines: dict[int, Line] = {}
        spare, deadline = list[Line](), time.monotonic() + SPREAD_SECONDS
        while len(lines) < self.workers and time.monotonic() < deadline:
            try:
                line = Line(self.port)
            except OSError:  # nobody listens for a moment
                time.sleep(POLL_SECONDS)
                continue
            owner = owner_of(line.port, self.port, self.family()) if line.is_ready() else None
            if owner is None or owner in lines:
                spare.append(line)  # kept open, so that the next one goes to somebody else
                time.sleep(POLL_SECONDS)
            else:
                lines[owner] = line
        for line in spare:
            line.close()
        return lines

    def family(self) -> list[int]:
        """The parent and all that descend from it."""
        return family(self._process.pid)

    def cpu_seconds(self) -> float:
        """CPU of the service so far, of children that have ended too."""
        total = 0
        for process in self.family():
            fields = text_of(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])  # user and system, own and of children waited for
        return total / _TICKS

    def memory(self) -> list[Memory]:
        """Memory of each process, the largest first."""
        found = []
        for process in self.family():
            rows = dict(row.split(":", 1) for row in text_of(Path(f"/proc/{process}/smaps_rollup")).splitlines()[1:])
            if rows:
                found.append(Memory(*(int(rows[name].split()[0]) / 1024 for name in ("Rss", "Pss"))))
        return sorted(found, reverse=True)

    def close(self) -> None:
        """End the service, by force if it does not end by itself."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # a group of its own: it was started in a new session
            self._process.wait()
        self._said.close()


class Line:
    """One kept connection of a probe.

    Attributes:
        port: our side of it.
    """

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self._connection.connect()
        self.port: int = self._connection.sock.getsockname()[1]

    def is_ready(self) -> bool:
        """True if the worker says so; one that was killed says nothing."""
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an answer.

        Raises:
            OSError: none came, or half of one.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, value: object) -> tuple[int, Any]:
        """The same of a POST."""
        return self._ask("POST", path, json.dumps(value))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            data = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        return answer.status, json.loads(data) if data[:1] in (b"{", b"[") else None

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def owner_of(ours: int, theirs: int, processes: list[int]) -> int | None:
    """The process that holds the other end of a connection on this machine.

    Args:
        ours: port of our end.
        theirs: port of the other end.
        processes: who is looked at.
    """
    inode = ""
    for row in text_of(Path("/proc/net/tcp")).splitlines()[1:]:
        fields = row.split()
        local, remote = (int(fields[place].rpartition(":")[2], 16) for place in (1, 2))
        if (local, remote, fields[3]) == (theirs, ours, ESTABLISHED):
            inode = f"socket:[{fields[9]}]"
    for process in processes if inode else ():
        for link in Path(f"/proc/{process}/fd").glob("*"):
            try:
                if str(link.readlink()) == inode:
                    return process
            except OSError:  # closed meanwhile
                continue
    return None
