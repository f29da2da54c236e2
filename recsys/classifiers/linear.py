"""The linear classifier: TF-IDF of words, and of characters where words are a guess, under a squared hinge loss.

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
from recsys.classifiers.linear_ngram_model import LinearNgramModel, NgramBlock, NgramSpec, Values, block_of
from recsys.classifiers.network_training import class_weights, device_of, one_thread
from recsys.classifiers.ngrams import in_batches, is_spaceless, texts_of
from recsys.words import WordVectors

MOST_GRAMS = 1 << 20  # of each kind, the most frequent: bounds memory and the file
WORDS = NgramSpec(words=1, characters=0, tfidf=True)  # word pairs cost half a point on small sets
CHARACTERS = NgramSpec(words=0, characters=3, tfidf=True)  # four gained nothing
AT_ONCE = 1 << 24  # weights that are solved for together: bounds each vector of the solver to 64 MiB
NEWTON_STEPS, INNER_STEPS = 20, 20
TOLERANCE, INNER_TOLERANCE = 0.003, 0.1  # shares of the first gradient, and of each step's own


class SparseMatrix(NamedTuple):
    """A sparse matrix by rows, on the device: columns int64 (N,), starts int64 (R + 1,), values float32 (N,)."""

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
    """Learn the weights; see ``Classifier``. There is one solution, whatever the seed.

    Word vectors are not used: beside the words themselves they gained nothing.
    """
    texts = texts_of(documents, config.max_tokens)
    kinds = [WORDS, CHARACTERS] if is_spaceless(texts) else [WORDS]
    # n-grams of one text alone take up what is odd about it: without them the others must, at a cost of two points
    blocks = [block_of(texts, grams, 1, MOST_GRAMS) for grams in kinds]
    device = device_of(config)
    with one_thread(device):
        matrix, transposed = (_on(part, device) for part in matrix_of(blocks, texts))
        cost = torch.from_numpy(config.hinge_cost * class_weights(label_rows, len(labels), config.class_weights))
        rows = torch.from_numpy(label_rows).to(device)
        V = sum(len(block.vocabulary) for block in blocks)
        at_once = max(1, AT_ONCE // (V + 1))
        solved = [
            _solved(matrix, transposed, rows, range(first, min(first + at_once, len(labels))), cost.to(device)[rows])
            for first in range(0, len(labels), at_once)
        ]
    weights = torch.cat(solved, dim=1).cpu().numpy()
    return LinearNgramModel(labels, blocks, weights[:-1].astype(np.float16), weights[-1], config.max_tokens)


def matrix_of(blocks: Sequence[NgramBlock], texts: Sequence[list[str]]) -> tuple[SparseMatrix, SparseMatrix]:
    """float32 (B, V + 1), the features with a 1 behind them, and its transpose."""
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


def _solved(
    matrix: SparseMatrix, transposed: SparseMatrix, label_rows: torch.Tensor, some: range, cost: torch.Tensor
) -> torch.Tensor:
    """Minimise |w|² / 2 + Σ cost · max(0, 1 - y · x·w)² for some categories, each against all others.

    Args:
        matrix: float32 (B, V).
        transposed: float32 (V, B).
        label_rows: int64 (B,).
        some: K of the categories.
        cost: float32 (B,), what a document's error counts.

    Returns:
        float32 (V, K).
    """
    V, B = len(transposed.starts) - 1, len(matrix.starts) - 1
    sign = 2.0 * (label_rows[:, None] == torch.tensor(list(some), device=label_rows.device)) - 1  # (B, K)
    w, margin = torch.zeros(V, len(some), device=cost.device), torch.zeros(B, len(some), device=cost.device)
    cost, first = 2 * cost[:, None], None
    for _ in range(NEWTON_STEPS):
        slack = relu(1 - sign * margin)
        gradient = w - transposed.times(cost * sign * slack)
        size = gradient.norm(dim=0)
        first = size if first is None else first
        if bool((size <= TOLERANCE * first).all()):
            break
        step = _newton_step(matrix, transposed, gradient, cost * (slack > 0))
        moved = matrix.times(step)
        share = _line_search(w, step, margin, moved, sign, cost)
        w, margin = w + share * step, margin + share * moved
    return w


def _newton_step(
    matrix: SparseMatrix, transposed: SparseMatrix, gradient: torch.Tensor, active: torch.Tensor
) -> torch.Tensor:
    """Solve (1 + Xᵀ · active · X) step = -gradient by conjugate gradients, each column for itself."""
    step, rest = torch.zeros_like(gradient), -gradient
    direction, length = rest, (rest**2).sum(0)
    goal = INNER_TOLERANCE**2 * length
    for _ in range(INNER_STEPS):
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
    cost: torch.Tensor,
) -> torch.Tensor:
    """The best of a full step and its halves, float32 (K,); 0 where none of them helps."""
    inner, outer = (w * step).sum(0), (step**2).sum(0)
    best = (cost * relu(1 - sign * margin) ** 2).sum(0) / 2
    found = torch.zeros_like(best)
    for halvings in range(6):
        share = 0.5**halvings
        loss = (cost * relu(1 - sign * (margin + share * moved)) ** 2).sum(0) / 2 + share * inner + share**2 / 2 * outer
        found, best = torch.where(loss < best, share, found), torch.minimum(loss, best)
    return found
