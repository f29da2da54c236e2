"""Figures of whole lists, by hand."""

import math

import numpy as np
import pytest

from recsys.metrics.diversity import coverage, intra_list_diversity, miscalibration, mixtures, topic_entropy

CATEGORY = np.array([0, 0, 1, 1, -1])
LISTS = np.array([[0, 1, -1, -1], [0, 2, 1, 3], [4, -1, -1, -1]])


def test_mixtures_are_shares_of_what_has_a_category() -> None:
    assert mixtures(LISTS, CATEGORY, 2).tolist() == [[1, 0], [0.5, 0.5], [0, 0]]


def test_entropy_is_in_bits() -> None:
    assert topic_entropy(np.array([[1.0, 0.0]])) == 0
    assert topic_entropy(np.array([[0.5, 0.5], [1.0, 0.0]])) == pytest.approx(0.5)
    assert topic_entropy(np.array([[0.25] * 4])) == pytest.approx(2)


def test_calibration_is_steck_s_divergence() -> None:
    wanted = np.array([[0.7, 0.3]])
    assert miscalibration(wanted, wanted) == pytest.approx(0)
    smoothed = 0.99 * 1.0 + 0.01 * 0.7, 0.01 * 0.3
    expected = 0.7 * math.log(0.7 / smoothed[0]) + 0.3 * math.log(0.3 / smoothed[1])
    assert miscalibration(wanted, np.array([[1.0, 0.0]])) == pytest.approx(expected)
    assert miscalibration(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])) > 0


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [-1, 0], [np.nan, 0]], np.float32)
    assert intra_list_diversity(np.array([[0, 1]]), vectors) == pytest.approx(0)
    assert intra_list_diversity(np.array([[0, 2]]), vectors) == pytest.approx(1)
    assert intra_list_diversity(np.array([[0, 3], [0, 1]]), vectors) == pytest.approx(1)
    assert intra_list_diversity(np.array([[0, 1, 2]]), vectors) == pytest.approx(2 / 3)
    assert math.isnan(intra_list_diversity(np.array([[0, 4], [1, -1]]), vectors))


def test_coverage_counts_each_article_once() -> None:
    assert coverage(LISTS, 5) == 1
    assert coverage(LISTS[:1], 5) == pytest.approx(0.4)
    assert math.isnan(coverage(LISTS[:0], 0))
