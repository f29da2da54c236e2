"""Linear classifier: TF-IDF of words, and of characters where words are a guess, under a squared hinge loss.

Reads documents; produces ``LinearNgramModel``. The problem is convex and solved to its end by truncated Newton steps,
all categories in step: no seed, no epochs, the answer of a linear support vector machine.
Source: Joachims 1998 (texts and linear machines); Keerthi and DeCoste 2005 (Newton steps for the squared hinge).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import embedding_bag, relu

from recsys.classifiers import EncodedDocuments, LabelRows
from recsys.classifiers.config import ClassifiersConfig
from recsys.classifiers.linear_ngram_model import MAX_TOKENS, LinearNgramModel, NgramBlock, NgramSpec, Values, block_of
from recsys.classifiers.ngrams import in_batches, is_spaceless, texts_of
from recsys.devices import device_of, one_thread
from recsys.words import WordVectors

_MAX_NGRAMS = 1 << 20  # of each kind, the most frequent: bounds memory and the file
WORDS = NgramSpec(words=1, characters=0, tfidf=True)  # word pairs cost half a point on small sets
CHARACTERS = NgramSpec(words=0, characters=3, tfidf=True)  # four gained nothing
_MAX_SOLVED = 1 << 24  # weights that are solved for together: bounds each vector of the solver to 64 MiB
_COST = 1.0  # of an error against the size of the weights; 0.3 to 2 differ by half a point
_NEWTON_STEPS, _INNER_STEPS = 20, 20
_TOLERANCE, _INNER_TOLERANCE = 0.003, 0.1  # shares of the first gradient, and of each step's own


class SparseMatrix(NamedTuple):
    """Sparse matrix by rows, on the device: columns int64 (N,), starts int64 (R + 1,), values float32 (N,)."""

    columns: torch.Tensor
    starts: torch.Tensor
    values: torch.Tensor

    def times(self, dense: torch.Tensor) -> torch.Tensor:
        """float32 (columns, C) -> (R, C)."""
        starts = self.starts
        return embedding_bag(
            self.columns, dense, starts, mode="sum", per_sample_weights=self.values, include_last_offset=True
        )


def fit(
    documents: EncodedDocuments,
    label_rows: LabelRows,
    labels: list[str],
    words: WordVectors,
    config: ClassifiersConfig,
    seed: int,
) -> LinearNgramModel:
    """Train; see ``Classifier``. There is one solution, whatever the seed.

    Word vectors are not used: beside the words themselves they gained nothing.
    """
    texts = texts_of(documents, MAX_TOKENS)
    kinds = [WORDS, CHARACTERS] if is_spaceless(texts) else [WORDS]
    # n-grams of one text alone take up what is odd about it: without them the others must, at a cost of two points
    blocks = [block_of(texts, grams, 1, _MAX_NGRAMS) for grams in kinds]
    device = device_of(config.device)
    with one_thread(device):
        matrix, transposed = (_on(part, device) for part in matrix_of(blocks, texts))
        rows = torch.from_numpy(label_rows).to(device)
        V = sum(len(block.vocabulary) for block in blocks)
        at_once = max(1, _MAX_SOLVED // (V + 1))
        solved = [
            _solved(matrix, transposed, rows, range(first, min(first + at_once, len(labels))))
            for first in range(0, len(labels), at_once)
        ]
    weights = torch.cat(solved, dim=1).cpu().numpy()
    return LinearNgramModel(labels, blocks, weights[:-1].astype(np.float16), weights[-1], MAX_TOKENS)


def matrix_of(blocks: Sequence[NgramBlock], texts: Sequence[list[str]]) -> tuple[SparseMatrix, SparseMatrix]:
    """Features with a 1 behind them, float32 (B, V + 1), and the transpose."""
    columns, values, owners = [], [], []
    offset = 0
    for block in blocks:
        done = 0
        for some in in_batches(texts):
            rows, value = block.features(some)
            columns.append(rows.values.astype(np.int64) + offset)
            values.append(value)
            owners.append(np.repeat(np.arange(done, done + len(some)), np.diff(rows.starts)))
            done += len(some)
        offset += len(block.vocabulary)
    B = len(texts)
    column = np.concatenate([*columns, np.full(B, offset)])
    value, owner = np.concatenate([*values, np.ones(B, np.float32)]), np.concatenate([*owners, np.arange(B)])
    return _sparse(owner, column, value, B), _sparse(column, owner, value, offset + 1)


def _sparse(rows: LabelRows, columns: LabelRows, values: Values, R: int) -> SparseMatrix:
    order = np.argsort(rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=R))])
    return SparseMatrix(*(torch.from_numpy(array) for array in (columns[order], starts, values[order])))


def _on(matrix: SparseMatrix, device: str) -> SparseMatrix:
    return SparseMatrix(*(part.to(device) for part in matrix))


def _solved(matrix: SparseMatrix, transposed: SparseMatrix, label_rows: torch.Tensor, some: range) -> torch.Tensor:
    """Minimum of |w|² / 2 + Σ cost · max(0, 1 - y · x·w)² for some labels, each against all others.

    Args:
        matrix: float32 (B, V).
        transposed: float32 (V, B).
        label_rows: int64 (B,).
        some: K of the labels.

    Returns:
        float32 (V, K).
    """
    V, B = len(transposed.starts) - 1, len(matrix.starts) - 1
    sign = 2.0 * (label_rows[:, None] == torch.tensor(list(some), device=label_rows.device)) - 1  # (B, K)
    w, margin = (torch.zeros(size, len(some), device=sign.device) for size in (V, B))
    first = None
    for _ in range(_NEWTON_STEPS):
        slack = relu(1 - sign * margin)
        gradient = w - transposed.times(2 * _COST * sign * slack)
        size = gradient.norm(dim=0)
        first = size if first is None else first
        if bool((size <= _TOLERANCE * first).all()):
            break
        step = _newton_step(matrix, transposed, gradient, 2 * _COST * (slack > 0))
        moved = matrix.times(step)
        share = _line_search(w, step, margin, moved, sign)
        w, margin = w + share * step, margin + share * moved
    return w


def _newton_step(
    matrix: SparseMatrix, transposed: SparseMatrix, gradient: torch.Tensor, active: torch.Tensor
) -> torch.Tensor:
    """Solution of (1 + Xᵀ · active · X) step = -gradient by conjugate gradients, each column for itself."""
    step, rest = torch.zeros_like(gradient), -gradient
    direction, length = rest, (rest**2).sum(0)
    goal = _INNER_TOLERANCE**2 * length
    for _ in range(_INNER_STEPS):
        bent = direction + transposed.times(active * matrix.times(direction))
        share = length / (direction * bent).sum(0).clamp_min(torch.finfo(length.dtype).tiny)
        step, rest = step + share * direction, rest - share * bent
        before, length = length, (rest**2).sum(0)
        if bool((length <= goal).all()):
            break
        direction = rest + (length / before.clamp_min(torch.finfo(length.dtype).tiny)) * direction
    return step


def _line_search(
    w: torch.Tensor,
    step: torch.Tensor,
    margin: torch.Tensor,
    moved: torch.Tensor,
    sign: torch.Tensor,
) -> torch.Tensor:
    """Best of a full step and its halves, float32 (K,); 0 where none of them helps."""
    inner, outer = (w * step).sum(0), (step**2).sum(0)
    best = _COST * (relu(1 - sign * margin) ** 2).sum(0)
    best_share = torch.zeros_like(best)
    for halvings in range(6):
        share = 0.5**halvings
        hinge = _COST * (relu(1 - sign * (margin + share * moved)) ** 2).sum(0)
        loss = hinge + share * inner + share**2 / 2 * outer  # |w + share · step|² / 2, without |w|² / 2
        best_share, best = torch.where(loss < best, share, best_share), torch.minimum(loss, best)
    return best_share
