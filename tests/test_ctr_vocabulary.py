"""Ids get rows, rows are given to others when their ids expire, and the files give back what was written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.ctr.data import IdVocabulary
from recsys.ctr.warm_start import grow_vocabulary
from recsys.errors import CorruptArtefact

RULES: dict[str, Any] = {"min_seen": 2, "expire_days": 10}


def ids(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def test_ids_seen_often_enough_get_rows_and_all_others_row_0() -> None:
    made, fresh = grow_vocabulary(IdVocabulary.empty(), ids(7, 9, 9, 0, 0, 0, 7, 5), day=1, **RULES)
    assert len(made) == 3
    assert sorted(fresh) == [1, 2]
    assert made.rows(ids(5, 0, 8)).tolist() == [0, 0, 0]
    assert sorted(made.rows(ids(7, 9))) == [1, 2]
    assert made.rows(np.array([[7, 0], [9, 7]])).shape == (2, 2)


def test_an_id_that_is_gone_for_long_leaves_its_row_to_a_new_one_and_the_others_keep_theirs() -> None:
    first, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7, 9, 9), day=1, **RULES)
    later, fresh = grow_vocabulary(first, ids(9, 3, 3), day=11, **RULES)  # 7 is ten days old: not yet
    assert (len(later), len(fresh)) == (4, 1)
    again, fresh = grow_vocabulary(later, ids(9, 4, 4), day=12, **RULES)
    assert len(again) == 4
    assert fresh.tolist() == first.rows(ids(7)).tolist() == again.rows(ids(4)).tolist()
    assert again.rows(ids(7)).tolist() == [0]
    assert again.rows(ids(9)).tolist() == first.rows(ids(9)).tolist()
    assert again.rows(ids(3)).tolist() == later.rows(ids(3)).tolist()


def test_a_known_id_needs_to_be_seen_once_to_stay() -> None:
    made, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7), day=1, **RULES)
    made, _ = grow_vocabulary(made, ids(7), day=9, **RULES)
    made, _ = grow_vocabulary(made, ids(), day=19, **RULES)
    assert made.rows(ids(7)).tolist() == [1]
    made, fresh = grow_vocabulary(made, ids(), day=20, **RULES)
    assert made.rows(ids(7)).tolist() == [0]
    assert fresh.tolist() == []


def test_files_give_back_what_was_written_and_others_are_refused(tmp_path: Path) -> None:
    made, _ = grow_vocabulary(IdVocabulary.empty(), ids(7, 7, 9, 9), day=3, **RULES)
    made.save(tmp_path / "v.npy")
    read = IdVocabulary.load(tmp_path / "v.npy")
    for mine, theirs in zip(made, read, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for table in (
        np.array([[0, 0], [7, 1], [7, 1]]),
        np.zeros((0, 2), np.int64),
        np.zeros(3),
        np.zeros((2, 3), np.int64),
    ):
        np.save(tmp_path / "v.npy", table)
        with pytest.raises(CorruptArtefact):
            IdVocabulary.load(tmp_path / "v.npy")
    (tmp_path / "v.npy").write_bytes(b"no array")
    with pytest.raises(CorruptArtefact):
        IdVocabulary.load(tmp_path / "v.npy")
