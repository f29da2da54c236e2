"""Log lines of every process: one order of keys, as key=value or as JSON, without secrets and readers.

Reads the events of structlog; produces lines on stderr. Values of tokens, passwords, readers and sessions never
come into a line, whoever logs them.
"""

import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ORDER = ("at", "level", "event", "worker", "request_id", "job", "stage")  # of the first keys; the others as they come
SECRET_KEYS = frozenset({"token", "secret", "password", "authorization", "cookie", "reader", "session"})
MASK = "***"
_SECRETS = re.compile(r"(?i)(bearer\s+|recsys_session=|[?&](?:reader|session)=)[^\s&\"';,]+")

_facts: dict[str, Any] = {}  # that every line of this process bears

Event = MutableMapping[str, Any]


def configure(form: str, **facts: Any) -> None:
    """Write lines of one form to stderr from now on.

    Args:
        form: ``text`` or ``json``.
        facts: keys that every line of this process bears, such as the worker's number.
    """
    _facts.update(facts)
    structlog.configure(processors=processors(form), logger_factory=stderr_logger)


def stderr_logger(*_: object) -> structlog.PrintLogger:
    """A logger to what stderr is now: a test may have put something else there meanwhile."""
    return structlog.PrintLogger(sys.stderr)


def processors(form: str) -> list[Any]:
    """The way of an event to a line of a form."""
    text = structlog.processors.LogfmtRenderer(bool_as_flag=False)
    json = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        masked_event,
        ordered_event,
        json if form == "json" else text,
    ]


def masked_event(_logger: object, _method: str, event: Event) -> Event:
    """An event in which nothing is left of secrets and readers."""
    for key, value in event.items():
        if key in SECRET_KEYS and value is not None:
            event[key] = MASK
        elif isinstance(value, str):
            event[key] = _SECRETS.sub(rf"\1{MASK}", value)
    return event


def ordered_event(_logger: object, _method: str, event: Event) -> Event:
    """An event with the facts of its process, its keys in their order."""
    known = _facts | dict(event)
    first = {key: known[key] for key in ORDER if key in known}
    return first | {key: value for key, value in known.items() if key not in first}
