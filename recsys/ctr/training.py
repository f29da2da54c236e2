"""Training the click model: lists with their clicks -> ``ClickModel``.

A reader clicks about once however long or good the list is, so what can be learned from a list is which of its articles
was preferred: the loss is by default a softmax over each list (the conditional logit), which leaves out why this list
was clicked at all. A part of the score is then the article's smoothed click rate as it is, which varies less than a
network that learned from few lists; and one constant makes the mean probability the click rate of the rows. Training on
a CPU uses one thread: the same seed and rows give the same bytes.

Source: McFadden 1974 (conditional logit); King and Zeng 2001 (the intercept after sampling).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.checkpoints import Checkpoints, mark_of
from recsys.ctr.config import CtrConfig
from recsys.ctr.course import Course, Progress, Training
from recsys.ctr.inputs import Lists, lists_on
from recsys.ctr.model import ClickModel, Matrix, check_matrix
from recsys.ctr.trainer import Trainer
from recsys.ctr.warm import begun
from recsys.errors import DegenerateInput
from recsys.features.rows import Rows

Mask = npt.NDArray[np.bool_]


def fit(
    names: Sequence[str],
    rows: Rows,
    validation: Rows | None,
    config: CtrConfig,
    *,
    seed: int,
    schedule: Sequence[float] | None = None,
    start: ClickModel | None = None,
    through: int = 0,
    checkpoints: Checkpoints | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> tuple[ClickModel, Training]:
    """Train a click model.

    Args:
        names: the F columns.
        rows: N rows.
        validation: later rows; when they have not got better for ``ctr.patience`` epochs, training goes back to the
            best weights with a tenth of the step size, ``ctr.drops`` times, and then ends with them. None, or for a
            softmax no list with both labels, trains all epochs.
        config: network, loss and optimiser.
        seed: of weights, dropout, order and the negatives that are left out.
        schedule: factor of the step size of each epoch, as many as there are; ``ctr.epochs`` full ones without it.
        start: the model to go on from, one that ``continues``.
        through: ms of the last row, which ages the vocabulary.
        checkpoints: where to leave what is needed to go on after a crash, and to go on from.
        watch: told after each step how far training is.

    Returns:
        The model, on the CPU, and what happened.

    Raises:
        DegenerateInput: no row; no list with a click and a candidate without one (for cross-entropy: no row of each); a
            label other than 0 and 1; a value or a loss that is not finite, or a loss that explodes.
    """
    check_rows(names, rows, config)
    device = device_of(config)
    with one_thread(device):
        torch.manual_seed(seed)
        model = begun(names, rows, config, start, through)
        if start is None:
            model.mean, model.std = standard(rows.matrix)
        model.to(device)
        lists = tensors_of(model, rows, taught(rows, config, seed))
        held = None if validation is None else tensors_of(model, validation, tells(validation, config))
        if checkpoints is not None:
            facts = (names, seed, schedule, through, device, None if start is None else start.through)
            checkpoints.of(mark_of(*facts, rows=(rows, validation), config=config))
        trainer = Trainer(model, config, seed=seed, folder=None if checkpoints is None else checkpoints.file.parent)
        held = held if held is not None and len(held.size) else None
        epochs = config.epochs if schedule is None else len(schedule)
        training = Course(trainer, lists, held, epochs, schedule).run(checkpoints, watch)
        model.to("cpu").lean(config.click_rate_share)
        model.constant = _intercept(model, rows)
        return model, training


def tensors_of(model: ClickModel, rows: Rows, mask: Mask) -> Lists:
    """The rows of a mask as tensors where the model is."""
    return lists_on(rows.where(mask), model.reads, model.vocabulary, str(model.mean.device), np.flatnonzero(mask))


def preferred(rows: Rows) -> Mask:
    """The rows of lists with both labels, bool (N,): the others prefer nothing to nothing."""
    number = np.cumsum(np.diff(rows.impression, prepend=rows.impression[:1]) != 0)
    size = np.bincount(number)
    clicked = np.bincount(number, rows.label, len(size))
    both: Mask = ((clicked > 0) & (clicked < size))[number]
    return both


def tells(rows: Rows, config: CtrConfig) -> Mask:
    """The rows whose loss says anything, bool (N,): of a softmax those of lists with both labels, else all."""
    return preferred(rows) if config.loss == "softmax" else np.ones(len(rows), np.bool_)


def taught(rows: Rows, config: CtrConfig, seed: int) -> Mask:
    """The rows that training learns from, bool (N,).

    Of the candidates without a click a share of ``ctr.negatives`` is drawn. A softmax learns nothing from lists without
    a click or without anything else, cross-entropy learns from all.
    """
    kept = np.ones(len(rows), np.bool_)
    if config.negatives < 1:
        kept = (rows.label == 1) | (np.random.default_rng(seed).random(len(rows)) < config.negatives)
    if config.loss == "softmax":
        kept[kept] = preferred(rows.where(kept))
    return kept


def _intercept(model: ClickModel, rows: Rows) -> float:
    """The constant that makes the mean probability of all rows their click rate, by bisection.

    It is what a softmax leaves open, and after cross-entropy on a share of the negatives the log of that share.
    """
    odds = -model.raw(rows).astype(np.float64)
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(np.minimum(odds - middle, 700.0)))).mean()
        low, high = (middle, high) if mean < rows.label.mean() else (low, middle)
    return middle


def standard(matrix: Matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each column, float32 (F,); a constant column keeps 1."""
    mean, std = matrix.mean(axis=0, dtype=np.float64), matrix.std(axis=0, dtype=np.float64)
    std[std < 1e-6] = 1.0
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))


def device_of(config: CtrConfig) -> str:
    """``cuda`` when it is asked for, or when there is one and ``auto`` leaves the choice; else ``cpu``."""
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return config.device


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Train on one CPU thread: sums in a fixed order are the same in every run."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_rows(names: Sequence[str], rows: Rows, config: CtrConfig) -> None:
    """Refuse rows that nothing can be learned from.

    Raises:
        DegenerateInput: see ``fit``.
    """
    label = rows.label
    check_matrix(rows.matrix, names)
    if not len(rows.matrix) == len(label) == len(rows.impression) == len(rows.position):
        got = f"{len(rows.matrix)} rows, {len(label)} labels, {len(rows.impression)} list numbers"
        raise DegenerateInput("a label, a list number and a place per row", got, "Run: python -m jobs features")
    if not np.isin(label, (0, 1)).all():
        row = int(np.flatnonzero(~np.isin(label, (0, 1)))[0])
        got = f"{label[row]} in column 'label', row {row}"
        raise DegenerateInput("labels of 0 (not clicked) and 1 (clicked)", got, "Run: python -m jobs features --fresh")
    clicked, both = int(label.sum(dtype=np.int64)), bool(preferred(rows).any())
    if not (both if config.loss == "softmax" else 0 < clicked < len(label)):
        got = f"{clicked} clicked of {len(label)} rows" + ("" if both else ", no list with both")
        raise DegenerateInput("lists with a click and a candidate without", got, "Import more impressions and clicks.")
