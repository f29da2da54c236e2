"""From rows to the model that is released: schedule and calibration by the validation part, judged on the held-out one.

Reads the training rows; produces the model that is judged, which saw nothing of what judges it, and the one that is
released, which saw everything. ``check`` refuses to publish one that would do harm.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.ctr.calibration import calibrated
from recsys.ctr.checkpoints import Checkpoints
from recsys.ctr.config import CtrConfig
from recsys.ctr.course import Progress, Training
from recsys.ctr.distributed import Group
from recsys.ctr.model import ClickModel
from recsys.ctr.training import fit, scored
from recsys.dataset.chunks import Chunks
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.errors import DegenerateInput
from recsys.features import NAMES
from recsys.features.rows import LabelledRows
from recsys.metrics import auc_error, log_loss
from recsys.workspace import load_npy, read_json

CHANCE = 0.5  # AUC of a model that knows nothing
LEAST_CLICKS = 100  # held out, clicked: fewer say nothing of harm


class Aids(NamedTuple):
    """What a training may use beside its rows.

    Attributes:
        last: the model to go on from.
        checkpoints: of the training of a name.
        watch: shows how far the training of a name is.
        group: the processes that train together; all make the same models.
    """

    last: ClickModel | None = None
    checkpoints: Callable[[str], Checkpoints | None] = lambda _: None
    watch: Callable[[str], Callable[[Progress], None] | None] = lambda _: None
    group: Group | None = None


NO_AIDS = Aids()


class Judged(NamedTuple):
    """A model that saw only what came before the held-out rows, and how its training was found.

    Attributes:
        model: calibrated.
        scores: float32 (H,), its probabilities of the held-out rows.
        training: on the first part, stopped by the validation part.
    """

    model: ClickModel
    scores: npt.NDArray[np.float32]
    training: Training


def judged_model(made: Chunks[LabelledRows], config: CtrConfig, *, seed: int, aids: Aids = NO_AIDS) -> Judged:
    """Find the schedule and the calibration, then fit on all rows before the held-out ones.

    Args:
        made: all rows.
        config: the network and its training.
        seed: see ``fit``.
        aids: what training may use; the last model only where it has seen nothing that stops or judges.
    """
    fitted, later, held = (made.of_parts(part) for part in (FIT, VALIDATION, HOLDOUT))
    since = made.of_parts(VALIDATION, HOLDOUT).since
    start = aids.last if aids.last is not None and 0 < aids.last.through < since else None
    found, training = fit(
        NAMES,
        fitted,
        later,
        config,
        seed=seed,
        start=start,
        through=fitted.until,
        checkpoints=aids.checkpoints("validation"),
        watch=aids.watch("validation"),
        group=aids.group,
    )
    before = made.of_parts(FIT, VALIDATION)
    model, _ = fit(
        NAMES,
        before,
        None,
        config,
        seed=seed,
        schedule=training.schedule,
        start=start,
        through=before.until,
        checkpoints=aids.checkpoints("holdout"),
        watch=aids.watch("holdout"),
        group=aids.group,
    )
    model.calibration = calibrated(config.calibration, scored(found.raw, later), labels(later))
    return Judged(model, scored(model.score, held), training)


def released_model(
    made: Chunks[LabelledRows], judged: Judged, config: CtrConfig, *, seed: int, aids: Aids
) -> ClickModel:
    """Fit on all rows as the validation part taught; the calibration is of the model that had not seen that part."""
    model, _ = fit(
        NAMES,
        made,
        None,
        config,
        seed=seed,
        schedule=judged.training.schedule,
        start=aids.last,
        through=made.until,
        checkpoints=aids.checkpoints("release"),
        watch=aids.watch("release"),
        group=aids.group,
    )
    model.calibration = judged.model.calibration
    return model


def labels(blocks: Chunks[LabelledRows]) -> npt.NDArray[np.int8]:
    """The labels of all rows: int8 (N,)."""
    return np.concatenate([np.empty(0, np.int8), *(block.label for block in blocks)])


def curves(training: Training) -> dict[str, object]:
    """``training.json``: what happened in each epoch, and which one's weights were kept."""
    columns = {"fit_loss": training.fit_loss, "learning_rate": training.learning_rate}
    if training.validation_loss:
        columns |= {"validation_loss": training.validation_loss, "validation_auc": training.validation_auc}
    epochs = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {"epochs": epochs, "best_epoch": training.best_epoch}


def doubts(judged: Judged, label: npt.NDArray[np.int8], config: CtrConfig) -> list[str]:
    """What an engineer should hear of a training that ended well: sentences, none where there is nothing.

    Args:
        judged: what came out.
        label: int8 (H,), of the held-out rows.
        config: what it was trained with.
    """
    found, training = [], judged.training
    if training.resumed:
        found.append(f"went on after epoch {training.resumed} from a checkpoint")
    if training.best_epoch == config.epochs and training.validation_loss:  # without, every epoch looks better
        found.append(f"still got better in the last of {config.epochs} epochs: raise ctr.epochs")
    if len(label) and 0 < label.mean() < 1:
        constant = log_loss(label, np.full(len(label), label.mean(), np.float32))
        if log_loss(label, judged.scores) > constant:
            found.append("probabilities on the held-out lists are worse than always saying the share that was clicked")
    return found


def told(training: Training) -> dict[str, float]:
    """What a log line says of a training: the best epoch, its loss and AUC on the validation part, the speed."""
    best = training.best_epoch - 1
    held = training.validation_loss or training.fit_loss
    auc = {"auc": round(training.validation_auc[best], 5)} if training.validation_auc else {}
    speed = round(training.rows / training.seconds) if training.seconds else 0
    return {"best_epoch": best + 1, "loss": round(held[best], 5), **auc, "rows_per_second": speed}


def check(folder: Path) -> None:
    """Refuse a click model that the service could not load, or that would do harm.

    Args:
        folder: of the stage; one without a model is fine, the service then ranks by similarity.

    Raises:
        StaleArtefact: it was trained on other columns.
        CorruptArtefact: the files are not a click model.
        DegenerateInput: it says what is no probability, or ranks rows that it has not seen worse than chance, by three
            standard errors.
    """
    if not (folder / "model.json").is_file():
        return
    ClickModel.load(folder, NAMES)
    if not np.isfinite(load_npy(folder / "holdout.npy")).all():
        raise DegenerateInput("finite probabilities of held-out rows", "others", "Run: python -m jobs ctr --fresh")
    judged = read_json(folder / "judged.json")
    if judged["auc"] is None or judged["clicks"] < LEAST_CLICKS:
        return
    noise = auc_error(judged["auc"], judged["clicks"], judged["rows"] - judged["clicks"])
    if judged["auc"] < CHANCE - 3 * noise:
        raise DegenerateInput(
            "a click model that ranks held-out rows better than chance",
            f"an AUC of {judged['auc']:.3f} ± {noise:.3f}",
            "Look at the report's page on the click model; then correct the log or the ctr settings.",
        )
