"""Damaged files: bits flipped and ends cut off in a release, its manifest, ``CURRENT``, the workspace and the log."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recsys.errors import ArtefactError, CorruptArtefact, MissingArtefact, StaleArtefact
from recsys.events import EventLog
from recsys.releases import CURRENT, Releases
from recsys.releases.signing import MANIFEST, SIGNATURE, ReleaseSignatures
from recsys.runs.stages import STAGES
from recsys.workspace import StageRecord, Workspace, digest_of
from tests.chaos.lab import Lab, Outcome, flipped, said_clearly, shortened
from tests.newsroom import SITE

Harm = Callable[[Path, dict[str, Any]], None]  # the folder of a release and its manifest, which is then written back


def releases(lab: Lab) -> Outcome:
    """Every file of the live release flipped and cut: refused with its name before a loader sees it."""
    outcome, folder = Outcome(), lab.copy()
    live = Releases(folder / "releases")
    root = folder / "releases" / str(live.current())
    files = sorted(path for path in root.rglob("*") if path.is_file())
    each = -(-lab.many(2_000, 500) // len(files))
    for file in files:
        whole = file.read_bytes()
        file.chmod(0o644)
        for number in range(each if whole else 0):
            _replace(file, (shortened if number % 3 == 2 else flipped)(whole, lab.rng))
            outcome.tries += 1
            _refused(outcome, live, file.name if file.name not in (MANIFEST, SIGNATURE) else root.name)
        _replace(file, whole)
    live.open()
    _current(lab, outcome, folder, live)
    return outcome


def _replace(file: Path, content: bytes) -> None:
    """Put other content in a file's place; a release's files are links to each other's."""
    fresh = file.with_name(f".{file.name}.chaos")
    fresh.write_bytes(content)
    fresh.replace(file)


def _refused(outcome: Outcome, live: Releases, name: str) -> None:
    try:
        live.open()
    except ArtefactError as error:
        outcome.expect(name in str(error), "wrong", f"{name} is not named: {error}")
    except Exception as error:
        outcome.fault("wrong", f"{name}: {type(error).__name__}: {error}")
    else:
        outcome.fault("torn", f"{name} was taken for whole")


def _current(lab: Lab, outcome: Outcome, folder: Path, live: Releases) -> None:
    """``CURRENT`` damaged: nothing but a whole release is opened."""
    file = folder / "releases" / CURRENT
    whole, names = file.read_bytes(), set(live.names())
    odd = [b"", b"\0\0", b"..", b"../releases.key", b"/etc/passwd", b"x" * 100_000, "中\n".encode(), b"\xff\xfe"]
    odd += [(shortened if number % 3 == 2 else flipped)(whole, lab.rng) for number in range(lab.many(60, 20))]
    for content in odd:
        file.write_bytes(content)
        outcome.tries += 1
        try:
            outcome.expect(live.open().name in names, "torn", f"CURRENT {content[:40]!r} opened something else")
        except ArtefactError:
            continue
        except Exception as error:
            outcome.fault("wrong", f"CURRENT {content[:40]!r}: {type(error).__name__}: {error}")
    file.write_bytes(whole)


def _forged(change: Callable[[dict[str, Any]], None] | None = None, key: Path | None = None) -> Harm:
    """A harm that writes the manifest anew with right hashes, and signs it with a key of its own."""

    def harm(root: Path, manifest: dict[str, Any]) -> None:
        if change:
            change(manifest)
        manifest["digest"] = digest_of(manifest["files"])
        (root / MANIFEST).write_text(json.dumps(manifest))
        if key:
            ReleaseSignatures(key).sign(root)

    return harm


