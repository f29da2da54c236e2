"""Boosted regression trees on histograms, in numpy: for some thousands of rows and a hundred columns.

Sources: Friedman 2001 (boosting by gradients) and 2002 (rows and columns drawn for each tree); Ke et al. 2017, section
2.1 (splits on histograms).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput
from recsys.forecast.steps import FloatArray

BINS = 32
TREES, DEPTH, LEARNING_RATE = 300, 4, 0.05
LEAF_PRIOR = 5.0  # rows of zero that a leaf's mean is drawn towards
MIN_LEAF_ROWS = 10  # of a leaf
ROW_SHARE, COLUMN_SHARE = 0.7, 0.25  # that a tree sees

Bins = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class BoostedTrees:
    """A fitted sum of T trees of one depth, over F columns.

    Attributes:
        edges: float64 (F, BINS - 1), ascending; a value belongs to the bin of the edges below it.
        base: mean of what was learned.
        column: int64 (T, 2^DEPTH - 1), by node, level by level.
        threshold: int64 (T, 2^DEPTH - 1), the last bin that goes left; BINS sends all left.
        leaf: float64 (T, 2^DEPTH).
    """

    edges: FloatArray
    base: float
    column: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.int64]
    leaf: FloatArray

    def predict(self, table: FloatArray) -> FloatArray:
        """Predictions of rows: float64 (N, F) -> float64 (N,)."""
        bins, total = binned(table, self.edges), np.full(len(table), self.base)
        for tree in zip(self.column, self.threshold, self.leaf, strict=True):
            total += _said(bins, *tree)
        return total


def fit_trees(table: FloatArray, target: FloatArray, rng: np.random.Generator, trees: int = TREES) -> BoostedTrees:
    """Fit trees to the least squares.

    Args:
        table: float64 (N, F); NaN goes with the largest values.
        target: float64 (N,).
        rng: draws each tree's rows and columns.
        trees: how many, T.

    Raises:
        DegenerateInput: there is no row, or a target is not finite.
    """
    if not len(target) or not np.isfinite(target).all():
        raise DegenerateInput("rows with finite targets", f"{len(target)} rows", "Give more history.")
    N, F = table.shape
    edges = np.quantile(np.nan_to_num(table, nan=np.nanmax(table)), np.linspace(0, 1, BINS + 1)[1:-1], axis=0).T
    bins, base = binned(table, edges), float(target.mean())
    nodes = 2**DEPTH - 1
    column, threshold = np.zeros((trees, nodes), np.int64), np.full((trees, nodes), BINS, np.int64)
    leaf, residual = np.zeros((trees, nodes + 1)), target - base
    n, f = max(1, round(ROW_SHARE * N)), max(1, round(COLUMN_SHARE * F))
    for tree in range(trees):
        rows, columns = rng.permutation(N)[:n], np.sort(rng.permutation(F)[:f])
        _grow(bins[np.ix_(rows, columns)], residual[rows], columns, column[tree], threshold[tree], leaf[tree])
        residual = residual - _said(bins, column[tree], threshold[tree], leaf[tree])
    return BoostedTrees(edges, base, column, threshold, leaf)


def binned(table: FloatArray, edges: FloatArray) -> Bins:
    """The bin of each value: uint8 (N, F)."""
    bins = np.empty(table.shape, np.uint8)
    for column in range(table.shape[1]):
        bins[:, column] = np.searchsorted(edges[column], table[:, column], side="left")
    return bins


def _grow(
    bins: Bins,
    residual: FloatArray,
    columns: Rows,
    column: npt.NDArray[np.int64],
    threshold: npt.NDArray[np.int64],
    leaf: FloatArray,
) -> None:
    """Fill one tree, level by level."""
    node = np.zeros(len(bins), np.intp)  # within the level
    for level in range(DEPTH):
        begin, width = 2**level - 1, 2**level
        which, last = _best_splits(bins, residual, node, width)
        column[begin : begin + width], threshold[begin : begin + width] = columns[which], last
        node = 2 * node + (bins[np.arange(len(bins)), which[node]] > last[node])
    count = np.bincount(node, minlength=len(leaf))
    leaf[:] = LEARNING_RATE * np.bincount(node, weights=residual, minlength=len(leaf)) / (count + LEAF_PRIOR)


def _best_splits(
    bins: Bins, residual: FloatArray, node: Rows, width: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The best column and last bin to the left for each node of a level; BINS where nothing is gained."""
    f = bins.shape[1]
    shape = width, f, BINS
    place = ((node[:, None] * f + np.arange(f)) * BINS + bins).ravel()
    count = np.bincount(place, minlength=width * f * BINS).reshape(shape).cumsum(axis=2)
    total = np.bincount(place, weights=np.repeat(residual, f), minlength=width * f * BINS).reshape(shape).cumsum(axis=2)
    all_count, all_total = count[:, :, -1:], total[:, :, -1:]
    right, rest = all_count - count, all_total - total
    gain = total**2 / (count + LEAF_PRIOR) + rest**2 / (right + LEAF_PRIOR) - all_total**2 / (all_count + LEAF_PRIOR)
    gain = np.where((count >= MIN_LEAF_ROWS) & (right >= MIN_LEAF_ROWS), gain, 0.0).reshape(width, f * BINS)
    best = gain.argmax(axis=1)
    gains = gain[np.arange(width), best]
    return best // BINS, np.where(gains > 0, best % BINS, BINS)


def _said(bins: Bins, column: npt.NDArray[np.int64], threshold: npt.NDArray[np.int64], leaf: FloatArray) -> FloatArray:
    """One tree's addition to each row: float64 (N,)."""
    node, rows = np.zeros(len(bins), np.intp), np.arange(len(bins))
    for _ in range(DEPTH):
        node = 2 * node + 1 + (bins[rows, column[node]] > threshold[node])
    said: FloatArray = leaf[node - (2**DEPTH - 1)]
    return said
