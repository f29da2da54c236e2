"""Entry: the way of one request through the gateway.

granian's thread hands every request over as soon as its head is complete. Health is answered right there, a request
without a body goes to its lane, one with a body to the event loop first. The lane's thread calls Flask and sends.
"""

import asyncio
import sys
from contextlib import suppress
from time import perf_counter
from types import SimpleNamespace
from typing import Any, NamedTuple

import structlog

from web import metrics
from web.forwarding import clean_prefix, without_prefix
from web.gateway.bodies import Bodies, BodyError, too_large
from web.gateway.compression import compressed
from web.gateway.lanes import Lane
from web.gateway.limits import MAX_BODY_BYTES, body_limit
from web.gateway.spools import Spools
from web.gateway.streams import STREAM, Source, Streams
from web.gateway.wsgi import CHEAP, ROUTE, Application, Reply, Scope, call, environ_of
from web.problem import problem_reply

HEALTH = "/healthz"
METRICS = "/metrics"
PREFIX_HEADER = "x-forwarded-prefix"
FROM_DATABASE = (
    "/admin",
    "/console",
    "/readyz",
    "/api/v1/reader",
)  # wait for the database, as all do that bear a token
READING = ("GET", "HEAD", "OPTIONS")
MEMORY_THREADS = 1  # lists are counting, not waiting: two take turns with the interpreter, and make fewer
SWITCH_SECONDS = 0.001  # that a thread keeps the interpreter while others wait; Python's 5 ms delay every hand-over

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")

OVERLOADED = Reply(
    *problem_reply(503, "overloaded", "Expected fewer requests at once.", "Try again in a second.", Retry_After="1")
)
STOPPING = Reply(
    *problem_reply(503, "stopping", "This worker ends.", "Try again.", Retry_After="1", Connection="close")
)
PROBE: Any = SimpleNamespace(  # asked once at the start, for the answer that everybody gets
    method="GET", path=HEALTH, query_string="", client="127.0.0.1:0", server="127.0.0.1:0", scheme="http", headers={}
)
CLOSE = ("Connection", "close")
MISTAKE = Reply(*problem_reply(500, "internal", "The service made a mistake.", "Tell the operator when it happened."))


class Request(NamedTuple):
    """A complete request that waits for its answer."""

    exchange: Any
    scope: Scope
    body: bytes
    came: float


