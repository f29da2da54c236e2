"""Spools: answers that are too long to be held, sent from files without a name.

Reads the parts of an answer; hands a file to granian, which sends it as fast as the client reads. granian's own streams
take whatever they are given into memory, however slowly the client reads. Nothing of a spool outlives the process.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import IO, Any

from web.gateway.wsgi import Headers, close_parts

OPENING_SECONDS = 30.0  # in which granian opens a file that it was told of


class Spools:
    """Files that granian may still have to open.

    Args:
        loop: closes them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: deque[IO[bytes]] = deque()

    def send(self, proto: Any, status: int, headers: Headers, parts: Iterable[bytes]) -> None:
        """Send an answer; one whose parts break off is not begun, and raises what they raised."""
        spool = TemporaryFile()  # noqa: SIM115 (it is closed once granian has opened it)
        try:
            for part in parts:
                spool.write(part)
            spool.flush()
        except BaseException:
            spool.close()
            raise
        finally:
            close_parts(parts)
        length = ("Content-Length", str(spool.tell()))
        proto.response_file(status, [*headers, length], f"/proc/self/fd/{spool.fileno()}")
        self._open.append(spool)
        self._loop.call_soon_threadsafe(self._loop.call_later, OPENING_SECONDS, self._close_oldest)

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            self._close_oldest()

    def _close_oldest(self) -> None:
        if self._open:  # else all were closed
            self._open.popleft().close()
