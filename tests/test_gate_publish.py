"""The gate in front of publishing: a refused candidate waits with its reason until somebody forces it."""

import json
import math
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobs import publish as publish_job
from jobs.gate import command as gate_command
from jobs.releases import promote
from jobs.runner import Context, open_store
from recsys.errors import RefusedRelease
from recsys.gate.verdict import GateCheck, GateVerdict
from recsys.releases import ReleaseState
from recsys.runs.stages import STAGES, served_files
from tests.newsroom import SITE, Toy, published
from tests.service import copy_of, problem, serving
from tests.test_admin import Admin


def refusing(_: Context, name: str) -> GateVerdict:
    """A gate that says no to everything."""
    return GateVerdict(name, "before", [GateCheck("articles", False, "3", "at least 12")], {"auc": math.nan})


def test_a_refused_candidate_waits_with_its_reason_until_it_is_forced(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = copy_of(toy, tmp_path)
    context = Context(toy.settings.model_copy(update={"data_dir": tmp_path}), seed=1)
    releases, live = context.releases, str(toy.release().name)
    served = {stage: files for stage, files in served_files(*STAGES).items() if stage != "report"}
    monkeypatch.setattr(publish_job, "served_files", lambda *_: served)  # other files: another release
    monkeypatch.setattr(publish_job, "verdict_of", refusing)
    with pytest.raises(RefusedRelease, match="articles: 3, wanted at least 12") as told:
        published(context)
    assert told.value.exit_code == 2
    (name,) = set(releases.names()) - {live}
    assert f"python -m jobs promote {name} --force" in str(told.value)
    record = releases.state(name)
    assert (releases.current(), record.state, record.verdict["passed"]) == (live, ReleaseState.CANDIDATE, False)
    with closing(open_store(settings)) as store:
        (run,) = store.runs(limit=1)
        assert (run.state, run.release, "articles: 3" in str(run.error)) == ("failed", name, True)
    capsys.readouterr()
    gate_command(context, name, as_json=True)  # by the real gate, it is as good
    assert json.loads(capsys.readouterr().out)["passed"] is True
    with pytest.raises(RefusedRelease, match="articles: 3"):
        promote(context, name, "", force=False)
    assert releases.current() == live
    promote(context, name, "I know better", force=True)
    assert releases.current() == name
    with closing(open_store(settings)) as store:
        (entry,) = store.audit(SITE, 1)
    assert (entry.verb, "articles: 3" in entry.details["forced"]) == ("promote", True)


def test_a_better_candidate_is_published_by_the_gate_and_a_refused_one_by_force(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = copy_of(toy, tmp_path)
    context = Context(toy.settings.model_copy(update={"data_dir": tmp_path}), seed=1)
    releases, live = context.releases, str(toy.release().name)
    served = {stage: files for stage, files in served_files(*STAGES).items() if stage != "report"}
    monkeypatch.setattr(publish_job, "served_files", lambda *_: served)
    name = published(context)
    record = releases.state(name)
    assert (releases.current(), name != live, record.verdict["passed"]) == (name, True, True)
    assert record.verdict["live"] == live
    monkeypatch.setattr(publish_job, "verdict_of", refusing)
    monkeypatch.setattr(publish_job, "served_files", lambda *_: {**served, "index": ()})
    forced = published(context, force=True)
    assert (releases.current(), forced != name) == (forced, True)
    with closing(open_store(settings)) as store:
        (entry,) = store.audit(SITE, 1)
    assert (entry.verb, entry.details) == ("publish", {"forced": True})


def test_a_refused_release_is_made_live_over_the_api_by_force_alone(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    context = Context(settings, seed=1)
    name = context.releases.add(context.workspace, {"events": ("log.json",)}, {})
    context.releases.judged(name, "command ann", "refused by the gate: articles", {"passed": False})
    with serving(settings) as service:
        admin, path = Admin(service), f"/releases/{name}/activate"
        assert "articles" in problem(admin.post(path), 409, "refused-release")
        listed: Any = admin.get("/releases").json
        assert [one["name"] for one in listed["releases"] if one["refused"]] == [name]
        moved: Any = admin.post(f"{path}?force=true&reason=a+drill").json
        assert moved["current"] == name
        (entry,) = service.store.audit(SITE, 1)
    assert (entry.verb, entry.details["reason"]) == ("promote", "a drill")
    assert "articles" in entry.details["forced"]
