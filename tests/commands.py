"""``python -m jobs …`` as a stranger runs it, without the two seconds in which each process loads the program.

One process loads it, once in a session, and every command is a fork of it: with its own arguments, environment, output
and exit code. What is read at a start alone (``PYTHONHASHSEED``, ``OMP_NUM_THREADS``) needs a process of its own.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "jobs.__main__"


def job(*words: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m jobs …`` in the project's folder."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        order = {"words": words, "env": dict(env), "out": str(out), "err": str(err)}
        source = _source()
        assert source.stdin is not None
        assert source.stdout is not None
        print(json.dumps(order), file=source.stdin, flush=True)
        code = int(source.stdout.readline())
        return subprocess.CompletedProcess(words, code, out.read_text("utf-8"), err.read_text("utf-8"))


@functools.cache
def _source() -> "subprocess.Popen[str]":
    """The process that has loaded the program; it ends with this one."""
    line = [sys.executable, "-m", "tests.commands"]
    source = subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert source.stdin is not None
    for end in (source.wait, source.terminate, source.stdin.close):  # the last one first
        atexit.register(end)
    return source


def _become(order: Mapping[str, Any]) -> None:
    """Be the command of an order."""
    os.environ.clear()
    os.environ.update(order["env"])
    for number, name in enumerate((os.devnull, order["out"], order["err"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["jobs", *order["words"]]
    runpy.run_module("jobs", run_name="__main__", alter_sys=True)


def _main() -> None:
    """Answer each order, one a line, by the exit code of its command."""
    importlib.import_module(PROGRAM)
    del sys.modules[PROGRAM]  # each command executes it anew
    gc.freeze()
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            return _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        with suppress(BrokenPipeError):
            print(os.waitstatus_to_exitcode(status), flush=True)
    return None


if __name__ == "__main__":
    _main()
