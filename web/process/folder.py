"""Folder of a running service: who serves which data at which address, and the workers' figures.

It lies in the system's folder for temporary files, under the parent's process id, so that whoever finds the process can
find its folder; what a killed service left is removed by the next start.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

PREFIX = "recsys-web-"
NOTE = "service.json"


class ServiceFolder:
    """A new folder of this process, removed at the end."""

    def __init__(self, **note: Any) -> None:
        """Make it, and leave a note for other processes."""
        _remove_dead()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        (self.path / NOTE).write_text(json.dumps(note), encoding="utf-8")
        self.metrics = self.path / "metrics"
        self.metrics.mkdir()

    def remove(self) -> None:
        """Remove it with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def note_of(pid: int) -> dict[str, Any] | None:
    """The note of the service whose parent has this process id; None when it is no such service."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}{pid}-*/{NOTE}"):
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(note, dict):
            return note
    return None


def _remove_dead() -> None:
    for path in Path(tempfile.gettempdir()).glob(PREFIX + "*-*"):
        pid = path.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists() and Path("/proc/self").exists():
            shutil.rmtree(path, ignore_errors=True)
