"""Two tiers for many vectors: cells of rows that lie near each other, and the rows that moved since.

Reads a table of unit vectors and the centres of the cells; finds the rows of the few cells nearest to a vector. FAISS
cannot move a row of an inverted file while others search it, so what moves goes into a short list that is searched
whole, and is laid out with the rest when the list is full. A row counts as found only if the cell that it belongs to
now is searched, in either tier: what is found depends on the centres and the vectors, not on what happened when. The
cells hold a byte per number, a quarter of the table's, and the list is rounded alike; the table orders what was found.

Source: Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search", section 4 (the inverted file).
"""

import math
from typing import Any, Self

import faiss
import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint8]
Cells = npt.NDArray[np.int64]

MIN_ROWS = 50_000  # vectors from which on cells gain more than they cost; below, all are searched
MOVED = 4_096  # rows that may have moved before they are laid out with the rest: a tenth of the work of a search
PROBED = 32  # cells searched, a sixteenth of them at 100,000 rows: there .97 of the 200 nearest are found
_PER_ROOT = 1.6  # cells for each root of the number of rows
_TRAINED = 50  # vectors per cell that centres are learned from
_ROUNDS = 8  # of k-means
_SEED = 1
LEAST, RANGE = np.float32(-1), np.float32(2)  # least value and range of a number of a unit vector
STEPS, HALF = np.float32(255), np.float32(0.5)  # that the range is rounded to, each to its middle


def cell_centres(vectors: Vectors) -> Vectors:
    """Centres of cells, by k-means; the same for the same vectors.

    Args:
        vectors: float32 (A, D), unit or NaN rows.

    Returns:
        float32 (C, D), unit rows; C = 0 where there are too few vectors to need cells.
    """
    rows = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    D = vectors.shape[1]
    if len(rows) < MIN_ROWS or not D:
        return np.empty((0, D), np.float32)
    cells = 2 ** round(math.log2(_PER_ROOT * math.sqrt(len(rows))))
    sample = np.random.default_rng(_SEED).permutation(len(rows))[: _TRAINED * cells]
    means = faiss.Kmeans(D, cells, niter=_ROUNDS, seed=_SEED, spherical=True, max_points_per_centroid=_TRAINED)
    means.train(np.ascontiguousarray(vectors[rows[sample]]))
    return np.asarray(means.centroids, np.float32)


class CellIndex:
    """An inverted file over a table of vectors, and the rows that moved since.

    One thread may ``move`` rows while others search. It writes in an order in which nobody misses a row: into the short
    list, then the list's length, then that the cells have it no more; who searches reads in the other order.
    """

    def __init__(self, vectors: Vectors, rows: Rows, centres: Vectors) -> None:
        """Lay rows out.

        Args:
            vectors: float32 (A, D), the table, which others write into.
            rows: int32 (N,), those that have a vector.
            centres: float32 (C, D), at least one.
        """
        self._vectors, self._centres = vectors, centres
        self._quantizer = faiss.IndexFlatIP(vectors.shape[1])
        self._quantizer.add(centres)
        self._cell = np.full(len(vectors), -1, np.int64)  # of each row, as its vector is now
        self._cell[rows] = self._quantizer.search(vectors[rows], 1)[1][:, 0]
        self._lay_out(rows)

    def _lay_out(self, rows: Rows) -> None:
        A, D = self._vectors.shape
        self._file = faiss.IndexIVFScalarQuantizer(
            self._quantizer,
            D,
            len(self._centres),
            faiss.ScalarQuantizer.QT_8bit_uniform,
            faiss.METRIC_INNER_PRODUCT,
            False,  # the vectors themselves, not what they differ by from their centre
        )
        faiss.copy_array_to_vector(np.array([LEAST, RANGE]), self._file.sq.trained)
        self._file.is_trained = True
        ids, cells = rows.astype(np.int64), np.ascontiguousarray(self._cell[rows])
        at_rows = np.ascontiguousarray(self._vectors[rows])
        self._file.add_core(len(rows), faiss.swig_ptr(at_rows), faiss.swig_ptr(ids), faiss.swig_ptr(cells))
        mask = np.zeros(A, np.bool_)
        mask[rows] = True
        self._settled: Bits = np.packbits(mask, bitorder="little")
        self._moved = np.zeros(MOVED, np.int32)
        self._moved_cells = np.zeros(MOVED, np.int64)
        self._place = np.full(A, MOVED, np.int32)
        self._number = 0

    def moved(self, row: int, known: bool) -> Self:
        """Take notice of what was written into a row.

        Args:
            row: the row.
            known: whether it has a vector now.

        Returns:
            This, or what takes its place: everything laid out anew, because the list was full.
        """
        place = int(self._place[row])
        if place == MOVED and self._number == MOVED:
            return self._again(row, known)
        self._cell[row] = cell = self._cell_of(row, known)
        if place < MOVED:
            self._moved_cells[place] = cell
            return self
        place = self._number
        self._moved[place], self._moved_cells[place] = row, cell
        self._place[row], self._number = place, place + 1
        self._settled[row >> 3] &= ~np.uint8(1 << (row & 7))
        return self

    def _again(self, row: int, known: bool) -> Self:
        self._cell[row] = self._cell_of(row, known)
        new = object.__new__(type(self))
        new._vectors, new._centres, new._quantizer = self._vectors, self._centres, self._quantizer
        new._cell = self._cell
        new._lay_out(np.flatnonzero(self._cell >= 0).astype(np.int32))
        return new

    def _cell_of(self, row: int, known: bool) -> int:
        return int(self._quantizer.search(self._vectors[row][None], 1)[1][0, 0]) if known else -1

    def search(self, vector: Vectors, k: int, allowed: Bits) -> tuple[Rows, Vectors]:
        """The allowed rows closest to a vector, of the cells nearest to it.

        Args:
            vector: float32 (1, D), finite.
            k: how many at most.
            allowed: uint8 (≤ A / 8,), of rows that have a vector.

        Returns:
            int32 (n,) rows and float32 (n,) inner products, best first, n ≤ k.
        """
        settled = allowed & self._settled[: len(allowed)]  # first, see above; must outlive the selector
        number = self._number
        probed = min(PROBED, len(self._centres))
        near, cells = np.empty((1, probed), np.float32), np.empty((1, probed), np.int64)
        self._quantizer.search(vector, probed, D=near, I=cells)
        only = faiss.SearchParametersIVF()
        only.sel, only.nprobe = faiss.IDSelectorBitmap(settled.size, faiss.swig_ptr(settled)), probed
        scores, rows = np.empty(k, np.float32), np.empty(k, np.int64)
        searched: Any = self._file  # its annotations know neither this call nor that it takes parameters
        pointers = [faiss.swig_ptr(array) for array in (cells, near, scores, rows)]
        searched.search_preassigned_c(1, faiss.swig_ptr(vector), k, *pointers, False, only)
        late = (self._place, number, self._moved, self._moved_cells, cells[0], allowed)
        return best_of_both(rows, scores, *late, self._vectors, vector[0])


