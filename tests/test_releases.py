"""A release is whole, checked and immutable; the live one changes in one step, whatever dies meanwhile."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.errors import ArtefactError, CorruptArtefact, MissingArtefact, StaleArtefact
from recsys.releases import MANIFEST, Releases
from recsys.releases.config import ReleasesConfig
from recsys.workspace import Workspace


def stage(root: Path, name: str, text: str, inputs: tuple[str, ...] = ()) -> None:
    workspace = Workspace(root / "work")
    digests = {other: workspace.record(other).digest for other in inputs}
    with workspace.write(name, text, digests, {"articles": 1}) as out:
        (out / f"{name}.txt").write_text(text)


def publish(root: Path, *stages: str, keep: int = 5) -> str:
    releases = Releases(root / "releases", ReleasesConfig(keep=keep))
    return releases.publish(Workspace(root / "work"), dict.fromkeys(stages, ("*",)), {"seed": 1})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    stage(tmp_path, "words", "w1")
    stage(tmp_path, "items", "i1", ("words",))
    return tmp_path


def test_a_published_release_opens_and_tells_its_story(root: Path) -> None:
    name = publish(root, "words", "items")
    release = Releases(root / "releases").open()
    assert release.name == name
    assert (release.path("items") / "items.txt").read_text() == "i1"
    assert release.manifest["stages"]["items"]["articles"] == 1
    assert release.manifest["parent"] is None
    assert release.manifest["seed"] == 1


def test_unchanged_files_are_hard_links_to_the_parent_and_changed_ones_are_not(root: Path) -> None:
    first = publish(root, "words", "items")
    stage(root, "items", "i2", ("words",))
    second = publish(root, "words", "items")
    folder = root / "releases"
    assert (folder / first / "words/words.txt").samefile(folder / second / "words/words.txt")
    assert not (folder / first / "items/items.txt").samefile(folder / second / "items/items.txt")
    assert Releases(folder).manifest(second)["parent"] == first


def test_publishing_twice_without_a_change_makes_nothing_new(root: Path) -> None:
    assert publish(root, "words", "items") == publish(root, "words", "items")
    assert len(Releases(root / "releases").names()) == 1


def test_a_stage_made_from_an_older_input_is_not_published(root: Path) -> None:
    stage(root, "words", "w2")
    with pytest.raises(StaleArtefact, match="'items', made from an older 'words'"):
        publish(root, "words", "items")


def test_an_unmade_stage_is_not_published(root: Path) -> None:
    with pytest.raises(MissingArtefact, match="python -m jobs index"):
        publish(root, "words", "items", "index")


@pytest.mark.parametrize("damage", ["flip", "cut", "add", "remove", "manifest"])
def test_a_damaged_release_is_refused_before_any_loader_sees_it(root: Path, damage: str) -> None:
    folder = root / "releases" / publish(root, "words", "items")
    file = folder / "items/items.txt"
    file.chmod(0o644)
    if damage == "flip":
        file.write_text("i9")
    elif damage == "cut":
        file.write_text("i")
    elif damage == "add":
        (folder / "items/extra.txt").write_text("x")
    elif damage == "remove":
        file.unlink()
    else:
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["files"]["items/items.txt"]["sha256"] = "0" * 64
        (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(CorruptArtefact):
        Releases(root / "releases").open()


def test_a_damaged_parent_is_not_linked_into_the_next_release(root: Path) -> None:
    first = publish(root, "words", "items")
    file = root / "releases" / first / "words/words.txt"
    file.chmod(0o644)
    file.write_text("w9")
    stage(root, "items", "i2", ("words",))
    publish(root, "words", "items")
    assert (Releases(root / "releases").open().path("words") / "words.txt").read_text() == "w1"


def test_a_release_of_another_version_is_refused_by_its_format(root: Path) -> None:
    file = root / "releases" / publish(root, "words", "items") / MANIFEST
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps(manifest | {"format": manifest["format"] - 1}))
    with pytest.raises(StaleArtefact, match=r"format \d, made by another version.*jobs all"):
        Releases(root / "releases").open()


def test_a_release_of_another_site_is_refused_though_it_is_signed_with_the_same_key(root: Path) -> None:
    releases = Releases(root / "releases", site="daily")
    facts = {"config": {"site": {"id": "weekly"}}}
    name = releases.publish(Workspace(root / "work"), {"words": ("*",)}, facts)
    with pytest.raises(CorruptArtefact, match=r"'daily'.*'weekly'"):
        releases.open()
    assert Releases(root / "releases", site="weekly").open().name == name
    publish(root, "words", "items")
    assert releases.open().manifest["seed"] == 1, "one that does not say whose it is"


def test_a_damaged_workspace_is_not_published(root: Path) -> None:
    (root / "work/items/items.txt").write_text("i9")
    with pytest.raises(CorruptArtefact):
        publish(root, "words", "items")
    assert Releases(root / "releases").current() is None


def test_a_full_disk_leaves_the_live_release_and_no_half_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(root, "words", "items")
    stage(root, "items", "i2", ("words",))
    (root / "work/items/items.txt").write_text("i9")
    monkeypatch.setattr("recsys.workspace.disk.LEAST_FREE", 2**80)
    with pytest.raises(ArtefactError, match="a full disk"):
        publish(root, "words", "items")
    assert Releases(root / "releases").open().name == first
    assert not list((root / "releases").glob(".tmp-*"))


def test_rollback_makes_the_one_before_live_and_stops_at_the_first(root: Path) -> None:
    names = []
    for number in range(3):
        stage(root, "items", f"i{number}", ("words",))
        names.append(publish(root, "words", "items"))
    releases = Releases(root / "releases")
    for before in (names[1], names[0]):
        assert releases.rollback() == before == releases.current()
    with pytest.raises(MissingArtefact, match="before"):
        releases.rollback()


@pytest.mark.parametrize("manifest", ["", "{", "[]", "{}", '{"created_at": null}'])
def test_an_older_release_with_a_damaged_manifest_is_named_and_in_nobodys_way(root: Path, manifest: str) -> None:
    first = publish(root, "words", "items")
    stage(root, "items", "i2", ("words",))
    second = publish(root, "words", "items")
    releases = Releases(root / "releases")
    damaged = root / "releases" / first / MANIFEST
    damaged.chmod(0o644)
    damaged.write_text(manifest)
    assert (releases.names(), releases.damaged()) == ([second], [first])
    assert releases.open().name == second
    stage(root, "items", "i3", ("words",))
    third = publish(root, "words", "items")
    assert releases.rollback() == second
    assert releases.names() == [second, third]


def test_a_damaged_release_is_not_activated(root: Path) -> None:
    first = publish(root, "words", "items")
    stage(root, "items", "i2", ("words",))
    second = publish(root, "words", "items")
    file = root / "releases" / first / "items/items.txt"
    file.chmod(0o644)
    file.write_text("i9")
    releases = Releases(root / "releases")
    with pytest.raises(CorruptArtefact):
        releases.rollback()
    assert releases.current() == second


def test_an_unknown_release_is_not_activated(root: Path) -> None:
    name = publish(root, "words", "items")
    releases = Releases(root / "releases")
    for wrong in ("20200101T000000Z-0000", "../work", ""):
        with pytest.raises(MissingArtefact):
            releases.activate(wrong or "none")
    assert releases.current() == name


def test_old_releases_go_and_the_live_one_stays(root: Path) -> None:
    names = []
    for number in range(4):
        stage(root, "items", f"i{number}", ("words",))
        names.append(publish(root, "words", "items", keep=2))
    assert Releases(root / "releases").names() == names[-2:]
    assert Releases(root / "releases").open().name == names[-1]


def test_the_live_release_stays_however_many_came_after_it(root: Path) -> None:
    first = publish(root, "words", "items")
    releases = Releases(root / "releases", ReleasesConfig(keep=1))
    stage(root, "items", "i2", ("words",))
    publish(root, "words", "items")
    releases.activate(first)
    releases._prune()
    assert first in releases.names()
    assert releases.open().name == first


def test_the_newest_release_is_the_last_one_made_even_when_the_clock_was_set_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(root, "words", "items")
    made = Releases(root / "releases").manifest(first)["created_at"]
    monkeypatch.setattr("recsys.releases.time.time", lambda: made / 1000 - 3_600)
    stage(root, "items", "i2", ("words",))
    second = publish(root, "words", "items")
    releases = Releases(root / "releases")
    assert releases.names() == [first, second]
    assert releases.manifest(second)["created_at"] == made + 1
    assert releases.rollback() == first


def test_only_the_files_that_are_served_are_taken_over_and_the_story_is_told_of_all(tmp_path: Path) -> None:
    workspace, releases = Workspace(tmp_path / "work"), Releases(tmp_path / "releases")

    def make(rows: str) -> str:
        with workspace.write("tasks", rows, {}) as out:
            for name in ("tasks.json", "rows.npy", "mood/evaluation.json", "mood/en/weights.json", "mood/en/a/b.json"):
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                (out / name).write_text(rows if name == "rows.npy" else name)
        with workspace.write("features", rows, {}, {"rows": 3}) as out:
            (out / "features.parquet").write_text(rows)
        return releases.publish(workspace, {"tasks": ("tasks.json", "*/*/*"), "features": ()}, {})

    first = make("one")
    manifest = releases.manifest(first)
    assert set(manifest["files"]) == {"tasks/tasks.json", "tasks/mood/en/weights.json", "tasks/mood/en/a/b.json"}
    assert manifest["stages"]["features"]["rows"] == 3
    assert not (tmp_path / "releases" / first / "features").exists()
    assert releases.open().path("features").name == "features"
    assert make("two") == first, "what changed is not served"


KILLED = """
import os, sys
from pathlib import Path
from recsys import releases
from recsys.releases import Releases
from recsys.workspace import Workspace
calls = 0
def dying(*_):
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
os_rename, os_replace = Path.rename, Path.replace
Path.rename = lambda self, to: (dying(), os_rename(self, to), dying())[1]
Path.replace = lambda self, to: (dying(), os_replace(self, to), dying())[1]
root = Path(sys.argv[1])
Releases(root / "releases").publish(Workspace(root / "work"), {"words": ("*",), "items": ("*",)}, {})
"""


@pytest.mark.parametrize("point", [1, 3, 4, 5, 6, 7, 8, 9, 10])
def test_killed_at_any_step_the_old_or_the_new_release_is_whole(root: Path, point: int) -> None:
    first = publish(root, "words", "items")
    stage(root, "items", "i2", ("words",))
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(point)], env={**os.environ, "PYTHONPATH": "."}, check=False
    )
    assert child.returncode == -9
    release = Releases(root / "releases").open()
    assert (release.path("items") / "items.txt").read_text() == ("i1" if release.name == first else "i2")
    assert (release.name == first) == (point <= 9)
    publish(root, "words", "items")
    assert not list((root / "releases").glob(".tmp-*"))
    assert (Releases(root / "releases").open().path("items") / "items.txt").read_text() == "i2"