class Gateway:
    """Everything between granian and the application of one worker."""

    def __init__(self, application: Application, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        """Start the lanes.

        Args:
            application: the Flask application.
            loop: reads bodies; it must run in another thread than granian's.
            threads: of the lane that waits for the database.
        """
        self._application, self._loop = application, loop
        self._small, self._large = Bodies(), Bodies()  # large ones cannot take the room of events
        self._reading: set[asyncio.Task[None]] = set()
        self._spools = Spools(loop)
        self._memory: Lane[Request] = Lane("memory", MEMORY_THREADS, self._answer, self._refuse)
        self._database: Lane[Request] = Lane("database", threads, self._answer, self._refuse)
        self._streams = Streams(loop)
        self._health = call(application, environ_of(PROBE, b""))
        self.stopping = self.leaving = False
        metrics.IN_FLIGHT.set(0)
        sys.setswitchinterval(SWITCH_SECONDS)

    def take(self, exchange: Any) -> None:
        """Take a request from granian, in granian's thread; it must come back at once and raise nothing."""
        try:
            scope: Scope = exchange.scope
            if scope.path == HEALTH and scope.method in READING[:2]:
                self._deliver(exchange, self._health)
                return
            metrics.IN_FLIGHT.inc()
            headers = scope.headers
            if scope.method in READING and "content-length" not in headers and "transfer-encoding" not in headers:
                self._queue(Request(exchange, scope, b"", perf_counter()))
            elif self.stopping:
                self._send(exchange, STOPPING, "stopping")
            else:
                self._loop.call_soon_threadsafe(self._read, exchange, scope)
        except Exception:
            self._failed(exchange)

    def leave(self) -> None:
        """Say with every answer from now on that its connection ends: the next request goes to another worker."""
        self.leaving = True
        self._streams.end()  # a browser asks again by itself

    def stop(self) -> None:
        """Give up on bodies that are still being sent; what is complete will be answered."""
        self.stopping = True
        for task in list(self._reading):
            task.cancel()
        self._streams.end()

    def close(self, seconds: float) -> None:
        """End the threads, after so many seconds at the latest."""
        self._streams.close()
        self._memory.close(seconds)
        self._database.close(seconds)
        self._spools.close()

    def _queue(self, request: Request) -> None:
        scope = request.scope
        path = _own_path(scope)
        if path == METRICS:  # an operator wants to see an overload
            self._memory.insist(request)
        elif scope.method not in READING or path.startswith(FROM_DATABASE) or "authorization" in scope.headers:
            self._database.offer(request)
        else:
            self._memory.offer(request)

    def _read(self, exchange: Any, scope: Scope) -> None:
        task = self._loop.create_task(self._read_body(exchange, scope))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read_body(self, exchange: Any, scope: Scope) -> None:
        try:
            promised = scope.headers.get("content-length")
            limit = body_limit(_own_path(scope))
            if promised is not None and (len(promised) > len(str(limit)) or int(promised) > limit):
                raise too_large(limit)
            length = None if promised is None else int(promised)
            bodies = self._small if limit <= MAX_BODY_BYTES else self._large
            body = await bodies.read(exchange.proto, length, limit)
            self._queue(Request(exchange, scope, body, perf_counter()))
        except BodyError as error:
            reply = problem_reply(error.status, error.code, error.detail, error.remedy, Connection="close")
            self._send(exchange, Reply(*reply), error.code)
        except asyncio.CancelledError:
            self._send(exchange, STOPPING, "stopping")
        except Exception:
            self._failed(exchange)

    def _answer(self, request: Request, cheap: bool) -> None:
        exchange, scope, body, came = request
        try:
            environ = environ_of(scope, body)
            if cheap:
                environ[CHEAP] = True
                metrics.CHEAPER.inc()
            reply = call(self._application, environ)
            if reply.parts is not None:
                self._spools.send(exchange.proto, reply.status, reply.headers, reply.parts)
            elif STREAM in environ and reply.status == 200 and not self.leaving:
                self._stream(exchange, reply, environ[STREAM])
            else:
                reply = compressed(reply, environ.get("HTTP_ACCEPT_ENCODING", ""))
                self._deliver(exchange, reply)
            metrics.count_answer(scope.method, environ.get(ROUTE, metrics.NO_ROUTE), reply.status, came)
            metrics.IN_FLIGHT.dec()
        except Exception:
            self._failed(exchange)

    def _stream(self, exchange: Any, reply: Reply, source: Source) -> None:
        if self._streams.full:
            self._deliver(exchange, OVERLOADED)
        else:
            self._streams.start(exchange.proto, reply.status, reply.headers, source)

    def _refuse(self, request: Request) -> None:
        self._send(request.exchange, OVERLOADED, "overloaded")

    def _send(self, exchange: Any, reply: Reply, code: str) -> None:
        """Answer a request that the application did not see."""
        self._deliver(exchange, reply)
        metrics.REFUSED.labels(code).inc()
        metrics.IN_FLIGHT.dec()

    def _failed(self, exchange: Any) -> None:
        """Answer after a mistake of the gateway itself, of which there should be none."""
        self._send(exchange, MISTAKE, "internal")
        with suppress(OSError, ValueError):  # nobody reads the log any more: the thread must live on
            log.exception("gateway")

    def _deliver(self, exchange: Any, reply: Reply) -> None:
        """Hand an answer to granian; an answer to a client that is gone goes nowhere."""
        headers = [*reply.headers, CLOSE] if self.leaving and CLOSE not in reply.headers else reply.headers
        if reply.body:
            exchange.proto.response_bytes(reply.status, headers, reply.body)
        else:
            exchange.proto.response_empty(reply.status, headers)


def _own_path(scope: Scope) -> str:
    """The path within this service, of a request whose prefix a proxy passes or has taken off."""
    return without_prefix(scope.path, clean_prefix(scope.headers.get(PREFIX_HEADER) or ""))
