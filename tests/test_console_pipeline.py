"""The pipeline for operators: why a stage is out of date, where it stands in the picture, and starting it."""

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys.runs.pipeline import StaleKind, StaleReason, pipeline
from recsys.runs.stages import STAGES
from recsys.store import Article, Run, Scope, Store, hashed_password, passwords
from recsys.units import now_ms
from recsys.workspace import Workspace
from tests.newsroom import SITE
from tests.service import Service, four
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import done
from web.console.pipeline import BOX_HEIGHT, BOX_WIDTH, STEP_X, drawing
from web.console.words import words


def make(workspace: Workspace, stage: str, *inputs: str, text: str = "", **facts: Any) -> None:
    """Write a stage from what stands there now; another text gives it another digest."""
    made_from = {name: workspace.record(name).digest for name in inputs}
    with workspace.write(stage, "mark", made_from, facts) as out:
        (out / "log.json").write_text(text or json.dumps({"through": 0, "change": 0}))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Four articles, two stages, and an operator and a viewer."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path) as service:
        for role in (Scope.OPERATOR, Scope.VIEWER):
            service.store.set_person(role.value, role, SITE, hashed_password(WORDS))
        yield service


def enter(site: Service, role: str) -> Any:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": role, "password": WORDS}, headers=PAGE)
    return browser


def test_a_stage_is_out_of_date_by_its_inputs_theirs_and_the_store(tmp_path: Path) -> None:
    workspace, store = Workspace(tmp_path / "work"), Store.open(f"sqlite:///{tmp_path}/store.db")
    store.put_articles([Article("a", SITE, title="t", body="")])

    def stale() -> dict[str, tuple[StaleReason, ...]]:
        return {one.name: one.stale for one in pipeline(workspace, store, SITE) if one.made_at is not None}

    assert stale() == {}
    assert {one.stale for one in pipeline(workspace, store, SITE)} == {(StaleReason(StaleKind.NOT_MADE),)}
    make(workspace, "events", text=json.dumps({"through": 0, "change": store.last_change(SITE)}), articles=1)
    make(workspace, "tokens", "events", text="1", seconds=2.5, peak_mib=7, tokens=9)
    make(workspace, "words", "tokens", text="1")
    assert stale() == {"events": (), "tokens": (), "words": ()}
    made = {one.name: one for one in pipeline(workspace, store, SITE)}["tokens"]
    assert (made.seconds, made.peak_mib, made.counts, made.inputs, made.size) == (2.5, 7, {"tokens": 9}, ("events",), 1)
    assert abs((made.made_at or 0) - now_ms()) < 60_000
    store.put_articles([Article("b", SITE, title="t", body="")])
    assert stale()["events"] == (StaleReason(StaleKind.STORE_NEWER, events=0, articles=1),)
    assert stale()["words"] == (StaleReason(StaleKind.INPUT_STALE, "tokens"),)
    make(workspace, "events", text=json.dumps({"through": 0, "change": store.last_change(SITE)}))
    assert stale()["tokens"] == (StaleReason(StaleKind.INPUT_NEWER, "events"),)
    make(workspace, "tokens", "events", text="2")
    assert stale() == {"events": (), "tokens": (), "words": (StaleReason(StaleKind.INPUT_NEWER, "tokens"),)}
    store.close()


def test_stages_stand_behind_what_they_were_made_from_and_no_line_says_what_others_imply() -> None:
    inputs = {"events": [], "tokens": ["events"], "stories": ["events"], "words": ["events", "tokens"]}
    stages = [{"name": name, "inputs": made_from, "made_at": 1} for name, made_from in inputs.items()]
    drawn = drawing([*stages, {"name": "ctr", "inputs": [], "made_at": None}])
    places = {box.stage["name"]: ((box.x - 4) // STEP_X, box.y > 4) for box in drawn.boxes}
    assert places == {
        "events": (0, False),
        "tokens": (1, False),
        "stories": (1, True),
        "words": (2, False),
        "ctr": (3, False),
    }
    assert len(drawn.lines) == 3, "events to words goes by tokens"
    assert drawn.lines[0].startswith(f"M{4 + BOX_WIDTH} {4 + BOX_HEIGHT // 2}H")
    assert drawn.width == 3 * STEP_X + BOX_WIDTH + 8


def test_the_page_shows_the_stages_says_why_and_starts_one(site: Service) -> None:
    browser = enter(site, "operator")
    assert words("en")["no_stages"] in html.unescape(browser.get("/console/pipeline?lang=en").text)
    workspace = Workspace(site.settings.data_dir / "work")
    make(workspace, "events", articles=4)
    make(workspace, "tokens", "events", text="1", tokens=1234)
    told = html.unescape(browser.get("/console/pipeline?lang=en").text)
    assert "<svg" in told
    assert "0 events have come, and 4 articles have come or changed since." in told
    assert "Made from what is out of date: events." in told
    assert "1,234 tokens" in told
    started = html.unescape(browser.post("/console/pipeline", data={"job": "tokens"}, headers=PAGE).text)
    assert "tokens is queued" in started
    run: Run = site.store.runs(1, SITE)[0]
    assert (run.job, run.asked_by) == ("tokens", "person operator")
    site.store.update_run(run.id, state="running", progress={"stage": "tokens"})
    stages = {one["name"]: one for one in done(site, "GET", "/pipeline")["stages"]}
    assert (stages["tokens"]["run"], stages["events"]["run"]) == (run.id, None)
    assert list(stages) == list(STAGES)
    assert "tokens,20" in browser.get("/console/pipeline?format=csv").text
    assert 'value="tokens"' not in enter(site, "viewer").get("/console/pipeline").text


def test_each_stage_is_explained_in_both_languages() -> None:
    for lang in ("zh", "en"):
        assert {f"stage_{name}" for name in STAGES} | {f"stale_{kind}" for kind in StaleKind} <= words(lang).keys()
