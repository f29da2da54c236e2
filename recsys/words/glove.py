"""Word vectors from co-occurrences (GloVe), by AdaGrad in torch.

Reads ``Cells``; produces ``Fitted``. Minimises the weighted squared error between w_i · c_j + b_i + b_j and log x_ij;
a word's vector is w + c. Cells are taken in batches; within one, scores are sampled from the product of the two
matrices and gradients are sparse products, which is some ten times faster than gathering both rows of every cell.
Source: Pennington et al. 2014, "GloVe: Global Vectors for Word Representation", equations 8 and 9; Duchi et al. 2011
(AdaGrad: every single cell's squared gradient is accumulated, as in the original program).
"""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.errors import DegenerateInput
from recsys.words.config import WordsConfig
from recsys.words.cooccurrence import Cells, count_pairs
from recsys.words.corpus import CorpusVocabulary, Fitted, InitialVectors, OnEpoch

X_MAX = 10.0  # co-occurrences from which on a pair has its full weight; 100 suits billions of words
_ALPHA = 0.75  # a pair seen x times weighs (x / x_max) ** _ALPHA, at most 1; the paper's
CELLS_PER_STEP = 1 << 18  # cells per step at most: larger is faster and learns less per epoch
MIN_STEPS = 16  # steps per epoch, so that a small corpus is not learned in one
_INITIAL_SQUARE = 1.0  # AdaGrad's accumulators at the start, which bounds the first steps; the original program's

Ints = npt.NDArray[np.int64]


class CellBatch(NamedTuple):
    """N cells as a sparse matrix of the R words and C contexts that they touch, and as its transpose.

    Attributes:
        words: int64 (R,), rows of the words.
        contexts: int64 (C,), rows of the contexts.
        row_starts: int64 (R + 1,), where each word's cells begin.
        columns: int64 (N,), each cell's place in ``contexts``.
        column_starts: int64 (C + 1,), where each context's cells begin in the transpose.
        rows: int64 (N,), each cell's place in ``words``, in the transpose's order.
        order: int64 (N,), the transpose's cells as places here.
        logs: float32 (N,), log x.
        weights: float32 (N,), in (0, 1].
    """

    words: Tensor
    contexts: Tensor
    row_starts: Tensor
    columns: Tensor
    column_starts: Tensor
    rows: Tensor
    order: Tensor
    logs: Tensor
    weights: Tensor


class GloveState(NamedTuple):
    """Parameters of a GloVe training: the two matrices with their biases, and AdaGrad's accumulators.

    Each is float32 (V, D + 2). The last two columns are bias and 1 in ``words``, 1 and bias in ``contexts``, so that
    one product is the score.
    """

    words: Tensor
    contexts: Tensor
    word_squares: Tensor
    context_squares: Tensor


