"""``make mutants``: plant each fault of ``faults.py`` in a copy of the project, run its tests, and say what survives.

A fault is caught when a test fails. What fails otherwise (an import, a test that cannot be collected, a run that does
not end) is no verdict on the tests, and is reported as broken. First the tests run without any fault: they must pass.

    make mutants
    python -m tests.mutants --only serving --workers 2

The last line: ``N of M caught``. Exit code 1 when fewer than nine in ten are.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

from recsys.workspace.disk import exclusive
from tests.mutants.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
CAUGHT_SHARE = 0.9
COPIES = ROOT / "build" / "mutants"
LONGEST_SECONDS = 900
WITHOUT_SECONDS = 3600
PASSED, FAILED = 0, 1  # pytest's exit codes


def planted(source: str, fault: Fault) -> str:
    """The source with the fault in it.

    Raises:
        ValueError: the text that it replaces does not stand there exactly once.
    """
    if (count := source.count(fault.text)) != 1:
        raise ValueError(f"{fault.file}: expected once, got {count} times: {fault.text!r}")
    return source.replace(fault.text, fault.instead)


class Copy:
    """A copy of the project, and the process that runs its tests.

    It stands at one place, so that bytecode and machine code, which are kept by path, last from one call to the next.

    Args:
        folder: its place.
    """

    def __init__(self, folder: Path) -> None:
        self.project, self._kept = folder / "project", folder / "machine-code"
        for file in self.project.rglob("*"):
            if file.is_file() and file.parent.name != "__pycache__":
                file.unlink()
        for name in tracked():
            target = self.project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        if (ROOT.parent / "shared").exists() and not (folder / "shared").exists():
            (folder / "shared").symlink_to((ROOT.parent / "shared").resolve())
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.fork_server"],
            cwd=self.project,
            env=os.environ | {"PYTHONPATH": str(self.project), "PYTHONDONTWRITEBYTECODE": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_tests(self, tests: Sequence[str], seconds: float, machine_code: Path | None = None) -> tuple[int, str]:
        """Run some tests.

        Args:
            tests: files.
            seconds: longest time.
            machine_code: where that of a changed kernel is kept.

        Returns:
            pytest's exit code, and its last lines; -1 where it did not end in time.
        """
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        order = {"tests": tests, "machine_code": str(machine_code or self._kept), "seconds": seconds}
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        return answer["code"], answer["said"]

    def judge(self, fault: Fault) -> tuple[int, str]:
        """Plant a fault, run its tests, and take it out again."""
        file = self.project / fault.file
        clean, then = file.read_text(encoding="utf-8"), file.stat()
        file.write_text(planted(clean, fault), encoding="utf-8")
        # machine code is kept by the source of all kernels: a changed kernel gets a place of its own
        with tempfile.TemporaryDirectory() as own:
            try:
                return self.run_tests(fault.tests, LONGEST_SECONDS, Path(own) if "compiled" in clean else None)
            finally:
                file.write_text(clean, encoding="utf-8")
                os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))  # its bytecode is that of before

    def close(self) -> None:
        """End the process."""
        self._server.communicate()


def tracked() -> list[str]:
    """All files that git tracks or does not ignore."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def main() -> int:
    """Plant the faults.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="faults whose file or name contains this")
    parser.add_argument("--workers", type=int, default=2, help="test runs at once")
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if options.only in f"{fault.file} {fault.name}"]
    began = time.monotonic()
    with exclusive(COPIES / "lock", "the copies of the project"), ExitStack() as stack:
        copies: Queue[Copy] = Queue()
        for number in range(options.workers):
            copy = Copy(COPIES / str(number))
            stack.callback(copy.close)
            copies.put(copy)
        first = copies.get()
        code, said = first.run_tests(sorted({test for fault in faults for test in fault.tests}), WITHOUT_SECONDS)
        copies.put(first)
        if code != PASSED:
            print(f"the tests fail without any fault, so none can be judged:\n{said}")
            return 1

        def one(fault: Fault) -> tuple[int, str]:
            copy = copies.get()
            try:
                return copy.judge(fault)
            finally:
                copies.put(copy)

        caught, broken = 0, 0
        with ThreadPoolExecutor(options.workers) as pool:
            for fault, (code, said) in zip(faults, pool.map(one, faults), strict=True):
                verdict = {FAILED: "caught", PASSED: "SURVIVES"}.get(code, "BROKEN")
                caught, broken = caught + (verdict == "caught"), broken + (verdict == "BROKEN")
                print(f"{verdict:9} {fault.file}: {fault.name}", flush=True)
                if verdict == "BROKEN":
                    print(f"          exit code {code}: {said}")
    print(f"{broken} broken, {time.monotonic() - began:.0f} s")
    print(f"{caught} of {len(faults)} caught")
    return 0 if caught >= CAUGHT_SHARE * len(faults) else 1


if __name__ == "__main__":
    sys.exit(main())
