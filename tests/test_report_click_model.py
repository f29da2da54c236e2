"""The click model's page says how it learned, what it needs and whom it serves, and hides no change for the worse."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobs.evaluate import STAGES as JUDGED_STAGES
from jobs.evaluate import command
from jobs.previous import previous_evaluation
from recsys.dataset.impressions import HOLDOUT
from recsys.dataset.parquet import load_training_set
from recsys.evaluate.stage_files import PROBABILITY_FIGURES, evaluation
from recsys.metrics import RANKING_FIGURES, calibration_error, log_loss
from recsys.releases import Releases
from recsys.report.charts import curves, deviations
from recsys.report.click_model import Previous, click_model_page
from recsys.report.page import Change, Page, Part, Table, number, render
from recsys.workspace import Workspace, load_npy, write_json
from tests.newsroom import Toy

TRAINING: dict[str, Any] = {
    "epochs": [
        {"fit_loss": 0.5, "validation_loss": 0.6, "validation_auc": 0.55},
        {"fit_loss": 0.4, "validation_loss": 0.5, "validation_auc": 0.65},
        {"fit_loss": 0.3, "validation_loss": 0.5, "validation_auc": 0.65},
    ],
    "best_epoch": 2,
}
JUDGED: dict[str, Any] = {
    "auc": 0.75,
    "log_loss": 0.25,
    "calibration_error": 0.014,
    "impressions": 500,
    "rows": 4_000,
    "clicks": 400,
    "reliability": [
        {"predicted": 0.05, "observed": 0.06, "rows": 2_000},
        {"predicted": 0.15, "observed": 0.14, "rows": 2_000},
    ],
    "importance": [
        {"group": "items", "auc_lost": 0.125, "spread": 0.001},
        {"group": "history", "auc_lost": 0.0625, "spread": 0.002},
        {"group": "lifts", "auc_lost": -0.002, "spread": 0.0},
    ],
    "by_age": [
        {"from_hours": 0.0, "to_hours": 1.0, "rows": 1_500, "clicks": 200, "auc": 0.8125},
        {"from_hours": 1.0, "to_hours": 6.0, "rows": 1_000, "clicks": 100, "auc": 0.7},
        {"from_hours": 24.0, "to_hours": 72.0, "rows": 700, "clicks": 60, "auc": 0.7},
        {"from_hours": 168.0, "to_hours": None, "rows": 500, "clicks": 40, "auc": 0.625},
        {"from_hours": None, "to_hours": None, "rows": 300, "clicks": 0, "auc": None},
    ],
    "by_history": [
        {"from_clicks": 0, "to_clicks": 1, "rows": 999, "clicks": 90, "auc": 0.5625},
        {"from_clicks": 1, "to_clicks": 3, "rows": 1_001, "clicks": 110, "auc": 0.6875},
        {"from_clicks": 30, "to_clicks": None, "rows": 2_000, "clicks": 200, "auc": 0.8},
    ],
}
NOTHING: dict[str, Any] = {
    "auc": None,
    "log_loss": None,
    "calibration_error": None,
    "impressions": 0,
    "rows": 0,
    "clicks": 0,
    "reliability": [],
    "importance": [],
    "by_age": [],
    "by_history": [],
}


def html(
    folder: Path,
    found: dict[str, Any] | None = JUDGED,
    training: dict[str, Any] = TRAINING,
    simulated: bool = False,
    previous: Previous | None = None,
) -> str:
    folder.mkdir(exist_ok=True)
    write_json(folder / "training.json", training)
    if found is not None:
        write_json(folder / "judged.json", found)
    return render("Site", [click_model_page(folder, simulated, previous)])["click_model.html"]


def cells(text: str, first: str) -> list[str]:
    """The other cells of the last table row that begins so."""
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    return next(row[1:] for row in reversed(found) if row[:1] == [first])


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(JUDGED) | changes


def empty_parts(text: str) -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>\n(?=<h2>|</html>)", text)


def test_figures_stand_beside_what_no_model_would_reach(tmp_path: Path) -> None:
    text = html(tmp_path)
    assert "4,000 cards of 500 lists" in text
    assert "400 (10.0%) were clicked" in text
    assert cells(text, "AUC, over all cards")[:2] == ["0.750", "0.500"]
    assert cells(text, "log loss")[:2] == ["0.250", "0.325"]  # the entropy of one click in ten
    # by hand: 0.798 * (sqrt(.06 * .94 / 2000) + sqrt(.14 * .86 / 2000)) / 2
    assert cells(text, "calibration error")[:2] == ["0.014", "0.005"]
    assert "Calibration error (ECE) 0.014" in text


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_readers_are_called_simulated_and_real_ones_are_not(tmp_path: Path, simulated: bool) -> None:
    assert ("simulated" in html(tmp_path, simulated=simulated)) == simulated


def test_curves_mark_the_kept_epoch(tmp_path: Path) -> None:
    text = html(tmp_path)
    assert "3 epochs; the weights after epoch 2 were kept." in text
    assert text.count(">kept</text>") == 2  # in the picture of the loss and in that of the AUC
    assert ("Loss by epoch" in text, "AUC by epoch" in text) == (True, True)
    text = html(tmp_path, training={"epochs": [{"fit_loss": 1.0}] * 3, "best_epoch": 3})
    assert ("Loss by epoch" in text, "AUC by epoch" in text) == (True, False)


def test_what_it_needs_is_shown_by_group_the_largest_in_colour(tmp_path: Path) -> None:
    text = html(tmp_path)
    for shown in (">items</text>", ">0.125</text>", ">−0.002</text>", "history is the list of the reader"):
        assert shown in text, shown
    assert "context is who reads" not in text
    assert "Nothing at all changes" not in text
    assert "no AUC to lose" in html(tmp_path, changed(importance=[]))


def test_groups_that_the_model_does_not_read_are_named_and_not_drawn(tmp_path: Path) -> None:
    idle = [{"group": group, "auc_lost": 0.0, "spread": 0.0} for group in ("ids", "context")]
    text = html(tmp_path, changed(importance=[*JUDGED["importance"], *idle]))
    assert "Nothing at all changes without context, ids." in text
    assert ">ids</text>" not in text
    alone = html(tmp_path, changed(importance=idle))
    assert "Nothing at all changes without context, ids." in alone


def test_ages_and_histories_are_named_and_counted_and_cold_readers_stand_apart(tmp_path: Path) -> None:
    text = html(tmp_path)
    for label in (
        "under 1 h old (1,500)",
        "1–6 h old (1,000)",
        "1–3 days old (700)",
        "over 7 days old (500)",
        "age unknown (300)",
        "cold readers (999)",
        "1–2 clicks (1,001)",
        "30 clicks or more (2,000)",
    ):
        assert f">{label}</text>" in text, label
    assert "no age and no history" in html(tmp_path, changed(by_age=[], by_history=[]))


def test_differences_to_the_previous_release_are_signed_and_judged(tmp_path: Path) -> None:
    before = changed(auc=0.7, log_loss=0.2, calibration_error=0.014, rows=3_000)
    text = html(tmp_path, previous=Previous("20261120T0000Z-abcd", before))
    assert "20261120T0000Z-abcd" in text
    assert cells(text, "AUC")[:3] == ["0.750", "0.700", "+0.050 better"]
    assert cells(text, "log loss") == ["0.250", "0.200", "+0.050 worse", "–"]
    assert cells(text, "cards")[:3] == ["4,000", "3,000", "+1,000"]
    assert cells(text, "AUC, cold readers")[2] == "±0.000"
    assert cells(text, "AUC, age unknown")[:3] == ["–", "–", "–"]
    assert '<td class="better">+0.050 better</td>' in text
    assert '<td class="worse">+0.050 worse</td>' in text


def test_a_missing_comparison_says_plainly_what_is_missing(tmp_path: Path) -> None:
    assert "There is no previous release to compare with." in html(tmp_path)
    for one in (None, NOTHING):
        assert "The previous release, old, holds no judgement" in html(tmp_path, previous=Previous("old", one))
    unjudged = html(tmp_path / "a", None, previous=Previous("old", JUDGED))
    assert "was not judged, so there is nothing to compare" in unjudged


@pytest.mark.parametrize("found", [None, NOTHING])
def test_a_page_about_nothing_says_why_in_every_part(tmp_path: Path, found: dict[str, Any] | None) -> None:
    text = html(tmp_path, found, {"epochs": [], "best_epoch": 0})
    assert "There was no click to learn one from" in text
    assert ("No list was held out" in text) == (found is not None)
    assert "<svg" not in text
    assert empty_parts(text) == []


def test_one_label_alone_is_drawn_without_an_auc(tmp_path: Path) -> None:
    spans = {
        name: [one | {"auc": None, "clicks": 0} for one in copy.deepcopy(JUDGED[name])]
        for name in ("by_age", "by_history")
    }
    zero = [{"predicted": 0.0, "observed": 0.0, "rows": 4_000}]
    one = changed(auc=None, clicks=0, importance=[], reliability=zero, **spans)
    text = html(tmp_path, one, previous=Previous("old", JUDGED))
    assert cells(text, "AUC, over all cards")[0] == "–"
    assert cells(text, "AUC") == ["–", "0.750", "–", "–"]
    assert empty_parts(text) == []


@pytest.mark.parametrize(
    ("change", "written", "style"),
    [
        (Change(0.0126, True), "+0.013 better", "better"),
        (Change(-0.5, False), "−0.500 worse", "worse"),
        (Change(0.0001, True), "±0.000", ""),
        (Change(-1234), "−1,234", ""),
        (Change(0), "±0", ""),
    ],
)
def test_a_change_is_written_with_its_sign_and_coloured(change: Change, written: str, style: str) -> None:
    assert number(change) == written
    text = render("Site", [Page("index", "A", "B", [Part("C", blocks=[Table(["d"], [[change]])])])])["index.html"]
    assert f'<td class="{style}">{written}</td>' in text


def test_bars_and_curves_are_drawn_of_what_is_missing_or_the_same() -> None:
    assert ">–</text>" in deviations({"a": float("nan"), "b": 0.7}, [float("nan"), 0.1], "AUC", 0.5)
    assert ">0.500</text>" in deviations({"a": 0.5}, [0.0], "AUC", 0.5)
    assert ">0.000</text>" in deviations({"a": -0.0001, "b": 0.1}, [0.0, 0.0], "AUC lost"), "and not minus nothing"
    assert ">fit</text>" in curves({"fit": [1.0, float("nan")]}, "epoch", "loss")


def published(folder: Path, found: dict[str, Any] | None) -> tuple[Releases, Path]:
    """Publish a click model with this judgement; the releases, and the judgement's file in the workspace."""
    workspace, releases = Workspace(folder / "work"), Releases(folder / "releases")
    with workspace.write("ctr", "mark", {}) as out:
        write_json(out / "model.json", {"judged": found is not None})
        if found is not None:
            write_json(out / "judged.json", found)
    releases.publish(workspace, {"ctr": ("*",)}, {})
    return releases, folder / "work" / "ctr" / "judged.json"


