"""The stages' folders: each appears whole or not at all, and says what it was made from."""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact, MissingArtefact, SpaceMismatch
from recsys.workspace.disk import (
    STAGE_FILE,
    FileHashes,
    described,
    digest_of,
    disk_full,
    fsync_folder,
    fsync_tree,
    is_full,
    tree,
)
from recsys.workspace.formats import read_json, write_json

_SEAL = "seal"  # in a record: its own hash; those of before 0.12 have none
STAGE_FORMAT = 6  # raised when the meaning of a stage's files changes: older ones are then made anew


@dataclass(frozen=True)
class StageRecord:
    """Record of one finished stage, as ``stage.json`` holds it.

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
        self._hashes = FileHashes()

    @property
    def id(self) -> str:
        """Name of this folder that no other one has, on whatever machine; made when it is first asked for."""
        file = self.root / ".id"
        if not file.is_file():
            self.root.mkdir(parents=True, exist_ok=True)
            fresh = self.root / f".id-{uuid.uuid4().hex}"
            fresh.write_text(uuid.uuid4().hex, encoding="ascii")
            with contextlib.suppress(FileExistsError):
                os.link(fresh, file)  # whoever comes first
            fresh.unlink()
        return file.read_text(encoding="ascii")

    @property
    def lock_file(self) -> Path:
        """The file on which the run that writes the stages holds a lock."""
        return self.root / ".lock"

    def path(self, stage: str) -> Path:
        """The folder of a finished stage.

        Raises:
            MissingArtefact: the stage has not been made; the message names the command that makes it.
        """
        self.record(stage)
        return self.root / stage

    def verified(self, stage: str) -> Path:
        """The folder of a finished stage, after comparing its files with the hashes that were taken when it was made.

        FAISS, NumPy and safetensors load flipped bits without a word, and a model is then trained on them.

        Raises:
            MissingArtefact: see ``path``.
            CorruptArtefact: a file is missing or was changed since; the message names it.
        """
        folder = self.root / stage
        for name, about in self.record(stage).files.items():
            if (sha256 := self._hashes.of(folder / name)) != about["sha256"]:
                got = "no such file" if sha256 is None else "changed bytes"
                remedy = f"Run: python -m jobs {stage} --fresh, then: python -m jobs all"
                raise CorruptArtefact(f"the file {folder / name} as its stage wrote it", got, remedy)
        return folder

    def record(self, stage: str) -> StageRecord:
        """The record of a finished stage.

        Raises:
            MissingArtefact: the stage has not been made, or was not finished.
            CorruptArtefact: the record was changed since.
        """
        file = self.root / stage / STAGE_FILE
        if not file.is_file():
            raise MissingArtefact(
                f"the artefact {stage!r} in {self.root}", "no finished one", f"Run: python -m jobs {stage}"
            )
        values = read_json(file)
        try:
            seal = values.pop(_SEAL, None)
            record = StageRecord(**{name: values[name] for name in StageRecord.__dataclass_fields__})
            whole = record.digest == digest_of(record.files) and record.stage == stage and seal in (None, _seal(values))
        except (AttributeError, KeyError, TypeError):
            whole = False
        if not whole:
            remedy = f"Run: python -m jobs {stage} --fresh, then: python -m jobs all"
            raise CorruptArtefact(f"the record {file} as its stage wrote it", "another one", remedy)
        return record

    def finished(self, stage: str) -> StageRecord | None:
        """The record of a finished stage, or None; one that was damaged is none: the stage is then made anew."""
        try:
            return self.record(stage)
        except (MissingArtefact, CorruptArtefact):
            return None

    def stale(self, stages: Iterable[str]) -> str:
        """Say which of some stages, or of those that they were made from, was made from something older.

        Returns:
            A phrase that names the first one, empty when there is none.
        """
        waiting, seen = [*stages][::-1], set[str]()  # most stages are made from the same few
        while waiting:
            if (stage := waiting.pop()) in seen:
                continue
            seen.add(stage)
            made_from = self.record(stage).inputs
            for source, digest in made_from.items():
                source_record = self.finished(source)
                if source_record is None or source_record.digest != digest:
                    return f"{stage!r}, made from an older {source!r}"
            waiting += reversed(made_from)
        return ""

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

        Raises:
            ArtefactError: the disk is full; what was there before is still there.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.collect_orphans(stage)
        folder = self.root / f".tmp-{stage}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        try:
            yield folder
            files = {name: described(folder / name) for name in sorted(tree(folder))}
            record = StageRecord(stage, digest_of(files), fingerprint, dict(inputs), files, facts or {})
            write_json(folder / STAGE_FILE, {**record.__dict__, _SEAL: _seal(record.__dict__)})
            self._swap(folder, self.root / stage)
        except BaseException as error:
            full = isinstance(error, Exception) and is_full(self.root)  # libraries report it in many ways
            shutil.rmtree(folder, ignore_errors=True)
            if full:
                raise disk_full(f"the stage {stage!r}", self.root) from error
            raise

    def collect_orphans(self, stage: str = "*") -> None:
        """Remove what killed runs of a stage left, by default of every stage; call it with the workspace locked."""
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


def _seal(values: Mapping[str, Any]) -> str:
    """SHA-256 of a record as it is read again."""
    return hashlib.sha256(json.dumps(json.loads(json.dumps(values)), sort_keys=True).encode()).hexdigest()


def fingerprint(stage: str, settings: Mapping[str, Any], seed: int, inputs: Mapping[str, str]) -> str:
    """Everything that decides a stage's bytes, as one SHA-256: equal means that nothing needs to be made again."""
    facts = {"format": STAGE_FORMAT, "stage": stage, "settings": settings, "seed": seed, "inputs": dict(inputs)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


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
