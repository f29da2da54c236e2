"""Training the click model: impressions with their clicks -> the model that is evaluated, and the one that is released.

What can be learned from a list is above all which of its articles was preferred, by a softmax over the list (the
conditional logit); cross-entropy also learns why this list was clicked at all, or not (see ``recsys.ctr.losses``). A
part of the score is then the article's smoothed click rate as it is, which varies less than a network that learned from
few lists; and one intercept makes the mean probability the click rate of the rows. Training on a CPU uses one thread:
the same seed and rows give the same bytes.

The evaluated model saw nothing of what judges it; the released one saw everything. ``check_model`` refuses to publish
one that would do harm.

Source: McFadden 1974 (conditional logit); King and Zeng 2001 (the intercept after sampling).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.calibration import calibrated
from recsys.ctr.config import CtrConfig
from recsys.ctr.data import evaluation_mask, training_mask, windows_of
from recsys.ctr.distributed import ProcessGroup
from recsys.ctr.loop import Checkpoints, Progress, TrainingHistory, TrainingLoop, fingerprint_of
from recsys.ctr.losses import resolved_loss
from recsys.ctr.model import ClickModel, Matrix
from recsys.ctr.trainer import Trainer
from recsys.ctr.warm_start import dataset_statistics, initial_model
from recsys.dataset.chunks import Chunks, chunks_of
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.devices import device_of, one_thread
from recsys.errors import DegenerateInput
from recsys.features import NAMES
from recsys.features.rows import CandidateRows, LabelledRows
from recsys.metrics import auc_error, log_loss
from recsys.workspace import load_npy, read_json

RANDOM_AUC = 0.5  # of a model that knows nothing
GATE_CLICKS = 100  # held out, clicked: fewer say nothing of harm
_MORE_RATE = 2.3  # what the article's click rate has beyond its share, in shares, in a model that has learned nothing
_READER_RATE = 10.0  # weight of the reader's own click rate in such a model, in the same
_FEW_CLICKS = 1_000  # learned from, at which both are half: a network of few has not met readers with a history
GATE_ERRORS = 3  # standard errors below ``RANDOM_AUC`` at which a model is refused


class TrainingResources(NamedTuple):
    """The resources of a training beside its rows.

    Attributes:
        last: the model to go on from.
        checkpoints: of the training of a name.
        watch: shows the progress of the training of a name.
        group: the processes that train together; all make the same models.
    """

    last: ClickModel | None = None
    checkpoints: Callable[[str], Checkpoints | None] = lambda _: None
    watch: Callable[[str], Callable[[Progress], None] | None] = lambda _: None
    group: ProcessGroup | None = None


NO_RESOURCES = TrainingResources()


class EvaluatedModel(NamedTuple):
    """A model that saw only what came before the held-out rows, and its evaluation.

    Attributes:
        model: calibrated.
        scores: float32 (H,), its probabilities of the held-out rows.
        history: of the training on the first part, stopped by the validation part.
    """

    model: ClickModel
    scores: npt.NDArray[np.float32]
    history: TrainingHistory


def fit(
    names: Sequence[str],
    rows: LabelledRows | Chunks[LabelledRows],
    validation: LabelledRows | Chunks[LabelledRows] | None,
    config: CtrConfig,
    *,
    seed: int,
    epochs: int | None = None,
    start: ClickModel | None = None,
    until: int = 0,
    checkpoints: Checkpoints | None = None,
    watch: Callable[[Progress], None] | None = None,
    group: ProcessGroup | None = None,
) -> tuple[ClickModel, TrainingHistory]:
    """Train a click model.

    Args:
        names: the F columns.
        rows: N rows; more than ``ctr.max_rows_gib`` are read block by block in each epoch.
        validation: later rows; when their loss has not got lower for ``ctr.patience`` epochs, training ends with the
            best weights. None, or for a softmax no list with both labels, trains all epochs.
        config: network, loss and optimiser.
        seed: of weights, dropout, order and negative samples.
        epochs: at most; ``ctr.epochs`` without it.
        start: the model to go on from, one that training ``can_continue``.
        until: ms of the last row, which ages the vocabulary.
        checkpoints: where to leave what is needed to go on after a crash, and to go on from.
        watch: called after each step with the progress.
        group: the processes that train together: all call this with the same rows, and the first one alone keeps
            checkpoints.

    Returns:
        The model, on the CPU, and the history of its training.

    Raises:
        DegenerateInput: no row; no list with a click and a candidate without one (for cross-entropy: no row of each); a
            label other than 0 and 1; a value or a loss that is not finite, or a loss that explodes.
    """
    config = config.model_copy(update={"loss": resolved_loss(config.loss, sampled=False)})
    blocks = chunks_of(rows)
    later = None if validation is None else chunks_of(validation)
    checkpoints = checkpoints if group is None or group.leads else None
    digest = checkpoints is not None
    statistics = dataset_statistics(names, blocks, config, digest=digest)
    statistics.check(config)
    later_statistics = None if later is None else dataset_statistics(names, later, config, digest=digest)
    device = device_of(config.device)
    with one_thread(device):
        torch.manual_seed(seed)
        model = initial_model(names, statistics, config, start, until).to(device)
        if checkpoints is not None:
            digests = (statistics.digest, later_statistics and later_statistics.digest)
            started = None if start is None else start.learned_until
            facts = (names, seed, epochs, until, device, started, group.size if group else 1, digests)
            checkpoints.belong_to(fingerprint_of(*facts, config=config))
        data = windows_of(model.encoder, device, blocks, config, training_mask)
        stops = later if later_statistics and later_statistics.rows_per_epoch(config) else None
        evaluation = None if stops is None else windows_of(model.encoder, device, stops, config, evaluation_mask)
        folder = None if checkpoints is None else checkpoints.file.parent
        exponent = statistics.lengths.exponent
        trainer = Trainer(model, config, seed=seed, folder=folder, group=group, length_exponent=exponent)
        most = config.epochs if epochs is None else epochs
        loop = TrainingLoop(trainer, data, evaluation, most, statistics.rows_per_epoch(config))
        history = loop.run(checkpoints, watch)
        few = _FEW_CLICKS / (_FEW_CLICKS + statistics.clicked)
        share = config.click_rate_share
        model.to("cpu").blend_click_rate(min(1.0, share * (1 + _MORE_RATE * few)), share * _READER_RATE * few)
        model.intercept = _intercept(model, blocks, statistics.clicked / statistics.rows)
        return model, history


def _intercept(model: ClickModel, blocks: Chunks[LabelledRows], rate: float) -> float:
    """The constant that makes the mean probability of all rows their click rate, by bisection.

    It is what a softmax leaves open, and after cross-entropy on a share of the negatives the log of that share.
    """
    odds = -scored(model.raw, blocks).astype(np.float64)
    low, high = -50.0, 50.0
    for _ in range(60):  # 100 / 2^60 is less than a float64 tells apart
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(np.minimum(odds - middle, 700.0)))).mean()
        low, high = (middle, high) if mean < rate else (low, middle)
    return middle


def scored(score: Callable[[CandidateRows], Matrix], blocks: Chunks[LabelledRows]) -> Matrix:
    """The scores of all rows by ``ClickModel.raw`` or ``ClickModel.score``: float32 (N,)."""
    return np.concatenate([np.empty(0, np.float32), *map(score, blocks)])


def labels(blocks: Chunks[LabelledRows]) -> npt.NDArray[np.int8]:
    """The labels of all rows: int8 (N,)."""
    return np.concatenate([np.empty(0, np.int8), *(block.label for block in blocks)])


def evaluated_model(
    blocks: Chunks[LabelledRows], config: CtrConfig, *, seed: int, resources: TrainingResources = NO_RESOURCES
) -> EvaluatedModel:
    """Find the number of epochs and the calibration, then fit on all rows before the held-out ones.

    Args:
        blocks: all rows.
        config: the network and its training.
        seed: see ``fit``.
        resources: of the training; the last model only where it has seen nothing that stops or judges.
    """
    first, later, held_out = (blocks.of_parts(part) for part in (FIT, VALIDATION, HOLDOUT))
    since = blocks.of_parts(VALIDATION, HOLDOUT).since
    last = resources.last
    start = last if last is not None and 0 < last.learned_until < since else None
    stopped, history = _fit("validation", first, later, config, seed, resources, start)
    before = blocks.of_parts(FIT, VALIDATION)
    model, _ = _fit("holdout", before, None, config, seed, resources, start, history.best_epoch)
    model.calibration = calibrated(config.calibration, scored(stopped.raw, later), labels(later))
    return EvaluatedModel(model, scored(model.score, held_out), history)


def released_model(
    blocks: Chunks[LabelledRows],
    evaluated: EvaluatedModel,
    config: CtrConfig,
    *,
    seed: int,
    resources: TrainingResources,
) -> ClickModel:
    """Fit on all rows for as many epochs; the calibration is of the model that had not seen the validation part."""
    model, _ = _fit("release", blocks, None, config, seed, resources, resources.last, evaluated.history.best_epoch)
    model.calibration = evaluated.model.calibration
    return model


def _fit(
    name: str,
    rows: Chunks[LabelledRows],
    validation: Chunks[LabelledRows] | None,
    config: CtrConfig,
    seed: int,
    resources: TrainingResources,
    start: ClickModel | None,
    epochs: int | None = None,
) -> tuple[ClickModel, TrainingHistory]:
    """``fit`` with the resources of a training of some name."""
    return fit(
        NAMES,
        rows,
        validation,
        config,
        seed=seed,
        epochs=epochs,
        start=start,
        until=rows.until,
        checkpoints=resources.checkpoints(name),
        watch=resources.watch(name),
        group=resources.group,
    )


def history_table(history: TrainingHistory) -> dict[str, object]:
    """``training.json``: the figures of each epoch, and the one whose weights were kept."""
    columns = {"fit_loss": history.fit_loss}
    if history.validation_loss:
        columns |= {"validation_loss": history.validation_loss, "validation_auc": history.validation_auc}
    epochs = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {"epochs": epochs, "best_epoch": history.best_epoch}


def training_warnings(evaluated: EvaluatedModel, label: npt.NDArray[np.int8], config: CtrConfig) -> list[str]:
    """Sentences for an engineer about a training that ended well; none where there is nothing to say.

    Args:
        evaluated: the result.
        label: int8 (H,), of the held-out rows.
        config: of the training.
    """
    warnings, history = [], evaluated.history
    if history.resumed:
        warnings.append(f"went on after epoch {history.resumed} from a checkpoint")
    if history.best_epoch == config.epochs and history.validation_loss:  # without, every epoch looks better
        warnings.append(f"still got better in the last of {config.epochs} epochs: raise ctr.epochs")
    if len(label) and 0 < label.mean() < 1:
        constant = log_loss(label, np.full(len(label), label.mean(), np.float32))
        if log_loss(label, evaluated.scores) > constant:
            warnings.append(
                "probabilities on the held-out lists are worse than always saying the share that was clicked"
            )
    return warnings


def training_summary(history: TrainingHistory) -> dict[str, float]:
    """The figures of a log line: the best epoch, its loss and AUC on the validation part, the speed."""
    best = history.best_epoch - 1
    losses = history.validation_loss or history.fit_loss
    auc = {"auc": round(history.validation_auc[best], 5)} if history.validation_auc else {}
    speed = round(history.rows / history.seconds) if history.seconds else 0
    return {"best_epoch": best + 1, "loss": round(losses[best], 5), **auc, "rows_per_second": speed}


def check_model(folder: Path) -> None:
    """Refuse a click model that the service could not load, or that would do harm.

    Args:
        folder: of the stage; one without a model is fine, the service then ranks by similarity.

    Raises:
        StaleArtefact: it was trained on other columns, or by an older version of this program.
        CorruptArtefact: the files are not a click model.
        DegenerateInput: its probabilities are none, or it ranks rows that it has not seen worse than chance, by
            ``GATE_ERRORS`` standard errors.
    """
    if not (folder / "model.json").is_file():
        return
    ClickModel.load(folder, NAMES)
    if not np.isfinite(load_npy(folder / "holdout.npy")).all():
        raise DegenerateInput("finite probabilities of held-out rows", "others", "Run: python -m jobs ctr --fresh")
    judged = read_json(folder / "judged.json")
    if judged["auc"] is None or judged["clicks"] < GATE_CLICKS:
        return
    error = auc_error(judged["auc"], judged["clicks"], judged["rows"] - judged["clicks"])
    if judged["auc"] <= RANDOM_AUC - GATE_ERRORS * error:
        raise DegenerateInput(
            "a click model that ranks held-out rows better than chance",
            f"an AUC of {judged['auc']:.3f} ± {error:.3f}",
            "Look at the report's page on the click model; then correct the log or the ctr settings.",
        )
