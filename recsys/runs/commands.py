"""Commands of runs: a job's name and parameters, checked -> arguments of the command line; the log of a run."""

import json
import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from recsys.errors import InputError
from recsys.names import nearest
from recsys.runs.stages import STAGES

JOBS = ("all", *STAGES, "publish")  # the jobs that can be queued
IMPORT = "import"  # the one that brings a file or an address with it
TAKEN = (*JOBS, IMPORT)  # all that a worker takes one after the other
SHADOW, CANARY = "shadow", "canary"
CHALLENGES = (SHADOW, CANARY)  # a release beside the live one, for hours: a worker takes one beside the others
FORMATS = ("csv", "jsonl", "parquet", "feed")
_MAX_OPTION = 2_000  # characters
_OPTIONS = ("map", "kind", "encoding", "records", "timezone", "time_format", "language", "dwell_unit")
_OPTIONS_OF = {
    "csv": tuple(name for name in _OPTIONS if name != "records"),
    "jsonl": _OPTIONS,
    "parquet": tuple(name for name in _OPTIONS if name not in ("encoding", "records")),
    "feed": ("timezone", "language"),
}
_WITH_FRESH = ("all", *STAGES)
IMPORTED = "queued-import"  # the command that does it, from the run's row
TAIL_LINES = 100
_TAIL_BYTES = 65_536  # read from the end of a log, whatever its size
_SEEDS = 2**32
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_BOUNDS = {
    SHADOW: {"share": (0.0001, 1.0), "minutes": (0.1, 10_080.0)},
    CANARY: {"share": (0.01, 0.5), "hours": (0.01, 672.0), "margin": (0.001, 0.5)},
}
_SWITCHES: dict[str, dict[str, bool]] = {SHADOW: {}, CANARY: {"promote": True, "force": False}}  # with their defaults


def command_line(job: str, params: Mapping[str, Any]) -> list[str]:
    """Check a job's name and parameters, and write them as arguments.

    Raises:
        InputError: no such job, or a parameter that it does not have.
    """
    if job == IMPORT:
        check_import(params)
        return [IMPORTED]
    if job in CHALLENGES:
        return challenge_arguments(job, params)
    if job not in JOBS:
        hint = nearest(job, JOBS)
        others = "" if all(name in hint for name in JOBS) else f" All: {', '.join(JOBS)}."
        raise InputError("the name of a job", f"{job!r}", hint + others)
    valid = {"seed", "fresh"} if job in _WITH_FRESH else {"seed"}
    if unknown := sorted(set(params) - valid):
        raise InputError(
            f"only the parameters {', '.join(sorted(valid))} of {job!r}", f"{unknown[0]!r}", "Leave it out."
        )
    arguments = [job]
    if "seed" in params:
        seed = params["seed"]
        if type(seed) is not int or not 0 <= seed < _SEEDS:
            raise InputError(f"seed as an integer from 0 to {_SEEDS - 1}", f"{seed!r:.50}", "Correct it.")
        arguments += ["--seed", str(seed)]
    if "fresh" in params:
        if type(params["fresh"]) is not bool:
            raise InputError("fresh as true or false", f"{params['fresh']!r:.50}", "Correct it.")
        arguments += ["--fresh"] if params["fresh"] else []
    return arguments


