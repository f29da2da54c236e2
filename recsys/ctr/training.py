"""Training the click model: lists with their clicks -> ``ClickModel``.

What can be learned from a list is above all which of its articles was preferred, by a softmax over the list (the
conditional logit); cross-entropy also learns why this list was clicked at all, or not (see ``recsys.ctr.losses``). A
part of the score is then the article's smoothed click rate as it is, which varies less than a network that learned from
few lists; and one constant makes the mean probability the click rate of the rows. Training on a CPU uses one thread:
the same seed and rows give the same bytes.

Source: McFadden 1974 (conditional logit); King and Zeng 2001 (the intercept after sampling).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from recsys.ctr.checkpoints import Checkpoints, mark_of
from recsys.ctr.config import CtrConfig
from recsys.ctr.course import Course, Progress, Training
from recsys.ctr.distributed import Group
from recsys.ctr.model import ClickModel, Matrix
from recsys.ctr.sources import source_of, taught, tells
from recsys.ctr.survey import surveyed
from recsys.ctr.trainer import Trainer
from recsys.ctr.warm import begun
from recsys.dataset.chunks import Chunks, chunks_of
from recsys.features.rows import CandidateRows, LabelledRows


def fit(
    names: Sequence[str],
    rows: LabelledRows | Chunks[LabelledRows],
    validation: LabelledRows | Chunks[LabelledRows] | None,
    config: CtrConfig,
    *,
    seed: int,
    schedule: Sequence[float] | None = None,
    start: ClickModel | None = None,
    through: int = 0,
    checkpoints: Checkpoints | None = None,
    watch: Callable[[Progress], None] | None = None,
    group: Group | None = None,
) -> tuple[ClickModel, Training]:
    """Train a click model.

    Args:
        names: the F columns.
        rows: N rows; more than ``ctr.rows_gib`` are read block by block in each epoch.
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
        group: the processes that train together: all call this with the same rows, and the first one alone keeps
            checkpoints.

    Returns:
        The model, on the CPU, and what happened.

    Raises:
        DegenerateInput: no row; no list with a click and a candidate without one (for cross-entropy: no row of each); a
            label other than 0 and 1; a value or a loss that is not finite, or a loss that explodes.
    """
    config = config.resolved(drawn=False)
    learned, judging = chunks_of(rows), None if validation is None else chunks_of(validation)
    checkpoints = checkpoints if group is None or group.leads else None
    kept = checkpoints is not None
    found = surveyed(names, learned, config, digest=kept)
    found.check(config)
    held = None if judging is None else surveyed(names, judging, config, digest=kept)
    device = device_of(config)
    with one_thread(device):
        torch.manual_seed(seed)
        model = begun(names, found, config, start, through).to(device)
        if checkpoints is not None:
            digests, size = (found.digest, held and held.digest), 1 if group is None else group.size
            facts = (names, seed, schedule, through, device, None if start is None else start.through, size)
            checkpoints.of(mark_of(*facts, digests, config=config))
        source = source_of(model, learned, config, taught)
        judge = None if judging is None or not (held and held.lessons(config)) else judging
        stops = None if judge is None else source_of(model, judge, config, tells)
        folder = None if checkpoints is None else checkpoints.file.parent
        trainer = Trainer(model, config, seed=seed, folder=folder, group=group)
        epochs = config.epochs if schedule is None else len(schedule)
        course = Course(trainer, source, stops, epochs, found.lessons(config), schedule)
        training = course.run(checkpoints, watch)
        model.to("cpu").lean(config.click_rate_share)
        model.constant = _intercept(model, learned, found.clicked / found.rows)
        return model, training


def _intercept(model: ClickModel, blocks: Chunks[LabelledRows], rate: float) -> float:
    """The constant that makes the mean probability of all rows their click rate, by bisection.

    It is what a softmax leaves open, and after cross-entropy on a share of the negatives the log of that share.
    """
    odds = -scored(model.raw, blocks).astype(np.float64)
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(np.minimum(odds - middle, 700.0)))).mean()
        low, high = (middle, high) if mean < rate else (low, middle)
    return middle


def scored(score: Callable[[CandidateRows], Matrix], blocks: Chunks[LabelledRows]) -> Matrix:
    """What ``ClickModel.raw`` or ``score`` says of all rows: float32 (N,)."""
    return np.concatenate([np.empty(0, np.float32), *map(score, blocks)])


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
