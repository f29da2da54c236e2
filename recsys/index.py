"""The index: vectors -> nearest neighbours by cosine, among the allowed ones only.

Reads unit vectors; produces a FAISS flat inner-product index. What is not allowed (seen, hidden, expired) is left out
inside the search, so that k allowed articles come back whenever there are k. A used FAISS index must not cross a fork,
and adding while another thread searches is unsafe: the service loads after the fork and holds a lock.

Source: Johnson, Douze and Jégou 2017, "Billion-scale similarity search with GPUs".
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Section
from recsys.errors import CorruptArtefact, DegenerateInput

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

_NO_HITS = (np.empty(0, np.int32), np.empty(0, np.float32))


class IndexConfig(Section):
    """Settings of the nearest-neighbour search."""

    candidates: int = Field(
        200,
        ge=1,
        le=10_000,
        description="articles that the nearest-neighbour search brings to the click model",
    )


class Index:
    """Nearest neighbours of one vector among article rows."""

    def __init__(self, index: faiss.IndexIDMap2) -> None:
        self._index = index
        self._place: dict[int, int] | None = None  # row -> where its vector lies; found out when one is changed
        self._stored = np.empty((0, 0), np.float32)  # the vectors, where they lie

    @classmethod
    def build(cls, vectors: Vectors) -> "Index":
        """Index a table of vectors.

        Args:
            vectors: float32 (A, D), unit rows; NaN rows are left out, so they are never found.
        """
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(max(1, vectors.shape[1])))
        with_vector = np.flatnonzero(~np.isnan(vectors).any(axis=1))
        if len(with_vector):
            index.add_with_ids(np.ascontiguousarray(vectors[with_vector], np.float32), with_vector.astype(np.int64))
        return cls(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, k: int, allowed: npt.NDArray[np.bool_]) -> tuple[Rows, Vectors]:
        """The allowed articles closest to a vector.

        Args:
            vector: float32 (D,). One that is not finite says nothing and finds nothing.
            k: how many at most.
            allowed: bool (A,) by row; rows beyond its end are not allowed.

        Returns:
            int32 (n,) rows and float32 (n,) inner products, best first, n ≤ k.

        Raises:
            DegenerateInput: the vector has another number of dimensions.
        """
        self._check(vector)
        k = min(k, len(self))
        if k < 1 or not np.isfinite(vector).all() or not allowed.any():
            return _NO_HITS
        bitmap = np.packbits(allowed, bitorder="little")  # must outlive the selector, which only points to it
        only = faiss.SearchParameters()
        only.sel = faiss.IDSelectorBitmap(bitmap.size, faiss.swig_ptr(bitmap))
        scores, rows = self._index.search(np.ascontiguousarray(vector[None], np.float32), k, params=only)
        hits = rows[0] >= 0  # FAISS fills up with -1
        return rows[0][hits].astype(np.int32), scores[0][hits]

    def add(self, vector: Vectors, row: int) -> None:
        """Add or replace one article; a vector that is not finite takes it out.

        Replacing costs some microseconds, so that vectors may move with every click; taking out costs a look at all.
        """
        self._check(vector)
        places = self._places()
        place = places.get(row)
        if not np.isfinite(vector).all():
            if place is not None:
                self._index.remove_ids(faiss.IDSelectorRange(row, row + 1))
                self._place = None
        elif place is not None:
            self._stored[place] = vector
        else:
            self._index.add_with_ids(np.ascontiguousarray(vector[None], np.float32), np.array([row], np.int64))
            places[row] = len(self) - 1
            self._see()

    def _places(self) -> dict[int, int]:
        """Place of each row's vector, read anew after loading and after one was taken out."""
        if self._place is None:
            rows = faiss.vector_to_array(self._index.id_map).tolist()
            self._place = {row: place for place, row in enumerate(rows)}
            self._see()
        return self._place

    def _see(self) -> None:
        """Look at the vectors where they lie; adding one may have moved them all."""
        n, d = len(self), self._index.d
        flat: Any = faiss.downcast_index(self._index.index)  # whose stubs do not know that it is flat
        self._stored = faiss.rev_swig_ptr(flat.get_xb(), n * d).reshape(n, d) if n else np.empty((0, d), np.float32)

    def _check(self, vector: Vectors) -> None:
        if vector.shape != (self._index.d,) and len(self):
            raise DegenerateInput(
                f"a vector of {self._index.d} dimensions", f"shape {vector.shape}", "Run: python -m jobs index"
            )

    def save(self, file: Path) -> None:
        """Write the index; equal vectors give equal bytes."""
        faiss.write_index(self._index, str(file))

    @classmethod
    def load(cls, file: Path) -> "Index":
        """Read an index. FAISS does not notice flipped bits: check the file's hash before.

        Raises:
            CorruptArtefact: it is not an index that this class wrote.
        """
        try:
            index = faiss.read_index(str(file))
        except RuntimeError as error:
            raise CorruptArtefact(f"a FAISS index in {file}", str(error), "Run: python -m jobs index") from None
        if not (
            isinstance(index, faiss.IndexIDMap2) and isinstance(faiss.downcast_index(index.index), faiss.IndexFlat)
        ):
            raise CorruptArtefact(
                f"a flat index with rows in {file}", type(index).__name__, "Run: python -m jobs index"
            )
        return cls(index)
