"""Where a release stands, who moved it there, and that only what was signed here is opened."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from recsys import releases as module
from recsys.errors import ArtefactError, CorruptArtefact, MissingArtefact, RecsysError
from recsys.keys import rotate
from recsys.releases import MANIFEST, Releases, ReleaseState
from recsys.releases.config import ReleasesConfig
from recsys.releases.retention import outlived
from recsys.releases.signing import SIGNATURE
from recsys.releases.states import STATES
from recsys.units import DAY_MS
from recsys.workspace import Workspace, described, digest_of, read_json, write_json

SERVED = {"words": ("*",)}


def made(root: Path, text: str, *, keep: int = 5) -> str:
    """A candidate of one stage of one file."""
    workspace = Workspace(root / "work")
    with workspace.write("words", text, {}) as out:
        (out / "words.txt").write_text(text)
    return Releases(root / "releases", ReleasesConfig(keep=keep)).add(workspace, SERVED, {}, "command ann")


def live(root: Path, text: str, *, keep: int = 5) -> str:
    name = made(root, text, keep=keep)
    Releases(root / "releases", ReleasesConfig(keep=keep)).activate(name, "command ann", "published")
    return name


def states(root: Path) -> dict[str, ReleaseState]:
    releases = Releases(root / "releases")
    return {name: releases.state(name).state for name in releases.names()}


def test_a_release_is_a_candidate_then_live_then_retired_and_each_move_says_who_and_why(tmp_path: Path) -> None:
    first, releases = made(tmp_path, "one"), Releases(tmp_path / "releases")
    assert (releases.current(), states(tmp_path)) == (None, {first: ReleaseState.CANDIDATE})
    releases.activate(first, "token desk", "the first one")
    moved = releases.state(first)
    assert (moved.state, moved.by, moved.reason) == (ReleaseState.LIVE, "token desk", "the first one")
    second = live(tmp_path, "two")
    assert states(tmp_path) == {first: ReleaseState.RETIRED, second: ReleaseState.LIVE}
    assert second in releases.state(first).reason


def test_a_release_that_was_rolled_back_is_found_again_and_not_made_anew(tmp_path: Path) -> None:
    first, second = live(tmp_path, "one"), live(tmp_path, "two")
    releases = Releases(tmp_path / "releases")
    assert releases.rollback(by="command ann", reason="all football") == first
    back = releases.state(second)
    assert (back.state, back.taken_back, back.by) == (ReleaseState.CANDIDATE, True, "command ann")
    assert "all football" in back.reason
    assert made(tmp_path, "two") == second
    assert releases.state(second).taken_back
    assert releases.names() == [first, second]
    releases.activate(second, "command ann", "it was the weather")
    assert states(tmp_path) == {first: ReleaseState.RETIRED, second: ReleaseState.LIVE}
    assert not releases.state(second).taken_back


def test_an_older_release_that_is_activated_takes_the_newer_one_back(tmp_path: Path) -> None:
    first, second = live(tmp_path, "one"), live(tmp_path, "two")
    releases = Releases(tmp_path / "releases")
    releases.activate(first, "token desk", "")
    assert (releases.state(second).taken_back, releases.state(first).taken_back) == (True, False)


def test_only_what_was_live_is_rolled_back_to(tmp_path: Path) -> None:
    first = live(tmp_path, "one")
    refused = made(tmp_path, "two")
    third = live(tmp_path, "three")
    releases = Releases(tmp_path / "releases")
    with pytest.raises(MissingArtefact, match="promote NAME"):
        releases.rollback(refused)
    assert releases.current() == third
    assert releases.rollback() == first
    with pytest.raises(MissingArtefact, match="that has been live"):
        releases.rollback()


def test_a_name_that_no_release_has_is_said_even_where_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "releases")
    for older in ("one", "two"):
        only = live(tmp_path, older)
        with pytest.raises(MissingArtefact, match=f"named 'nosuch'; got these: .*{only}"):
            releases.rollback("nosuch")
        assert releases.current() == only


def test_one_of_several_is_rolled_back_to_by_name(tmp_path: Path) -> None:
    first, _, third = live(tmp_path, "one"), live(tmp_path, "two"), live(tmp_path, "three")
    releases = Releases(tmp_path / "releases")
    assert (releases.rollback(first), releases.current()) == (first, first)
    assert releases.state(third).taken_back


def test_states_that_cannot_be_read_say_what_is_lost_and_the_live_release_stays(tmp_path: Path) -> None:
    first = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    for text in ("[", "[]", '{"x": {"state": "asleep"}}', '{"x": {}}'):
        (releases.root / STATES).write_text(text)
        with pytest.raises(CorruptArtefact, match="Remove it"):
            releases.state(first)
        assert releases.open().name == first
    (releases.root / STATES).unlink()
    assert states(tmp_path) == {first: ReleaseState.LIVE}


def test_a_manifest_of_which_one_character_is_changed_is_refused(tmp_path: Path) -> None:
    name = live(tmp_path, "one")
    releases, flipped = Releases(tmp_path / "releases"), 0
    for file in (releases.root / name / MANIFEST, releases.root / name / SIGNATURE):
        whole = file.read_bytes()
        for place in range(0, len(whole), 3):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(ArtefactError):
                releases.open(name)
            flipped += 1
        file.write_bytes(whole)
    assert releases.open(name).name == name
    assert flipped > 150


def forged(releases: Releases, name: str) -> None:
    """Another file in a release, with hashes that are right."""
    folder = releases.root / name
    file = folder / "words" / "words.txt"
    file.unlink()
    file.write_text("forged")
    manifest = read_json(folder / MANIFEST)
    files = {"words/words.txt": described(file)}
    write_json(folder / MANIFEST, manifest | {"files": files, "digest": digest_of(files)})


def test_a_forged_release_with_right_hashes_is_refused_also_when_another_key_signed_it(tmp_path: Path) -> None:
    name = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    forged(releases, name)
    with pytest.raises(CorruptArtefact, match="changed since"):
        releases.open()
    elsewhere = tmp_path / "elsewhere" / "releases"
    shutil.copytree(releases.root, elsewhere)
    Releases(elsewhere).signatures.sign(elsewhere / name)
    assert Releases(elsewhere).open().name == name
    shutil.copy(elsewhere / name / SIGNATURE, releases.root / name / SIGNATURE)
    with pytest.raises(CorruptArtefact, match="a key that is not here"):
        releases.open()


def test_a_release_without_a_signature_says_what_to_do_and_is_signed_by_name(tmp_path: Path) -> None:
    name = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    (releases.root / name / SIGNATURE).unlink()
    with pytest.raises(CorruptArtefact, match=f"python -m jobs sign {name}; else: python -m jobs all"):
        releases.open()
    releases.sign(name)
    assert releases.open().name == name


def test_what_is_not_the_manifests_is_not_signed(tmp_path: Path) -> None:
    name = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    (releases.root / name / SIGNATURE).unlink()
    (releases.root / name / "words" / "more.txt").write_text("more")
    with pytest.raises(CorruptArtefact, match="missing or added"):
        releases.sign(name)
    assert not (releases.root / name / SIGNATURE).exists()


def test_a_release_under_another_name_is_refused(tmp_path: Path) -> None:
    name = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    shutil.copytree(releases.root / name, releases.root / "20990101T000000Z-aaaa")
    with pytest.raises(CorruptArtefact, match=f"made as '{name}'"):
        releases.open("20990101T000000Z-aaaa")


@pytest.mark.parametrize("odd", ["link", "folder link", "pipe"])
def test_a_link_or_a_pipe_in_a_release_is_refused_without_being_opened(tmp_path: Path, odd: str) -> None:
    name = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    file, outside = releases.root / name / "words" / "words.txt", tmp_path / "outside"
    shutil.copy(file, outside)
    if odd == "folder link":
        (releases.root / name / "more").symlink_to(tmp_path / "work")
    elif odd == "link":
        file.unlink()
        file.symlink_to(outside)
    else:
        os.mkfifo(releases.root / name / "words" / "pipe")
    with pytest.raises(CorruptArtefact, match="a link, a pipe"):
        releases.open()


def test_a_new_key_signs_and_the_one_before_is_taken_for_a_while(tmp_path: Path) -> None:
    first = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    before = (releases.root / first / SIGNATURE).read_text()
    rotate(releases.signatures.key_file, 7)
    second = live(tmp_path, "two")
    assert (releases.root / second / SIGNATURE).read_text()[:8] != before[:8]
    assert {Releases(releases.root).open(name).name for name in (first, second)} == {first, second}
    rotate(releases.signatures.key_file, 0)
    for name in (first, second):
        with pytest.raises(CorruptArtefact, match="a key that is not here"):
            Releases(releases.root).open(name)


def test_a_key_that_was_cut_off_signs_nothing(tmp_path: Path) -> None:
    first = live(tmp_path, "one")
    (tmp_path / "releases.key").write_bytes(b"")
    with pytest.raises(ArtefactError, match="cut off"):
        made(tmp_path, "two")
    assert states(tmp_path) == {first: ReleaseState.LIVE}
    assert not list((tmp_path / "releases").glob(".tmp-*"))


def test_candidates_do_not_push_out_what_was_live(tmp_path: Path) -> None:
    kept = [live(tmp_path, "one", keep=2), live(tmp_path, "two", keep=2)]
    refused = [made(tmp_path, f"refused {number}", keep=2) for number in range(4)]
    assert Releases(tmp_path / "releases").names() == [*kept, *refused[-2:]]
    assert set(read_json(tmp_path / "releases" / STATES)) >= {*kept, *refused[-2:]}


C, R, L, Y = ReleaseState.CANDIDATE, ReleaseState.RETIRED, ReleaseState.LIVE, ReleaseState.CANARY


@pytest.mark.parametrize(
    ("keep", "days", "kinds", "gone"),
    [
        (3, 0, "RRRL", "a"),
        (4, 0, "RRRL", ""),
        (1, 0, "LRRR", "bc"),  # the live one stays, however many came after it
        (5, 3, "RRRL", "ab"),  # one to roll back to
        (5, 4, "RRRL", "a"),
        (5, 5, "RRRL", ""),
        (5, 3, "RLCC", ""),
        (5, 2, "RLCC", "c"),
        (1, 0, "YLCC", ""),
        (9, 0, "CCCL", "a"),
    ],
)
def test_releases_go_by_count_and_age(keep: int, days: int, kinds: str, gone: str) -> None:
    kind = {"C": C, "R": R, "L": L, "Y": Y}
    names = list("abcd")  # made four, three, two and one and a half days ago, and an hour
    made_at = {name: -int((4 - place) * DAY_MS) - 1 for place, name in enumerate(names)}
    by_name = {name: kind[letter] for name, letter in zip(names, kinds, strict=True)}
    assert outlived(names, by_name, made_at, keep=keep, keep_days=days, now=0) == list(gone)


def test_a_manifest_that_is_no_json_is_refused_whatever_signed_it(tmp_path: Path) -> None:
    name = live(tmp_path, "one")
    releases = Releases(tmp_path / "releases")
    (releases.root / name / MANIFEST).write_text(json.dumps({"created_at": 1}))
    with pytest.raises(RecsysError):
        releases.open(name)


STEPS = ("copy_files", "write_json", "fsync_tree", "fsync_folder", "write_states")


def test_a_run_that_is_cancelled_while_it_publishes_leaves_the_old_or_the_new_release_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, reached, after = live(tmp_path, "one"), 0, set[str]()
    for end_at in range(100):  # SIGTERM comes before each step in turn, until it comes too late
        monkeypatch.undo()
        seen = 0
        for name in STEPS:
            step = getattr(module, name)

            def told(*given: Any, step: Any = step, last: int = end_at) -> Any:
                nonlocal seen
                seen += 1
                if seen > last:
                    raise SystemExit(143)
                return step(*given)

            monkeypatch.setattr(module, name, told)
        text = f"release {end_at}"
        try:
            live(tmp_path, text)
            break
        except SystemExit:
            reached += 1
        monkeypatch.undo()
        served = Releases(tmp_path / "releases").open()
        after.add("old" if served.name == first else "new")
        assert live(tmp_path, text) in Releases(tmp_path / "releases").names()  # and the next one publishes
        first = str(Releases(tmp_path / "releases").current())
        assert Releases(tmp_path / "releases").open().name == first
        assert not list((tmp_path / "releases").glob(".tmp-*"))
    assert reached >= 8
    assert after == {"old", "new"}
