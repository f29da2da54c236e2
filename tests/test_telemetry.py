"""A process counts under its own place, whichever process it was forked from."""

import pytest

from recsys.telemetry import PLACE_VARIABLE, WorkerPlace


def test_a_forked_worker_counts_under_its_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    process = [10]
    monkeypatch.setattr("recsys.telemetry.os.getpid", lambda: process[0])
    monkeypatch.setenv(PLACE_VARIABLE, "4")
    place = WorkerPlace()
    assert (place(), place()) == (4, 4)
    process[0] = 11
    monkeypatch.setenv(PLACE_VARIABLE, "0")
    assert place() == 0
    process[0] = 12
    monkeypatch.delenv(PLACE_VARIABLE)
    assert place() == 12, "two at the same time never have one place"
