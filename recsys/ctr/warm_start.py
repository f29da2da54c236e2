"""The start of a training: statistics of its rows, their vocabulary, and the first weights.

One pass over the rows finds if they can be learned from, the scale of their columns and their ids. A training begins
with random weights, or with those of yesterday's model: its vocabulary grows by the new ids and forgets those that no
training has held for long, whose rows of the table go to new ids. News articles come and go, and the table must not
grow for ever.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import PADDING_ROW, IdFields, IdVocabulary, Longs
from recsys.ctr.list_length import ListLengths
from recsys.ctr.model import ClickModel, Matrix
from recsys.ctr.saved import ARCHITECTURE
from recsys.ctr.scoring import check_matrix
from recsys.dataset.chunks import Chunks
from recsys.errors import DegenerateInput
from recsys.features.rows import LabelledRows
from recsys.units import DAY_MS, NO_ID

_MIN_COUNT = 5  # training rows that must hold an id before it gets a vector; rarer ones share the unknown one
_EXPIRE_DAYS = 30  # without being seen, after which an id gives its row to another: news is older than that by then
CONSTANT_STD = 1e-6  # standard deviation of a column that says nothing: it keeps 1
TABLES = ("net.embeddings.table", "net.embeddings.bias")


@dataclass
class DatasetStatistics:
    """Statistics of rows that need not be held.

    Attributes:
        rows: in all.
        clicked: of them.
        mixed: rows of lists with both labels.
        mixed_clicked: of these, the clicked ones.
        mean: float64 (F,).
        squares: float64 (F,), sum of squared deviations from the mean.
        ids: int64 (n,), distinct hashed ids that are read.
        counts: int64 (n,), occurrences of each.
        lengths: of the lists, with their clicks.
        digest: of all bytes, hexadecimal.
    """

    rows: int = 0
    clicked: int = 0
    mixed: int = 0
    mixed_clicked: int = 0
    mean: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    squares: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    ids: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    lengths: ListLengths = field(default_factory=ListLengths)
    digest: str = ""

    @property
    def scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each column, float32 (F,); a constant column keeps 1."""
        std = np.sqrt(self.squares / max(self.rows, 1))
        std[std < CONSTANT_STD] = 1.0
        return torch.from_numpy(self.mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))

    def rows_per_epoch(self, config: CtrConfig) -> int:
        """Rows that an epoch learns from: expected, where negative samples are drawn."""
        rows, clicked = (self.mixed, self.mixed_clicked) if config.loss == "softmax" else (self.rows, self.clicked)
        return round(clicked + config.negative_share * (rows - clicked))

    def check(self, config: CtrConfig) -> None:
        """Refuse rows that nothing can be learned from.

        Raises:
            DegenerateInput: no list with a click and a candidate without one; for cross-entropy no row of each.
        """
        both = self.mixed > 0
        if not (both if config.loss == "softmax" else 0 < self.clicked < self.rows):
            got = f"{self.clicked} clicked of {self.rows} rows" + ("" if both else ", no list with both")
            expected = "lists with a click and a candidate without"
            raise DegenerateInput(expected, got, "Import more impressions and clicks.")

    def add(self, rows: LabelledRows, fields: IdFields) -> None:
        """Take a block in."""
        both = rows.mixed()
        self._add_moments(rows.matrix)
        self.lengths.add(rows)
        self.rows += len(rows)
        self.clicked += int(rows.label.sum(dtype=np.int64))
        self.mixed += int(both.sum())
        self.mixed_clicked += int(rows.label[both].sum(dtype=np.int64))
        if fields.any:
            hashed, lists = fields.select(rows), np.unique(rows.impression)  # lists that no row belongs to are left out
            ids = (hashed.ids.ravel(), hashed.context[lists].ravel(), hashed.history[lists].ravel())
            new = np.concatenate(ids)
            counts = np.append(self.counts, np.ones(len(new), np.int64))
            self.ids, place = np.unique(np.append(self.ids, new), return_inverse=True)
            self.counts = np.bincount(place, counts, len(self.ids)).astype(np.int64)

    def _add_moments(self, matrix: Matrix) -> None:
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


def dataset_statistics(
    names: Sequence[str], blocks: Chunks[LabelledRows], config: CtrConfig, *, digest: bool = False
) -> DatasetStatistics:
    """The statistics of all blocks, each read once.

    Args:
        names: the F columns.
        blocks: the rows.
        config: the id fields that are read.
        digest: true to make one of the bytes.

    Raises:
        DegenerateInput: another number of columns, a value that is not finite, or a label other than 0 and 1; the
            column and the row (of all blocks together) are named.
    """
    statistics, fields, sha256 = DatasetStatistics(), IdFields.of(config.fields), hashlib.sha256()
    for block in blocks:
        check_block(names, block, first=statistics.rows)
        statistics.add(block, fields)
        if digest:
            _update(sha256, block)
    statistics.digest = sha256.hexdigest()
    return statistics


