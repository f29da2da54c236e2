"""A cheap HTTP/1.1 client for load: one thread, one epoll, requests that were written before the clock starts.

An *open* run sends each request at its planned time, whatever became of those before it, and measures its latency from
then: a service that stalls is charged for everybody who came meanwhile. A *closed* run keeps so many connections busy.
An answer is complete when its status is the expected one and its body is as long as it says and holds the cards that
were asked for; one in a hundred is read as JSON. What a person's browser would do is done: a request whose kept
connection was closed before a byte came is sent once more.
"""

import errno
import gc
import json
import re
import resource
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

LIST, EVENT = range(2)  # kinds of request
COMPLETE, SHED, REFUSED, WRONG, BROKEN, TIMEOUT = range(6)  # how a request ended
OUTCOMES = ("complete", "shed", "refused", "wrong", "broken", "timeout")
EXPECTED = (200, 202)  # status by kind
SAMPLED = 100  # every so many lists are read as JSON
MAX_CONNECTIONS = 1_000  # of which an open run makes use when none is idle
READ = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_ACCEPTED = re.compile(rb'"accepted": *[1-9]')


class Run(NamedTuple):
    """One run of a client.

    Attributes:
        port: on this machine.
        requests: the bytes of each.
        kinds: LIST or EVENT, of each.
        times: seconds from the start at which each is sent, ascending; none: as soon as a connection is idle.
        seconds: after which nothing more is sent.
        connections: opened at first.
        deadline: seconds after which an answer is not waited for.
        k: cards of a complete list.
        stop: a file; as soon as it exists nothing more is sent.
    """

    port: int
    requests: Sequence[bytes]
    kinds: Sequence[int]
    times: Sequence[float]
    seconds: float
    connections: int
    deadline: float
    k: int
    stop: str = ""


@dataclass
class Outcomes:
    """Ends of the requests of a run, in the order in which they came.

    Attributes:
        index: of each request.
        kind: LIST or EVENT.
        outcome: COMPLETE and so on.
        planned: seconds from the start; of a closed run when it was sent.
        latency: seconds from then to the last byte.
        size: bytes of the body.
        began: ``time.monotonic()`` of the start.
        cpu: seconds of CPU of this process during the run.
        retried: sent once more, because the kept connection was closed.
        releases: named by the answers that were read.
        faults: the first few answers that were not complete.
    """

    index: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    planned: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    began: float = 0.0
    cpu: float = 0.0
    retried: int = 0
    releases: set[str | None] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


