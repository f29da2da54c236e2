"""Keys of a data folder: made once, shared, rotated, and taken away at once."""

import time
from pathlib import Path

import pytest

from recsys import keys
from recsys.keys import KEY_BYTES, KeyRing, folder_key, key_id, rotate

DAY = 86_400
NOW = 1_800_000_000


class Clock:
    """Seconds that stand still until they are moved."""

    now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "readers.key"


def test_a_key_is_made_once_for_its_owner_alone(file: Path) -> None:
    first = folder_key(file)
    assert first is not None
    assert (len(first), folder_key(file)) == (KEY_BYTES, first)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [other.name for other in file.parent.iterdir()] == [file.name]


def test_a_key_that_was_cut_off_is_none(file: Path) -> None:
    folder_key(file)
    file.write_bytes(file.read_bytes()[:-1])
    assert folder_key(file) is None
    assert KeyRing(file).current() is None


def test_an_old_key_is_taken_for_some_days_and_no_second_longer(file: Path) -> None:
    clock = Clock()
    ring = KeyRing(file, clock)
    old = ring.current()
    assert old is not None
    new = rotate(file, 2, clock)
    assert new.id != old.id
    assert KeyRing(file, clock).current() == new
    clock.now = NOW + 2 * DAY - 1
    found = KeyRing(file, clock).find(old.id)
    assert found is not None
    assert found.secret == old.secret
    clock.now = NOW + 2 * DAY
    assert KeyRing(file, clock).find(old.id) is None
    rotate(file, 2, clock)
    assert not list(file.parent.glob(f"*{NOW + 2 * DAY}")), "what is over is removed"


def test_a_ring_that_runs_knows_a_new_key_at_once_and_a_lost_one_within_a_second(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing(file)
    old = ring.current()
    assert old is not None
    new = rotate(file, 0)
    assert ring.find(new.id) is not None
    assert ring.find(old.id) is None, "looked for the new one just now"
    another = rotate(file, 0)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + keys.LOOK_SECONDS + 0.1)
    assert ring.find(new.id) is None
    assert ring.find(another.id) == another


def test_a_rotation_that_dies_half_way_leaves_a_key_that_works(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = folder_key(file)

    def die(self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            rotate(file, 1)
    assert folder_key(file) == old
    assert old is not None
    current = KeyRing(file).current()
    assert current is not None
    assert (current.id, current.until) == (key_id(old), keys.FOREVER)
    assert rotate(file, 1).id != key_id(old)
    assert KeyRing(file).find(key_id(old)) is not None


def test_where_nothing_can_be_written_there_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert folder_key(tmp_path / "data" / "readers.key") is None
    assert KeyRing(tmp_path / "data" / "readers.key").current() is None