def challenge_arguments(job: str, params: Mapping[str, Any]) -> list[str]:
    """Check a release that is to be tried beside the live one, and write it as arguments.

    Args:
        job: ``shadow`` or ``canary``.
        params: ``release``, and of a shadow ``share`` and ``minutes``, of a canary ``share``, ``hours``, ``margin``,
            ``promote`` and ``force``; what is left out is as the command has it.

    Raises:
        InputError: one is unknown, is no number, or lies outside its bounds.
    """
    bounds, switches = _BOUNDS[job], _SWITCHES[job]
    if unknown := sorted(set(params) - {"release", *bounds, *switches}):
        expected = f"only the parameters release, {', '.join((*bounds, *switches))} of {job!r}"
        raise InputError(expected, f"{unknown[0]!r:.50}", "Leave it out.")
    release = params.get("release")
    if not isinstance(release, str) or _RELEASE.fullmatch(release) is None:
        raise InputError("the name of a release", f"{release!r:.80}", "GET /admin/api/releases lists them.")
    arguments = [job, release]
    for name, (least, most) in bounds.items():
        value = params.get(name)
        if value is None:
            continue
        if type(value) not in (int, float) or not least <= value <= most:
            raise InputError(f"{name} as a number from {least:g} to {most:g}", f"{value!r:.50}", "Correct it.")
        arguments += [f"--{name}", f"{value:g}"]
    for name in switches:
        value = params.get(name)
        if value is None:
            continue
        if type(value) is not bool:
            raise InputError(f"{name} as true or false", f"{value!r:.50}", "Correct it.")
        if value is not _SWITCHES[job][name]:
            arguments.append(f"--{name}" if value else f"--no-{name}")
    return arguments


def check_import(params: Mapping[str, Any]) -> None:
    """Check the parameters of an import.

    Args:
        params: ``format``; ``url``, or ``upload``, the name of a file that was sent; and options of that format.

    Raises:
        InputError: one is unknown or cannot be.
    """
    format, options = params.get("format"), _OPTIONS_OF.get(str(params.get("format")))
    if options is None:
        raise InputError(f"format as one of {', '.join(FORMATS)}", f"{format!r:.50}", "Correct it.")
    sources = [name for name in ("url", "upload") if params.get(name)]
    if len(sources) != 1 or (format == "feed" and sources != ["url"]):
        got = " and ".join(sources) or "neither"
        raise InputError("a url, or of other formats than feed a file that is sent", got, "Send one of them.")
    if unknown := sorted(set(params) - {"format", *sources, *options}):
        expected = f"only the options {', '.join(options)} of {format}"
        raise InputError(expected, f"{unknown[0]!r:.50}", "Leave it out.")
    for name in (*sources, *options):
        value = params.get(name)
        if value is not None and (not isinstance(value, str) or not 0 < len(value) <= _MAX_OPTION):
            raise InputError(f"{name} as a text of 1 to {_MAX_OPTION} characters", f"{value!r:.50}", "Correct it.")
    if "url" in sources and urlsplit(str(params["url"])).scheme not in ("http", "https"):
        raise InputError("an http or https address", f"{params['url']!r:.80}", "Correct it.")


def import_arguments(params: Mapping[str, Any], source: str) -> list[str]:
    """The command line of an import: format, source, options."""
    format = str(params["format"])
    named = [(name, params[name]) for name in _OPTIONS_OF[format] if params.get(name) is not None]
    options = [word for name, value in named for word in (f"--{name.replace('_', '-')}", str(value))]
    return [format, *options, "--", source]


def tail(file: str | None, lines: int = TAIL_LINES) -> list[dict[str, Any]]:
    """The last lines of a run's log, each an object; what is no JSON, such as a traceback, is its ``event``."""
    path = Path(file) if file else None
    if path is None or not path.is_file():
        return []
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = handle.read(_TAIL_BYTES).decode(errors="replace")
    return [_parsed(line) for line in deque(text.splitlines(), lines)]


def log_after(file: str | None, offset: int) -> tuple[list[dict[str, Any]], int]:
    """The whole lines of a log from a byte on, each an object, and the byte from which to go on."""
    path = Path(file) if file else None
    if path is None or not path.is_file():
        return [], offset
    with path.open("rb") as handle:
        handle.seek(offset)
        read = handle.read(_TAIL_BYTES)
    whole = read[: read.rfind(b"\n") + 1] or (read if len(read) == _TAIL_BYTES else b"")
    return [_parsed(line) for line in whole.decode(errors="replace").splitlines()], offset + len(whole)


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"event": line}
