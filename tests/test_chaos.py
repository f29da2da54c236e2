"""The suite of faults: its table, its document, and two of its cases as they are run."""

import json
import os
import subprocess
import sys

import pytest

from tests.chaos.__main__ import BEGIN, DOCUMENT, END, as_table
from tests.chaos.cases import CASES
from tests.chaos.lab import ROOT, Outcome


def test_every_case_is_told_of_and_the_table_stands_between_its_marks() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    told = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    assert set(CASES) <= set(told)


def test_a_table_says_what_was_lost_and_what_was_not_run() -> None:
    lost = Outcome(tries=1_200, seconds=3.4)
    lost.expect(False, "lost", "an event")
    lost.expect(True, "torn", "nothing")
    table = as_table({"one": lost, "two": Outcome(skipped="needs root")})
    assert table.splitlines()[2:] == [
        "| one | 1,200 | 1 | 0 | 0 | 3 |",
        "| two | not run: needs root | 0 | 0 | 0 | 0 |",
    ]
    assert lost.said == ["lost: an event"]


@pytest.mark.slow
def test_two_cases_run_and_find_nothing() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--only", "release-files", "--only", "log-files"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"CHAOS": "quick"}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    cases = json.loads(done.stdout.splitlines()[-1])["cases"]
    assert cases["release-files"]["tries"] > 400
    assert all(case["lost"] == case["torn"] == case["wrong"] == 0 for case in cases.values())
