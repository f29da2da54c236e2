"""A reader is their last clicks, the newest first in weight."""

import numpy as np
import pytest

from recsys.events import UNDATED
from recsys.readers import CLICK, DISMISS, ReaderState, reader_vector, weights
from recsys.readers.config import ReadersConfig

IMPRESSION = 0


def test_weights_halve_every_half_life_and_sum_to_one() -> None:
    np.testing.assert_allclose(weights(3, 1.0), np.array([1, 2, 4]) / 7, rtol=1e-6)
    assert weights(0, 8.0).shape == (0,)
    assert weights(200, 8.0).sum() == pytest.approx(1.0, abs=1e-6)


def test_the_reader_vector_is_the_weighted_mean_of_known_clicks_done_by_hand() -> None:
    vectors = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    found = reader_vector(vectors, [0, 2, 1], 1.0)  # 0 weighs 1/3 and 1 weighs 2/3; 2 is unknown
    np.testing.assert_allclose(found, np.array([1, 2]) / np.sqrt(5), rtol=1e-6)


@pytest.mark.parametrize("rows", [[], [2], [2, 99, -1]])
def test_a_reader_of_whom_nothing_is_known_is_nan_and_not_zero(rows: list[int]) -> None:
    vectors = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    assert np.isnan(reader_vector(vectors, rows, 8.0)).all()


def test_clicks_that_cancel_out_say_nothing() -> None:
    vectors = np.array([[1, 0], [-1, 0]], np.float32)
    assert np.isnan(reader_vector(vectors, [0, 1], 1e9)).all()


def test_only_the_last_clicks_are_kept_and_impressions_say_nothing() -> None:
    reader = ReaderState.empty(ReadersConfig(history=3))
    reader.observe(IMPRESSION, 9, 5)
    for row in range(5):
        reader.observe(CLICK, row, UNDATED if row == 0 else row)
    reader.observe(DISMISS, 7, 10)
    assert reader.clicks == [2, 3, 4]
    assert reader.times == [2, 3, 4]
    assert reader.dismissed == {7}
    assert reader.seen == {0, 1, 2, 3, 4, 7}


def test_memory_is_bounded_for_a_reader_of_a_hundred_thousand_clicks() -> None:
    reader = ReaderState.empty(ReadersConfig(remembered=1_000))
    for row in range(100_000):
        reader.observe(DISMISS if row % 3 == 0 else CLICK, row, row)
    assert len(reader.seen) <= 1_000
    assert reader.dismissed <= reader.seen
    assert 99_999 in reader.seen
