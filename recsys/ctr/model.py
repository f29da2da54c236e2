"""The click model: feature matrix -> P(click), a small network with dropout.

Reads ``features``' matrix and labels; produces ``model.safetensors`` and ``model.json``. Imports torch and numpy only, so
that it runs on a bare GPU machine too. Training on a CPU uses one thread: the same seed and rows give the same bytes.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from recsys.ctr import CtrConfig
from recsys.errors import CorruptArtefact, DegenerateInput, StaleArtefact

Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int8]

CLIP = 8.0  # standard deviations: a feature beyond what training saw must not decide alone
SCORE_ROWS = 65_536  # rows scored at once: bounds memory on large matrices


@dataclass(frozen=True)
class Training:
    """What happened while a model was fitted.

    Attributes:
        fit_loss: binary cross-entropy per epoch on the fitted rows, dropout on.
        validation_loss: the same on the validation rows, dropout off; empty without them.
        best_epoch: number of epochs (from 1) after which the kept weights stood.
    """

    fit_loss: list[float]
    validation_loss: list[float]
    best_epoch: int


class ClickModel:
    """Standardised features -> hidden layers -> a probability."""

    def __init__(self, names: Sequence[str], hidden: Sequence[int], dropout: float) -> None:
        self.names, self.hidden, self.dropout = tuple(names), tuple(hidden), dropout
        self.mean = torch.zeros(len(self.names))
        self.std = torch.ones(len(self.names))
        self.net = _layers(len(self.names), self.hidden, dropout)

    def score(self, matrix: Matrix) -> Matrix:
        """The probability of a click for each row.

        Args:
            matrix: float32 (B, F), columns as ``names``.

        Returns:
            float32 (B,) in [0, 1].

        Raises:
            DegenerateInput: another number of columns, or a value that is not finite (the column is named).
        """
        check_matrix(matrix, self.names)
        self.net.eval()
        scores = np.empty(len(matrix), np.float32)
        with torch.inference_mode():
            for start in range(0, len(matrix), SCORE_ROWS):
                rows = torch.from_numpy(np.ascontiguousarray(matrix[start : start + SCORE_ROWS]))
                scores[start : start + SCORE_ROWS] = torch.sigmoid(self.logit(rows)).numpy()
        return scores

    def logit(self, rows: torch.Tensor) -> torch.Tensor:
        """Raw scores: float32 (B, F) -> (B,), on the device where the model is."""
        standard = ((rows - self.mean) / self.std).clamp(-CLIP, CLIP)
        out: torch.Tensor = self.net(standard).squeeze(1)  # (B, 1) -> (B,)
        return out

    def to(self, device: str) -> "ClickModel":
        """Move all weights to a device."""
        self.mean, self.std, self.net = self.mean.to(device), self.std.to(device), self.net.to(device)
        return self

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        tensors = {f"net.{name}": value.contiguous() for name, value in self.net.state_dict().items()}
        save_file(tensors | {"mean": self.mean, "std": self.std}, folder / "model.safetensors")
        facts = {"dropout": self.dropout, "hidden": list(self.hidden), "names": list(self.names)}
        (folder / "model.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, names: Sequence[str]) -> "ClickModel":
        """Read a model that scores columns ``names``.

        Raises:
            StaleArtefact: it was trained on other columns.
            CorruptArtefact: the files are not a click model.
        """
        try:
            facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            model = cls(facts["names"], facts["hidden"], facts["dropout"])
            tensors = load_file(folder / "model.safetensors")
            model.mean, model.std = tensors.pop("mean"), tensors.pop("std")
            model.net.load_state_dict({name.removeprefix("net."): value for name, value in tensors.items()})
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
        if model.names != tuple(names):
            differ = sorted(set(model.names) ^ set(names)) or ["their order"]
            raise StaleArtefact(
                f"a click model over today's {len(names)} features",
                f"one over {len(model.names)}; they differ in {', '.join(differ)}",
                "Run: python -m jobs features ctr",
            )
        model.net.eval()
        return model


def fit(
    names: Sequence[str],
    matrix: Matrix,
    label: Labels,
    validation: tuple[Matrix, Labels] | None,
    config: CtrConfig,
    *,
    seed: int,
    epochs: int | None = None,
) -> tuple[ClickModel, Training]:
    """Train a click model.

    Args:
        names: the F columns.
        matrix: float32 (N, F).
        label: int8 (N,), 1 = clicked.
        validation: later rows and labels; training stops when their loss has not fallen for ``patience`` epochs, and
            the best epoch's weights are kept. None trains ``epochs`` epochs.
        config: layers and optimiser.
        seed: of weights, dropout and order.
        epochs: at most so many; ``config.epochs`` when None.

    Returns:
        The model, on the CPU, and its loss curves.

    Raises:
        DegenerateInput: no rows, one label only, a label other than 0 and 1, a value or a loss that is not finite.
    """
    check_training(names, matrix, label)
    device = device_of(config)
    with one_thread(device):
        torch.manual_seed(seed)
        model = ClickModel(names, config.hidden, config.dropout)
        model.mean, model.std = standard(matrix)
        model.to(device)
        training = _train(model, _tensors(matrix, label, device), _held(validation, device), config, epochs, seed)
        return model.to("cpu"), training


Tensors = tuple[torch.Tensor, torch.Tensor]


def _train(
    model: ClickModel, rows: Tensors, held: Tensors | None, config: CtrConfig, epochs: int | None, seed: int
) -> Training:
    optimiser = torch.optim.AdamW(model.net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    order = torch.Generator().manual_seed(seed)
    fit_loss: list[float] = []
    validation_loss: list[float] = []
    best, kept = 0, _weights(model)
    for epoch in range(epochs or config.epochs):
        fit_loss.append(_epoch(model, rows, optimiser, config.batch_size, order))
        if held is not None:
            validation_loss.append(_loss(model, held))
            if validation_loss[-1] > min(validation_loss):
                if epoch - best >= config.patience:
                    break
                continue
        best, kept = epoch, _weights(model)
    model.net.load_state_dict(kept)
    return Training(fit_loss, validation_loss, best + 1)


def _epoch(
    model: ClickModel, rows: Tensors, optimiser: torch.optim.Optimizer, batch_size: int, order: torch.Generator
) -> float:
    matrix, label = rows
    model.net.train()
    total = torch.zeros((), device=matrix.device)
    for batch in torch.randperm(len(matrix), generator=order).to(matrix.device).split(batch_size):
        loss = nn.functional.binary_cross_entropy_with_logits(model.logit(matrix[batch]), label[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.detach() * len(batch)
    return _finite(float(total) / len(matrix))


def _loss(model: ClickModel, rows: Tensors) -> float:
    model.net.eval()
    with torch.inference_mode():
        return _finite(float(nn.functional.binary_cross_entropy_with_logits(model.logit(rows[0]), rows[1])))


def _finite(loss: float) -> float:
    if not np.isfinite(loss):
        raise DegenerateInput("a finite loss", str(loss), "Lower ctr.learning_rate.")
    return loss


def _weights(model: ClickModel) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.net.state_dict().items()}


def _layers(n_in: int, hidden: Sequence[int], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_in, width), nn.ReLU(), nn.Dropout(dropout)]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, 1))


def _tensors(matrix: Matrix, label: Labels, device: str) -> Tensors:
    rows = torch.from_numpy(np.ascontiguousarray(matrix))
    return rows.to(device), torch.from_numpy(label.astype(np.float32)).to(device)


def _held(validation: tuple[Matrix, Labels] | None, device: str) -> Tensors | None:
    return None if validation is None or not len(validation[1]) else _tensors(*validation, device)


def standard(matrix: Matrix) -> Tensors:
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


def check_matrix(matrix: Matrix, names: Sequence[str]) -> None:
    """Refuse a matrix of other columns, or with a value that is not finite.

    Raises:
        DegenerateInput: names the first bad column and row.
    """
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise DegenerateInput(
            f"a matrix of {len(names)} features", f"shape {matrix.shape}", "Run: python -m jobs features"
        )
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        got = f"{matrix[row, column]} in column {names[column]!r}, row {row}"
        raise DegenerateInput("finite features", got, "Correct that feature, then run: python -m jobs features")


def check_training(names: Sequence[str], matrix: Matrix, label: Labels) -> None:
    """Refuse rows that nothing can be learned from.

    Raises:
        DegenerateInput: see ``fit``.
    """
    check_matrix(matrix, names)
    if len(label) != len(matrix) or not np.isin(label, (0, 1)).all():
        raise DegenerateInput("one label of 0 or 1 per row", f"{len(label)} labels", "Run: python -m jobs features")
    clicked = int(label.sum(dtype=np.int64))
    if not 0 < clicked < len(label):
        got = f"{clicked} clicked of {len(label)} rows"
        raise DegenerateInput("rows with a click and rows without", got, "Import more impressions and clicks first.")
