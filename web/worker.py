"""The entry of each worker process, called by granian: logging, then the application.

Reads the configuration again, because a worker is a process of its own; produces the WSGI application. A worker ends
with the process that started it, even when that one was killed: left behind, it would hold the port and go on
answering beside the next start's workers.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import structlog
from apiflask import APIFlask

from web.app import create_app

GRACE_SECONDS = 5.0  # for the requests in flight, when the parent is gone


HIDDEN = {"pandas", "scipy.linalg"}  # pyarrow and numba import them where they are installed: 60 MiB, never used here


class HidingFinder(MetaPathFinder):
    """Finder that lets optional libraries look as if they were not installed."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Leave all others to the finders behind this one.

        Raises:
            ModuleNotFoundError: the library is hidden.
        """
        if fullname in HIDDEN:
            raise ModuleNotFoundError(f"{fullname} is not used in a worker", name=fullname)


def create() -> APIFlask:
    """Make the application of one worker."""
    sys.meta_path.insert(0, HidingFinder())
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    return create_app()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)  # requests in flight are answered
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
