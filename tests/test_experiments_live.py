"""Experiments, served: an arm's readers get its lists, exposure is the server's own, and what is broken is told."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from jobs.experiment import command
from jobs.runner import Context
from recsys.errors import InputError, UnknownName
from recsys.experiments.arms import arm_sections, checked_experiment
from recsys.experiments.assignment import arm_of
from recsys.experiments.effects import chi_square_tail
from recsys.experiments.report import experiment_report
from recsys.recommend.config import RecommendConfig
from recsys.store import ExperimentArm, Exposure, ReaderOutcome, StoredExperiment
from recsys.units import DAY_MS, now_ms
from tests.newsroom import SITE
from tests.service import Service, article, fill, plain_settings, problem, serving
from tests.test_admin import Admin

ARMS: list[dict[str, Any]] = [
    {"name": "control", "share": 0.5},
    {"name": "one", "share": 0.5, "settings": {"max_per_category": 1}},
]
BASE = RecommendConfig()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = plain_settings(tmp_path)
    settings = settings.model_copy(update={"recommend": RecommendConfig(explore_impressions=0)})  # each list the same
    newest = now_ms() - DAY_MS // 24
    fill(settings, *[article(f"a{n:02d}", category="xyz"[n // 6], published_at=newest - n) for n in range(18)])
    with serving(settings) as running:
        yield running


def served(service: Service, n: int = 40) -> dict[str, list[str]]:
    """Lists of readers."""
    return {f"reader-{i}": service.ids(reader=f"reader-{i}", k=6) for i in range(n)}


def test_an_arm_s_readers_get_its_lists_and_the_others_the_site_s_until_it_is_stopped(service: Service) -> None:
    admin, before = Admin(service), served(service)
    made = admin.post("/experiments", {"name": "fewer", "arms": ARMS})
    assert (made.status_code, made.json["window_days"]) == (201, 7)  # type: ignore[index]
    assert served(service) == before, "from the next poll on"
    service.live.follow()
    (experiment,) = service.store.experiments(SITE)
    arms = {reader: arm_of(experiment.salt, reader, [0.5, 0.5]) for reader in before}
    now = served(service)
    assert set(arms.values()) == {0, 1}
    assert all((now[reader] == before[reader]) is (arm == 0) for reader, arm in arms.items())
    service.ids(k=6)  # a stranger takes no part
    assert service.store.exposed_readers(SITE, "fewer") == {}
    service.live.follow()
    exposed = service.store.exposed_readers(SITE, "fewer")
    assert exposed == {arm: list(arms.values()).count(arm) for arm in (0, 1)}
    told: Any = admin.get("/experiments/fewer").json
    assert told["report"]["exposed"] == {"control": exposed[0], "one": exposed[1]}
    assert (told["report"]["measured"], told["report"]["broken"]) == ({"control": 0, "one": 0}, "")
    assert admin.post("/experiments/fewer/stop?reason=enough").json["stopped_by"] == "token editor"  # type: ignore[index]
    service.live.follow()
    assert served(service) == before
    problem(admin.get("/experiments/none"), 404, "unknown-name")
    assert [one["name"] for one in admin.get("/experiments").json["experiments"]] == ["fewer"]  # type: ignore[index]


def test_whoever_switched_personalisation_off_takes_no_part(service: Service) -> None:
    Admin(service).post("/experiments", {"name": "e", "arms": ARMS})
    service.store.choose_personalisation(SITE, "reader-1", on=False)
    service.live.follow()
    service.ids(reader="reader-1", k=6)
    service.live.follow()
    assert service.store.exposed_readers(SITE, "e") == {}


def test_exposures_of_the_last_seconds_are_written_when_the_service_ends(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, article("a"))
    with serving(settings) as running:
        Admin(running).post("/experiments", {"name": "e", "arms": ARMS})
        running.live.follow()
        running.ids(reader="ann")
    with serving(settings) as again:
        assert sum(again.store.exposed_readers(SITE, "e").values()) == 1


def test_an_experiment_whose_arm_cannot_be_served_any_more_changes_nothing_and_says_so(service: Service) -> None:
    before, admin = served(service), Admin(service)
    arms = (ExperimentArm("control", 0.5, {}), ExperimentArm("gone", 0.5, {"a_setting_of_before": 3}))
    service.store.start_experiment(StoredExperiment(SITE, "old", "salt", arms, 7, now_ms(), "token desk"))
    service.live.follow()
    assert served(service) == before
    service.live.follow()
    assert service.store.exposed_readers(SITE, "old") == {}
    report: Any = admin.get("/experiments/old").json
    assert "an arm cannot be served" in report["report"]["broken"]
    assert report["report"]["effects"] == []
    assert admin.post("/experiments/old/stop").status_code == 200


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "no spaces"}, "no spaces"),
        ({"arms": ARMS[:1]}, "2 to 8 arms"),
        ({"arms": [ARMS[0], ARMS[0]]}, "different names"),
        ({"arms": ARMS[::-1]}, "control"),
        ({"arms": [ARMS[0], {**ARMS[1], "share": 0.6}]}, "sum to at most 1"),
        ({"arms": [ARMS[0], {**ARMS[1], "share": 0.0}]}, "shares"),
        ({"arms": [ARMS[0], {**ARMS[1], "settings": {}}]}, "differ"),
        ({"arms": [ARMS[0], {**ARMS[1], "settings": {"max_per_category": 0}}]}, "max_per_category"),
        ({"arms": [ARMS[0], {**ARMS[1], "settings": {"release": "x"}}]}, "release"),
        ({"window_days": 0}, "window"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_and_says_what_is_wrong(
    service: Service, change: dict[str, Any], named: str
) -> None:
    asked = {"name": "e", "arms": ARMS, "window_days": 7} | change
    assert named in problem(Admin(service).post("/experiments", asked), 422, "invalid")
    assert service.store.experiments(SITE) == []


def drawn(n: int, effect: float, lost: float = 0.0) -> tuple[StoredExperiment, list[ReaderOutcome]]:
    """Readers of whom each arm's click as often as before, the treatment's more by a share; some of these are lost."""
    arms = tuple(ExperimentArm(arm["name"], 0.5, arm.get("settings", {})) for arm in ARMS)
    experiment, rng = StoredExperiment(SITE, "e", "s", arms, 7, 0, ""), np.random.default_rng(4)
    rows = []
    for number in range(n):
        arm, keen = arm_of("s", f"r{number}", [0.5, 0.5]), rng.gamma(2.0, 2.0)
        clicks, past = rng.poisson(keen * (1 + effect * arm)), rng.poisson(keen)
        if not (arm and rng.random() < lost):
            sums = (clicks, 40, 0, 1_000, 3, 2)
            rows.append(ReaderOutcome(f"r{number}", arm, *sums, past, *sums[1:]))
    return experiment, rows


def reported(experiment: StoredExperiment, rows: list[ReaderOutcome], **more: Any) -> Any:
    exposed = {arm: sum(row.arm == arm for row in rows) for arm in (0, 1)}
    return experiment_report(experiment, exposed, {}, [rows[:1_000], rows[1_000:]], **more)


def test_a_planted_effect_is_found_with_less_variance_by_the_past_and_none_where_there_is_none() -> None:
    report = reported(*drawn(3_000, 0.3))
    by = {one.measure: one for one in report.effects}
    assert by["clicks"].effect.low > 0
    assert by["clicks"].variance_kept < 0.8
    assert not by["clicks"].breach
    assert not by["days"].effect.excludes_zero
    nothing = {one.measure: one for one in reported(*drawn(3_000, 0.0)).effects}
    assert not nothing["clicks"].effect.excludes_zero
    worse = {one.measure: one for one in reported(*drawn(3_000, -0.5)).effects}
    assert (worse["click_rate"].breach, worse["clicks"].breach) == (True, False), "click rate is guarded"


def test_a_broken_exposure_is_told_and_no_figure_with_it() -> None:
    report = reported(*drawn(3_000, 0.0, lost=0.2))
    assert (report.effects, "shares that were meant" in report.broken) == ([], True)
    assert json.loads(json.dumps(report.as_json()))["effects"] == []
    experiment, rows = drawn(300, 0.0)
    swapped = [row._replace(arm=1 - row.arm) if row.reader == "r7" else row for row in rows]
    assert "1 readers were served by another arm" in reported(experiment, swapped).broken
    whole = reported(experiment, rows, odd=frozenset(["r1", "r2"]))
    assert sum(whole.measured.values()) == 298


def test_the_tail_of_chi_square_is_that_of_the_tables() -> None:
    for freedom in range(1, 8):
        for distance in (0.01, 0.5, 3.0, 10.83, 40.0):
            assert chi_square_tail(distance, freedom) == pytest.approx(chi2.sf(distance, freedom), rel=1e-9)


def test_the_command_prints_a_table_of_arms_and_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = plain_settings(tmp_path)
    context, past = Context(settings, seed=1), now_ms() - 9 * DAY_MS
    with serving(settings) as running, closing(running.store):
        experiment = checked_experiment(SITE, "e", ARMS, BASE, window_days=7, by="token desk", now=past)
        running.store.start_experiment(experiment)
        rows = [Exposure(f"r{n}", arm_of(experiment.salt, f"r{n}", [0.5, 0.5]), past) for n in range(200)]
        running.store.add_exposures(SITE, "e", rows)
    command(context, "e", as_json=False)
    told = capsys.readouterr().out
    assert "e: runs" in told
    assert "click_rate" in told
    assert "max_per_category" in told
    command(context, "e", as_json=True)
    assert sum(json.loads(capsys.readouterr().out)["measured"].values()) == 200
    command(context, None, as_json=False)
    assert "control 50%, one 50%" in capsys.readouterr().out
    with pytest.raises(UnknownName):
        command(context, "none", as_json=False)


def test_an_arm_changes_its_own_settings_and_no_other() -> None:
    experiment, _ = drawn(1, 0.0)
    control, one = arm_sections(experiment, BASE)
    assert (control, one.max_per_category) == (BASE, 1)
    assert one.model_dump() | {"max_per_category": BASE.max_per_category} == BASE.model_dump()
    with pytest.raises(InputError, match="settings of lists"):
        checked_experiment(SITE, "e", [ARMS[0], {**ARMS[1], "settings": {"k": 3}}], BASE, window_days=7, by="", now=0)
