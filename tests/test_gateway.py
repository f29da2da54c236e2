"""The gateway over real sockets: slow clients, large and broken bodies, overload, compression, the end."""

import asyncio
import gzip
import http.client
import json
import resource
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request, stream_with_context

from web import metrics
from web.gateway import bodies, entry, streams
from web.gateway.admission import (
    CHEAP_SECONDS,
    FIRST_SECONDS,
    REFUSE_SECONDS,
    STALE_SECONDS,
    WEIGHT,
    Admission,
    Verdict,
)
from web.gateway.compression import MIN_BYTES, accepts_gzip
from web.gateway.entry import Gateway
from web.gateway.lanes import Lane
from web.gateway.limits import MAX_BODY_BYTES, body_limit
from web.gateway.listener import Listener
from web.gateway.streams import KIND, STREAM
from web.gateway.wsgi import CHEAP, SPOOLED

LONG = "字" * 2_000


@dataclass
class Front:
    """A gateway on a port of its own, before an application that says what it saw."""

    port: int = 0
    calls: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    end: Callable[[], None] = lambda: None
    leave: Callable[[], None] = lambda: None
    connections: Callable[[], int] = lambda: 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        """One request; the answer's body is in ``text``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.text = answer.read()  # type: ignore[attr-defined]
        connection.close()
        return answer

    def open(self, data: bytes) -> socket.socket:
        """A connection over which something was sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(data)
        return connection


def application(front: Front) -> Flask:
    app = Flask(__name__)

    @app.route("/healthz")
    def health() -> Any:
        return {"status": "ok"}

    @app.route("/echo/<path:rest>", methods=["GET", "POST"])
    def echo(rest: str) -> Any:
        front.calls.append(rest)
        seen = {name: request.headers.get(name) for name in ("Cookie", "X-Two", "X-Forwarded-For")}
        return {"rest": rest, "query": request.query_string.decode(), "body": request.get_data(as_text=True), **seen}

    @app.route("/api/v1/articles:bulk", methods=["POST"])
    def bulk() -> Any:
        return str(len(request.get_data()))

    @app.get("/long")
    def long() -> Any:
        return Response(LONG, headers={"ETag": '"abc"', "Vary": "Cookie"})

    @app.get("/spooled")
    def spooled() -> Any:
        request.environ[SPOOLED] = True

        def parts() -> Iterator[bytes]:
            try:
                for number in range(int(request.args["parts"])):
                    front.calls.append(f"part {number}")
                    if str(number) == request.args.get("broken"):
                        raise RuntimeError("broken")
                    yield b"%07d;" % number * 8192
            finally:
                front.calls.append("closed")

        return Response(stream_with_context(parts()), headers={"X-Two": "x"})

    @app.get("/none")
    def none() -> Any:
        return "", 204

    @app.get("/held")
    @app.get("/admin/held")
    def held() -> Any:
        front.calls.append("held")
        assert front.held.wait(20)
        return "cheap" if request.environ.get(CHEAP) else "dear"

    @app.get("/stream")
    def stream() -> Any:
        news = iter([b"data: 1\n\n", b"", b"data: 2\n\n", None])
        request.environ[STREAM] = lambda: next(news)
        return Response(b"", content_type=KIND)

    @app.get("/endless")
    def endless() -> Any:
        def news() -> bytes:
            front.calls.append("asked")
            return b"data: again\n\n"

        request.environ[STREAM] = news
        return Response(b"", content_type=KIND)

    app.register_blueprint(metrics.blueprint)
    app.after_request(metrics.name_route)
    return app


@contextmanager
def running(front: Front, app: Any, shared: socket.socket | None = None) -> Iterator[Front]:
    """A gateway in an event loop of its own thread, on a port of its own or a socket that it shares."""
    begun = threading.Event()

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            with suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(stop.set)

        front.end = end
        listening = shared.dup() if shared is not None else socket.socket()
        if shared is None:
            listening.bind(("127.0.0.1", 0))
        front.port = listening.getsockname()[1]
        gateway = Gateway(app, loop, 2)
        listener = Listener(listening, gateway.take)

        def leave() -> None:
            gateway.leave()
            listener.retire()

        front.leave, front.connections = leave, listener.connections
        begun.set()
        await stop.wait()
        gateway.stop()
        await listener.close()
        gateway.close(5)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert begun.wait(20)
    try:
        yield front
    finally:
        front.held.set()
        front.end()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    with running(made, application(made)):
        yield made


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    members: dict[str, Any] = json.loads(answer.text)
    assert (members["status"], members["code"]) == (status, code)
    assert set(members) == {"type", "title", "status", "code", "detail", "remedy"}
    return members


