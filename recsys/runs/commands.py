"""Commands of runs: a job's name and parameters, checked -> arguments of the command line; the log of a run."""

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.errors import InputError
from recsys.names import nearest
from recsys.runs.stages import STAGES

JOBS = ("all", *STAGES, "publish")  # the jobs that can be queued
_WITH_FRESH = ("all", *STAGES)
TAIL_LINES = 100
_TAIL_BYTES = 65_536  # read from the end of a log, whatever its size
_SEEDS = 2**32


def command_line(job: str, params: Mapping[str, Any]) -> list[str]:
    """Check a job's name and parameters, and write them as arguments.

    Raises:
        InputError: no such job, or a parameter that it does not have.
    """
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


def tail(file: str | None, lines: int = TAIL_LINES) -> list[dict[str, Any]]:
    """The last lines of a run's log, each an object; what is no JSON, such as a traceback, is its ``event``."""
    path = Path(file) if file else None
    if path is None or not path.is_file():
        return []
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = handle.read(_TAIL_BYTES).decode(errors="replace")
    return [_parsed(line) for line in deque(text.splitlines(), lines)]


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"event": line}
