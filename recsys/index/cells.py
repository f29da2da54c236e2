"""Two tiers for many vectors: cells of rows that lie near each other, and the rows that moved since.

Reads a table of unit vectors and the centres of the cells; finds the rows of the few cells nearest to a vector. FAISS
cannot move a row of an inverted file while others search it, so what moves goes into a short list that is searched
whole, and is laid out with the rest when the list is full. A row counts as found only if the cell that it belongs to
now is searched, in either tier: what is found depends on the centres and the vectors, not on what happened when. The
cells hold a byte per number, a quarter of the table's, and the list is rounded alike; the table orders what was found.

Source: Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search", section 4 (the inverted file).
"""

import math
from typing import Self

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint8]

MIN_ROWS = 50_000  # vectors from which on cells gain more than they cost; below, all are searched
MOVED = 4_096  # rows that may have moved before they are laid out with the rest: a tenth of the work of a search
PROBED = 32  # cells searched, a sixteenth of them at 100,000 rows: there .97 of the 200 nearest are found
_PER_ROOT = 1.6  # cells for each root of the number of rows
_TRAINED = 50  # vectors per cell that centres are learned from
_ROUNDS = 8  # of k-means
_SEED = 1
_UNIT_RANGE = np.array([-1, 2], np.float32)  # least value and range of a number of a unit vector


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
        faiss.copy_array_to_vector(_UNIT_RANGE, self._file.sq.trained)
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
        only = faiss.SearchParametersIVF()
        only.sel, only.nprobe = faiss.IDSelectorBitmap(settled.size, faiss.swig_ptr(settled)), probed
        scores, rows = self._file.search(vector, k, params=only)
        there = rows[0] >= 0  # FAISS fills up with -1
        best, score = rows[0][there].astype(np.int32), scores[0][there]
        if number:
            is_probed = np.zeros(len(self._centres), np.bool_)
            is_probed[self._quantizer.search(vector, probed)[1][0]] = True
            late = self._moved[:number][is_probed[self._moved_cells[:number]]]
            late = late[_among(late, allowed)]
            still = self._place[best] >= number
            best = np.concatenate([best[still], late])
            score = np.concatenate([score[still], _rounded(self._vectors[late]) @ vector[0]])
            best = best[np.argsort(-score, kind="stable")[:k]]
        score = self._vectors[best] @ vector[0]
        order = np.argsort(-score, kind="stable")
        return best[order], score[order]


def _rounded(vectors: Vectors) -> Vectors:
    """Vectors as the inverted file has them."""
    share = (vectors - _UNIT_RANGE[0]) / _UNIT_RANGE[1]
    steps = np.floor(np.clip(share, 0, 1) * np.float32(255))
    return np.asarray(_UNIT_RANGE[0] + _UNIT_RANGE[1] * ((steps + np.float32(0.5)) / np.float32(255)), np.float32)


def _among(rows: Rows, allowed: Bits) -> npt.NDArray[np.bool_]:
    """Membership of some rows in a bitmap, which holds none beyond its end: int32 (N,) -> bool (N,)."""
    if not len(allowed):
        return np.zeros(len(rows), np.bool_)
    bits = allowed[np.minimum(rows >> 3, len(allowed) - 1)] >> (rows & 7).astype(np.uint8)
    among: npt.NDArray[np.bool_] = (bits & 1 != 0) & (rows >> 3 < len(allowed))
    return among
