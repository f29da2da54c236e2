"""Calibrated probabilities mean what they say, the order stays, and pools and lines are those of scikit-learn."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from recsys.ctr.calibration import Calibration, calibrated, isotonic, pav, platt
from recsys.errors import CorruptArtefact
from recsys.metrics import calibration_error

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