class Connection:
    """One kept connection, and the request that it carries, if any."""

    __slots__ = ("answered", "began", "buffer", "index", "out", "planned", "retry", "sock", "total")

    def __init__(self, port: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self.sock.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            self.sock.close()
            raise OSError(code, "connect")
        self.index, self.answered, self.retry = -1, False, False
        self.buffer, self.out, self.total = bytearray(), b"", 0
        self.began = self.planned = 0.0


class Client:
    """The connections of one run."""

    def __init__(self, run: Run) -> None:
        self.run, self.result = run, Outcomes()
        self.epoll = select.epoll()
        self.open: dict[int, Connection] = {}
        self.idle: deque[Connection] = deque()
        self.waiting: deque[tuple[int, float, bool]] = deque()  # request, planned, sent before
        self.lists, self.start, self.stopped = 0, 0.0, False

    def drive(self) -> Outcomes:
        """Send everything and wait for what comes."""
        run, now, swept = self.run, 0.0, 0.0
        for _ in range(run.connections):
            self._connect()
        gc.disable()
        used = resource.getrusage(resource.RUSAGE_SELF)
        self.start, self.result.began = time.perf_counter(), time.monotonic()
        sent, number, closed = 0, len(run.requests), not run.times
        while True:
            now = time.perf_counter() - self.start
            if closed:
                while not self.stopped and sent < number and now < run.seconds and len(self.waiting) < len(self.idle):
                    self.waiting.append((sent, now, False))
                    sent += 1
            else:
                while not self.stopped and sent < number and run.times[sent] <= now:
                    self.waiting.append((sent, run.times[sent], False))
                    sent += 1
            while self.waiting and (self.idle or (len(self.open) < MAX_CONNECTIONS and self._connect())):
                self._send(self.idle.popleft(), *self.waiting.popleft())
            over = self.stopped or sent == number or now >= run.seconds
            if over and not self.waiting and len(self.idle) == len(self.open):
                break
            pause = 0.05
            if not closed and not over:
                pause = max(0.0, min(pause, run.times[sent] - (time.perf_counter() - self.start)))
            if select.select([self.epoll], [], [], pause)[0]:  # epoll's own timeout knows whole milliseconds only
                for fd, _ in self.epoll.poll(0):
                    self._ready(self.open[fd])
            if now - swept > 0.1:
                swept = now
                self._sweep(now)
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.result.cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        gc.enable()
        for connection in list(self.open.values()):
            self._close(connection)
        self.epoll.close()
        return self.result

    def _connect(self) -> bool:
        try:
            connection = Connection(self.run.port)
        except OSError:
            return False
        self.open[connection.sock.fileno()] = connection
        self.epoll.register(connection.sock, select.EPOLLIN | select.EPOLLRDHUP)
        self.idle.append(connection)
        return True

    def _send(self, connection: Connection, index: int, planned: float, retry: bool) -> None:
        connection.index, connection.planned, connection.retry = index, planned, retry
        connection.began = time.perf_counter() - self.start
        connection.total = 0
        connection.buffer.clear()
        connection.out = self.run.requests[index]
        self._write(connection)

    def _write(self, connection: Connection) -> None:
        try:
            done = connection.sock.send(connection.out)
        except (BlockingIOError, OSError) as error:
            if error.errno not in (errno.EAGAIN, errno.ENOTCONN, errno.EINPROGRESS):
                self._gone(connection)
                return
            done = 0
        connection.out = connection.out[done:]
        if connection.out:
            self.epoll.modify(connection.sock, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP)

    def _ready(self, connection: Connection) -> None:
        if connection.out:
            self.epoll.modify(connection.sock, select.EPOLLIN | select.EPOLLRDHUP)
            self._write(connection)
            return
        try:
            data = connection.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._gone(connection)
            return
        buffer = connection.buffer
        buffer += data
        if not connection.total:
            head = buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(buffer, 0, head + 2)
            connection.total = head + 4 + int(length[1]) if length else -1  # -1: in chunks, or to the end
        if 0 < connection.total <= len(buffer) or (connection.total < 0 and buffer.endswith(b"0\r\n\r\n")):
            self._answered(connection)

    def _answered(self, connection: Connection) -> None:
        buffer, kind = connection.buffer, self.run.kinds[connection.index]
        status, head = int(buffer[9:12]), buffer.find(b"\r\n\r\n")
        if status == 503:
            outcome = SHED if b"\r\nretry-after:" in bytes(buffer[:head]).lower() else REFUSED
        elif status != EXPECTED[kind]:
            outcome = REFUSED
        else:
            outcome = COMPLETE if self._whole(buffer, kind, head) else WRONG
        self._note(connection, outcome, len(buffer) - head - 4)
        connection.answered, connection.index = True, -1
        if b"\r\nconnection: close" in bytes(buffer[:head]).lower():
            self._close(connection)
        else:
            self.idle.append(connection)

    def _whole(self, buffer: bytearray, kind: int, head: int) -> bool:
        if kind == EVENT:
            return _ACCEPTED.search(buffer, head) is not None
        self.lists += 1
        if buffer.count(b'"reason"', head) != self.run.k:
            return False
        if self.lists % SAMPLED:
            return True
        try:
            answer = json.loads(buffer[head + 4 :])
            ids = {item["id"] for item in answer["items"] if item["title"] and item["reason"]["text"]}
        except (ValueError, KeyError):
            return False
        self.result.releases.add(answer["release"])
        return len(ids) == self.run.k

    def _note(self, connection: Connection, outcome: int, size: int) -> None:
        result, now = self.result, time.perf_counter() - self.start
        result.index.append(connection.index)
        result.kind.append(self.run.kinds[connection.index])
        result.outcome.append(outcome)
        result.planned.append(connection.planned)
        result.latency.append(now - connection.planned)
        result.size.append(size)
        if outcome not in (COMPLETE, SHED) and len(result.faults) < 5:
            result.faults.append(f"{OUTCOMES[outcome]}: {bytes(connection.buffer[:300])!r}")

    def _gone(self, connection: Connection) -> None:
        """The other side closed the connection."""
        if connection.index >= 0:
            if connection.total < 0 and connection.buffer:  # a body that ends with its connection
                self._answered(connection)
            elif connection.answered and not connection.buffer and not connection.retry:
                self.result.retried += 1
                self.waiting.appendleft((connection.index, connection.planned, True))
            else:
                self._note(connection, BROKEN, 0)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self.open.pop(connection.sock.fileno(), None) is None:
            return
        if connection in self.idle:
            self.idle.remove(connection)
        self.epoll.unregister(connection.sock)
        connection.sock.close()

    def _sweep(self, now: float) -> None:
        """Give up what has waited too long, and open again what the other side closed."""
        self.stopped = self.stopped or (self.run.stop != "" and Path(self.run.stop).exists())
        while len(self.open) < self.run.connections and self._connect():
            pass
        for connection in list(self.open.values()):
            if connection.index >= 0 and now - connection.planned > self.run.deadline:
                self._note(connection, TIMEOUT, 0)
                self._close(connection)
        while self.waiting and now - self.waiting[0][1] > self.run.deadline:
            index, planned, _ = self.waiting.popleft()
            late = Connection.__new__(Connection)
            late.index, late.planned, late.buffer = index, planned, bytearray()
            self._note(late, TIMEOUT, 0)


def drive(run: Run) -> Outcomes:
    """One run, in this process."""
    return Client(run).drive()
