"""Output of jobs: a progress bar on a terminal, log lines, exit codes, peak memory.

One start and one end line per stage on stderr: ``key=value``, or aligned and coloured when a person is looking.
"""

import contextlib
import getpass
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from recsys import logs
from recsys.errors import RecsysError
from recsys.store import Actor

CONSOLE = Console(stderr=True)
WIDE = 110  # characters of a terminal on which a bar with all its figures can be read
LEVEL_COLOURS = {"warning": "yellow", "error": "red"}
DISK_REMEDY = "Check the disk and the rights on RECSYS_DATA_DIR, then run the same command again."
RUN_ID = "--run-id"  # the option by which a worker tells its child which run it is
ERROR_PARTS = ("expected", "got", "remedy")

_asked_to_end: list[int] = []

log: structlog.stdlib.BoundLogger = structlog.get_logger("jobs")


def progress_bar() -> Progress:
    """A bar on a terminal; nothing at all elsewhere."""
    columns: list[ProgressColumn] = [TextColumn("  {task.description}"), BarColumn(bar_width=None)]
    if CONSOLE.width >= WIDE:  # what is left comes before what is done
        columns += [MofNCompleteColumn(), TimeElapsedColumn()]
    columns.append(TimeRemainingColumn())
    terminal = CONSOLE.is_terminal
    return Progress(*columns, console=CONSOLE, transient=True, disable=not terminal, expand=True)


def configure_logging(form: str = "text") -> None:
    """One line per event on stderr: aligned and coloured on a terminal, elsewhere of a form that ``recsys.logs`` knows.

    Of several processes that torchrun started the first one speaks; the others only say that they broke.

    Args:
        form: of lines that no terminal shows, ``text`` or ``json``; those of a worker's run are JSON.
    """
    least = logging.NOTSET if os.environ.get("RANK", "0") == "0" else logging.CRITICAL
    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="at")
    shown: list[Any] = [stamp, structlog.processors.add_log_level, logs.masked_event, for_people]
    queued = RUN_ID in sys.argv  # the run's log is read as JSON, whatever the site's form
    structlog.configure(
        processors=shown if sys.stderr.isatty() else logs.processors("json" if queued else form),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=logs.stderr_logger,
    )


def for_people(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """Lay one event out for a reader: time, stage, what happened, facts; an error's three parts one below the other.

    Returns:
        Text with terminal colours.
    """
    facts = dict(event)
    at, level, what = (str(facts.pop(name)) for name in ("at", "level", "event"))
    where = facts.pop("stage", None) or facts.pop("job", None) or ""
    colour = LEVEL_COLOURS.get(level)
    head = f"{typer.style(at, dim=True)}  {where:<10}  {typer.style(f'{what:<10}', fg=colour)}"
    lines = [f"\n{'':10}{name:>8}  {facts.pop(name)}" for name in ERROR_PARTS if name in facts]
    shown = (f"{typer.style(name.replace('_', ' '), dim=True)} {_readable(value)}" for name, value in facts.items())
    return f"{head}  {'  '.join(shown)}".rstrip() + "".join(lines)


def _readable(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def who() -> Actor:
    """The user who gives the command, and the machine on which it is given, for the audit."""
    with contextlib.suppress(KeyError, OSError):  # a container may run as a number without a name
        return Actor(f"command {getpass.getuser()}", socket.gethostname())
    return Actor("command", socket.gethostname())


def reset_peak_memory() -> None:
    """Start the process's peak of resident memory anew, where the kernel allows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> int:
    """Peak resident memory since ``reset_peak_memory``, in MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _end(number: int, _frame: FrameType | None) -> None:
    _asked_to_end.append(number)
    raise SystemExit(128 + number)


def end_if_asked() -> None:
    """End the process if a signal asked for it and a library's callback swallowed the exception.

    Raises:
        SystemExit: it was asked.
    """
    if _asked_to_end:
        raise SystemExit(128 + _asked_to_end[0])


def main(command: Callable[[], Any]) -> None:
    """Run a command and turn the project's errors into one readable line and an exit code (1 failed, 2 refused)."""
    signal.signal(signal.SIGTERM, _end)
    configure_logging()
    try:
        command()
    except RecsysError as problem:
        log.error(type(problem).__name__, expected=problem.expected, got=problem.got, remedy=problem.remedy)
        raise SystemExit(problem.exit_code) from None
    except OSError as problem:  # the disk is full, may not be written, is gone: none of it is a fault of the program
        file = f": {problem.filename}" if problem.filename else ""
        got = f"{problem.strerror or problem}{file}"
        log.error(type(problem).__name__, expected="files that can be read and written", got=got, remedy=DISK_REMEDY)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        log.error("interrupted")
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGTERM, lambda *_: None)  # it is ending: an exception now would only be printed
