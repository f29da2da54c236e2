"""Listener: granian's HTTP server on a socket that is bound already, handing every request to one function.

granian's own start makes a coroutine for each request, wakes the event loop with it, and asks for another thread from
there; measured, that is a fifth of what a small answer costs (docs/serving.md). Its parts are put together here so that
a request goes from granian's thread straight to the thread that answers. The one file that knows granian's inside.
"""

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from granian import _granian
from granian.http import HTTP1Settings

from web.gateway.limits import BACKLOG, HEAD_SECONDS, MAX_CONNECTIONS, MAX_HEAD_BYTES

PARTS: Any = _granian  # its stubs lag behind


class _Direct(_granian.CallbackScheduler):
    """A scheduler that calls a function in granian's thread instead of waking an event loop."""

    def __init__(self, _loop: Any, take: Callable[[Any], None], *_: Any) -> None:
        super().__init__()
        self._schedule_fn = take


class Listener:
    """An HTTP/1.1 server on one socket."""

    def __init__(self, bound: socket.socket, take: Callable[[Any], None]) -> None:
        """Begin to accept; to be called in the event loop that reads bodies.

        Args:
            bound: to an address, or to a name in a folder; it is granian's from now on.
            take: is called with each request, in granian's thread, and must return at once.
        """
        loop = asyncio.get_running_loop()
        bound.listen(BACKLOG)
        in_folder = bound.family == socket.AF_UNIX
        self._port, self._descriptor = 0 if in_folder else bound.getsockname()[1], bound.fileno()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._signal = PARTS.WorkerSignal()
        self._signal.add_cb(lambda: loop.call_soon_threadsafe(self._end))
        worker = PARTS.RSGIWorker(
            worker_id=1,
            sock=(None, PARTS.SocketHolder(bound.detach(), in_folder, BACKLOG)),
            ipc=None,
            backpressure=MAX_CONNECTIONS,
            http_mode="1",
            http1_opts=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=MAX_HEAD_BYTES),
            metrics=(None, None),
        )
        serve = worker.serve_async_uds if in_folder else worker.serve_async
        serve(_Direct(loop, take, None, None, None), loop, self._signal)

    def retire(self) -> None:
        """Accept nobody else and go on answering those who are connected; another process accepts on the socket.

        granian ends accepting only together with its connections, so the socket is taken from under it: its descriptor
        becomes that of one to which nobody connects.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as nobody:
            nobody.bind("")  # to a name of the kernel's choice
            nobody.listen(0)
            nobody.setblocking(False)
            os.dup2(nobody.fileno(), self._descriptor, inheritable=False)

    def connections(self) -> int:
        """Number of those who are connected."""
        return sum(_leads_to(int(link.name), self._port) for link in Path("/proc/self/fd").iterdir())

    async def close(self) -> None:
        """Accept nobody else; returns when all requests that came have been answered and connections are closed."""
        self._signal.set()
        await self._ended

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


def _leads_to(descriptor: int, port: int) -> bool:
    """True for the descriptor of a connection to a port of ours."""
    with suppress(OSError):  # it was closed meanwhile, or nobody is at its other end
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            with socket.socket(fileno=os.dup(descriptor)) as copy:
                return copy.family != socket.AF_UNIX and copy.getsockname()[1] == port and bool(copy.getpeername())
    return False
