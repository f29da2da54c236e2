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

import structlog
from apiflask import APIFlask

from web.app import create_app

GRACE_SECONDS = 5.0  # for the requests in flight, when the parent is gone


def create() -> APIFlask:
    """Make the application of one worker."""
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
