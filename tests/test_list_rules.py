"""The benchmark of the list's rules, on the toy newsroom: what it counts, and that it says what is broken."""

import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks import list_rules
from recsys.settings import Settings
from tests.newsroom import Toy


def test_the_rules_are_counted_on_a_copy_and_a_broken_one_is_told(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = toy.settings.model_dump(exclude={"data_dir"})
    monkeypatch.setattr(list_rules, "load_settings", lambda: Settings(**(changes | {"data_dir": site()})))
    data = toy.settings.data_dir

    def site() -> Path:
        return Path(os.environ.get("RECSYS_DATA_DIR", str(data)))

    before = sorted((path, path.stat().st_size) for path in data.rglob("*") if path.is_file())
    monkeypatch.setenv("RECSYS_DATA_DIR", str(data))
    monkeypatch.setattr(sys, "argv", ["list_rules", "--readers", "20"])
    with pytest.raises(SystemExit) as ended:
        list_rules.main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    ours = told["ours"]
    assert ours["copies"]["most_in_a_list"] == 1
    assert ours["copies"]["own_alone"]
    assert ours["breaking"]["worst_place"] == 1
    assert ours["explored"]["minutes_to_the_first"] < 10
    assert ours["trace"] == {"articles": 10, "wrong": 0, "holds": True}
    assert ours["update"]["first"] == 0, "of fewer than a hundred articles copies alone are one story"
    assert (told["best"]["broken"], ended.value.code) == (sum(not rule["holds"] for rule in ours.values()), 1)
    assert sorted((path, path.stat().st_size) for path in data.rglob("*") if path.is_file()) == before