@compiled
def best_of_both(
    rows: Cells,
    scores: Vectors,
    place: Rows,
    number: int,
    moved: Rows,
    moved_cells: Cells,
    probed: Cells,
    allowed: Bits,
    vectors: Vectors,
    vector: Vectors,
) -> tuple[Rows, Vectors]:
    """Rows of the cells and of the short list, in the order of the table.

    Args:
        rows: int64 (k,), found in the cells, best first; -1 behind the last.
        scores: float32 (k,), of each, as the cells round it.
        place: int32 (A,), of a row in the short list; at least ``number`` for none.
        number: rows in the short list.
        moved: int32 (M,), the short list.
        moved_cells: int64 (M,), where each of it belongs.
        probed: int64 (P,), the cells searched.
        allowed: uint8 (≤ A / 8,), a bit by row.
        vectors: float32 (A, D), the table.
        vector: float32 (D,), wanted.

    Returns:
        int32 (n,) rows and float32 (n,) inner products, best first, equal ones as they were found; n ≤ k.
    """
    k, D = len(rows), len(vector)
    found, rounded, n = np.empty(k + number, np.int32), np.empty(k + number, np.float32), 0
    for p in range(k):
        if rows[p] >= 0 and place[rows[p]] >= number:
            found[n], rounded[n] = rows[p], scores[p]
            n += 1
    last = n
    if number:
        is_probed = np.zeros(max(probed.max() + 1, moved_cells[:number].max() + 1), np.bool_)
        for p in range(len(probed)):
            is_probed[probed[p]] = True
        for m in range(number):
            row = moved[m]
            if moved_cells[m] >= 0 and is_probed[moved_cells[m]] and _is_allowed(row, allowed):
                total = np.float32(0)
                for d in range(D):
                    total += _rounded(vectors[row, d]) * vector[d]
                found[n], rounded[n] = row, total
                n += 1
    found, rounded = found[:n], rounded[:n]
    if n > last and n > k:
        found = found[np.argsort(-rounded, kind="mergesort")[:k]]
    exact = np.empty(len(found), np.float32)
    for p in range(len(found)):
        total = np.float32(0)
        for d in range(D):
            total += vectors[found[p], d] * vector[d]
        exact[p] = total
    order = np.argsort(-exact, kind="mergesort")
    return found[order], exact[order]


@compiled
def _rounded(number: np.float32) -> np.float32:
    """A number of a unit vector as the inverted file has it."""
    share = min(max((number - LEAST) / RANGE, np.float32(0)), np.float32(1))
    rounded: np.float32 = LEAST + RANGE * ((np.floor(share * STEPS) + HALF) / STEPS)
    return rounded


@compiled
def _is_allowed(row: int, allowed: Bits) -> bool:
    """Membership of a row in a bitmap, which holds none beyond its end."""
    return bool(row >> 3 < len(allowed) and allowed[row >> 3] >> (row & 7) & 1)