def test_five_hundred_clients_that_drip_keep_nobody_waiting(front: Front) -> None:
    dripping = [front.open(b"POST /echo/drip HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx") for _ in range(250)]
    dripping += [front.open(b"POST /echo/drip HTTP/1.1\r\nHost: a\r\nTransfer-En") for _ in range(250)]
    for round_ in range(12):
        dripping[round_].sendall(b"o")
        assert front.ask("GET", "/healthz").status == 200
        assert front.ask("GET", "/echo/quick").status == 200
        assert front.ask("POST", "/echo/quick", "whole").status == 200
    assert front.calls == ["quick"] * 24
    for connection in dripping:
        connection.close()


def test_a_body_that_is_not_whole_in_time_is_answered_408(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    slow = front.open(b"POST /echo/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nxy")
    answer = http.client.HTTPResponse(slow)
    answer.begin()
    answer.text = answer.read()  # type: ignore[attr-defined]
    assert "got 2 bytes" in problem(answer, 408, "request-timeout")["detail"]
    assert slow.recv(10) == b""  # and the connection is closed
    assert front.calls == []
    slow.close()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * MAX_BODY_BYTES, {}, 200),
        (b"x" * (MAX_BODY_BYTES + 1), {}, 413),
        ([b"x" * MAX_BODY_BYTES], {}, 200),  # a list is sent in chunks, without a length
        ([b"x" * MAX_BODY_BYTES, b"x"], {}, 413),
        (b"", {"Content_Length": "9" * 400}, 413),
    ],
    ids=["at the limit", "over it", "chunked", "chunked over it", "a length that is no length"],
)
def test_a_body_has_a_limit(front: Front, body: Any, headers: dict[str, str], status: int) -> None:
    try:
        answer = front.ask("POST", "/echo/size", iter(body) if isinstance(body, list) else body, **headers)
    except ConnectionError:  # the answer came before the whole body was sent
        assert status == 413
        return
    if status == 413 and answer.status != 400:
        assert f"at most {MAX_BODY_BYTES} bytes" in problem(answer, 413, "body-too-large")["detail"]
    assert answer.status in (status, 400 if headers else status)
    assert bool(front.calls) == (status == 200)


def test_an_upload_of_10_gb_is_refused_by_its_length_before_any_of_it_is_read(front: Front) -> None:
    for path in (b"/admin/api/imports?format=csv", b"/console/data"):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n"
        upload = front.open(head)
        assert upload.recv(12) == b"HTTP/1.1 413"
        upload.close()
    assert front.calls == []


def test_the_limit_is_one_of_the_address(front: Front) -> None:
    assert front.ask("POST", "/api/v1/articles:bulk", b"x" * 1_000_000).text == b"1000000"  # type: ignore[attr-defined]
    assert [body_limit(path) >> 10 for path in ("/api/v1/articles:bulk", "/api/v1/articles/a", "/api/v1/events")] == [
        16_384,
        2_048,
        64,
    ]


