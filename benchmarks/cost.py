"""Cost of a command: seconds, CPU and memory of a process and of all that it starts."""

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from recsys.errors import ArtefactError

POLL_SECONDS = 0.1  # between two looks at a command's memory


class Cost(NamedTuple):
    """Cost of one command.

    Attributes:
        seconds: from start to end of its process.
        cpu_seconds: of it and its worker processes.
        peak_mib: resident memory of it and its worker processes together, mapped files counted once.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: int

    def shown(self) -> str:
        """The cost as a text for people."""
        return f"{self.seconds:9.1f} s {self.cpu_seconds:9.1f} CPU s {self.peak_mib:7,} MiB"


def run_process(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end and measure it.

    Raises:
        ArtefactError: it failed; the message ends with what it said last.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said)
        peak: list[int] = [0]
        watch = threading.Thread(target=_watch, args=(process, peak))
        watch.start()
        try:
            code = process.wait()
        finally:
            process.kill()  # where the wait was broken off
            watch.join()
        said.seek(0)
        tail = said.read()[-2000:].decode(errors="replace")
    if code:
        raise ArtefactError(f"exit code 0 of {' '.join(command)}", f"{code}: {tail}", "Run the command by itself.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(round(time.monotonic() - began, 2), round(cpu, 2), peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], resident_kib(family(process.pid)) // 1024)
        time.sleep(POLL_SECONDS)


def resident_kib(processes: Sequence[int]) -> int:
    """Resident memory of several processes together: each one's own, and the largest share of mapped files once."""
    tables = [dict(row.split(":", 1) for row in text_of(Path(f"/proc/{one}/status")).splitlines()) for one in processes]
    own, files = (
        [sum(int(table.get(name, "0 kB").split()[0]) for name in names) for table in tables]
        for names in (("RssAnon", "RssShmem"), ("RssFile",))
    )
    return sum(own) + max(files, default=0)


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    found, waiting = [], [process]
    while waiting:
        found.append(waiting.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            waiting += map(int, text_of(children).split())
    return found


def text_of(file: Path) -> str:
    """A file of /proc; nothing where its process has ended."""
    try:
        return file.read_text()
    except OSError:  # the process has ended meanwhile
        return ""
