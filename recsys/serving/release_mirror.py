"""Mirror of shared releases: a thread that brings this host to the release that is live on all hosts.

It is not the thread that follows events and articles, because a release takes seconds to fetch. What it names in
``CURRENT`` the service takes over as any other release.
"""

import threading

import structlog

from recsys.errors import RecsysError
from recsys.releases.sharing import SharedReleases

FETCH_AGAIN_SECONDS = 10.0  # after a release that could not be fetched

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class ReleaseMirror:
    """Follows the live release of a site, first once and then in a thread.

    Args:
        releases: of this host.
    """

    def __init__(self, releases: SharedReleases) -> None:
        self._releases, self._stop = releases, threading.Event()
        self._thread: threading.Thread | None = None
        self.follow()

    def follow(self) -> bool:
        """Bring this host to the live release; False where it could not be, which is said."""
        try:
            if name := self._releases.follow():
                log.info("release fetched", release=name)
        except (RecsysError, OSError) as error:
            log.error("the live release of all hosts is not here", error=str(error))
            return False
        return True

    def start(self, seconds: float) -> None:
        """Follow it from now on, so often."""
        self._thread = threading.Thread(target=self._run, args=(seconds,), name="mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is being fetched is finished first."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, seconds: float) -> None:
        wait = seconds
        while not self._stop.wait(wait):
            wait = seconds if self.follow() else max(seconds, FETCH_AGAIN_SECONDS)
