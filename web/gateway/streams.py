"""Streams: answers that go on as something happens, Server-Sent Events, in the event loop.

Whoever listens costs a socket and, once a second, a moment of a thread of their own pool, and none that answers others.

Source: WHATWG HTML, section 9.2, server-sent events.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from web.gateway.wsgi import Headers

STREAM = "recsys.stream"  # key under which the application leaves a ``Source`` for the gateway
MAX_STREAMS = 64  # of one worker
LOOK_SECONDS = 1.0  # between two looks for what is new
ALIVE_SECONDS = 15.0  # after which a line without meaning keeps proxies from closing
KIND = "text/event-stream"

Source = Callable[[], bytes | None]  # what is new, perhaps nothing; None at the end


def event(name: str, value: Mapping[str, Any], id: str | None = None) -> bytes:
    """One event as it is sent: JSON on one line."""
    head = f"event: {name}\n" + ("" if id is None else f"id: {id}\n")
    return f"{head}data: {json.dumps(value, ensure_ascii=False, default=str)}\n\n".encode()


class Streams:
    """The streams of one worker.

    Args:
        loop: in which they are sent.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pool = ThreadPoolExecutor(2, "stream")
        self._going_on: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        """True when no further one is taken."""
        return len(self._going_on) >= MAX_STREAMS

    def start(self, proto: Any, status: int, headers: Headers, source: Source) -> None:
        """Begin to send, from any thread.

        Args:
            proto: granian's side of the request.
            status: of the answer.
            headers: of the answer.
            source: is asked once a second, in a thread; what it raises ends the stream.
        """
        self._loop.call_soon_threadsafe(self._begin, proto, status, headers, source)

    def end(self) -> None:
        """End all of them, from any thread."""
        self._loop.call_soon_threadsafe(self._cancel)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _cancel(self) -> None:
        for task in list(self._going_on):
            task.cancel()

    def _begin(self, proto: Any, status: int, headers: Headers, source: Source) -> None:
        task = self._loop.create_task(self._send(proto, status, headers, source))
        self._going_on.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._going_on.discard(task)
        if not task.cancelled():
            task.exception()  # the client is gone, or what was shown is: nobody is left to be told

    async def _send(self, proto: Any, status: int, headers: Headers, source: Source) -> None:
        stream = proto.response_stream(status, [(name, value) for name, value in headers if name != "Content-Length"])
        quiet = 0.0
        while (new := await self._loop.run_in_executor(self._pool, source)) is not None:
            quiet = 0.0 if new else quiet + LOOK_SECONDS
            if quiet >= ALIVE_SECONDS:
                new, quiet = b":\n\n", 0.0
            if new:
                await stream.send_bytes(new)
            await asyncio.sleep(LOOK_SECONDS)
