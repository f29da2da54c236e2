"""What granian calls in each worker process: logging, then the application.

Reads the configuration again, because a worker is a process of its own; produces the WSGI application.
"""

import sys

import structlog
from apiflask import APIFlask

from web import create_app


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
    return create_app()
