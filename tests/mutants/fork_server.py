"""A process that has imported the libraries once, and forks for each run of the tests.

Reads one order a line from standard input: ``{"tests": [...], "machine_code": folder, "seconds": longest}``. Writes one
answer a line: ``{"code": pytest's exit code, or -1 when it did not end, "said": its last lines}``. Of the project it
imports nothing, so that each fork reads the sources as they are then. Tests that need the trained newsroom come last:
most faults are caught before it is made.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

LIBRARIES = (
    "alembic.command",
    "apiflask",
    "faiss",
    "gensim.models",
    "matplotlib.pyplot",
    "networkx",
    "numba",
    "pandas",
    "pyarrow.parquet",
    "pydantic_settings",
    "scipy.stats",
    "sqlalchemy.orm",
    "structlog",
    "torch",
    "typer",
)
TRAINED = "toy"  # the fixture that takes longest


class QuickestFirst:
    """A pytest plugin: the tests that need no training go first, in their order."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests of a run."""
        items.sort(key=lambda item: TRAINED in getattr(item, "fixturenames", ()))


def run_pytest(tests: Sequence[str], machine_code: str, output: Path) -> int:
    """Run some tests in this process, which is a session of its own and does nothing else.

    Returns:
        pytest's exit code.
    """
    os.setsid()  # so that whatever the tests start can be ended with them
    os.environ["NUMBA_CACHE_DIR"] = machine_code
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], plugins=[QuickestFirst()])
    sys.stdout.flush()
    return int(code)


def ended(child: int, seconds: float) -> int:
    """Wait for a child, then end whatever it left running.

    Returns:
        Its exit code; -1 when it did not end in time.
    """
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        return -1
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def answer(order: dict[str, Any], output: Path) -> dict[str, Any]:
    """Fork, run the tests of one order in the child, and wait for it."""
    child = os.fork()
    if child == 0:
        try:
            code = run_pytest(order["tests"], order["machine_code"], output)
        except BaseException:
            traceback.print_exc()
            code = -1
        os._exit(code % 256)
    code = ended(child, order["seconds"])
    return {"code": code, "said": "\n".join(output.read_text(errors="replace").splitlines()[-4:])}


def main() -> None:
    """Answer orders until there are no more."""
    for library in LIBRARIES:
        importlib.import_module(library)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        output.touch()
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line), output)), flush=True)


if __name__ == "__main__":
    main()
