"""The table of vectors, and the search in it.

Reads unit vectors; produces a FAISS flat inner-product index over all rows of the catalogue, those of articles to come
included. The table of vectors is the index's own memory: what is written into a row is found at once, and no row ever
moves, so that one thread may write while others search. What is not allowed (seen, hidden, expired) and what has no
vector is left out inside the search, so that k allowed articles come back whenever there are k. Many vectors are
searched by cells (``recsys.index.cells``), and all of them where the cells searched hold fewer than k.
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from recsys.errors import CorruptArtefact, DegenerateInput
from recsys.index.cells import CellIndex

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint8]

_NO_HITS = (np.empty(0, np.int32), np.empty(0, np.float32))


class Index:
    """Nearest neighbours of one vector among A rows.

    Attributes:
        vectors: float32 (A, D), where the index reads them; NaN rows are never found. Whoever writes into it says so
            by ``see``.
    """

    def __init__(self, capacity: int, dimensions: int) -> None:
        """An index of rows without vectors."""
        self._index = faiss.IndexFlatIP(max(1, dimensions))
        self._index.add(np.full((capacity, max(1, dimensions)), np.nan, np.float32))
        stored: Any = faiss.rev_swig_ptr(self._index.get_xb(), capacity * self._index.d) if capacity else np.empty(0)
        self.vectors: Vectors = stored.reshape(capacity, self._index.d)[:, :dimensions]
        self._known = np.zeros(-(-capacity // 8), np.uint8)  # bits, little end first
        self._number = 0
        self._cells: CellIndex | None = None

    @classmethod
    def build(cls, vectors: Vectors, capacity: int | None = None, centres: Vectors | None = None) -> "Index":
        """Index a table of vectors.

        Args:
            vectors: float32 (N, D), unit rows; NaN rows are left out.
            capacity: A, at least N; N without it.
            centres: float32 (C, D), see ``cell_centres``; without any, each search looks at all vectors.
        """
        index = cls(max(len(vectors), capacity or 0), vectors.shape[1])
        with_vector = np.isfinite(vectors).all(axis=1)
        index.vectors[np.flatnonzero(with_vector)] = vectors[with_vector]
        index._known[: -(-len(vectors) // 8)] = np.packbits(with_vector, bitorder="little")
        index._number = int(with_vector.sum())
        if centres is not None and len(centres) and index._number:
            index._cells = CellIndex(index.vectors, np.flatnonzero(with_vector).astype(np.int32), centres)
        return index

    def __len__(self) -> int:
        return self._number

    def search(self, vector: Vectors, k: int, allowed: Bits) -> tuple[Rows, Vectors]:
        """The allowed articles closest to a vector.

        Args:
            vector: float32 (D,). One that is not finite says nothing and finds nothing.
            k: how many at most.
            allowed: uint8 (A / 8,), a bit by row, little end first; rows beyond its end are not allowed.

        Returns:
            int32 (n,) rows and float32 (n,) inner products, best first, n ≤ k.

        Raises:
            DegenerateInput: the vector has another number of dimensions.
        """
        self._check(vector)
        n = min(len(allowed), len(self._known))
        bitmap = allowed[:n] & self._known[:n]  # must outlive the selector, which only points to it
        k = min(k, len(self))
        if k < 1 or not np.isfinite(vector).all() or not bitmap.any():
            return _NO_HITS
        wanted = np.ascontiguousarray(vector[None], np.float32)
        if (cells := self._cells) is not None:
            near = cells.search(wanted, k, bitmap)
            if len(near[0]) == k:
                return near
        only = faiss.SearchParameters()
        only.sel = faiss.IDSelectorBitmap(bitmap.size, faiss.swig_ptr(bitmap))
        scores, rows = self._index.search(wanted, k, params=only)
        hits = rows[0] >= 0  # FAISS fills up with -1
        return rows[0][hits].astype(np.int32), scores[0][hits]

    def add(self, vector: Vectors, row: int) -> None:
        """Add or replace one article; a vector that is not finite takes it out.

        Raises:
            IndexError: the row is beyond the capacity.
        """
        self._check(vector)
        self.vectors[row] = vector
        self.see(row)

    def see(self, row: int) -> None:
        """Take notice of what was written into a row of ``vectors``."""
        byte, bit = row >> 3, 1 << (row & 7)
        was, known = bool(self._known[byte] & bit), bool(np.isfinite(self.vectors[row]).all())
        if known != was:
            self._known[byte] ^= bit
            self._number += 1 if known else -1
        if self._cells is not None:
            self._cells = self._cells.moved(row, known)

    def _check(self, vector: Vectors) -> None:
        if vector.shape != (self.vectors.shape[1],):
            raise DegenerateInput(
                f"a vector of {self.vectors.shape[1]} dimensions", f"shape {vector.shape}", "Run: python -m jobs index"
            )

    def save(self, file: Path) -> None:
        """Write the rows that have a vector; equal vectors give equal bytes."""
        rows = np.flatnonzero(np.unpackbits(self._known, count=len(self.vectors), bitorder="little"))
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(self._index.d))
        if len(rows):
            index.add_with_ids(np.ascontiguousarray(self.vectors[rows]), rows.astype(np.int64))
        faiss.write_index(index, str(file))

    @classmethod
    def load(cls, file: Path, capacity: int = 0) -> "Index":
        """Read an index. FAISS does not notice flipped bits: check the file's hash before.

        Args:
            file: that ``save`` wrote.
            capacity: A; at least the last row with a vector.

        Raises:
            CorruptArtefact: it is not an index that this class wrote.
        """
        try:
            index: Any = faiss.read_index(str(file))
        except RuntimeError as error:
            raise CorruptArtefact(f"a FAISS index in {file}", str(error), "Run: python -m jobs index") from None
        flat: Any = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap2) else None
        if not isinstance(flat, faiss.IndexFlat):
            raise CorruptArtefact(
                f"a flat index with rows in {file}", type(index).__name__, "Run: python -m jobs index"
            )
        rows, n = faiss.vector_to_array(index.id_map), int(index.ntotal)
        made = cls(max(capacity, int(rows.max(initial=-1)) + 1), index.d)
        if n:
            made.vectors[rows] = faiss.rev_swig_ptr(flat.get_xb(), n * index.d).reshape(n, index.d)
        with_vector = np.isfinite(made.vectors).all(axis=1)
        made._known[:] = np.packbits(with_vector, bitorder="little")
        made._number = n
        return made
