"""One pass over rows before they are learned from: whether they can be, their scale, their ids, and their digest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.inputs import Reads, all_ids
from recsys.ctr.model import Matrix, check_matrix
from recsys.ctr.vocabulary import Longs
from recsys.dataset.chunks import Chunks
from recsys.errors import DegenerateInput
from recsys.features.rows import LabelledRows

FLAT = 1e-6  # standard deviation of a column that says nothing: it keeps 1


@dataclass
class Survey:
    """What is known of rows without holding them.

    Attributes:
        rows: in all.
        clicked: of them.
        telling: rows of lists with both labels.
        telling_clicked: of these, the clicked ones.
        mean: float64 (F,).
        squares: float64 (F,), sum of squared deviations from the mean.
        ids: int64 (n,), distinct hashed ids that are read.
        times: int64 (n,), how often each stands there.
        digest: of all bytes, hexadecimal.
    """

    rows: int = 0
    clicked: int = 0
    telling: int = 0
    telling_clicked: int = 0
    mean: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    squares: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    ids: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    times: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    digest: str = ""

    @property
    def scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each column, float32 (F,); a constant column keeps 1."""
        std = np.sqrt(self.squares / max(self.rows, 1))
        std[std < FLAT] = 1.0
        return torch.from_numpy(self.mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))

    def lessons(self, config: CtrConfig) -> int:
        """Rows that an epoch learns from: expected, where negatives are drawn."""
        rows, clicked = (self.telling, self.telling_clicked) if config.loss == "softmax" else (self.rows, self.clicked)
        return round(clicked + config.negatives * (rows - clicked))

    def check(self, config: CtrConfig) -> None:
        """Refuse rows that nothing can be learned from.

        Raises:
            DegenerateInput: no list with a click and a candidate without one; for cross-entropy no row of each.
        """
        both = self.telling > 0
        if not (both if config.loss == "softmax" else 0 < self.clicked < self.rows):
            got = f"{self.clicked} clicked of {self.rows} rows" + ("" if both else ", no list with both")
            expected = "lists with a click and a candidate without"
            raise DegenerateInput(expected, got, "Import more impressions and clicks.")

    def add(self, rows: LabelledRows, reads: Reads) -> None:
        """Take a block in."""
        both = rows.mixed()
        self._move(rows.matrix)
        self.rows += len(rows)
        self.clicked += int(rows.label.sum(dtype=np.int64))
        self.telling += int(both.sum())
        self.telling_clicked += int(rows.label[both].sum(dtype=np.int64))
        if reads.any:
            found = all_ids(rows, reads)
            times = np.append(self.times, np.ones(len(found), np.int64))
            self.ids, place = np.unique(np.append(self.ids, found), return_inverse=True)
            self.times = np.bincount(place, times, len(self.ids)).astype(np.int64)

    def _move(self, matrix: Matrix) -> None:
        """Mean and squares of all rows so far from those of two parts (Chan, Golub and LeVeque 1983)."""
        if not self.rows:
            self.mean, self.squares = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
        n = len(matrix)
        if n:
            mean = matrix.mean(axis=0, dtype=np.float64)
            squares = matrix.var(axis=0, dtype=np.float64) * n
            apart = mean - self.mean
            self.squares += squares + apart**2 * (self.rows * n / (self.rows + n))
            self.mean += apart * (n / (self.rows + n))


def surveyed(names: Sequence[str], blocks: Chunks[LabelledRows], config: CtrConfig, *, digest: bool = False) -> Survey:
    """Read all blocks once.

    Args:
        names: the F columns.
        blocks: the rows.
        config: which ids are read.
        digest: whether to make one of the bytes.

    Raises:
        DegenerateInput: another number of columns, a value that is not finite, or a label other than 0 and 1; the
            column and the row (of all blocks together) are named.
    """
    found, reads, marks = Survey(), Reads.of(config.fields), hashlib.sha256()
    for block in blocks:
        check_block(names, block, first=found.rows)
        found.add(block, reads)
        if digest:
            _mark(marks, block)
    found.digest = marks.hexdigest()
    return found


def check_block(names: Sequence[str], rows: LabelledRows, *, first: int = 0) -> None:
    """Refuse rows that are not what they say.

    Raises:
        DegenerateInput: see ``surveyed``; rows are counted from ``first``.
    """
    label = rows.label
    check_matrix(rows.matrix, names, first=first)
    if not len(rows.matrix) == len(label) == len(rows.impression) == len(rows.position):
        got = f"{len(rows.matrix)} rows, {len(label)} labels, {len(rows.impression)} list numbers"
        raise DegenerateInput("a label, a list number and a place per row", got, "Run: python -m jobs features")
    if not np.isin(label, (0, 1)).all():
        row = int(np.flatnonzero(~np.isin(label, (0, 1)))[0])
        got = f"{label[row]} in column 'label', row {first + row}"
        raise DegenerateInput("labels of 0 (not clicked) and 1 (clicked)", got, "Run: python -m jobs features --fresh")


def _mark(digest: "hashlib._Hash", rows: LabelledRows) -> None:
    for name in ("matrix", "label", "impression", "position", "ids", "context", "history"):
        array = np.ascontiguousarray(getattr(rows, name))
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
