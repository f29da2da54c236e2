"""The job that fits the click model: what it writes, what it starts from, and what it does after a crash."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jobs.ctr
import jobs.ctr_resources
import recsys.ctr.training
from jobs.runner import Context, run_stage
from jobs.stages import stage_of
from recsys.ctr.model import ClickModel
from recsys.ctr.training import fit
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.dataset.parquet import ROW_GROUP_ROWS, load_training_set, save_training_set
from recsys.dataset.training_set import TrainingSet
from recsys.features import CANDIDATE_FIELDS, COLUMN, HISTORY, LIST_FIELDS, NAMES
from recsys.metrics import calibration_error
from recsys.settings import Settings
from recsys.workspace import Workspace, load_npy, read_json

LISTS, SHOWN, HOUR_MS = 600, 6, 3_600_000


def some_set(until: int = LISTS, clicks: bool = True) -> TrainingSet:
    """Lists of six, one an hour; a click is likelier the higher the cosine of the item vectors."""
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((LISTS * SHOWN, len(NAMES))).astype(np.float32)
    matrix[:, COLUMN["click_rate_total"]] *= 6
    odds = 2 * matrix[:, COLUMN["item_cosine"]] - 2
    label = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))) & clicks
    number = np.repeat(np.arange(LISTS, dtype=np.int32), SHOWN)
    part = np.full(LISTS, FIT, np.int8)
    part[until * 6 // 10 :], part[until * 8 // 10 :] = VALIDATION, HOLDOUT
    made = TrainingSet(
        matrix=matrix,
        ids=np.column_stack([rng.integers(1, 30, len(odds)), np.ones(len(odds), np.int64)]),
        context=np.ones((LISTS, len(LIST_FIELDS)), np.int64),
        history=rng.integers(1, 30, (LISTS, HISTORY)),
        impression=number,
        label=label.astype(np.int8),
        position=np.full(len(odds), -1, np.int16),
        time=(1_000 + number.astype(np.int64)) * HOUR_MS,
        part=part[number],
    )
    assert made.ids.shape[1] == len(CANDIDATE_FIELDS)
    return made.where(number < until)


def newsroom(folder: Path, rows: TrainingSet, block: int = ROW_GROUP_ROWS, **values: Any) -> Settings:
    """A data folder that holds features and nothing else."""
    settings = Settings(data_dir=folder)
    quick = {"epochs": 4, "batch_size": 48, "click_rate_share": 0.0, "device": "cpu"}
    settings = settings.model_copy(update={"ctr": settings.ctr.model_copy(update=quick | values)})
    with Workspace(folder / "work").write("features", str(len(rows)), {}) as out:
        save_training_set(rows, out / "features.parquet", {"drawn": None}, block=block)
    return settings


def made(settings: Settings) -> Path:
    """Run the stage anew; returns its folder."""
    run_stage(Context(settings, seed=1, fresh=True), *stage_of("ctr"))
    return settings.data_dir / "work" / "ctr"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "stage.json"}


def test_the_stage_writes_a_model_its_curves_and_its_judgement_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    settings = newsroom(tmp_path, some_set(), fields=("article", "history"))
    folder = made(settings)
    first = bytes_of(folder)
    files = {"model.json", "model.safetensors", "vocabulary.npy", "training.json", "judged.json", "holdout.npy"}
    assert set(first) == files
    assert bytes_of(made(settings)) == first
    rows = load_training_set(tmp_path / "work" / "features" / "features.parquet")
    label, score = rows.label[rows.part == HOLDOUT], load_npy(folder / "holdout.npy")
    judged, training = read_json(folder / "judged.json"), read_json(folder / "training.json")
    assert judged["calibration_error"] == pytest.approx(calibration_error(label, score))
    assert judged["auc"] > 0.7
    names = {"fit_loss", "learning_rate", "validation_auc", "validation_loss"}
    assert [set(epoch) for epoch in training["epochs"]] == [names] * len(training["epochs"])
    assert 1 <= training["best_epoch"] <= len(training["epochs"]) <= 4
    model = ClickModel.load(folder, NAMES)
    assert model.calibration is not None
    assert model.learned_until == rows.time.max()
    facts = read_json(folder / "stage.json")["facts"]
    assert facts["rows_per_second"] > 0
    assert not (tmp_path / "work" / jobs.ctr_resources.CHECKPOINTS).exists()


def test_held_out_probabilities_are_right_though_the_model_was_fitted_by_a_softmax(tmp_path: Path) -> None:
    errors = {}
    for kind in ("none", "isotonic"):
        folder = made(newsroom(tmp_path / kind, some_set(), calibration=kind, click_rate_share=0.33))
        errors[kind] = read_json(folder / "judged.json")["calibration_error"]
    assert errors["isotonic"] < 0.5 * errors["none"]  # a third of the score is noise here, which says too much


def test_a_log_without_clicks_trains_no_model(tmp_path: Path) -> None:
    folder = made(newsroom(tmp_path, some_set(clicks=False)))
    assert set(bytes_of(folder)) == {"training.json", "holdout.npy"}
    assert read_json(folder / "training.json") == {"epochs": [], "best_epoch": 0}


def test_yesterdays_model_is_gone_on_from_but_never_where_it_has_seen_what_judges(tmp_path: Path) -> None:
    half = some_set(LISTS // 2)
    settings = newsroom(tmp_path, half, fields=("article",))
    made(settings)
    newsroom(tmp_path, some_set(), fields=("article",))
    cold = bytes_of(made(settings))
    newsroom(tmp_path, half)
    made(settings)
    warm_settings = newsroom(tmp_path, some_set(), fields=("article",), start="last")
    warm = bytes_of(made(warm_settings))  # yesterday's model has seen half of the rows, which only teach today
    assert warm["holdout.npy"] != cold["holdout.npy"]
    again = bytes_of(made(warm_settings))  # this one goes on from a model that has seen them all
    assert again["holdout.npy"] == cold["holdout.npy"]
    assert again["model.safetensors"] not in (warm["model.safetensors"], cold["model.safetensors"])


@pytest.mark.parametrize("what", ["broken", "another network"])
def test_a_last_model_that_cannot_be_used_is_told_and_training_starts_anew(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = newsroom(tmp_path, some_set())
    cold = bytes_of(made(settings))
    if what == "broken":
        (tmp_path / "work" / "ctr" / "model.json").write_text("{}")
    values: dict[str, Any] = {"hidden": (4,)} if what == "another network" else {}
    settings = newsroom(tmp_path, some_set(), start="last", **values)
    folder = made(settings)
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("last click model that cannot be used") == 1
    assert (bytes_of(folder) == cold) == (what == "broken")


def test_a_run_that_was_ended_in_the_middle_goes_on_from_its_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = newsroom(tmp_path, some_set())
    whole = bytes_of(made(settings))
    calls: list[str] = []

    def fitted(*args: Any, **values: Any) -> Any:
        model, training = fit(*args, **values)
        calls.append(f"{values['checkpoints'].file.stem} {training.rows > 0}")
        return model, training

    def killed(*_args: Any, **_values: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(recsys.ctr.training, "fit", fitted)
    with monkeypatch.context() as now:
        now.setattr(jobs.ctr, "judge", killed)
        with pytest.raises(KeyboardInterrupt):
            made(settings)
    assert bytes_of(tmp_path / "work" / "ctr") == whole  # what was there is untouched
    assert calls == ["validation True", "holdout True"]
    assert bytes_of(made(settings)) == whole
    assert calls[2:] == ["validation False", "holdout False", "release True"]