def fit(
    corpus: Path,
    vocabulary: CorpusVocabulary,
    config: WordsConfig,
    seed: int,
    start: InitialVectors | None = None,
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Count co-occurrences and train.

    The limit of ``max_trained_words`` counts a word for each ``window`` cells, which take about as long as one word
    does in skip-gram.

    Args:
        corpus: one article, or a part of one, per line.
        vocabulary: the words that get a vector.
        config: window, epochs and the like.
        seed: of the initial vectors, of the batches and of their order.
        start: vectors to start from; None: all at random.
        on_epoch: called with the epochs done so far and the mean weighted squared error during the last one.

    Raises:
        DegenerateInput: a loss that is not finite, or a corpus of single words, in which no pair stands.
    """
    rng = np.random.default_rng(seed)
    cells = count_pairs(corpus, vocabulary.row_of, config.window)
    if not len(cells.rows):
        raise DegenerateInput("two known words in a line of the corpus", "none", "Use words.model: skip-gram.")
    batches = make_batches(cells, X_MAX, CELLS_PER_STEP, rng)
    state = initial_state(len(vocabulary.words), config.embedding_dim, start, rng)
    total = sum(len(batch.logs) for batch in batches)
    epochs = min(config.epochs, max(1, config.max_trained_words * config.window // total))
    losses: list[float] = []
    for epoch in range(1, epochs + 1):
        loss = sum(step(state, batches[place], config.learning_rate) for place in rng.permutation(len(batches))) / total
        if not np.isfinite(loss):
            raise DegenerateInput("a finite loss", f"{loss}", "Lower words.learning_rate.")
        losses.append(round(loss, 6))
        if on_epoch:
            on_epoch(epoch, loss)
    return Fitted((state.words + state.contexts)[:, :-2].numpy(), losses)


def make_batches(cells: Cells, x_max: float, size: int, rng: np.random.Generator) -> list[CellBatch]:
    """Deal the cells, and their mirror images, out to batches of about ``size`` at random."""
    mirrored = cells.rows != cells.columns
    rows = np.concatenate([cells.rows, cells.columns[mirrored]])
    columns = np.concatenate([cells.columns, cells.rows[mirrored]])
    values = np.concatenate([cells.values, cells.values[mirrored]])
    count = max(MIN_STEPS, round(len(rows) / size))
    batch = rng.integers(count, size=len(rows))
    order = np.lexsort((columns, rows, batch))
    bounds = np.searchsorted(batch[order], np.arange(count + 1))
    parts = [order[low:high] for low, high in pairwise(bounds.tolist())]
    return [_batch(rows[part], columns[part], values[part], x_max) for part in parts if len(part)]


def _batch(rows: Ints, columns: Ints, values: npt.NDArray[np.float32], x_max: float) -> CellBatch:
    words, row = np.unique(rows, return_inverse=True)
    contexts, column = np.unique(columns, return_inverse=True)
    order = np.argsort(column, kind="stable")
    arrays = (
        words,
        contexts,
        np.searchsorted(row, np.arange(len(words) + 1)),
        column,
        np.searchsorted(column[order], np.arange(len(contexts) + 1)),
        row[order],
        order,
        np.log(values),
        np.minimum(1, (values / np.float32(x_max)) ** np.float32(_ALPHA)),
    )
    return CellBatch(*(torch.from_numpy(array) for array in arrays))


def initial_state(words: int, embedding_dim: int, start: InitialVectors | None, rng: np.random.Generator) -> GloveState:
    """Small random vectors; a word that has a start gets half of it in each of the two matrices."""
    both = ((rng.random((2, words, embedding_dim + 2)) - 0.5) / embedding_dim).astype(np.float32)
    if start is not None:
        given = np.isfinite(start.vectors[:, 0])
        both[:, given, :-2] = start.vectors[given] / 2
    both[0, :, -1] = both[1, :, -2] = 1
    squares = np.full_like(both, _INITIAL_SQUARE)
    return GloveState(*(torch.from_numpy(matrix) for matrix in (*both, *squares)))


def step(state: GloveState, batch: CellBatch, learning_rate: float) -> float:
    """Take one AdaGrad step on the cells of a batch, in place.

    Returns:
        The summed loss of the cells before the step.
    """
    words, contexts = state.words[batch.words], state.contexts[batch.contexts]  # (R, D + 2), (C, D + 2)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse", UserWarning)  # torch calls its sparse matrices a beta

        def matrix(values: Tensor) -> Tensor:
            return torch.sparse_csr_tensor(batch.row_starts, batch.columns, values, (len(words), len(contexts)))

        def transposed(values: Tensor) -> Tensor:
            size = (len(contexts), len(words))
            return torch.sparse_csr_tensor(batch.column_starts, batch.rows, values[batch.order], size)

        error = torch.sparse.sampled_addmm(matrix(-batch.logs), words, contexts.T).values()
        gradient = batch.weights * error
        word_gradient, context_gradient = matrix(gradient) @ contexts, transposed(gradient) @ words
        word_squares = state.word_squares[batch.words] + matrix(gradient**2) @ contexts**2
        context_squares = state.context_squares[batch.contexts] + transposed(gradient**2) @ words**2
    word_gradient[:, -1] = context_gradient[:, -2] = 0  # the ones that carry the other side's bias stay ones
    state.word_squares[batch.words], state.context_squares[batch.contexts] = word_squares, context_squares
    state.words[batch.words] = words.addcdiv_(word_gradient, word_squares.sqrt_(), value=-learning_rate)
    state.contexts[batch.contexts] = contexts.addcdiv_(context_gradient, context_squares.sqrt_(), value=-learning_rate)
    return float(torch.dot(gradient, error))
