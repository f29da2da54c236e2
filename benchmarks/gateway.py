"""Gateway: what the way of a request to the application costs, beside granian's own WSGI server.

``python -m benchmarks.gateway [--requests 6000] [--connections 8] [--rounds 5]``

One worker of each kind serves the same small Flask answer. A client in this process keeps some connections busy; what
counts is the CPU that the server's process took per request, as the kernel counts it (user and system). The kinds take
turns, and the median of the rounds stands in the table, because other work on the machine makes everybody slower.

    wsgi      granian's WSGI server with four threads: threads read the bodies
    gateway   web.gateway: deadlines, limits, admission, metrics, compression
    packed    the same, asked for gzip, with an answer of 12 KB

Prints one JSON object on the last line.
"""

import argparse
import asyncio
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

from flask import Flask, Response
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from web import metrics
from web.gateway.entry import Gateway
from web.gateway.listener import Listener

KINDS = ("wsgi", "gateway", "packed")
THREADS = 4
WARM_REQUESTS = 500
TICKS = os.sysconf("SC_CLK_TCK")
SMALL = json.dumps({"items": list(range(200))}).encode()
LARGE = json.dumps({"items": [{"title": f"Title {n} of an article", "score": n / 7} for n in range(220)]}).encode()


def small_app() -> Flask:
    """An application that costs next to nothing."""
    app = Flask("small")

    @app.get("/healthz")
    @app.get("/small")
    def small() -> Response:
        return Response(SMALL, content_type="application/json")

    @app.get("/large")
    def large() -> Response:
        return Response(LARGE, content_type="application/json")

    app.after_request(metrics.name_route)
    return app


def serve(kind: str, port: int) -> None:
    """Serve in this process until it is killed."""
    if kind == "wsgi":
        server = Server(
            "", "127.0.0.1", port, interface=Interfaces.WSGI, blocking_threads=THREADS, http=HTTPModes.http1,
            websockets=False, log_level=LogLevels.warning,
        )  # fmt: skip
        server.serve(target_loader=small_app, wrap_loader=False)
    else:
        asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    gateway = Gateway(small_app(), asyncio.get_running_loop(), THREADS)
    Listener(bound, gateway.take)
    await asyncio.Event().wait()


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its children, as far as they run."""
    total = 0.0
    for line in os.popen(f"pgrep -P {pid}; echo {pid}").read().split():
        try:
            with open(f"/proc/{line}/stat") as file:  # noqa: PTH123
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


class Client:
    """Connections that are kept busy."""

    def __init__(self, port: int, connections: int, request: bytes) -> None:
        self._request = request
        self._sockets = {}
        self._poll = select.epoll()
        for _ in range(connections):
            made = socket.create_connection(("127.0.0.1", port))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[made.fileno()] = made
            self._poll.register(made, select.EPOLLIN)

    def run(self, requests: int) -> float:
        """Send so many requests; returns the seconds."""
        began, sent, done = time.perf_counter(), 0, 0
        missing = dict.fromkeys(self._sockets, 0)
        for made in self._sockets.values():
            made.sendall(self._request)
            sent += 1
        while done < requests:
            for number, _ in self._poll.poll():
                data = self._sockets[number].recv(1 << 16)
                if missing[number] == 0:
                    head, _, data = data.partition(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 200"), head
                    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                    missing[number] = int(length)
                missing[number] -= len(data)
                if missing[number] == 0:
                    done += 1
                    if sent < requests:
                        self._sockets[number].sendall(self._request)
                        sent += 1
        return time.perf_counter() - began


def measure(kind: str, requests: int, connections: int) -> dict[str, float]:
    """One round of one kind: requests per second, microseconds of CPU per request."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.gateway", "--serve", kind, "--port", str(port)])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.1)
        address, accepts = ("large", b"Accept-Encoding: gzip\r\n") if kind == "packed" else ("small", b"")
        client = Client(
            port,
            connections,
            f"GET /{address}?reader=abc&k=10 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: client\r\n".encode()
            + accepts
            + b"Accept: */*\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
        )
        client.run(WARM_REQUESTS)
        before = cpu_seconds(child.pid)
        seconds = client.run(requests)
        return {"rps": requests / seconds, "cpu_us": (cpu_seconds(child.pid) - before) / requests * 1e6}
    finally:
        child.terminate()
        threading.Timer(5, child.kill).start()
        child.wait()


def main() -> None:
    """Read the command line, measure in turns, print the table and the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port)
        return
    rounds: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for _ in range(options.rounds):
        for kind in KINDS:
            rounds[kind].append(measure(kind, options.requests, options.connections))
    figures: dict[str, Any] = {
        kind: {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}
        for kind, rows in rounds.items()
    }
    print(f"{'':10}{'requests/s':>12}{'CPU µs each':>14}")
    for kind, row in figures.items():
        print(f"{kind:10}{row['rps']:12.0f}{row['cpu_us']:14.0f}")
    best = {name: figures["gateway"][name] for name in ("rps", "cpu_us")}
    print(
        json.dumps(
            {"ours": {kind: figures[kind] for kind in KINDS[1:]}, "baselines": {"wsgi": figures["wsgi"]}, "best": best}
        )
    )


if __name__ == "__main__":
    main()
