"""``make mutants``: plant each fault of ``faults.py`` in a copy of the project, run its tests, and say what survives.

A fault is caught when a test fails. What fails otherwise (an import, a test that cannot be collected, a run that does
not end) is no verdict on the tests, and is reported as broken. First the tests run without any fault: they must pass.

    make mutants
    python -m tests.mutants --only serving --workers 2

The last line: ``N of M caught``. Exit code 1 when fewer than nine in ten are.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from tests.mutants.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
CAUGHT_SHARE = 0.9
LONGEST_SECONDS = 400
PASSED, FAILED = 0, 1  # pytest's exit codes


def planted(source: str, fault: Fault) -> str:
    """The source with the fault in it.

    Raises:
        ValueError: the text that it replaces does not stand there exactly once.
    """
    if (count := source.count(fault.text)) != 1:
        raise ValueError(f"{fault.file}: expected once, got {count} times: {fault.text!r}")
    return source.replace(fault.text, fault.instead)


def copy_project(folder: Path) -> Path:
    """A copy of all files that git tracks or does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    if (ROOT.parent / "shared").exists() and not (folder.parent / "shared").exists():
        (folder.parent / "shared").symlink_to((ROOT.parent / "shared").resolve())
    return folder


def run_tests(folder: Path, tests: Sequence[str], cache: Path) -> tuple[int, str]:
    """Run some tests in a copy.

    Returns:
        pytest's exit code, and its last lines; -1 where it did not end in time.
    """
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return -1, f"not ended after {LONGEST_SECONDS} s"
    return done.returncode, "\n".join(done.stdout.splitlines()[-4:])


def judge(fault: Fault, folder: Path) -> tuple[int, str]:
    """Plant a fault, run its tests, and take it out again."""
    file = folder / fault.file
    clean = file.read_text(encoding="utf-8")
    changed = planted(clean, fault)
    # machine code is kept by the source of all kernels: a changed kernel gets a place of its own
    with tempfile.TemporaryDirectory() as own:
        file.write_text(changed, encoding="utf-8")
        try:
            return run_tests(folder, fault.tests, Path(own) if "compiled" in clean else folder.parent / "machine-code")
        finally:
            file.write_text(clean, encoding="utf-8")


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
    with tempfile.TemporaryDirectory() as temporary:
        copies: Queue[Path] = Queue()
        for number in range(options.workers):
            copies.put(copy_project(Path(temporary) / str(number) / "project"))
        tests = sorted({test for fault in faults for test in fault.tests})
        first = copies.get()
        code, said = run_tests(first, tests, first.parent / "machine-code")
        copies.put(first)
        if code != PASSED:
            print(f"the tests fail without any fault, so none can be judged:\n{said}")
            return 1
        for number in range(1, options.workers):
            shutil.copytree(first.parent / "machine-code", Path(temporary) / str(number) / "machine-code")

        def one(fault: Fault) -> tuple[int, str]:
            folder = copies.get()
            try:
                return judge(fault, folder)
            finally:
                copies.put(folder)

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
