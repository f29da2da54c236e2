"""A stage appears whole or not at all, and says what it was made from."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recsys.errors import ArtefactError, Busy, CorruptArtefact, MissingArtefact, SpaceMismatch
from recsys.workspace import (
    Array,
    StageRecord,
    Workspace,
    exclusive,
    fingerprint,
    is_full,
    load_arrays,
    load_npy,
    read_json,
    replace_json,
    same_space,
    save_arrays,
    save_npy,
    sha256_of,
)


def write(workspace: Workspace, text: str) -> str:
    with workspace.write("items", "mark", {"events": "e"}, {"articles": 2}) as out:
        (out / "a.txt").write_text(text)
    return workspace.record("items").digest


def test_a_finished_stage_says_what_it_was_made_from(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, "one")
    record = workspace.record("items")
    assert (record.inputs, record.facts, record.fingerprint) == ({"events": "e"}, {"articles": 2}, "mark")
    assert record.files["a.txt"]["bytes"] == 3
    assert (workspace.path("items") / "a.txt").read_text() == "one"


def test_equal_bytes_give_equal_digests_and_other_bytes_another(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert write(workspace, "one") == write(workspace, "one") != write(workspace, "two")


def test_a_missing_stage_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefact, match="python -m jobs items"):
        Workspace(tmp_path).path("items")


def test_a_stage_that_fails_leaves_the_old_one_and_no_rubbish(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, "one")

    def fail() -> None:
        with workspace.write("items", "mark2", {}) as out:
            (out / "a.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (workspace.path("items") / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["items"]


def test_rubbish_of_a_killed_run_is_collected_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".tmp-items-dead").mkdir()
    write(Workspace(tmp_path), "one")
    assert [path.name for path in tmp_path.iterdir()] == ["items"]


def test_rubbish_of_all_stages_is_collected_at_once(tmp_path: Path) -> None:
    for name in (".tmp-items-dead", ".tmp-words-dead"):
        (tmp_path / name).mkdir()
    Workspace(tmp_path).collect_orphans()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_called_so_whatever_the_library_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, "one")
    monkeypatch.setattr("recsys.workspace.disk.LEAST_FREE", 2**80)

    def fail() -> None:
        with workspace.write("items", "mark2", {}) as out:
            (out / "a.txt").write_text("half")
            raise ValueError("12 requested and 3 written")

    with pytest.raises(ArtefactError, match="a full disk"):
        fail()
    assert (workspace.path("items") / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["items"]


@pytest.mark.parametrize(("free", "full"), [(2**18 - 1, True), (2**18, False)])
def test_a_disk_is_full_below_a_quarter_of_a_mebibyte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, full: bool
) -> None:
    monkeypatch.setattr("recsys.workspace.disk.shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    assert is_full(tmp_path) is full


def test_a_signal_on_a_full_disk_stays_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.workspace.disk.LEAST_FREE", 2**80)
    with pytest.raises(SystemExit), Workspace(tmp_path).write("items", "mark", {}):
        raise SystemExit(143)
    assert not list(tmp_path.iterdir())


def test_a_stage_made_from_something_older_is_named_however_far_upstream(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name, source in (("words", ""), ("keywords", "words"), ("articles", "keywords")):
        inputs = {source: workspace.record(source).digest} if source else {}
        with workspace.write(name, "mark", inputs) as out:
            (out / "a.txt").write_text(name)
    assert workspace.stale(["articles"]) == ""
    with workspace.write("words", "mark", {}) as out:
        (out / "a.txt").write_text("newer")
    assert workspace.stale(["articles"]) == "'keywords', made from an older 'words'"
    assert workspace.stale(["words"]) == ""


def test_a_stage_that_many_are_made_from_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, names = Workspace(tmp_path), [f"stage-{number}" for number in range(12)]
    for number, name in enumerate(names):
        inputs = {source: workspace.record(source).digest for source in names[max(0, number - 3) : number]}
        with workspace.write(name, "mark", inputs):
            pass
    read: list[str] = []
    record = workspace.record

    def noted(name: str) -> StageRecord:
        read.append(name)
        return record(name)

    monkeypatch.setattr(workspace, "record", noted)
    assert workspace.stale(names) == ""
    assert len(read) == 12 + 3 * 10, "each stage, and each that another one names"


@pytest.mark.parametrize("damage", ["flipped", "shorter", "removed", "folder"])
def test_a_file_that_was_damaged_between_two_stages_is_named_before_anything_reads_it(
    tmp_path: Path, damage: str
) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, "one")
    assert workspace.verified("items") == tmp_path / "items"
    file = tmp_path / "items" / "a.txt"
    if damage in ("flipped", "shorter"):
        file.write_text({"flipped": "onf", "shorter": "on"}[damage])
    else:
        file.unlink()
        if damage == "folder":
            file.mkdir()
    with pytest.raises(CorruptArtefact, match=r"items/a\.txt.*python -m jobs items --fresh"):
        workspace.verified("items")
    write(workspace, "one")
    assert workspace.verified("items") == tmp_path / "items"


def test_a_file_that_nobody_wrote_to_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, hashed = Workspace(tmp_path), list[Path]()

    def counted(file: Path) -> str:
        hashed.append(file)
        return sha256_of(file)

    write(workspace, "one")
    monkeypatch.setattr("recsys.workspace.disk.sha256_of", counted)
    for _ in range(3):
        workspace.verified("items")
    assert len(hashed) == 1


@pytest.mark.parametrize(
    "change",
    [
        '"bytes": 3=>"bytes": 4',
        '"mark"=>"marl"',
        '"articles": 2=>"articles": 3',
        '"a.txt"=>"b.txt"',
        '"files"=>"fiees"',
        '"items"=>"itemr"',
    ],
)
def test_a_damaged_record_is_named_and_its_stage_is_made_anew(tmp_path: Path, change: str) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, "one")
    record = tmp_path / "items" / "stage.json"
    old, new = change.split("=>")
    record.write_text(record.read_text().replace(old, new))
    with pytest.raises(CorruptArtefact, match=r"items/stage\.json"):
        workspace.verified("items")
    assert workspace.finished("items") is None


def test_the_fingerprint_moves_with_settings_seed_and_inputs() -> None:
    marks = {
        fingerprint("items", {"window": 5}, 1, {"events": "a"}),
        fingerprint("items", {"window": 6}, 1, {"events": "a"}),
        fingerprint("items", {"window": 5}, 2, {"events": "a"}),
        fingerprint("items", {"window": 5}, 1, {"events": "b"}),
    }
    assert len(marks) == 4


def test_a_lock_is_refused_while_it_is_held_and_free_afterwards(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock", "it"), pytest.raises(Busy), exclusive(tmp_path / "lock", "it"):
        pass
    with exclusive(tmp_path / "lock", "it"):
        pass


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays: dict[str, Array] = {"b": np.arange(3, dtype=np.int64), "a": np.array([[np.nan, 1]], dtype=np.float32)}
    save_arrays(tmp_path / "x.safetensors", arrays)
    back = load_arrays(tmp_path / "x.safetensors")
    assert all(np.array_equal(arrays[name], back[name], equal_nan=name == "a") for name in arrays)
    save_npy(tmp_path / "x.npy", arrays["a"].T)
    assert np.array_equal(load_npy(tmp_path / "x.npy"), arrays["a"].T, equal_nan=True)


@pytest.mark.parametrize("load", [load_arrays, load_npy, read_json])
def test_broken_files_are_refused_by_name(tmp_path: Path, load: Callable[[Path], Any]) -> None:
    file = tmp_path / "broken"
    file.write_bytes(b"\x93NUMPY\x01\x00garbage\xff")
    with pytest.raises(CorruptArtefact, match="broken"):
        load(file)


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(CorruptArtefact):
        load_npy(tmp_path / "x.npy")


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    replace_json(tmp_path / "state.json", {"through": 1})
    replace_json(tmp_path / "state.json", {"through": 2})
    assert read_json(tmp_path / "state.json") == {"through": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_vectors_of_two_spaces_are_not_combined() -> None:
    assert same_space(("words", "a1"), ("articles", "a1")) == "a1"
    with pytest.raises(SpaceMismatch, match="articles in b2"):
        same_space(("words", "a1"), ("articles", "b2"))
