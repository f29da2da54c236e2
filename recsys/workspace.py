"""The workspace: the folder where each stage leaves its files for the next one.

Reads and produces ``work/<stage>/``: the stage's files and a ``stage.json`` with the SHA-256 of each, what the stage
was made from, and with which settings. A stage appears whole or not at all. Only .npy, Parquet, JSON, safetensors,
FAISS and text files are written: nothing that runs code when it is opened.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys.errors import Busy, CorruptArtefact, MissingArtefact, SpaceMismatch

STAGE_FILE = "stage.json"
FORMAT = 1  # raised when the meaning of a stage's files changes: older ones are then made anew
HASH_BLOCK = 1 << 20

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class StageRecord:
    """What ``stage.json`` says of one finished stage.

    Attributes:
        stage: its name.
        digest: SHA-256 over its files' names and hashes: two equal digests mean equal bytes.
        fingerprint: SHA-256 over settings, seed, format and the inputs' digests: equal means nothing to do.
        inputs: stage name -> digest of the inputs that it was made from.
        files: file name -> {"bytes", "sha256"}.
        facts: counts, seconds and the like, for people.
    """

    stage: str
    digest: str
    fingerprint: str
    inputs: dict[str, str]
    files: dict[str, dict[str, Any]]
    facts: dict[str, Any]


class Workspace:
    """The stages' folders under one root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, stage: str) -> Path:
        """The folder of a finished stage.

        Raises:
            MissingArtefact: the stage has not been made; the message names the command that makes it.
        """
        self.record(stage)
        return self.root / stage

    def record(self, stage: str) -> StageRecord:
        """What was written about a finished stage.

        Raises:
            MissingArtefact: the stage has not been made, or was not finished.
        """
        file = self.root / stage / STAGE_FILE
        if not file.is_file():
            raise MissingArtefact(
                f"the artefact {stage!r} in {self.root}", "no finished one", f"Run: python -m jobs {stage}"
            )
        values = read_json(file)
        return StageRecord(**{name: values[name] for name in StageRecord.__dataclass_fields__})

    def finished(self, stage: str) -> StageRecord | None:
        """The record of a finished stage, or None."""
        try:
            return self.record(stage)
        except MissingArtefact:
            return None

    @contextlib.contextmanager
    def write(
        self, stage: str, fingerprint: str, inputs: Mapping[str, str], facts: dict[str, Any] | None = None
    ) -> Iterator[Path]:
        """Give a fresh folder to write a stage into; it replaces the old one only when the block ends well.

        Args:
            stage: its name.
            fingerprint: see ``fingerprint``.
            inputs: stage name -> digest of what it is made from.
            facts: filled by the caller inside the block, saved with the record.

        Yields:
            An empty folder.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._collect_orphans(stage)
        folder = self.root / f".tmp-{stage}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        try:
            yield folder
            files = {name: described(folder / name) for name in sorted(tree(folder))}
            record = StageRecord(stage, digest_of(files), fingerprint, dict(inputs), files, facts or {})
            write_json(folder / STAGE_FILE, record.__dict__)
            self._swap(folder, self.root / stage)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _collect_orphans(self, stage: str) -> None:
        """Remove what a killed run of this stage left; the workspace lock keeps other runs of it away."""
        for orphan in self.root.glob(f".tmp-{stage}-*"):
            shutil.rmtree(orphan, ignore_errors=True)

    def _swap(self, fresh: Path, final: Path) -> None:
        fsync_tree(fresh)
        old = self.root / f".tmp-{final.name}-old"
        if final.exists():
            final.rename(old)  # killed between the two renames: the stage is missing and is simply made again
        fresh.rename(final)
        fsync_folder(self.root)
        shutil.rmtree(old, ignore_errors=True)


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


def fingerprint(stage: str, settings: Mapping[str, Any], seed: int, inputs: Mapping[str, str]) -> str:
    """Everything that decides a stage's bytes, as one SHA-256: equal means that nothing needs to be made again."""
    facts = {"format": FORMAT, "stage": stage, "settings": settings, "seed": seed, "inputs": dict(inputs)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


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


def write_json(file: Path, value: Any) -> None:
    """Write JSON with sorted keys: equal values give equal bytes."""
    file.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def read_json(file: Path) -> Any:
    """Read JSON.

    Raises:
        CorruptArtefact: the file is not JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorruptArtefact(f"JSON in {file}", str(error), "Make it again with --fresh.") from None


def replace_json(file: Path, value: Any) -> None:
    """Replace a JSON file atomically, so that a crash leaves the old or the new one."""
    fresh = file.with_name(f".{file.name}.tmp")
    write_json(fresh, value)
    fsync_folder(fresh)
    fresh.replace(file)
    fsync_folder(file.parent)


def save_npy(file: Path, array: Array) -> None:
    """Write one array as .npy; object arrays are refused."""
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def load_npy(file: Path) -> Array:
    """Read one .npy array.

    Raises:
        CorruptArtefact: the bytes are not an array of plain numbers.
    """
    try:
        array: Array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptArtefact(f"a .npy array of numbers in {file}", str(error), "Make it again with --fresh.") from None
    return array


def save_arrays(file: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays as safetensors."""
    save_file({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}, file)


def load_arrays(file: Path) -> dict[str, Array]:
    """Read named arrays from safetensors.

    Raises:
        CorruptArtefact: the file is not safetensors.
    """
    try:
        arrays: dict[str, Array] = load_file(file)
    except SafetensorError as error:
        raise CorruptArtefact(f"safetensors in {file}", str(error), "Make it again with --fresh.") from None
    return arrays


def write_table(file: Path, table: pa.Table) -> None:
    """Write a Parquet table, zstd-compressed."""
    pq.write_table(table, file, compression="zstd")


def read_table(file: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet table.

    Raises:
        CorruptArtefact: the file is not Parquet.
    """
    try:
        return pq.read_table(file, columns=columns)
    except pa.ArrowInvalid as error:
        raise CorruptArtefact(f"a Parquet table in {file}", str(error), "Make it again with --fresh.") from None


def same_space(*spaces: tuple[str, str]) -> str:
    """Check that vectors may be combined.

    Args:
        spaces: (artefact name, space id) of each.

    Returns:
        The one space id.

    Raises:
        SpaceMismatch: they differ.
    """
    if len({space for _, space in spaces}) != 1:
        got = ", ".join(f"{name} in {space}" for name, space in spaces)
        raise SpaceMismatch("vectors of one space", got, "Run: python -m jobs all")
    return spaces[0][1]
