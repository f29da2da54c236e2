"""Doorkeeper: the parent's answers while no worker is ready: "starting", with what it does, and that the service lives.

A dozen lines of HTTP: every connection gets one answer and is closed. The same deadlines hold as in a worker.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress

from recsys import __version__
from web.gateway.limits import BACKLOG, BODY_SECONDS, MAX_CONNECTIONS, MAX_HEAD_BYTES
from web.problem import problem_reply
from web.process.port import Port

HEALTH = json.dumps({"status": "ok", "version": __version__}, separators=(",", ":")) + "\n"
RETRY_SECONDS = 2
LINGER_SECONDS = 1.0  # for the rest of a body, so that its sender reads the answer and not a reset


class Doorkeeper:
    """A small server at the service's address, open while nobody else answers."""

    def __init__(self, port: Port, doing: Callable[[], tuple[str, str]]) -> None:
        """Take note; it is closed at first.

        Args:
            port: address of the service.
            doing: stable code of the problem and what the service does at the moment.
        """
        self._port, self._doing = port, doing
        self._server: asyncio.Server | None = None
        self._inside = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to answer."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, sock=self._port.socket(), backlog=BACKLOG, limit=MAX_HEAD_BYTES
            )

    def take_over(self, listening: socket.socket) -> None:
        """Answer those whom a dead worker has left waiting, and close its socket."""
        listening.setblocking(False)
        with listening, suppress(OSError):  # until nobody waits, or it never listened
            while True:
                connection, _ = listening.accept()
                task = asyncio.create_task(self._connected(connection))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _connected(self, connection: socket.socket) -> None:
        await self._serve(*await asyncio.open_connection(sock=connection, limit=MAX_HEAD_BYTES))

    def close(self) -> None:
        """Leave the connections that come to the workers."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._inside += 1
        try:
            if self._inside <= MAX_CONNECTIONS:
                async with asyncio.timeout(BODY_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head))
                    writer.write_eof()
                    await writer.drain()
                    async with asyncio.timeout(LINGER_SECONDS):
                        while await reader.read(MAX_HEAD_BYTES):
                            pass
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._inside -= 1
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path == b"/healthz" and method in (b"GET", b"HEAD"):
            status, headers, body = "200 OK", [("Content-Type", "application/json")], HEALTH.encode()
            headers += [("Cache-Control", "no-store"), ("Access-Control-Allow-Origin", "*")]
        else:
            code, doing = self._doing()
            status = "503 Service Unavailable"
            _, headers, body = problem_reply(503, code, doing, "Try again in a moment.", Retry_After=str(RETRY_SECONDS))
        headers += [("Content-Length", str(len(body))), ("Connection", "close")]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + (b"" if method == b"HEAD" else body)
