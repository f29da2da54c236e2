"""The planted faults can be planted: each text stands exactly once, and the tests that should notice are there."""

from collections import Counter

import pytest

from tests.mutants.__main__ import ROOT, planted
from tests.mutants.faults import FAULTS, Fault


def test_at_least_sixty_faults_are_planted_each_under_a_name_of_its_own() -> None:
    assert len(FAULTS) >= 60
    assert [name for name, times in Counter((fault.file, fault.name) for fault in FAULTS).items() if times > 1] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.file}: {fault.name}")
def test_a_fault_can_be_planted(fault: Fault) -> None:
    source = (ROOT / fault.file).read_text(encoding="utf-8")
    changed = planted(source, fault)
    assert changed != source
    if fault.file.endswith(".py"):
        compile(changed, fault.file, "exec")
    assert [test for test in fault.tests if not (ROOT / test).is_file()] == []


def test_a_text_that_does_not_stand_there_once_is_no_fault() -> None:
    fault = Fault("twice", "a.py", "x", "y", ())
    with pytest.raises(ValueError, match="got 2 times"):
        planted("x = x", fault)