@pytest.mark.parametrize(
    "sent",
    [b"Content-Length: 10\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ids=["by length", "in chunks"],
)
def test_a_body_that_breaks_off_reaches_no_application(front: Front, sent: bytes) -> None:
    connection = front.open(b"POST /echo/broken HTTP/1.1\r\nHost: a\r\n" + sent)
    connection.close()
    assert front.ask("POST", "/echo/whole", "abc").status == 200
    assert front.calls == ["whole"]


def test_a_body_whose_chunks_are_broken_is_told_so(front: Front) -> None:
    head = b"POST /echo/broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with front.open(head + b"3\r\nabc\r\nzz\r\n") as connection:
        assert connection.recv(12) == b"HTTP/1.1 400"
    assert front.calls == []


@pytest.mark.parametrize("came", [[b"abc"], [b"abc", b"defghijkl"], [b"abc", b""], []])
def test_a_body_of_another_length_than_was_promised_is_refused_whatever_the_server_says(came: list[bytes]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in came:
            yield chunk

    with pytest.raises(bodies.BodyError, match="it ended after"):
        asyncio.run(bodies.Bodies().read(chunks(), 10, 100))


def test_all_bodies_together_have_a_limit(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODIES_BYTES", 3_000)
    first = front.open(b"POST /echo/first HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n" + b"x" * 2_000)
    eventually(lambda: front.ask("POST", "/echo/second", b"x" * 2_000).status == 503)
    assert front.ask("POST", "/api/v1/articles:bulk", b"x" * 2_000).status == 200  # large bodies have their own
    first.sendall(b"x")
    assert first.recv(12) == b"HTTP/1.1 200"
    first.close()
    assert front.ask("POST", "/echo/third", b"x" * 2_000).status == 200  # what was held was given back


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def test_the_application_sees_the_request_as_it_was_sent(front: Front) -> None:
    connection = front.open(
        b"POST /echo/%E4%BD%A0%20b/a%2Fb?q=%E4%BD%A0&x=a+b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        b"Cookie: a=1\r\nCookie: b=2\r\nX-Two: 1\r\nX-Two: 2\r\nX_Forwarded_For: 6.6.6.6\r\n"
        b"Connection: close\r\n\r\nabc"
    )
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert json.loads(answer.read()) == {
        "rest": "你 b/a/b",
        "query": "q=%E4%BD%A0&x=a+b",
        "body": "abc",
        "Cookie": "a=1; b=2",
        "X-Two": "1,2",
        "X-Forwarded-For": None,
    }
    connection.close()


def test_answers_without_a_body_have_none(front: Front) -> None:
    assert (front.ask("GET", "/none").status, front.ask("GET", "/none").text) == (204, b"")  # type: ignore[attr-defined]
    head = front.ask("HEAD", "/long")
    assert (head.status, head.headers["Content-Length"], head.text) == (200, "6000", b"")  # type: ignore[attr-defined]
    assert front.ask("HEAD", "/healthz").status == 200
    assert front.ask("POST", "/healthz", "x").status == 405


def test_a_long_text_is_compressed_for_who_asks_and_keeps_its_tag(front: Front) -> None:
    plain, packed = front.ask("GET", "/long"), front.ask("GET", "/long", Accept_Encoding="br, gzip;q=0.8")
    assert gzip.decompress(packed.text) == plain.text == LONG.encode()  # type: ignore[attr-defined]
    assert (plain.headers["Content-Encoding"], packed.headers["Content-Encoding"]) == (None, "gzip")
    assert packed.headers["ETag"] == plain.headers["ETag"] == '"abc"'
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Cookie, Accept-Encoding"
    assert int(packed.headers["Content-Length"]) < MIN_BYTES < int(plain.headers["Content-Length"])
    assert front.ask("GET", "/echo/short", Accept_Encoding="gzip").headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("accepted", "asks"),
    [("gzip", True), ("deflate, GZIP ; q=0.5", True), ("*", True), ("gzip;q=0", False), ("", False), ("xgzip", False)],
)
def test_who_asks_for_gzip(accepted: str, asks: bool) -> None:
    assert accepts_gzip(accepted) == asks


def test_what_waits_for_the_database_delays_no_list(front: Front) -> None:
    waiting = [front.open(b"GET /admin/held HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(6)]
    eventually(lambda: front.calls == ["held"] * 2)  # both threads of that lane
    assert front.ask("GET", "/echo/list").status == 200
    front.held.set()
    for connection in waiting:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()


def test_a_mistake_of_the_application_is_a_problem_without_a_trace() -> None:
    def broken(environ: dict[str, Any], _start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == entry.HEALTH:
            return [b"ok"]
        raise RuntimeError("secret")

    with running(Front(), broken) as front:
        assert "secret" not in str(problem(front.ask("GET", "/x"), 500, "internal"))


def test_at_the_end_what_is_complete_is_answered_and_the_rest_is_told_so(front: Front) -> None:
    complete = front.open(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
    dripping = front.open(b"POST /echo/drip HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx")
    eventually(lambda: front.calls == ["held"])
    assert front.ask("GET", "/healthz").status == 200
    front.end()
    assert dripping.recv(12) == b"HTTP/1.1 503"
    front.held.set()
    assert complete.recv(12) == b"HTTP/1.1 200"
    complete.close()
    dripping.close()


def test_requests_are_counted_by_route_and_status(front: Front) -> None:
    def figure(line: str) -> float:
        text = front.ask("GET", "/metrics").text.decode()  # type: ignore[attr-defined]
        return sum(float(row.rpartition(" ")[2]) for row in text.splitlines() if row.startswith(line))

    one, refused = (
        'recsys_requests_total{method="GET",route="/echo/<path:rest>",status="200"}',
        "recsys_requests_refused",
    )
    before = figure(one), figure('recsys_requests_total{method="GET",route="none",status="404"}')
    refusals = figure(refused + '_total{code="body-too-large"}')
    for address in ("/echo/a", "/echo/b", "/nowhere"):
        front.ask("GET", address)
    with front.open(b"POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n") as large:
        assert large.recv(12) == b"HTTP/1.1 413"
    assert figure(one) == before[0] + 2
    assert figure('recsys_requests_total{method="GET",route="none",status="404"}') == before[1] + 1
    assert figure(refused + '_total{code="body-too-large"}') == refusals + 1
    assert figure('recsys_request_seconds_count{route="/echo/<path:rest>"}') >= 2
    assert figure("recsys_requests_in_flight ") == 1  # this one
    assert "nowhere" not in front.ask("GET", "/metrics").text.decode()  # type: ignore[attr-defined]


def test_a_free_thread_refuses_nobody_however_slow_the_answers_were() -> None:
    admission = Admission(threads=2)
    admission.seconds = 60.0
    assert [admission.enter() for _ in range(2)] == [Verdict.TAKEN] * 2
    assert admission.enter() is Verdict.REFUSED
    admission.leave(60.0)
    assert admission.enter() is Verdict.TAKEN


def test_the_queue_ends_where_the_expected_wait_reaches_its_bound() -> None:
    admission = Admission(threads=2)
    admission.seconds = 0.02
    taken = 0
    while admission.enter() is Verdict.TAKEN:
        taken += 1
    assert taken == 2 + REFUSE_SECONDS / 0.02 * 2  # two are answered, 25 wait for 10 ms each
    assert admission.is_cheap()
    while admission.is_cheap():
        admission.leave(None)
    assert admission.wait() == pytest.approx(CHEAP_SECONDS)
    assert admission.seconds == 0.02  # who left without an answer says nothing about answers


def test_the_mean_follows_the_answers() -> None:
    admission = Admission(threads=1)
    admission.leave(0.105)
    assert admission.seconds == pytest.approx(FIRST_SECONDS + WEIGHT * 0.1)
    admission.leave(None)
    assert admission.seconds == pytest.approx(FIRST_SECONDS + WEIGHT * 0.1)


def test_a_lane_refuses_at_once_answers_cheaply_and_drops_what_waited_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("web.gateway.lanes.perf_counter", lambda: clock[0])
    begun, go = threading.Event(), threading.Event()
    answered: list[tuple[str, bool]] = []
    refused: list[str] = []

    def answer(work: str, cheap: bool) -> None:
        begun.set()
        assert go.wait(20)
        answered.append((work, cheap))

    lane = Lane("test", 1, answer, refused.append)
    lane._admission.seconds = 0.1
    lane.offer("a")
    assert begun.wait(20)
    for name in ("b", "c", "d"):
        lane.offer(name)
    assert refused == ["d"]  # behind three: 0.3 s
    lane.insist("metrics")
    go.set()
    eventually(lambda: lane._admission.inside == 0)
    assert [work for work, _ in answered] == ["a", "b", "c", "metrics"]
    assert (answered[0], answered[1], answered[3]) == (("a", False), ("b", True), ("metrics", False))

    begun.clear()
    go.clear()
    lane.offer("e")
    assert begun.wait(20)
    lane.offer("f")
    clock[0] += STALE_SECONDS + 0.1  # the reader of "f" has gone
    go.set()
    lane.close(20)
    assert (answered[-1][0], refused[-1], lane._admission.inside) == ("e", "f", 0)


def test_who_leaves_answers_those_who_are_connected_and_accepts_nobody_else() -> None:
    old, new = Front(), Front()
    with socket.socket() as shared:
        shared.bind(("127.0.0.1", 0))
        with running(old, application(old), shared), running(new, application(new), shared):
            kept = [http.client.HTTPConnection("127.0.0.1", old.port, timeout=20) for _ in range(20)]
            for number, connection in enumerate(kept):
                connection.request("GET", f"/echo/kept{number}")
                answer = connection.getresponse()
                assert (answer.status, answer.getheader("Connection")) == (200, None)
                answer.read()
            waiting = [socket.create_connection(("127.0.0.1", old.port), timeout=20) for _ in range(20)]
            met = [name for name in old.calls if name.startswith("kept")]
            assert 0 < len(met) < 20, "both accept"
            eventually(lambda: old.connections() == 40)  # of this process: both gateways' are in it
            old.leave()
            for number in range(100):
                assert new.ask("GET", f"/echo/fresh{number}").status == 200
            assert len([name for name in new.calls if name.startswith("fresh")]) == 100
            for number, connection in enumerate(kept):
                connection.request("POST", "/echo/again", b"body")
                answer = connection.getresponse()
                answer.read()
                expected = "close" if f"kept{number}" in met else None
                assert (answer.status, answer.getheader("Connection")) == (200, expected)
                assert (connection.sock is None) == (expected == "close")
            for accepted in waiting:  # who has said nothing yet is answered all the same
                accepted.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                assert accepted.recv(4096).startswith(b"HTTP/1.1 200")
                accepted.close()
            for connection in kept:
                connection.close()
            eventually(lambda: old.connections() == 0)


def test_a_stream_is_sent_as_it_comes_and_ends_with_its_source(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    answer = front.ask("GET", "/stream")
    assert (answer.status, answer.headers["Content-Type"], answer.headers["Content-Length"]) == (200, KIND, None)
    assert answer.text == b"data: 1\n\ndata: 2\n\n"  # type: ignore[attr-defined]


def test_streams_hold_up_nobody_have_a_bound_and_end_with_their_clients(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(streams, "MAX_STREAMS", 6)
    listening = [front.open(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(6)]
    for connection in listening:
        seen = b""
        while b"again" not in seen:
            seen += connection.recv(4096)
    assert front.ask("GET", "/echo/quick").status == 200
    refused = front.ask("GET", "/endless")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    for connection in listening:
        connection.close()
    deadline = time.monotonic() + 120
    while front.ask("GET", "/stream").status == 503:
        assert time.monotonic() < deadline, "nobody has noticed that they are gone"
        time.sleep(0.05)


def test_a_worker_that_leaves_ends_its_streams(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    connection = front.open(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    seen = connection.recv(4096)
    assert b"200" in seen
    front.leave()
    while not seen.endswith(b"0\r\n\r\n"):  # the last piece of an answer in pieces
        seen = seen[-8:] + connection.recv(4096)
    connection.close()


def test_a_spooled_answer_comes_whole_and_is_never_held_whole(front: Front) -> None:
    answer = front.ask("GET", "/spooled?parts=40", Accept_Encoding="gzip")
    text = answer.text  # type: ignore[attr-defined]
    assert (answer.status, answer.headers["X-Two"]) == (200, "x")
    assert text == b"".join(b"%07d;" % number * 8192 for number in range(40))
    assert front.calls[-1] == "closed"
    front.calls.clear()
    slow = front.open(b"GET /spooled?parts=2000 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert slow.recv(1000).startswith(b"HTTP/1.1 200 OK")
    before = resident()
    assert front.ask("GET", "/echo/while").status == 200, "who reads slowly holds up nobody"
    time.sleep(1.0)
    assert resident() - before < 60, "MiB, of 125 that nobody has read"
    slow.close()


def resident() -> int:
    """Memory of this process, MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20


def test_a_spooled_answer_that_breaks_off_is_a_problem_and_not_half_of_one(front: Front) -> None:
    answer = front.ask("GET", "/spooled?parts=3&broken=2")
    assert answer.status == 500
    assert front.calls == ["part 0", "part 1", "part 2", "closed"]
