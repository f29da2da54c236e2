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

    def __init__(self, made: Path | None = None, **note: Any) -> None:
        """Leave a note for other processes in a folder of ``make_folder``, by default a new one."""
        self.path = made or make_folder()
        (self.path / NOTE).write_text(json.dumps(note), encoding="utf-8")
        self.metrics = metrics_in(self.path)

    def remove(self) -> None:
        """Remove it with everything in it."""
        remove_folder(self.path)


def remove_folder(path: Path) -> None:
    """Remove a service's folder with everything in it."""
    shutil.rmtree(path, ignore_errors=True)


def make_folder() -> Path:
    """Make the folder of this process, without a note as yet."""
    _remove_dead()
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    metrics_in(path).mkdir()
    return path


def metrics_in(folder: Path) -> Path:
    """The folder of the workers' figures."""
    return folder / "metrics"


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