def test_the_previous_release_is_the_live_one_unless_it_was_made_from_this_very_model(tmp_path: Path) -> None:
    releases, file = published(tmp_path, JUDGED)
    first = releases.current()
    assert previous_evaluation(Releases(tmp_path / "none"), file) is None
    assert previous_evaluation(releases, file) is None, "the live release is this model"
    releases, file = published(tmp_path, changed(auc=0.8))
    assert previous_evaluation(releases, file) == (str(first), JUDGED), "so that drawing again draws the same"
    write_json(file, changed(auc=0.9))
    assert previous_evaluation(releases, file) == (str(releases.current()), changed(auc=0.8))


def test_a_previous_release_without_a_judgement_or_with_other_bytes_is_named_and_not_believed(tmp_path: Path) -> None:
    releases, file = published(tmp_path, None)
    write_json(file, JUDGED)
    assert previous_evaluation(releases, file) == (str(releases.current()), None)
    releases, file = published(tmp_path, JUDGED)
    write_json(file, changed(auc=0.9))
    inside = releases.root / str(releases.current()) / "ctr" / "judged.json"
    inside.chmod(0o644)
    inside.write_text(inside.read_text().replace("0.75", "0.99"))
    assert previous_evaluation(releases, file) == (str(releases.current()), None)


def test_evaluate_tells_log_loss_and_calibration_error_of_the_click_model(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    command(toy.context, as_json=True)
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = load_training_set(toy.context.workspace.path("features") / "features.parquet")
    label, scores = rows.label[rows.part == HOLDOUT], load_npy(toy.context.workspace.path("ctr") / "holdout.npy")
    assert figures["ctr"]["log_loss"] == pytest.approx(log_loss(label, scores))
    assert figures["ctr"]["calibration_error"] == pytest.approx(calibration_error(label, scores))
    assert set(figures["ctr"]) == {*RANKING_FIGURES, *PROBABILITY_FIGURES, "impressions"}
    assert not set(PROBABILITY_FIGURES) & set(figures["random"])
    command(toy.context, as_json=False)
    assert "calibration error" in " ".join(capsys.readouterr().out.split())
    folders = {stage: toy.context.workspace.path(stage) for stage in JUDGED_STAGES}
    assert evaluation(folders, toy.context.seed)[0]["ctr"]["log_loss"] == figures["ctr"]["log_loss"]
