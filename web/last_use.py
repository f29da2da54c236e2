"""Last use of tokens: written by a thread of its own, at most once a minute each, so that no request waits for it."""

import threading
from queue import SimpleQueue

import structlog

from recsys.errors import StoreError
from recsys.store import AccessToken, Store
from recsys.units import MINUTE_MS, now_ms

CLOSE_SECONDS = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class LastUse:
    """Notes of one worker about when tokens were used.

    Args:
        store: takes them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[str, int] = {}  # name -> int ms UTC
        self._queue: SimpleQueue[tuple[str, int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def note(self, token: AccessToken) -> None:
        """Take note of a use and come back at once; the row's own time counts, so that workers share a minute."""
        now = now_ms()
        with self._lock:
            last = max(self._noted.get(token.name, 0), token.last_used_at or 0)
            if now - last < MINUTE_MS:
                return
            self._noted[token.name] = now
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="last-use", daemon=True)
                self._thread.start()
        self._queue.put((token.name, now))

    def close(self) -> None:
        """Write what was noted, for a second at the most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(CLOSE_SECONDS)

    def _write(self) -> None:
        while (noted := self._queue.get()) is not None:
            try:
                self._store.note_use(*noted)
            except StoreError as error:  # the database is out of reach: nobody is refused for that
                log.warning("last use not written", error=str(error))
