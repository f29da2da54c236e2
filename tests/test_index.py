"""The index finds what brute force finds, and only what is allowed."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.index import Index
from recsys.items import unit

Vectors = npt.NDArray[np.float32]


def bits(allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.packbits(allowed, bitorder="little")


def some_vectors(n: int = 300, dims: int = 8) -> Vectors:
    vectors = unit(np.random.default_rng(1).standard_normal((n, dims)).astype(np.float32))
    vectors[::7] = np.nan
    return vectors


@pytest.mark.parametrize("k", [1, 10, 400])
def test_search_agrees_with_brute_force_among_the_allowed(k: int) -> None:
    vectors, rng = some_vectors(), np.random.default_rng(2)
    index = Index.build(vectors)
    for share in (0.02, 0.5, 1.0):
        allowed = rng.random(len(vectors)) < share
        query = unit(rng.standard_normal((1, 8)).astype(np.float32))[0]
        candidates = np.flatnonzero(allowed & ~np.isnan(vectors[:, 0]))
        scores = vectors[candidates] @ query
        best = candidates[np.argsort(-scores)][:k]
        rows, found = index.search(query, k, bits(allowed))
        assert rows.tolist() == best.tolist()
        np.testing.assert_allclose(found, vectors[best] @ query, atol=1e-6)
        assert rows.dtype == np.int32


def test_minus_one_never_leaves_when_fewer_are_allowed_than_asked_for() -> None:
    index = Index.build(some_vectors())
    allowed = np.zeros(300, bool)
    allowed[[1, 7, 8]] = True  # row 7 has no vector
    rows, scores = index.search(some_vectors()[2], 10, bits(allowed))
    assert sorted(rows.tolist()) == [1, 8]
    assert len(scores) == 2


def test_a_query_that_is_not_finite_and_an_empty_index_find_nothing() -> None:
    index, empty = Index.build(some_vectors()), Index.build(np.empty((0, 8), np.float32))
    allowed = np.ones(300, bool)
    assert len(index.search(np.full(8, np.nan, np.float32), 5, bits(allowed))[0]) == 0
    assert len(index.search(some_vectors()[1], 5, bits(np.zeros(300, bool)))[0]) == 0
    assert len(empty.search(some_vectors()[1], 5, bits(np.zeros(0, bool)))[0]) == 0


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(DegenerateInput, match="8 dimensions"):
        Index.build(some_vectors()).search(np.ones(5, np.float32), 3, bits(np.ones(300, bool)))


def test_a_live_article_is_found_moved_and_taken_out() -> None:
    index = Index.build(some_vectors(), 1_000)
    here, there = np.eye(8, dtype=np.float32)[0], np.eye(8, dtype=np.float32)[1]
    allowed = np.ones(1_000, bool)
    n = len(index)
    index.add(here, 900)
    assert index.search(here, 1, bits(allowed))[0].tolist() == [900]
    index.add(there, 900)
    assert index.search(there, 1, bits(allowed))[0].tolist() == [900]
    assert len(index) == n + 1
    index.add(np.full(8, np.nan, np.float32), 900)
    assert len(index) == n


def test_vectors_that_move_are_found_where_they_are_now(tmp_path: Path) -> None:
    vectors, rng, allowed = some_vectors(), np.random.default_rng(4), np.ones(310, bool)
    Index.build(vectors).save(tmp_path / "index.faiss")
    index = Index.load(tmp_path / "index.faiss", 310)
    table = np.vstack([vectors, np.full((10, 8), np.nan, np.float32)])
    for step in range(400):  # moved, taken out, put back, new
        row = int(rng.integers(310))
        table[row] = np.nan if step % 5 == 0 else unit(rng.standard_normal((1, 8)).astype(np.float32))[0]
        index.add(table[row], row)
    assert len(index) == int((~np.isnan(table[:, 0])).sum())
    for query in unit(rng.standard_normal((20, 8)).astype(np.float32)):
        known = np.flatnonzero(~np.isnan(table[:, 0]))
        best = known[np.argsort(-(table[known] @ query))][:5]
        assert index.search(query, 5, bits(allowed))[0].tolist() == best.tolist()


def test_a_saved_index_finds_the_same_and_other_bytes_are_refused(tmp_path: Path) -> None:
    vectors = some_vectors()
    index = Index.build(vectors)
    index.save(tmp_path / "a.faiss")
    Index.build(vectors).save(tmp_path / "b.faiss")
    assert (tmp_path / "a.faiss").read_bytes() == (tmp_path / "b.faiss").read_bytes()
    loaded = Index.load(tmp_path / "a.faiss")
    allowed = np.ones(300, bool)
    assert (
        loaded.search(vectors[1], 9, bits(allowed))[0].tolist()
        == index.search(vectors[1], 9, bits(allowed))[0].tolist()
    )
    with pytest.raises(IndexError):
        loaded.add(vectors[1], 999)
    (tmp_path / "c.faiss").write_bytes(b"not an index at all, only words")
    with pytest.raises(CorruptArtefact):
        Index.load(tmp_path / "c.faiss")
