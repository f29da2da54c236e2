"""One opened release, and the checks of its folder: the files that the manifest names, and nothing but files."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact, MissingArtefact, StaleArtefact
from recsys.releases.signing import MANIFEST, SIGNATURE
from recsys.workspace import digest_of, sha256_of

RELEASE_FORMAT = 10  # raised when the service can no longer read what an older one holds: those are refused
REMEDY = "Run: python -m jobs rollback, then: python -m jobs all --fresh"


@dataclass(frozen=True)
class Release:
    """One opened release, every byte of it verified."""

    name: str
    root: Path
    manifest: dict[str, Any]

    def path(self, stage: str) -> Path:
        """The folder of one stage in this release, with those of its files that are served, if it has any.

        Raises:
            MissingArtefact: the release was published without that stage.
        """
        if stage not in self.manifest["stages"]:
            raise MissingArtefact(
                f"the stage {stage!r} in release {self.name}",
                ", ".join(self.manifest["stages"]),
                "Run: python -m jobs all",
            )
        return self.root / stage


def check_format(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a release of another format.

    Raises:
        StaleArtefact: another version of this program made it.
    """
    if manifest.get("format") != RELEASE_FORMAT:
        made = f"format {manifest.get('format')}, made by another version of this program"
        raise StaleArtefact(f"a release of format {RELEASE_FORMAT} in {folder}", made, "Run: python -m jobs all")


def parsed_manifest(folder: Path, manifest: bytes) -> dict[str, Any]:
    """The manifest of a folder from its bytes.

    Raises:
        CorruptArtefact: it was made under another name, and copied.
    """
    values: dict[str, Any] = json.loads(manifest)
    if values.get("name") != folder.name:
        raise CorruptArtefact(f"the release {folder.name}", f"one made as {values.get('name')!r:.80}", REMEDY)
    return values


def check_site(folder: Path, manifest: Mapping[str, Any], site: str | None) -> None:
    """Refuse a release of another site, which hosts that share a key could hand to each other.

    Args:
        folder: of the release.
        manifest: verified; one that does not say whose it is passes.
        site: whose it should be; None: anybody's.

    Raises:
        CorruptArtefact: it is another site's.
    """
    made_for = manifest.get("config", {}).get("site", {}).get("id", site)
    if site is not None and made_for != site:
        raise CorruptArtefact(f"a release of the site {site!r} in {folder}", f"one of {made_for!r:.80}", REMEDY)


def check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Compare a folder with its manifest, byte by byte.

    Raises:
        CorruptArtefact: a file is missing, added or changed, or something is a link, a pipe or a device.
    """
    if manifest.get("digest") != digest_of(manifest["files"]):
        raise CorruptArtefact(f"a whole manifest in {folder}", "another one", REMEDY)
    present = set(_plain_files(folder)) - {MANIFEST, SIGNATURE}
    if present != set(manifest["files"]):
        odd = sorted(present ^ set(manifest["files"]))
        raise CorruptArtefact(f"exactly the manifest's files in {folder}", f"missing or added: {odd[:5]}", REMEDY)
    for file, facts in manifest["files"].items():
        if (folder / file).stat().st_size != facts["bytes"] or sha256_of(folder / file) != facts["sha256"]:
            raise CorruptArtefact(f"the bytes of {file} as they were published", "changed bytes", REMEDY)


def _plain_files(folder: Path, below: str = "") -> list[str]:
    """Names of all files below a folder; a pipe would hang whoever opens it, a link leads out of what is checked."""
    names = []
    with os.scandir(folder / below) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                names += _plain_files(folder, f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                names.append(name)
            else:
                got = f"a link, a pipe or a device: {name!r:.200}"
                raise CorruptArtefact(f"files and folders alone in {folder}", got, REMEDY)
    return names
