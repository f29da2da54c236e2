"""Releases: the only thing that passes from the jobs to the service.

Reads finished stages of the workspace; produces ``releases/<time>-<digest>/`` with one folder per stage and a
``manifest.json`` that holds size and SHA-256 of every file, and ``CURRENT``, the name of the live release. Of a stage
it carries the files that are served; the others stay in the workspace. A release never changes once it stands there.
Opening one verifies every hash before any loader sees a byte, because FAISS and safetensors load flipped bits without
a word.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact, MissingArtefact, StaleArtefact
from recsys.releases.config import ReleasesConfig
from recsys.workspace import (
    StageRecord,
    Workspace,
    digest_of,
    disk_full,
    exclusive,
    fsync_folder,
    fsync_tree,
    is_full,
    read_json,
    sha256_of,
    tree,
    write_json,
)

MANIFEST = "manifest.json"
CURRENT = "CURRENT"
RELEASE_FORMAT = 8  # raised when the service can no longer read what an older one holds: those are refused


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


class Releases:
    """All releases under one folder."""

    def __init__(self, root: Path, config: ReleasesConfig | None = None) -> None:
        self.root = root
        self.config = config or ReleasesConfig()

    def names(self) -> list[str]:
        """Names of all releases whose manifest can be read, oldest first."""
        return [name for _, name in sorted((at, name) for name, at in self._made().items() if at is not None)]

    def damaged(self) -> list[str]:
        """Names of the releases whose manifest cannot be read: they are left where they are, and nobody serves them."""
        return sorted(name for name, at in self._made().items() if at is None)

    def _made(self) -> dict[str, int | None]:
        """Time at which each release was made, ms; None where its manifest does not say."""
        made: dict[str, int | None] = {}
        for file in self.root.glob(f"[0-9]*/{MANIFEST}"):
            try:
                made[file.parent.name] = int(read_json(file)["created_at"])
            except (CorruptArtefact, OSError, KeyError, TypeError, ValueError):
                made[file.parent.name] = None
        return made

    def current(self) -> str | None:
        """Name of the live release, or None when nothing was published."""
        try:
            return (self.root / CURRENT).read_text(encoding="utf-8", errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def manifest(self, name: str) -> dict[str, Any]:
        """The manifest of a release; its files are not looked at.

        Raises:
            MissingArtefact: there is no such release.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or "none at all"
            raise MissingArtefact(
                f"a release named {name!r}", f"these: {known}", "Run: python -m jobs releases, to see them."
            )
        manifest: dict[str, Any] = read_json(self.root / name / MANIFEST)
        return manifest

    def open(self, name: str | None = None) -> Release:
        """Open a release, by default the live one, after verifying every file.

        Raises:
            MissingArtefact: nothing was published, or there is no such release.
            StaleArtefact: another version of this program made it, in a format that this one does not read.
            CorruptArtefact: a file is missing, added or changed.
        """
        name = name or self.current()
        if name is None:
            raise MissingArtefact("a published release", f"none in {self.root}", "Run: python -m jobs all")
        manifest = self.manifest(name)
        self._verify(name, manifest)
        return Release(name, self.root / name, manifest)

    def _verify(self, name: str, manifest: Mapping[str, Any]) -> None:
        folder = self.root / name
        remedy = "Run: python -m jobs rollback, then: python -m jobs all --fresh"
        if manifest.get("format") != RELEASE_FORMAT:
            made = f"format {manifest.get('format')}, made by another version of this program"
            raise StaleArtefact(f"a release of format {RELEASE_FORMAT} in {folder}", made, "Run: python -m jobs all")
        if manifest.get("digest") != digest_of(manifest["files"]):
            raise CorruptArtefact(f"a whole manifest in {folder}", "another one", remedy)
        present = {file for file in tree(folder) if file != MANIFEST}
        if present != set(manifest["files"]):
            odd = sorted(present ^ set(manifest["files"]))
            raise CorruptArtefact(f"exactly the manifest's files in {folder}", f"missing or added: {odd[:5]}", remedy)
        for file, facts in manifest["files"].items():
            if (folder / file).stat().st_size != facts["bytes"] or sha256_of(folder / file) != facts["sha256"]:
                raise CorruptArtefact(f"the bytes of {file} as they were published", "changed bytes", remedy)

    def publish(
        self,
        workspace: Workspace,
        served: Mapping[str, Sequence[str]],
        facts: Mapping[str, Any],
        check: Callable[[], None] = lambda: None,
    ) -> str:
        """Make a release of finished stages and make it the live one, atomically.

        A crash at any point leaves the old or the new release whole. Files that the live release already has are
        hard-linked to it.

        Args:
            workspace: where the finished stages are.
            served: stage -> patterns of its files that are taken over; each one's inputs must be the ones that stand
                beside it.
            facts: what else the manifest says (code version, configuration, seed, metrics).
            check: raises if this process may no longer publish; called when all else is done.

        Returns:
            The release's name; the live one's when nothing has changed since.

        Raises:
            MissingArtefact: a stage has not been made.
            StaleArtefact: a stage was made from other inputs than those beside it.
            CorruptArtefact: a file of the workspace is not what the stage wrote.
            ArtefactError: the disk is full; the live release stays.
            Busy: another process is publishing.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with exclusive(self.root / ".lock", "publishing"):
            self.collect_orphans()
            records = {stage: workspace.record(stage) for stage in served}
            if older := workspace.stale(served):
                raise StaleArtefact("stages made from what stands beside them", older, "Run: python -m jobs all")
            files = {file: about for stage in served for file, about in _served(records[stage], served[stage])}
            parent = self.current() if self.current() in self.names() else None
            if parent and self.manifest(parent)["digest"] == digest_of(files):
                return parent
            name = self._fresh_name(digest_of(files))
            manifest = {
                "format": RELEASE_FORMAT,
                "name": name,
                "parent": parent,
                "digest": digest_of(files),
                "created_at": self._fresh_time(),
                "files": files,
                "stages": {stage: _story(record) for stage, record in records.items()},
                **facts,
            }
            try:
                self._write(name, workspace, manifest, parent)
            except Exception as error:
                full = is_full(self.root)
                self.collect_orphans()
                if full:
                    raise disk_full(f"the release {name}", self.root) from error
                raise
            try:
                check()
            except BaseException:
                shutil.rmtree(self.root / name, ignore_errors=True)
                raise
            self._activate(name)
            self._prune()
            return name

    def _fresh_name(self, digest: str) -> str:
        while True:
            name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{digest[:4]}"
            if not (self.root / name).exists():
                return name
            time.sleep(0.2)  # the same content twice within a second, after a rollback

    def _fresh_time(self) -> int:
        """Now in ms, but always after the newest release, even when the clock was set back."""
        newest = max((self.manifest(name)["created_at"] for name in self.names()), default=0)
        return int(max(time.time() * 1000, newest + 1))

    def _write(self, name: str, workspace: Workspace, manifest: Mapping[str, Any], parent: str | None) -> None:
        folder = self.root / f".tmp-{name}"
        old = self.manifest(parent)["files"] if parent else {}
        for file, facts in manifest["files"].items():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            same = parent is not None and old.get(file, {}).get("sha256") == facts["sha256"]
            if same and sha256_of(self.root / str(parent) / file) == facts["sha256"]:
                os.link(self.root / str(parent) / file, target)
                continue
            shutil.copyfile(workspace.root / file, target)
            if sha256_of(target) != facts["sha256"]:
                raise CorruptArtefact(
                    f"the bytes of {file} as its stage wrote them", "changed bytes", "Run: python -m jobs all --fresh"
                )
            target.chmod(0o444)
        write_json(folder / MANIFEST, manifest)
        fsync_tree(folder)
        folder.rename(self.root / name)
        fsync_folder(self.root)

    def _activate(self, name: str) -> None:
        fresh = self.root / f".{CURRENT}.tmp"
        fresh.write_text(name + "\n", encoding="utf-8")
        fsync_folder(fresh)
        fresh.replace(self.root / CURRENT)
        fsync_folder(self.root)

    def activate(self, name: str) -> None:
        """Make an existing release the live one, after verifying it.

        Raises:
            MissingArtefact: there is no such release.
            CorruptArtefact: it does not verify; the live one stays.
            Busy: another process is publishing.
        """
        self.open(name)
        with exclusive(self.root / ".lock", "publishing"):
            self._activate(name)

    def rollback(self) -> str:
        """Make the release before the live one live.

        Returns:
            Its name.

        Raises:
            MissingArtefact: there is none before it.
        """
        current, names = self.current(), self.names()
        earlier = names[: names.index(current)] if current in names else names
        if not earlier:
            raise MissingArtefact(
                f"a release before {current}", "none", "Run: python -m jobs releases, to see what there is."
            )
        self.activate(earlier[-1])
        return earlier[-1]

    def collect_orphans(self) -> list[str]:
        """Remove what a crashed publish left behind; call it with the publishing lock held.

        Returns:
            Names of the folders removed.
        """
        orphans = sorted(self.root.glob(".tmp-*"))
        for orphan in orphans:
            shutil.rmtree(orphan, ignore_errors=True)
        return [orphan.name for orphan in orphans]

    def _prune(self) -> None:
        names = self.names()
        for name in names[: -self.config.keep]:
            if name != self.current():
                doomed = self.root / f".tmp-{name}"
                (self.root / name).rename(doomed)  # first out of sight, so that nobody opens half of it
                shutil.rmtree(doomed, ignore_errors=True)


def _served(record: StageRecord, patterns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of a stage that a release carries, by their names in it, with size and hash."""
    for name, about in record.files.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            yield f"{record.stage}/{name}", about


def _story(record: StageRecord) -> dict[str, Any]:
    return {"digest": record.digest, "fingerprint": record.fingerprint, "inputs": record.inputs, **record.facts}