def forgeries(lab: Lab) -> Outcome:
    """Links, paths outside, forged and foreign releases: refused, and a running service serves on what it had."""
    outcome, folder = Outcome(), lab.copy()
    live = Releases(folder / "releases", site=SITE)
    current = str(live.current())
    other = next(name for name in live.names() if name != current)
    foreign, own = lab.folder / "foreign" / "releases.key", folder / "releases.key"
    foreign.parent.mkdir(exist_ok=True)

    def link(root: Path, manifest: dict[str, Any]) -> None:
        file = root / next(iter(manifest["files"]))
        shutil.move(file, folder / "elsewhere")
        file.symlink_to(folder / "elsewhere")

    def linked_folder(root: Path, manifest: dict[str, Any]) -> None:
        stage = root / next(iter(manifest["files"])).partition("/")[0]
        shutil.move(stage, folder / "elsewhere")
        stage.symlink_to(folder / "elsewhere")

    def evil_file(root: Path, manifest: dict[str, Any]) -> None:
        name = next(name for name in manifest["files"] if name.endswith(".npy"))
        content = b"cos\nsystem\n(S'touch owned'\ntR."
        _replace(root / name, content)
        manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        _forged()(root, manifest)

    outside = {"bytes": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}
    (folder / "releases" / "hello").write_bytes(b"hello")
    harms: dict[str, tuple[Harm, type[ArtefactError]]] = {
        "a link": (link, CorruptArtefact),
        "a folder that is a link": (linked_folder, CorruptArtefact),
        "a pipe": (lambda root, _: os.mkfifo(root / "pipe"), CorruptArtefact),
        "a file too many": (lambda root, _: _replace(root / "more.npy", b"x"), CorruptArtefact),
        "a path outside": (_forged(lambda one: one["files"].update({"../hello": outside})), CorruptArtefact),
        "a path outside, signed here": (
            _forged(lambda one: one["files"].update({"../hello": outside}), own),
            CorruptArtefact,
        ),
        "an absolute path, signed here": (
            _forged(lambda one: one["files"].update({"/etc/hostname": outside}), own),
            CorruptArtefact,
        ),
        "forged with right hashes": (evil_file, CorruptArtefact),
        "signed with another key": (_forged(key=foreign), CorruptArtefact),
        "without a signature": (lambda root, _: (root / SIGNATURE).unlink(), CorruptArtefact),
        "of a later format": (_forged(lambda one: one.update(format=one["format"] + 1), own), StaleArtefact),
        "of no format": (_forged(lambda one: one.pop("format"), own), StaleArtefact),
        "under another name": (_forged(lambda one: one.update(name=other), own), CorruptArtefact),
        "a manifest that is a list": (lambda root, _: _replace(root / MANIFEST, b"[]"), MissingArtefact),
        "a manifest of another site": (
            _forged(lambda one: one["config"]["site"].update(id="weekly"), own),
            ArtefactError,
        ),
    }
    with lab.serving(folder) as service:
        for name, (harm, kind) in harms.items():
            made = shutil.copytree(folder / "releases" / current, folder / "kept")
            manifest = json.loads((made / MANIFEST).read_text())
            harm(folder / "releases" / current, manifest)
            outcome.tries += 1
            try:
                live.open()
            except kind:
                pass
            except Exception as error:
                outcome.fault("wrong", f"{name}: {type(error).__name__}: {error}")
            else:
                outcome.fault("torn", f"{name}: opened")
            answer = service.get("/api/v1/recommendations?k=5")
            outcome.expect(answer.status == 200 and len(answer.json["items"]) == 5, "wrong", f"{name}: {answer.status}")
            shutil.rmtree(folder / "releases" / current)
            shutil.rmtree(folder / "elsewhere", ignore_errors=True)
            (folder / "elsewhere").unlink(missing_ok=True)
            shutil.move(made, folder / "releases" / current)
        outcome.expect(not (folder / "owned").exists(), "torn", "code of a release ran")
    live.open()
    return outcome


def workspace(lab: Lab) -> Outcome:
    """Every file of every stage damaged between two stages: refused with its name before anything reads it."""
    outcome, folder = Outcome(), lab.copy()
    work = Workspace(folder / "work")
    for stage in STAGES:
        for name in [*work.record(stage).files, "stage.json"]:
            file = folder / "work" / stage / name
            whole = file.read_bytes()
            for harm in (flipped, shortened, None)[: lab.many(3, 2)]:
                _replace(file, harm(whole, lab.rng)) if harm and whole else file.unlink()
                outcome.tries += 1
                try:
                    work.verified(stage)
                except (CorruptArtefact, MissingArtefact) as error:
                    outcome.expect(name in str(error) or stage in str(error), "wrong", f"{stage}/{name} is not named")
                except Exception as error:
                    outcome.fault("wrong", f"{stage}/{name}: {type(error).__name__}: {error}")
                else:
                    same = name == "stage.json" and _told(whole) == _told(file.read_bytes())
                    outcome.expect(same, "torn", f"{stage}/{name} was taken for whole")
                _replace(file, whole)
    commands = [("words", "*.npy", "keywords"), ("items", "*.npy", "index"), ("tokens", "*.parquet", "words")]
    for stage, pattern, command in commands[: lab.many(3, 1)]:
        file = sorted((folder / "work" / stage).glob(pattern))[0]
        whole, current = file.read_bytes(), Releases(folder / "releases").current()
        _replace(file, flipped(whole, lab.rng))
        outcome.tries += 1
        said_clearly(outcome, lab.job(folder, command, "--fresh"), f"{command} after {file.name}", file.name)
        outcome.expect(Releases(folder / "releases").current() == current, "torn", "something was published")
        _replace(file, whole)
    return outcome


def _told(record: bytes) -> dict[str, Any]:
    """Everything that a record says of its stage: all but the seal."""
    values: dict[str, Any] = json.loads(record)
    return {name: values[name] for name in StageRecord.__dataclass_fields__}


def log(lab: Lab) -> Outcome:
    """Parts of the event log flipped, cut, deleted, swapped, and its state: named, and made anew by the remedy."""
    outcome, folder = Outcome(), lab.copy()
    files = [*sorted((folder / "log").glob("date=*/*.parquet")), folder / "log" / "state.json"]
    whole_log = len(EventLog(folder / "log").load())
    for _ in range(lab.many(20, 6)):
        for file in files:
            whole = file.read_bytes()
            harm = lab.rng.choice((flipped, shortened, None))
            _replace(file, harm(whole, lab.rng)) if harm else file.unlink()
            outcome.tries += 1
            try:
                got = len(EventLog(folder / "log").load())
            except CorruptArtefact as error:
                outcome.expect(file.name in str(error), "wrong", f"{file.name} is not named: {error}")
            except Exception as error:
                outcome.fault("wrong", f"{file.name}: {type(error).__name__}: {error}")
            else:  # without a state there is no log: the next run makes it
                outcome.expect(
                    got == whole_log or not file.exists(), "torn", f"{file.name}: {got} events of {whole_log}"
                )
            _replace(file, whole)
    files[0].unlink()
    outcome.tries += 1
    said_clearly(outcome, lab.job(folder, "events"), "events without a part", files[0].name)
    shutil.rmtree(folder / "log")
    outcome.expect(lab.job(folder, "events").returncode == 0, "wrong", "the remedy does not mend it")
    left = len(EventLog(folder / "log").load())
    outcome.expect(left == whole_log, "lost", f"{left} events of {whole_log} after the remedy")
    return outcome
