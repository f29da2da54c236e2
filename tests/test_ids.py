"""Hashed ids are the same everywhere, and rows keep what belongs together together."""

import subprocess
import sys

import numpy as np
import pytest

from recsys.features.rows import CandidateRows, LabelledRows, concatenated
from recsys.hashing import hashed, hashed_all
from recsys.tags import STEM, tag_ids

LABEL = np.array([0, 1, 0, 0, 1, 1], np.int8)
IMPRESSION = np.array([0, 0, 1, 1, 3, 3], np.int32)


def some_rows() -> LabelledRows:
    per_candidate, per_list = np.arange(6), np.arange(4)
    return LabelledRows(
        matrix=np.column_stack([per_candidate, -per_candidate]).astype(np.float32),
        ids=(per_candidate + 10)[:, None],
        context=(per_list + 100)[:, None],
        history=(per_list + 200)[:, None],
        impression=IMPRESSION,
        label=LABEL,
        position=np.array([0, 1, 0, 1, -1, 2], np.int16),
    )


def test_an_id_is_the_same_in_another_process() -> None:
    code = "from recsys.hashing import hashed; print(hashed('article', 'naïve/北京'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(other) == hashed("article", "naïve/北京")


def test_the_id_of_a_known_value_never_changes() -> None:
    """A released model's vocabulary is written in these numbers."""
    assert hashed("article", "a1") == 6895042040386917717


def test_ids_are_positive_and_those_of_two_fields_or_values_differ() -> None:
    values = [str(number) for number in range(2_000)] + [""]
    ids = np.concatenate([hashed_all(field, values) for field in ("article", "category")])
    assert ids.dtype == np.int64
    assert (ids > 0).all()
    assert len(np.unique(ids)) == 2 * len(values)


def test_a_text_that_is_no_valid_unicode_has_an_id_too() -> None:
    assert hashed("region", "\ud800") > 0


def test_dense_candidates_are_one_list_without_ids() -> None:
    candidates = CandidateRows.dense(np.ones((3, 2), np.float32))
    assert candidates.impression.tolist() == [0, 0, 0]
    assert [part.shape for part in (candidates.ids, candidates.context, candidates.history)] == [(3, 0), (1, 0), (1, 0)]
    assert len(CandidateRows.dense(np.ones((0, 2), np.float32)).context) == 0


def test_rows_behind_each_other_keep_what_their_lists_hold() -> None:
    one, both = some_rows(), concatenated([some_rows(), some_rows()])
    assert both.impression.tolist() == [*IMPRESSION, *(IMPRESSION + 4)]
    assert len(both.context) == len(both.history) == 8
    for rows in (both.where(np.arange(12) < 6), both.where(np.arange(12) >= 6)):
        np.testing.assert_array_equal(rows.matrix, one.matrix)
        np.testing.assert_array_equal(rows.context[rows.impression], one.context[one.impression])
    assert concatenated([one]) is one


def test_dense_rows_have_no_known_position() -> None:
    rows = LabelledRows.dense(np.ones((6, 2), np.float32), LABEL, IMPRESSION)
    assert rows.position.tolist() == [-1] * 6
    assert rows.history.shape == (4, 0)


def test_a_mask_cuts_what_belongs_to_candidates_and_leaves_the_lists_whole() -> None:
    rows = some_rows()
    cut = rows.where(rows.impression == 3)
    assert isinstance(cut, LabelledRows)
    assert cut.matrix[:, 0].tolist() == [4, 5]
    assert cut.ids[:, 0].tolist() == [14, 15]
    assert (cut.label.tolist(), cut.position.tolist()) == ([1, 1], [-1, 2])
    assert cut.context[cut.impression, 0].tolist() == [103, 103]
    assert cut.history[cut.impression, 0].tolist() == [203, 203]


@pytest.mark.parametrize(("kept", "expected"), [(slice(None), [0, 1]), (slice(0, 0), []), (slice(2, 6), [])])
def test_only_lists_with_both_labels_say_what_is_preferred(kept: slice, expected: list[int]) -> None:
    mask = np.zeros(6, bool)
    mask[kept] = True
    assert some_rows().where(mask).informative().matrix[:, 0].tolist() == expected


def test_keywords_that_fold_alike_are_one_tag_of_the_heavier_weight() -> None:
    same = hashed("tag", "interest rate")
    assert tag_ids(["Interest rates", "bank", "interest-rate"], [0.2, 0.3, 0.5]) == {
        same: 0.5,
        hashed("tag", "bank"): 0.3,
    }
    assert len(tag_ids([f"word{chr(97 + n)}" for n in range(STEM + 3)], [0.1] * (STEM + 3))) == STEM
