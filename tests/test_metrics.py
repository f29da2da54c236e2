"""The metrics are MIND's, checked by hand."""

import math

import numpy as np
import pytest

from recsys.errors import DegenerateInput
from recsys.metrics import impression_metrics


def test_one_impression_agrees_with_the_sum_done_by_hand() -> None:
    label, score = np.array([0, 1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.2, 0.1])  # clicked ones stand at 2 and 4
    figures = impression_metrics(label, score, np.zeros(5, np.int32))
    assert figures["auc"] == pytest.approx(3 / 6)  # right pairs: (2nd: over 3rd, 5th), (4th: over 5th)
    assert figures["mrr"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert figures["ndcg@5"] == pytest.approx(gain / (1 + 1 / math.log2(3)))
    assert figures["impressions"] == 1


def test_a_click_below_the_cut_gains_nothing() -> None:
    label = np.zeros(12)
    label[6] = 1  # seventh of twelve
    figures = impression_metrics(label, -np.arange(12.0), np.zeros(12, np.int32))
    assert figures["ndcg@5"] == 0.0
    assert figures["ndcg@10"] == pytest.approx(1 / math.log2(8))


def test_impressions_of_one_label_do_not_count_and_others_weigh_the_same() -> None:
    label = np.array([1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0])
    score = np.array([2, 1, 3, 3, 1, 1, 1, 9, 8, 7, 6.0])
    impression = np.array([7, 7, 3, 3, 4, 4, 5, 9, 9, 9, 9])
    figures = impression_metrics(label, score, impression)
    assert figures["impressions"] == 2
    assert figures["auc"] == figures["mrr"] == 1.0


def test_the_order_of_rows_does_not_matter_and_auc_agrees_with_counting_pairs() -> None:
    rng = np.random.default_rng(3)
    impression, label = rng.integers(0, 40, 600), rng.integers(0, 2, 600)
    score = rng.integers(0, 6, 600).astype(float)  # many ties
    expected = []
    for number in range(40):
        own = impression == number
        clicked, other = score[own & (label == 1)], score[own & (label == 0)]
        if len(clicked) and len(other):
            wins = (clicked[:, None] > other).sum() + 0.5 * (clicked[:, None] == other).sum()
            expected.append(wins / (len(clicked) * len(other)))
    assert impression_metrics(label, score, impression)["auc"] == pytest.approx(np.mean(expected))


def test_a_model_without_an_opinion_gains_nothing_from_the_stored_order() -> None:
    impression = np.repeat(np.arange(4_000), 5)
    label = np.tile([1, 0, 0, 0, 0], 4_000)  # the clicked one is always stored first
    figures = impression_metrics(label, np.zeros(len(label)), impression)
    assert figures["auc"] == 0.5
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 5, abs=0.02)


def test_nothing_to_judge_gives_nan_and_says_so() -> None:
    figures = impression_metrics(np.array([0, 0]), np.array([1.0, 2.0]), np.array([0, 0]))
    assert figures["impressions"] == 0
    assert math.isnan(figures["auc"])


@pytest.mark.parametrize(("label", "score"), [([0, 1], [0.1, np.nan]), ([0, 2], [0.1, 0.2]), ([0, 1, 1], [0.1, 0.2])])
def test_scores_and_labels_that_mean_nothing_are_refused(label: list[int], score: list[float]) -> None:
    with pytest.raises(DegenerateInput):
        impression_metrics(np.array(label), np.array(score), np.zeros(len(score), np.int32))
