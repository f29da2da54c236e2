"""The stage ctr: its files, its start and its end after a crash; calibration, and the gate before publication."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

import jobs.ctr
import jobs.ctr_resources
import recsys.ctr.training
from jobs.runner import Context, run_stage
from jobs.stages import stage_of
from recsys.ctr.calibration import CALIBRATION_CLICKS, ISOTONIC_CLICKS, calibrated, isotonic, pav, platt
from recsys.ctr.config import CtrConfig
from recsys.ctr.inference import Calibration
from recsys.ctr.loop import TrainingHistory
from recsys.ctr.model import ClickModel
from recsys.ctr.training import (
    EvaluatedModel,
    TrainingResources,
    check_model,
    evaluated_model,
    fit,
    released_model,
    training_warnings,
)
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.dataset.parquet import ROW_GROUP_ROWS, load_training_set, open_training_set, save_training_set
from recsys.dataset.training_set import TrainingSet
from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.features import CANDIDATE_FIELDS, COLUMN, HISTORY, LIST_FIELDS, NAMES
from recsys.metrics import auc_error, calibration_error
from recsys.settings import Settings
from recsys.workspace import Workspace, load_npy, read_json, save_npy, write_json

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
    names = {"fit_loss", "validation_auc", "validation_loss"}
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
        folder = made(newsroom(tmp_path / kind, some_set(), calibration=kind, click_rate_share=0.15))
        errors[kind] = read_json(folder / "judged.json")["calibration_error"]
    assert errors["isotonic"] < 0.5 * errors["none"]  # after few clicks a third of the score is noise here


def test_a_log_without_clicks_trains_no_model(tmp_path: Path) -> None:
    folder = made(newsroom(tmp_path, some_set(clicks=False)))
    assert set(bytes_of(folder)) == {"training.json", "holdout.npy"}
    assert read_json(folder / "training.json") == {"epochs": [], "best_epoch": 0}


def test_yesterdays_model_is_gone_on_from_but_never_where_it_has_seen_what_judges(tmp_path: Path) -> None:
    half = some_set(LISTS // 2)
    brief: dict[str, Any] = {"fields": ("article",), "epochs": 1}
    settings = newsroom(tmp_path, half, **brief)
    made(settings)
    newsroom(tmp_path, some_set(), **brief)
    cold = bytes_of(made(settings))
    newsroom(tmp_path, half)
    made(settings)
    warm_settings = newsroom(tmp_path, some_set(), **brief, start="last")
    warm = bytes_of(made(warm_settings))  # yesterday's model has seen half of the rows, which only teach today
    assert warm["holdout.npy"] != cold["holdout.npy"]
    again = bytes_of(made(warm_settings))  # this one goes on from a model that has seen them all
    assert again["holdout.npy"] == cold["holdout.npy"]
    assert again["model.safetensors"] not in (warm["model.safetensors"], cold["model.safetensors"])


@pytest.mark.parametrize("what", ["broken", "another network"])
def test_a_last_model_that_cannot_be_used_is_told_and_training_starts_anew(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = newsroom(tmp_path, some_set(), epochs=1)
    cold = bytes_of(made(settings))
    if what == "broken":
        (tmp_path / "work" / "ctr" / "model.json").write_text("{}")
    values: dict[str, Any] = {"hidden_units": (4,)} if what == "another network" else {}
    settings = newsroom(tmp_path, some_set(), epochs=1, start="last", **values)
    folder = made(settings)
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("last click model that cannot be used") == 1
    assert (bytes_of(folder) == cold) == (what == "broken")


def test_a_run_that_was_ended_in_the_middle_goes_on_from_its_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = newsroom(tmp_path, some_set(), epochs=2)
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


FIVE_EPOCHS = CtrConfig(epochs=5)
LABEL = np.array([1, 0, 0, 0], np.int8)


def judged(scores: tuple[float, ...] = (0.4, 0.2, 0.2, 0.2), **training: object) -> EvaluatedModel:
    facts = {"best_epoch": 3} | training
    return EvaluatedModel(ClickModel(("age",), FIVE_EPOCHS), np.array(scores, np.float32), TrainingHistory(**facts))  # type: ignore[arg-type]


def test_a_good_training_leaves_no_doubt() -> None:
    assert training_warnings(judged(), LABEL, FIVE_EPOCHS) == []
    assert training_warnings(judged(scores=()), LABEL[:0], FIVE_EPOCHS) == []  # nothing was held out
    assert (
        training_warnings(judged(best_epoch=5), LABEL, FIVE_EPOCHS) == []
    )  # no validation lists: no epoch was better than another


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (judged(best_epoch=5, validation_loss=[0.5] * 5), "raise ctr.epochs"),
        (judged(resumed=2), "after epoch 2"),
        (judged(scores=(0.1, 0.2, 0.3, 0.6)), "worse than always saying"),
    ],
)
def test_a_doubt_is_said(made: EvaluatedModel, said: str) -> None:
    (doubt,) = training_warnings(made, LABEL, FIVE_EPOCHS)
    assert said in doubt


Floats = npt.NDArray[np.float32]


def overconfident(n: int, seed: int) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Log-odds three times as large as they should be, and one too high."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-2, 1, n)
    return (3 * odds + 1).astype(np.float32), (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)


def sigmoid(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-odds)))


@pytest.mark.parametrize("n", [1, 2, 50, 700])
def test_pools_are_those_of_scikit_learn(n: int) -> None:
    rng = np.random.default_rng(n)
    value, weight = rng.integers(0, 5, n) / 4 + np.arange(n) / n, rng.integers(1, 9, n).astype(np.float64)
    pool = pav(value, weight)
    mean = (np.bincount(pool, value * weight) / np.bincount(pool, weight))[pool]
    theirs = IsotonicRegression().fit_transform(np.arange(n), value, sample_weight=weight)
    np.testing.assert_allclose(mean, theirs, atol=1e-12)
    assert (np.diff(np.unique(pool)) == 1).all() if n > 1 else pool.tolist() == [0]


def test_pools_by_hand() -> None:
    assert pav(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist() == [0, 1, 1, 2]
    assert pav(np.array([3.0, 2.0, 1.0]), np.ones(3)).tolist() == [0, 0, 0]
    assert pav(np.array([1.0, 1.0, 2.0]), np.ones(3)).tolist() == [0, 0, 1]


def test_a_line_is_that_of_scikit_learn() -> None:
    raw, label = overconfident(20_000, 1)
    made = platt(raw, label)
    theirs = LogisticRegression(C=1e9).fit(raw[:, None], label)
    assert made.slope == pytest.approx(theirs.coef_[0, 0], rel=0.01)
    assert made.odds[0] == pytest.approx(theirs.intercept_[0], abs=0.01)


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_probabilities_of_rows_never_seen_are_right_afterwards_and_the_order_is_the_same(kind: str) -> None:
    made = calibrated(kind, *overconfident(20_000, 1))
    assert made is not None
    raw, label = overconfident(20_000, 2)
    before, after = sigmoid(raw.astype(np.float64)), sigmoid(made.apply(raw))
    assert calibration_error(label, before) > 0.05
    assert calibration_error(label, after) < 0.01
    assert (np.diff(after[np.argsort(raw, kind="stable")]) >= 0).all()
    wide = np.linspace(-60, 60, 4_001, dtype=np.float32)
    assert (np.diff(made.apply(wide)) > 0).all()  # two scores never become one, however far out


def test_pools_follow_what_no_line_can() -> None:
    rng = np.random.default_rng(1)
    raw = rng.uniform(-3, 3, 40_000).astype(np.float32)
    truth = np.where(raw < 0, 0.1, 0.5)
    label = (rng.random(len(raw)) < truth).astype(np.int8)
    errors = {
        kind: np.abs(sigmoid(made(raw, label).apply(raw)) - truth).mean()
        for kind, made in (("p", platt), ("i", isotonic))
    }
    assert errors["i"] < 0.02 < errors["p"]


def test_few_clicks_teach_a_line_and_hardly_any_nothing() -> None:
    raw, label = overconfident(20_000, 1)
    clicked, other = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    some = np.append(clicked[:100], other[:1_000])
    made = calibrated("isotonic", raw[some], label[some])
    assert made is not None
    assert len(made.raw) == 1
    few = np.append(clicked[:19], other[:1_000])
    assert calibrated("isotonic", raw[few], label[few]) is None
    assert calibrated("none", raw, label) is None
    assert calibrated("platt", np.zeros(1_000, np.float32), label[:1_000]) is None


def test_scores_that_order_the_wrong_way_round_are_shifted_and_not_turned() -> None:
    raw, label = overconfident(5_000, 1)
    made = platt(-raw, label)
    assert made.slope == 1.0
    assert sigmoid(made.apply(-raw)).mean() == pytest.approx(label.mean(), abs=0.01)


@pytest.mark.parametrize(
    "facts",
    [
        {"raw": [0.0, 1.0], "odds": [1.0, 0.0], "slope": 1.0},
        {"raw": [0.0, 0.0], "odds": [0.0, 1.0], "slope": 1.0},
        {"raw": [0.0], "odds": [float("nan")], "slope": 1.0},
        {"raw": [0.0], "odds": [1.0], "slope": 0.0},
        {"raw": [], "odds": [], "slope": 1.0},
    ],
)
def test_a_calibration_that_would_change_the_order_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(CorruptArtefact):
        Calibration.of(facts)


def gate_folder(folder: Path, **judged: Any) -> Path:
    """The files of a stage whose model was judged so."""
    ClickModel(NAMES, FIVE_EPOCHS).save(folder)
    save_npy(folder / "holdout.npy", np.full(4, 0.25, np.float32))
    write_json(folder / "judged.json", {"rows": 5_000, "clicks": 400, "auc": 0.5} | judged)
    return folder


def auc_below_chance(errors: float, clicks: int, rows: int) -> float:
    """The AUC that is so many of its own standard errors below a half."""
    low, high = 0.0, 0.5
    for _ in range(60):
        auc = (low + high) / 2
        low, high = (auc, high) if 0.5 - auc > errors * auc_error(auc, clicks, rows - clicks) else (low, auc)
    return auc


@pytest.mark.parametrize(("clicks", "rows"), [(100, 3_000), (400, 5_000), (3_000, 5_000)])
def test_the_gate_refuses_a_model_three_standard_errors_below_chance(clicks: int, rows: int, tmp_path: Path) -> None:
    def judged(errors: float) -> Path:
        auc = auc_below_chance(errors, clicks, rows)
        return gate_folder(tmp_path, auc=auc, clicks=clicks, rows=rows)

    check_model(judged(2.99))
    with pytest.raises(DegenerateInput, match="better than chance"):
        check_model(judged(3.01))


def test_the_gate_stands_at_three_errors_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recsys.ctr.training, "auc_error", lambda auc, clicked, other: 1 / 16 if other == 4_600 else 0.0)
    with pytest.raises(DegenerateInput, match=r"AUC of 0.312 ± 0.062"):
        check_model(gate_folder(tmp_path, auc=0.3125))  # 1/2 - 3/16, without rounding
    check_model(gate_folder(tmp_path, auc=np.nextafter(0.3125, 1)))


def test_the_gate_lets_good_models_and_too_few_clicks_pass(tmp_path: Path) -> None:
    check_model(gate_folder(tmp_path, auc=0.9))
    check_model(gate_folder(tmp_path, auc=0.5))
    check_model(gate_folder(tmp_path, auc=None))
    check_model(gate_folder(tmp_path, auc=0.1, clicks=99))
    with pytest.raises(DegenerateInput, match="better than chance"):
        check_model(gate_folder(tmp_path, auc=0.1, clicks=100))
    check_model(tmp_path / "without a model")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_gate_refuses_scores_that_are_no_probabilities(value: float, tmp_path: Path) -> None:
    save_npy(gate_folder(tmp_path) / "holdout.npy", np.array([0.5, value], np.float32))
    with pytest.raises(DegenerateInput, match="finite probabilities"):
        check_model(tmp_path)


@pytest.mark.parametrize(("lead_ms", "is_used"), [(1, True), (0, False), (-1, False), (None, False)])
def test_a_last_model_judges_no_list_that_it_has_seen(
    lead_ms: int | None, is_used: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_training_set(some_set(60), tmp_path / "features.parquet", {"drawn": None})
    blocks = open_training_set(tmp_path / "features.parquet")
    last = ClickModel(NAMES, FIVE_EPOCHS)
    last.learned_until = 0 if lead_ms is None else blocks.of_parts(VALIDATION, HOLDOUT).since - lead_ms  # 0: unknown
    starts = []

    def fitted(*_args: Any, start: ClickModel | None, **_values: Any) -> tuple[ClickModel, TrainingHistory]:
        starts.append(start)
        return ClickModel(NAMES, FIVE_EPOCHS), TrainingHistory(best_epoch=1)

    monkeypatch.setattr(recsys.ctr.training, "fit", fitted)
    resources = TrainingResources(last=last)
    evaluated = evaluated_model(blocks, FIVE_EPOCHS, seed=1, resources=resources)
    assert starts == [last if is_used else None] * 2
    released_model(blocks, evaluated, FIVE_EPOCHS, seed=1, resources=resources)
    assert starts[2] is last  # what is released is judged by nobody


def test_neither_the_model_nor_its_calibration_has_seen_what_judges_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_training_set(some_set(60), tmp_path / "features.parquet", {"drawn": None})
    blocks = open_training_set(tmp_path / "features.parquet")
    calibrating: list[Floats] = []

    def fitted(*_args: Any, until: int, **_values: Any) -> tuple[ClickModel, TrainingHistory]:
        model = ClickModel(NAMES, FIVE_EPOCHS)
        model.learned_until = until
        return model, TrainingHistory(best_epoch=1)

    def learned_until(model: ClickModel, rows: Any) -> Floats:
        """A score that says what the model has seen."""
        return np.full(len(rows), model.learned_until, np.float32)

    monkeypatch.setattr(recsys.ctr.training, "fit", fitted)
    monkeypatch.setattr(recsys.ctr.training, "calibrated", lambda kind, raw, label: calibrating.append(raw))
    for name in ("raw", "score"):
        monkeypatch.setattr(ClickModel, name, learned_until)
    evaluated = evaluated_model(blocks, FIVE_EPOCHS, seed=1)
    assert (calibrating[0] < blocks.of_parts(VALIDATION).since).all()
    assert (evaluated.scores < blocks.of_parts(HOLDOUT).since).all()
    assert len(calibrating[0]) == len(evaluated.scores) == 12 * SHOWN


def rare(clicked: int, other: int) -> tuple[Floats, npt.NDArray[np.int8]]:
    """So many clicked and other rows, their scores spread out."""
    label = np.append(np.ones(clicked, np.int8), np.zeros(other, np.int8))
    return np.random.default_rng(1).normal(label, 1).astype(np.float32), label


@pytest.mark.parametrize("swapped", [False, True])
def test_calibration_begins_at_twenty_of_the_rarer_label_and_pools_at_two_hundred(swapped: bool) -> None:
    def points(rarer: int) -> int | None:
        calibration = calibrated("isotonic", *(rare(1_000, rarer) if swapped else rare(rarer, 1_000)))
        return None if calibration is None else len(calibration.raw)

    assert (CALIBRATION_CLICKS, ISOTONIC_CLICKS) == (20, 200)
    assert points(19) is None
    assert points(20) == points(199) == 1  # a line
    assert (points(200) or 0) > 1  # pools


def test_a_pool_holds_a_hundred_rows_at_least() -> None:
    def pools(rows: int) -> int:
        raw = np.arange(rows, dtype=np.float32)
        return len(isotonic(raw, (raw >= rows // 2).astype(np.int8)).raw)

    assert pools(199) == 1
    assert pools(200) == 2
