"""Machine code: kept by age, compiled by one process at a time, and said while it takes long."""

import os
import threading
import time
from pathlib import Path

import pytest
from numba.core import config

from recsys import compiled


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def test_the_machine_code_of_other_versions_stays_until_it_was_not_used_for_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, now = 24 * 3600, time.time()
    for name, days in (("compiled-running", 29), ("compiled-forgotten", 31), ("else", 400)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code").touch()
        os.utime(tmp_path / name, (now - days * day,) * 2)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config, "CACHE_DIR", config.CACHE_DIR)
    compiled._choose_cache()
    own = Path(config.CACHE_DIR)
    assert {path.name for path in tmp_path.iterdir()} == {"compiled-running", "else", own.name}
    os.utime(own, (now - 20 * day,) * 2)
    compiled._choose_cache()
    assert own.stat().st_mtime > now - day  # every start counts as a use


def test_the_first_time_is_said_and_the_second_is_quick(cold: Path) -> None:
    said: list[str] = []
    with compiled.compiling(said.append):
        pass
    assert any(text.startswith("compiling machine code, once on this machine: ") for text in said)
    said.clear()
    with compiled.compiling(said.append):
        pass
    assert said == ["loading machine code"]


def test_what_broke_off_is_not_complete(cold: Path) -> None:
    with pytest.raises(ZeroDivisionError), compiled.compiling(lambda _: None):
        _ = 1 / 0
    said: list[str] = []
    with compiled.compiling(said.append):
        pass
    assert "loading machine code" not in said


def test_one_process_compiles_and_the_others_wait(cold: Path) -> None:
    inside: list[str] = []
    said: list[str] = []
    waiting = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        waiting.set()

    def second() -> None:
        with compiled.compiling(say):
            inside.append("second")

    with compiled.compiling(lambda _: None):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(20)
        assert said == ["waiting for another process that compiles machine code"]
        inside.append("first")
    other.join(20)
    assert inside == ["first", "second"]
    assert said == ["waiting for another process that compiles machine code", "loading machine code"]
