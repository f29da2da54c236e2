"""Log loss, calibration error and AUC over rows, by hand and beside scikit-learn's."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from recsys.errors import DegenerateInput
from recsys.metrics import auc, auc_error, calibration_error, calibration_square, log_loss, reliability
from recsys.metrics.probabilities import MIN_PROBABILITY


def drawn(rows: int, seed: int, digits: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Labels of chance that come out of squared probabilities: the probabilities are wrong on purpose."""
    rng = np.random.default_rng(seed)
    said = np.round(rng.random(rows), digits)
    return (rng.random(rows) < said**2).astype(np.int8), said


@pytest.mark.parametrize("digits", [12, 1, 0])  # no ties, many, nearly all
def test_auc_and_log_loss_agree_with_scikit_learn(digits: int) -> None:
    label, said = drawn(5_000, 3, digits)
    assert auc(label, said) == pytest.approx(roc_auc_score(label, said), abs=1e-12)
    inside = np.clip(said, 0.01, 0.99)
    assert log_loss(label, inside) == pytest.approx(sklearn_log_loss(label, inside), abs=1e-12)


def test_calibration_error_agrees_with_scikit_learns_quantile_bins() -> None:
    label, said = drawn(6_000, 5)
    observed, predicted = calibration_curve(label, said, n_bins=15, strategy="quantile")
    assert calibration_error(label, said) == pytest.approx(np.abs(observed - predicted).mean(), abs=1e-12)
    assert calibration_error(label, said) == pytest.approx(1 / 6, abs=0.02)  # the mean of p - p² over [0, 1]


def test_four_rows_agree_with_the_sums_done_by_hand() -> None:
    label, said = np.array([1, 0, 1, 0]), np.array([0.8, 0.4, 0.2, 0.1])
    assert auc(label, said) == pytest.approx(3 / 4)  # 0.2 stands below 0.4
    assert log_loss(label, said) == pytest.approx(-(math.log(0.8 * 0.6 * 0.2 * 0.9)) / 4)
    assert np.allclose(reliability(label, said, bins=2), [(0.15, 0.5, 2), (0.6, 0.5, 2)])
    assert calibration_error(label, said, bins=2) == pytest.approx((0.35 + 0.1) / 2)


def test_equal_probabilities_stand_in_one_bin_whatever_the_order_of_rows() -> None:
    label, said = drawn(3_000, 9, digits=1)
    turned = np.random.default_rng(1).permutation(3_000)
    assert calibration_error(label, said) == pytest.approx(calibration_error(label[turned], said[turned]), abs=1e-12)
    assert len(reliability(label, said)) <= len(np.unique(said))
    assert sum(rows for _, _, rows in reliability(label, said)) == 3_000
    assert reliability(np.array([1, 0, 0, 0]), np.full(4, 0.25)) == [(0.25, 0.25, 4)]


def test_right_probabilities_leave_the_error_that_chance_leaves() -> None:
    rng = np.random.default_rng(11)
    errors = []
    for _ in range(50):
        label = (rng.random(2_000) < 0.2).astype(np.int8)
        errors.append(calibration_error(label, 0.2 + rng.uniform(-1e-6, 1e-6, 2_000)))
    assert np.mean(errors) == pytest.approx(0.8 * math.sqrt(0.2 * 0.8 * 15 / 2_000), rel=0.1)


@pytest.mark.parametrize("rows", [60, 300, 2_000])
@pytest.mark.parametrize("off", [0.0, 0.05, -0.2])
def test_the_square_without_chance_is_on_average_the_true_one_however_few_rows(rows: int, off: float) -> None:
    rng, found, plain = np.random.default_rng(13), [], []
    for _ in range(600):
        true = rng.uniform(0.25, 0.75, rows)
        label = (rng.random(rows) < true).astype(np.int8)
        found.append(calibration_square(label, true + off))
        plain.append(calibration_error(label, true + off))
    noise = float(np.std(found)) / math.sqrt(600)
    assert np.mean(found) == pytest.approx(off**2, abs=3 * noise + 1e-12)
    assert noise < 0.002
    assert np.mean(plain) > abs(off) + (0.01 if off == 0 else -1e-9)


def test_the_square_of_one_bin_by_hand() -> None:
    label, said = np.array([1, 0, 1, 1]), np.array([0.5, 0.4, 0.7, 0.6])
    assert calibration_square(label, said, bins=1) == pytest.approx(0.2**2 - np.var([0.5, -0.4, 0.3, 0.4], ddof=1) / 4)
    assert math.isnan(calibration_square(label, said, bins=4))  # of one row nobody knows what chance did


@pytest.mark.parametrize(("clicked", "others", "stretch"), [(30, 300, 2.0), (5, 35, 1.5), (200, 200, 1.0)])
def test_the_standard_error_of_an_auc_is_how_much_it_differs_from_draw_to_draw(
    clicked: int, others: int, stretch: float
) -> None:
    """Exponential scores, for which the approximation is exact."""
    rng = np.random.default_rng(2)
    label = np.repeat(np.array([1, 0], np.int8), (clicked, others))
    scale = np.where(label == 1, stretch, 1.0)
    found = [auc(label, rng.exponential(scale)) for _ in range(2_000)]
    assert auc_error(stretch / (1 + stretch), clicked, others) == pytest.approx(np.std(found), rel=0.05)


def test_an_auc_of_nothing_has_no_standard_error_and_a_perfect_one_none_to_see() -> None:
    assert math.isnan(auc_error(0.5, 0, 9))
    assert math.isnan(auc_error(0.5, 9, 0))
    assert auc_error(1.0, 3, 4) == 0.0


def test_a_certain_mistake_costs_much_but_not_everything() -> None:
    assert log_loss(np.array([1, 0]), np.array([0.0, 1.0])) == pytest.approx(-math.log(MIN_PROBABILITY), rel=1e-6)
    assert log_loss(np.array([1, 0]), np.array([1.0, 0.0], np.float32)) == pytest.approx(0.0, abs=1e-6)


def test_without_both_labels_there_is_no_auc_and_without_rows_nothing() -> None:
    assert math.isnan(auc(np.zeros(3, np.int8), np.array([0.1, 0.2, 0.3])))
    assert math.isnan(auc(np.ones(3, np.int8), np.array([0.1, 0.2, 0.3])))
    nothing = np.empty(0, np.int8), np.empty(0, np.float32)
    assert math.isnan(auc(*nothing))
    assert math.isnan(log_loss(*nothing))
    assert math.isnan(calibration_error(*nothing))
    assert reliability(*nothing) == []


@pytest.mark.parametrize("score", [1.5, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(score: float) -> None:
    label, said = np.array([0, 1]), np.array([0.5, score])
    for metric in (log_loss, calibration_error, reliability):
        with pytest.raises(DegenerateInput):
            metric(label, said)


def test_labels_other_than_0_and_1_and_other_lengths_are_refused() -> None:
    for label in (np.array([0, 2]), np.array([0, 1, 1])):
        for metric in (auc, log_loss, calibration_error):
            with pytest.raises(DegenerateInput):
                metric(label, np.array([0.5, 0.5]))
