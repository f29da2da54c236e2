"""Releases: the only thing that passes from the jobs to the service.

Reads finished stages of the workspace; produces ``releases/<time>-<digest>/`` with one folder per stage and a
``manifest.json`` that holds size and SHA-256 of every file, and ``CURRENT``, the name of the live release. Of a stage
it carries the files that are served; the others stay in the workspace. A release never changes once it stands there.
Opening one verifies its signature and every hash before any loader sees a byte, because FAISS and safetensors load
flipped bits without a word, and a hash list can be forged with its files.

    signing.py    the manifest's HMAC
    checks.py     the files of a folder against its manifest
    states.py     candidate, shadow, canary, live, retired
    retention.py  which are kept
    writing.py    files of a new one
    address.py    releases at an address that hosts share
    sharing.py    the release that is live on all of them
    texts.py      why one moved, in Chinese and English
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from recsys.errors import ArtefactError, CorruptArtefact, MissingArtefact, RefusedRelease, StaleArtefact
from recsys.releases.checks import RELEASE_FORMAT, Release, check_files, check_format, check_site, parsed_manifest
from recsys.releases.config import ReleasesConfig
from recsys.releases.retention import outlived
from recsys.releases.signing import KEY_FILE, MANIFEST, ReleaseSignatures
from recsys.releases.states import (
    ReleaseState,
    StateRecord,
    live_moves,
    new_record,
    read_states,
    state_of,
    write_states,
)
from recsys.releases.texts import MOVES
from recsys.releases.writing import copy_files, served_files_of, stage_story
from recsys.units import now_ms
from recsys.workspace import (
    Workspace,
    digest_of,
    disk_full,
    exclusive,
    fsync_folder,
    fsync_tree,
    is_full,
    read_json,
    write_json,
)

CURRENT = "CURRENT"
FORCE = "Whoever knows better: python -m jobs promote NAME --force, or force=true."

__all__ = ["CURRENT", "MANIFEST", "RELEASE_FORMAT", "Release", "ReleaseState", "Releases", "StateRecord"]


class Releases:
    """All releases under one folder.

    Args:
        root: the folder.
        config: which are kept.
        site: whose they are, for no other one's are opened; None: whoever made them.
    """

    def __init__(self, root: Path, config: ReleasesConfig | None = None, site: str | None = None) -> None:
        self.root, self.site = root, site
        self.config = config or ReleasesConfig()
        self.signatures = ReleaseSignatures(root.parent / KEY_FILE)

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
        """Open a release, by default the live one, after verifying signature and every file.

        Raises:
            MissingArtefact: nothing was published, or there is no such release.
            StaleArtefact: another version of this program made it, in a format that this one does not read.
            CorruptArtefact: it was not signed here, or a file is missing, added or changed, or it is another site's.
        """
        name = name or self.current()
        if name is None:
            raise MissingArtefact("a published release", f"none in {self.root}", "Run: python -m jobs all")
        check_format(self.root / name, self.manifest(name))
        return Release(name, self.root / name, self.verified(self.root / name))

    def verified(self, folder: Path) -> dict[str, Any]:
        """The manifest of a folder that holds a whole release of this site, wherever it stands; see ``open``."""
        manifest = parsed_manifest(folder, self.signatures.verified(folder))
        check_format(folder, manifest)
        check_site(folder, manifest, self.site)
        check_files(folder, manifest)
        return manifest

    def sign(self, name: str) -> None:
        """Sign a release that was made here before there were signatures, or under a key that is not taken any more.

        Whoever calls it vouches for the manifest; its files are compared with it first.

        Raises:
            MissingArtefact: there is no such release.
            CorruptArtefact: its files are not the manifest's.
        """
        manifest = self.manifest(name)
        check_format(self.root / name, manifest)
        check_files(self.root / name, parsed_manifest(self.root / name, (self.root / name / MANIFEST).read_bytes()))
        self.signatures.sign(self.root / name)

    def state(self, name: str) -> StateRecord:
        """The state of a release, and who moved it there, when and why."""
        return state_of(read_states(self.root).get(name), live=name == self.current())

    def publish(
        self,
        workspace: Workspace,
        served: Mapping[str, Sequence[str]],
        facts: Mapping[str, Any],
        check: Callable[[], None] = lambda: None,
    ) -> str:
        """Make a release of finished stages and make it the live one, atomically; see ``add`` and ``activate``.

        A crash at any point leaves the old or the new release whole.
        """
        name = self.add(workspace, served, facts, check=check)
        with exclusive(self.root / ".lock", "publishing"):
            check()
            self.before_live(name, "")
            self._activate(name, "", "published")
        return name

    def add(
        self,
        workspace: Workspace,
        served: Mapping[str, Sequence[str]],
        facts: Mapping[str, Any],
        by: str = "",
        check: Callable[[], None] = lambda: None,
    ) -> str:
        """Make a candidate of finished stages. Files that the live release already has are hard-linked to it.

        Args:
            workspace: where the finished stages are.
            served: stage -> patterns of its files that are taken over; each one's inputs must be the ones that stand
                beside it.
            facts: what else the manifest says (code version, configuration, seed, metrics).
            by: who makes it.
            check: raises if this process may no longer publish; called when all else is done.

        Returns:
            The release's name; that of the live one, or of a candidate, with the very same files, where there is one.

        Raises:
            MissingArtefact: a stage has not been made.
            StaleArtefact: a stage was made from other inputs than those beside it.
            CorruptArtefact: a file of the workspace is not what the stage wrote.
            ArtefactError: the disk is full, or nothing can be signed; the live release stays.
            Busy: another process is publishing.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with exclusive(self.root / ".lock", "publishing"):
            self.collect_orphans()
            records = {stage: workspace.record(stage) for stage in served}
            if older := workspace.stale(served):
                raise StaleArtefact("stages made from what stands beside them", older, "Run: python -m jobs all")
            files = {file: about for stage in served for file, about in served_files_of(records[stage], served[stage])}
            parent = self.current() if self.current() in self.names() else None
            if same := self._with_digest(digest_of(files), parent):
                return same
            name = self._fresh_name(digest_of(files))
            manifest = {
                "format": RELEASE_FORMAT,
                "name": name,
                "parent": parent,
                "digest": digest_of(files),
                "created_at": self._fresh_time(),
                "files": files,
                "stages": {stage: stage_story(record) for stage, record in records.items()},
                **facts,
            }
            try:
                self._write(name, workspace, manifest, parent, by)
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
            self._prune()
            return name

    def _with_digest(self, digest: str, live: str | None) -> str | None:
        """The live release if its files have a digest, else the newest candidate that has it and verifies."""
        candidates = [name for name in self.names() if self.state(name).state is ReleaseState.CANDIDATE]
        for name in [*([live] if live else []), *reversed(candidates)]:
            if self.manifest(name).get("digest") == digest:
                with suppress(ArtefactError):  # a damaged one is made anew
                    return self.open(name).name
        return None

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

    def _write(self, name: str, workspace: Workspace, manifest: Mapping[str, Any], parent: str | None, by: str) -> None:
        folder = self.root / f".tmp-{name}"
        linked = self.manifest(parent)["files"] if parent else {}
        copy_files(folder, workspace.root, manifest["files"], self.root / str(parent), linked)
        write_json(folder / MANIFEST, manifest)
        self.signatures.sign(folder)
        fsync_tree(folder)
        self._record({name: new_record(ReleaseState.CANDIDATE, by, "made")})  # first: what stands there is no live one
        folder.rename(self.root / name)
        fsync_folder(self.root)

    def _record(self, records: Mapping[str, StateRecord]) -> None:
        """Write the last moves of some releases; those of releases that are gone are forgotten."""
        kept = {name: record for name, record in read_states(self.root).items() if (self.root / name).is_dir()}
        write_states(self.root, {**kept, **records})

    def _activate(self, name: str, by: str, reason: str) -> None:
        """Name a release live; the one before is retired, or taken back where it is the newer one."""
        old, names, states = self.current(), self.names(), read_states(self.root)
        moves = live_moves(name, old if old in names else None, names, states, by=by, reason=reason)
        self._record(moves)
        fresh = self.root / f".{CURRENT}.tmp"
        fresh.write_text(name + "\n", encoding="utf-8")
        fsync_folder(fresh)
        fresh.replace(self.root / CURRENT)
        fsync_folder(self.root)
        self._prune()

    def judged(self, name: str, by: str, reason: str, verdict: Mapping[str, Any]) -> None:
        """Write down the gate's verdict on a release that is not live; its state stays.

        Raises:
            Busy: another process is publishing.
        """
        with exclusive(self.root / ".lock", "publishing"):
            record = replace(self.state(name), since=now_ms(), by=str(by), reason=reason, verdict=dict(verdict))
            self._record({name: record})

    def move(self, name: str, state: ReleaseState, by: str, reason: str) -> None:
        """Write down the state of a release that is not live; the gate's verdict on it stays.

        Raises:
            MissingArtefact: there is no such release.
            Busy: another process is publishing.
        """
        self.manifest(name)
        with exclusive(self.root / ".lock", "publishing"):
            if name != self.current():
                self._record({name: replace(self.state(name), state=state, since=now_ms(), by=str(by), reason=reason)})

    def activate(
        self,
        name: str,
        by: str = "",
        reason: str = "",
        check: Callable[[], None] = lambda: None,
        *,
        force: bool = False,
    ) -> None:
        """Make an existing release the live one, after verifying it.

        Args:
            name: of the release.
            by: who wants it, as in the audit.
            reason: why, for people.
            check: see ``add``.
            force: one that the gate refused as well.

        Raises:
            MissingArtefact: there is no such release.
            CorruptArtefact: it does not verify; the live one stays.
            RefusedRelease: the gate refused it.
            Busy: another process is publishing.
        """
        self.open(name)
        if not force and (said := self.state(name).refusal):
            raise RefusedRelease(f"a release that the gate lets pass, or a move that is forced: {name}", said, FORCE)
        with exclusive(self.root / ".lock", "publishing"):
            check()
            self.before_live(name, by)
            self._activate(name, by, reason)

    def before_live(self, name: str, by: str) -> None:
        """Do what has to be done before a verified release is live; see ``recsys.releases.sharing``."""

    def name_live(self, name: str, by: str, reason: str) -> None:
        """Make a verified release the live one on this host, whatever others serve.

        Raises:
            Busy: another process is publishing.
        """
        with exclusive(self.root / ".lock", "publishing"):
            self._activate(name, by, reason)

    def rollback(self, name: str | None = None, by: str = "", reason: str = "") -> str:
        """Make an older release live that has been live, by default the last one before the live one.

        The one that was live becomes a candidate again, which no night publishes and ``activate`` does.

        Returns:
            Its name.

        Raises:
            MissingArtefact: there is none of that name, none before the live one, or the one named was never live or is
                not older.
        """
        if name is not None:
            self.manifest(name)  # of a name that nobody knows that is the news, whatever else there is to go back to
        current, names = self.current(), self.names()
        earlier = names[: names.index(current)] if current in names else names
        earlier = [old for old in earlier if self.state(old).state is ReleaseState.RETIRED]
        remedy = "Run: python -m jobs releases, to see what there is."
        if not earlier:
            raise MissingArtefact(f"a release before {current} that has been live", "none", remedy)
        if name is not None and name not in earlier:
            hint = f"{remedy} python -m jobs promote NAME makes any other one live."
            raise MissingArtefact(f"one of {', '.join(earlier)}, which were live before {current}", repr(name), hint)
        self.activate(name or earlier[-1], by, reason or MOVES("rolled_back"))
        return name or earlier[-1]

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
        made = {name: at for name, at in self._made().items() if at is not None}
        states, config = {name: self.state(name).state for name in made}, self.config
        kept_by = {"keep": config.keep, "keep_days": config.keep_days, "now": now_ms()}
        for name in outlived(self.names(), states, made, **kept_by):
            doomed = self.root / f".tmp-{name}"
            (self.root / name).rename(doomed)  # first out of sight, so that nobody opens half of it
            shutil.rmtree(doomed, ignore_errors=True)
