"""The benchmark of the list's rules, on the toy newsroom: what it counts, and that it says what is broken."""

import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks import list_rules
from jobs.runner import Context, open_store
from recsys.catalogue import eligibility
from recsys.serving.live import LiveState
from recsys.settings import Settings
from tests.newsroom import Toy
from tests.service import plain_settings

AT = 1_760_000_000_000


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


class Untrained(list_rules.Newsroom):
    """A site without a release, of thirty articles of its own."""

    def __init__(self, folder: Path) -> None:
        self.settings, self._sent, self.now, self.readers = plain_settings(folder), 0, AT, ["ann"]
        self._store = open_store(self.settings)
        releases = Context(self.settings, seed=1).releases
        self.live = LiveState(self.settings, self._store, releases, clock=lambda: self.now)
        for number in range(30):
            self.put(f"own-{number}", f"Own piece number {number}", f"Of thing{number} and matter{number}")


@pytest.mark.parametrize(("share", "holds"), [(eligibility.MAX_SOURCE_SHARE, True), (1.0, False)])
def test_an_agency_that_everybody_opens_has_half_of_a_list(
    share: float, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Untrained(tmp_path)
    monkeypatch.setattr(eligibility, "MAX_SOURCE_SHARE", share)
    told = list_rules.sources(room, [None, "ann", "bob"], 10)
    room.close()
    assert (told["most_in_a_list"] <= 5) == holds