def check_block(names: Sequence[str], rows: LabelledRows, *, first: int = 0) -> None:
    """Refuse rows that are not what they say.

    Raises:
        DegenerateInput: see ``dataset_statistics``; rows are counted from ``first``.
    """
    label = rows.label
    check_matrix(rows.matrix, names, first=first)
    if not len(rows.matrix) == len(label) == len(rows.impression) == len(rows.position):
        got = f"{len(rows.matrix)} rows, {len(label)} labels, {len(rows.impression)} list numbers"
        raise DegenerateInput("a label, a list number and a position per row", got, "Run: python -m jobs features")
    if not np.isin(label, (0, 1)).all():
        row = int(np.flatnonzero(~np.isin(label, (0, 1)))[0])
        got = f"{label[row]} in column 'label', row {first + row}"
        raise DegenerateInput("labels of 0 (not clicked) and 1 (clicked)", got, "Run: python -m jobs features --fresh")


def _update(digest: "hashlib._Hash", rows: LabelledRows) -> None:
    for name in ("matrix", "label", "impression", "position", "ids", "context", "history"):
        array = np.ascontiguousarray(getattr(rows, name))
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)


def grow_vocabulary(
    vocabulary: IdVocabulary,
    ids: Longs,
    counts: Longs | None = None,
    *,
    day: int,
    min_count: int,
    expire_days: int,
) -> tuple[IdVocabulary, Longs]:
    """Forget the ids that were not seen for long, and take up new ones.

    Args:
        vocabulary: of the last training.
        ids: int64 (n,), hashed ids of the rows to learn from; 0 for none.
        counts: int64 (n,), occurrences of each of them; without it, one.
        day: of these rows, since 1970.
        min_count: occurrences that a new id must have; a rarer one is left to row 0.
        expire_days: an id that no training of so many days held is forgotten.

    Returns:
        The vocabulary, whose known ids keep their rows, and the rows that have another owner than before, int64.
    """
    distinct, place = np.unique(ids, return_inverse=True)
    occurrences = np.bincount(place, counts, len(distinct))[distinct != NO_ID]
    distinct = distinct[distinct != NO_ID]
    hashes, seen = vocabulary.hashes.copy(), vocabulary.seen.copy()
    row = vocabulary.rows(distinct)
    seen[row[row != PADDING_ROW]] = day
    hashes[(hashes != NO_ID) & (day - seen > expire_days)] = NO_ID
    new = distinct[(row == PADDING_ROW) & (occurrences >= min_count)]
    free = np.flatnonzero(hashes[1:] == NO_ID) + 1
    more = max(0, len(new) - len(free))
    changed = np.append(free[: len(new)], np.arange(len(hashes), len(hashes) + more))
    hashes, seen = np.append(hashes, np.zeros(more, np.int64)), np.append(seen, np.zeros(more, np.int64))
    hashes[changed], seen[changed] = new, day
    return IdVocabulary.of(hashes, seen), changed


def can_continue(last: ClickModel, names: Sequence[str], config: CtrConfig) -> bool:
    """True if training can go on from a model: it has the same columns and the same network; dropout may differ."""
    same = all(getattr(last.config, name) == getattr(config, name) for name in ARCHITECTURE if name != "dropout")
    return same and last.names == tuple(names)


def initial_model(
    names: Sequence[str], statistics: DatasetStatistics, config: CtrConfig, last: ClickModel | None, until: int
) -> ClickModel:
    """A model that has learned nothing of these rows yet.

    Args:
        names: the F columns.
        statistics: of the rows to learn from: the ids make the vocabulary, or make that of ``last`` grow.
        config: the network.
        last: a model that training ``can_continue``; its weights, scale and rows of the table stay, but for ids that
            have expired.
        until: ms of the last row.

    Returns:
        The model; without ``last``, torch's global generator draws its weights and its scale is that of the rows.
    """
    vocabulary = IdVocabulary.empty() if last is None else last.encoder.vocabulary
    changed = np.zeros(0, np.int64)
    if IdFields.of(config.fields).any:
        rules = {"day": until // DAY_MS, "min_count": _MIN_COUNT, "expire_days": _EXPIRE_DAYS}
        vocabulary, changed = grow_vocabulary(vocabulary, statistics.ids, statistics.counts, **rules)
    model = ClickModel(names, config, vocabulary)
    model.learned_until, (model.mean, model.std) = until, statistics.scale
    if last is not None:
        model.mean, model.std = last.mean.clone(), last.std.clone()
        _copy_weights(last, model, changed)
    return model


def _copy_weights(last: ClickModel, model: ClickModel, changed: Longs) -> None:
    """Copy weights; rows of the table with a new owner keep what the new model drew for them, free ones as well."""
    old, new = last.parts.state_dict(), model.parts.state_dict()
    kept = torch.from_numpy(model.encoder.vocabulary.hashes[: len(last.encoder.vocabulary)] != NO_ID)
    kept[torch.from_numpy(changed[changed < len(kept)])] = False
    for name, value in old.items():
        if name in TABLES:
            new[name][: len(kept)][kept] = value[kept]
        else:
            new[name].copy_(value)
