"""File system: locks, hashes, and names that survive a power cut."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recsys.errors import ArtefactError, Busy

STAGE_FILE = "stage.json"
HASH_BLOCK = 1 << 20
LEAST_FREE = 1 << 18  # bytes: a disk with less is full


@contextlib.contextmanager
def exclusive(file: Path, what: str) -> Iterator[None]:
    """Hold a lock file for the length of a block; the kernel frees it even after ``kill -9``.

    Raises:
        Busy: another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"{what} to be free", f"another process holding {file}", "Wait for it to end, then try again."
            ) from None
        yield


def tree(folder: Path) -> list[str]:
    """Relative names of all files below a folder, without ``stage.json``."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in names if name != STAGE_FILE]


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while block := handle.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class FileHashes:
    """SHA-256 of files that are read again and again: a file that nobody has written to since is hashed once.

    Whoever writes to a file moves its change time, which no program can set.
    """

    def __init__(self) -> None:
        self._hashes: dict[Path, tuple[tuple[int, ...], str]] = {}

    def of(self, file: Path) -> str | None:
        """SHA-256 of a file's bytes, None where there is no file."""
        try:
            facts = file.stat()
            written = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
            last = self._hashes.get(file)
            if last is None or last[0] != written:
                last = self._hashes[file] = (written, sha256_of(file))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return last[1]


def described(file: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    return {"bytes": file.stat().st_size, "sha256": sha256_of(file)}


def digest_of(files: Mapping[str, Mapping[str, Any]]) -> str:
    """One SHA-256 for a set of described files."""
    lines = "".join(f"{name} {files[name]['sha256']}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_tree(folder: Path) -> None:
    """Make all files below a folder, and their names, survive a power cut."""
    for path in folder.rglob("*"):
        fsync_folder(path)  # fsync works alike on files and folders
    fsync_folder(folder)


def is_full(folder: Path) -> bool:
    """True for a folder whose disk has no room left."""
    return shutil.disk_usage(folder).free < LEAST_FREE


def disk_full(what: str, folder: Path) -> ArtefactError:
    """The error of a write that found no room."""
    remedy = "Free some and run the same command again; what was published is untouched."
    return ArtefactError(f"room on the disk for {what}", f"a full disk at {folder}", remedy)
