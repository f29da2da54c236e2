"""Experiments for operators: a verdict in a sentence, looks over time, begun by a form, and stopped."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys.experiments.assignment import arm_of
from recsys.experiments.looks import MAX_LOOKS, look_times
from recsys.store import ExperimentArm, Exposure, Scope, StoredExperiment, hashed_password, passwords
from recsys.units import DAY_MS, now_ms
from tests.newsroom import SITE
from tests.service import Service, four
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import done
from web.console.verdicts import verdicts
from web.console.words import words


def report(low: float | None, high: float | None, *, broken: str = "", breach: bool = False) -> dict[str, Any]:
    mean = None if low is None or high is None else (low + high) / 2
    effect = {
        "measure": "click_rate",
        "arm": "two",
        "effect": {"mean": mean, "low": low, "high": high},
        "breach": breach,
    }
    return {"broken": broken, "effects": [] if broken else [effect], "measured": {"control": 80, "two": 49}}


@pytest.mark.parametrize(
    ("told", "word", "says"),
    [
        (report(0.01, 0.03), "verdict_better", "by +2.00 percentage points (+1.00 to +3.00)"),
        (report(-0.03, -0.01), "verdict_worse", "by -2.00 percentage points"),
        (report(-0.01, 0.03), "verdict_open", "No difference"),
        (report(0.0, 0.0), "verdict_open", "No difference"),
        (report(None, None), "verdict_early", "has 49 readers whose 7 days are over"),
        (report(0.0, 1.0, broken="readers were lost"), "verdict_broken", "readers were lost"),
    ],
)
def test_a_verdict_is_a_sentence(told: dict[str, Any], word: str, says: str) -> None:
    (said,) = verdicts(told, 7)
    assert said.word == word
    assert says in words("en")[word].format(**said.facts)
    assert words("zh")[word].format(**said.facts)


def test_a_breach_is_said_beside_the_click_rate() -> None:
    assert [one.word for one in verdicts(report(-0.03, -0.01, breach=True), 7)] == ["verdict_worse", "verdict_breach"]


def test_looks_are_evenly_apart_no_two_within_a_day_and_eight_at_most() -> None:
    assert look_times(10, 9) == []
    assert look_times(10, 10) == [10]
    assert look_times(0, 3 * DAY_MS) == [0, DAY_MS, 2 * DAY_MS, 3 * DAY_MS]
    assert look_times(0, DAY_MS // 2) == [0, DAY_MS // 2]
    many = look_times(0, 70 * DAY_MS)
    assert (len(many), many[0], many[1], many[-1]) == (MAX_LOOKS, 0, 10 * DAY_MS, 70 * DAY_MS)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Four articles and an operator."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path) as service:
        service.store.set_person("operator", Scope.OPERATOR, SITE, hashed_password(WORDS))
        yield service


def enter(site: Service) -> Any:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": "operator", "password": WORDS}, headers=PAGE)
    return browser


def send(browser: Any, path: str, **form: str) -> str:
    answer = browser.post(path, data=form, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_an_experiment_is_begun_by_a_form_and_stopped_with_a_reason(site: Service) -> None:
    browser = enter(site)
    assert words("en")["no_experiments"] in html.unescape(browser.get("/console/experiments?lang=en").text)
    form = {"name": "fewer", "window_days": "3", "name0": "control", "share0": "50", "name1": "two", "share1": "25"}
    wrong = send(browser, "/console/experiments", **form, trending1="many")
    assert 'class="notice bad"' in wrong
    assert 'name="share1" type="number" min="1" max="99" step="any" value="25"' in wrong, "what was typed stays"
    assert site.store.experiments(SITE) == []
    assert "fewer has begun" in send(browser, "/console/experiments", **form, max_per_category1="2")
    (made,) = site.store.experiments(SITE)
    assert made.arms == (ExperimentArm("control", 0.5, {}), ExperimentArm("two", 0.25, {"max_per_category": 2}))
    assert (made.window_days, made.started_by) == (3, "person operator")
    told = html.unescape(browser.get("/console/experiments/fewer").text)
    assert "The smallest arm has 0 readers whose 3 days are over" in told
    assert "fewer is stopped" in send(browser, "/console/experiments/fewer/stop", reason="enough")
    assert site.store.audit(SITE, 1)[0].details == {"reason": "enough"}
    assert "/stop" not in browser.get("/console/experiments/fewer").text
    assert browser.get("/console/experiments/none").status_code == 404


def test_the_picture_has_the_interval_of_each_look(site: Service) -> None:
    now, arms = now_ms(), (ExperimentArm("control", 0.5, {}), ExperimentArm("two", 0.5, {"trending": 9}))
    one = StoredExperiment(SITE, "past", "salt", arms, 1, now - 4 * DAY_MS, "x")
    site.store.start_experiment(one)
    readers = {f"r{n}": arm_of("salt", f"r{n}", [0.5, 0.5]) for n in range(160)}
    exposed = [Exposure(reader, arm, one.started_at + 60_000) for reader, arm in readers.items() if arm is not None]
    site.store.add_exposures(SITE, "past", exposed)
    looks = done(site, "GET", "/experiments/past/looks")["looks"]
    assert [look["at"] for look in looks] == look_times(one.started_at + DAY_MS, looks[-1]["at"])
    measured = [sum(look["report"]["measured"].values()) for look in looks]
    assert (measured[0], measured[-1]) == (0, 160), "a reader counts once their window is over"
    told = enter(site).get("/console/experiments/past/looks?measure=clicks").text
    found = re.search(r'data-looks="([^"]*)"', told)
    assert found is not None
    data = json.loads(html.unescape(found[1]))
    assert (data["scale"], list(data["arms"])) == (1, ["two"])
    times = [row[0] for row in data["arms"]["two"]]
    assert [abs(at - look["at"]) < 60_000 for at, look in zip(times, looks[1:], strict=True)] == [True] * len(times)
    assert told.count("<tr>") == len(looks[1:]) + 1
    early = StoredExperiment(SITE, "early", "salt", arms, 1, now, "x")
    site.store.stop_experiment(SITE, "past", "x", now)
    site.store.start_experiment(early)
    assert words("en")["no_looks"] in html.unescape(enter(site).get("/console/experiments/early/looks?lang=en").text)
