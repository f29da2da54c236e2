"""Two tiers: many vectors are searched by cells, and what is found depends on the vectors alone."""

import threading

import numpy as np
import numpy.typing as npt
import pytest

from recsys.index import Index, cell_centres, cells
from recsys.items import unit

Vectors = npt.NDArray[np.float32]
N, D = 3_000, 8


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MIN_ROWS", 1_000)
    monkeypatch.setattr(cells, "MOVED", 40)
    monkeypatch.setattr(cells, "PROBED", 12)


def some_vectors() -> Vectors:
    rng = np.random.default_rng(1)
    topics = rng.standard_normal((60, D))[rng.integers(60, size=N)]
    vectors = unit((topics + 0.5 * rng.standard_normal((N, D))).astype(np.float32))
    vectors[::9] = np.nan
    return vectors


def queries(vectors: Vectors, n: int) -> Vectors:
    return vectors[1 : 9 * n : 9]


def every(capacity: int) -> npt.NDArray[np.uint8]:
    return np.full(-(-capacity // 8), 255, np.uint8)


def found(index: Index, query: Vectors, k: int, allowed: npt.NDArray[np.uint8]) -> list[int]:
    return [int(row) for row in index.search(query, k, allowed)[0]]


def test_few_vectors_have_no_cells_and_many_have_the_same_ones_again() -> None:
    vectors = some_vectors()
    assert cell_centres(vectors[:1_000]).shape == (0, D)
    assert cell_centres(np.empty((0, 0), np.float32)).shape == (0, 0)
    centres = cell_centres(vectors)
    assert centres.shape == (64, D)
    assert centres.tobytes() == cell_centres(vectors).tobytes()


def test_cells_find_nearly_all_that_a_search_of_all_finds_and_only_what_is_allowed() -> None:
    vectors, rng = some_vectors(), np.random.default_rng(2)
    index, flat = Index.build(vectors, centres=cell_centres(vectors)), Index.build(vectors)
    allowed = np.packbits(rng.random(N) < 0.7, bitorder="little")
    mask = np.unpackbits(allowed, count=N, bitorder="little").astype(bool)
    shares = []
    for query in queries(vectors, 50):
        rows, scores = index.search(query, 40, allowed)
        assert mask[rows].all()
        assert (np.diff(scores) <= 0).all()
        np.testing.assert_allclose(scores, vectors[rows] @ query, atol=1e-6)
        shares.append(len({*rows.tolist()} & {*found(flat, query, 40, allowed)}) / 40)
    assert np.mean(shares) > 0.9
    assert min(shares) > 0.5


def test_where_the_cells_hold_too_few_all_vectors_are_searched() -> None:
    vectors = some_vectors()
    index, flat = Index.build(vectors, centres=cell_centres(vectors)), Index.build(vectors)
    allowed = np.zeros(-(-N // 8), np.uint8)
    allowed[::40] = 0b10  # a few, far from each other
    for query in queries(vectors, 20):
        assert found(index, query, 10, allowed) == found(flat, query, 10, allowed)


def test_what_is_found_depends_on_the_vectors_and_not_on_what_happened() -> None:
    vectors, rng = some_vectors(), np.random.default_rng(3)
    centres = cell_centres(vectors)
    index = Index.build(vectors, N + 100, centres)
    table = np.vstack([vectors, np.full((100, D), np.nan, np.float32)])
    for step in range(300):  # moved, taken out, put back, new; laid out again several times
        row = int(rng.integers(N + 100))
        table[row] = np.nan if step % 7 == 0 else unit(rng.standard_normal((1, D)).astype(np.float32))[0]
        index.add(table[row], row)
        if step % 50 == 49:
            fresh = Index.build(table, centres=centres)
            for query in queries(vectors, 20):
                rows = found(index, query, 30, every(N + 100))
                assert rows == found(fresh, query, 30, every(N + 100))
                assert len({*rows}) == 30
    assert len(index) == int(np.isfinite(table[:, 0]).sum())


def test_a_row_that_moves_is_found_once_and_where_it_is_now() -> None:
    vectors = some_vectors()
    index = Index.build(vectors, centres=cell_centres(vectors))
    there = queries(vectors, 2)[1]
    for row in (0, 5, 6):  # without a vector before; with one; with one
        index.add(there, row)
        index.add(there, row)
    rows = found(index, there, 10, every(N))
    assert {0, 5, 6} <= {*rows}
    assert len({*rows}) == len(rows)
    index.add(np.full(D, np.nan, np.float32), 5)
    assert 5 not in found(index, there, 10, every(N))


def test_a_row_that_moved_and_is_not_allowed_is_not_found() -> None:
    vectors = some_vectors()
    index = Index.build(vectors, centres=cell_centres(vectors))
    there, allowed = queries(vectors, 2)[1], every(N)
    for row in (5, 6):
        index.add(there, row)
    allowed[0] &= ~np.uint8(1 << 5)
    rows = found(index, there, 10, allowed)
    assert (6 in rows, 5 in rows) == (True, False)
    assert 6 not in found(index, there, 10, allowed[:0])


def test_a_row_that_moved_while_the_cells_were_searched_counts_once() -> None:
    vectors = np.eye(3, D, dtype=np.float32)
    rows, scores = np.array([1, 2, -1]), np.array([0.9, 0.8, 0.0], np.float32)
    place, moved = np.array([9, 0, 9], np.int32), np.array([1, 0], np.int32)  # 1 stands first in the short list
    inside = np.zeros(2, np.int64)
    for number, both in ((1, [1, 2]), (2, [0, 1, 2])):
        best, exact = cells.best_of_both(
            rows, scores, place, number, moved, inside, inside[:1], every(3), vectors, np.eye(D, dtype=np.float32)[0]
        )
        assert sorted(best.tolist()) == both
        assert exact.tolist() == vectors[best, 0].tolist()


def test_nobody_who_searches_while_rows_move_misses_one_or_meets_it_twice() -> None:
    vectors = some_vectors()
    index = Index.build(vectors, centres=cell_centres(vectors))
    query, stays = queries(vectors, 1)[0], np.array([11, 12, 13, 14])
    near = unit((query + 0.02 * np.random.default_rng(4).standard_normal((2, 4, D))).astype(np.float32))
    for row, vector in zip(stays.tolist(), near[0], strict=True):
        index.add(vector, row)
    over, wrong = threading.Event(), []

    def search() -> None:
        while not over.is_set():
            rows = found(index, query, 60, every(N))
            if len({*rows}) != len(rows) or not {*stays.tolist()} <= {*rows}:
                wrong.append(rows)

    searching = threading.Thread(target=search)
    searching.start()
    rng = np.random.default_rng(5)
    for step in range(1_500):
        place = step % 4
        index.add(near[step // 4 % 2, place], int(stays[place]))  # to and fro, always among the nearest
        far = int(rng.integers(100, N))
        index.add(unit(rng.standard_normal((1, D)).astype(np.float32))[0], far)
    over.set()
    searching.join()
    assert not wrong
