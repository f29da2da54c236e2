"""Files of a new release: copied from the workspace, or hard-linked to the parent's where they are the same."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact
from recsys.workspace import StageRecord, sha256_of


def served_files_of(record: StageRecord, patterns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of a stage that a release carries, by their names in it, with size and hash."""
    for name, about in record.files.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            yield f"{record.stage}/{name}", about


def stage_story(record: StageRecord) -> dict[str, Any]:
    """A stage as the manifest tells of it."""
    return {"digest": record.digest, "fingerprint": record.fingerprint, "inputs": record.inputs, **record.facts}


def copy_files(folder: Path, work: Path, files: Mapping[str, Any], parent: Path, linked: Mapping[str, Any]) -> None:
    """Fill the folder of a release.

    Args:
        folder: that does not exist yet.
        work: of the workspace.
        files: name -> {"bytes", "sha256"}.
        parent: folder of the release whose files are linked where they are the same and whole.
        linked: its files, described in the same way.

    Raises:
        CorruptArtefact: a file of the workspace is not what the stage wrote.
    """
    for file, facts in files.items():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        same = linked.get(file, {}).get("sha256") == facts["sha256"]
        if same and sha256_of(parent / file) == facts["sha256"]:
            os.link(parent / file, target)
            continue
        shutil.copyfile(work / file, target)
        if sha256_of(target) != facts["sha256"]:
            raise CorruptArtefact(
                f"the bytes of {file} as its stage wrote them", "changed bytes", "Run: python -m jobs all --fresh"
            )
        target.chmod(0o444)
