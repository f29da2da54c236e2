"""The click model: feature matrix -> P(click), a small network with dropout.

Reads ``features``' matrix; produces scores, and ``model.safetensors`` and ``model.json``. Imports torch and numpy only:
it runs on a bare GPU machine too.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from recsys.errors import CorruptArtefact, DegenerateInput, StaleArtefact

Matrix = npt.NDArray[np.float32]

CLIP = 8.0  # standard deviations: a feature beyond what training saw must not decide alone
RATE = "click_rate_total"  # the column that holds the smoothed click rate in log-odds
SCORE_ROWS = 65_536  # rows scored at once: bounds memory on large matrices


class ClickModel:
    """Standardised features -> hidden layers -> a probability.

    Attributes:
        share: part of the raw score that is the column ``RATE`` as it is; 0 without such a column.
        drawn: how the candidates were drawn that it learned from; None where readers were really shown them.
    """

    def __init__(self, names: Sequence[str], hidden: Sequence[int], dropout: float) -> None:
        self.names, self.hidden, self.dropout = tuple(names), tuple(hidden), dropout
        self.mean = torch.zeros(len(self.names))
        self.std = torch.ones(len(self.names))
        self.net = _layers(len(self.names), self.hidden, dropout)
        self.share = 0.0
        self.drawn: Drawn | None = None

    def lean(self, share: float) -> None:
        """Let the smoothed click rate be ``share`` of the raw score from now on, where the columns hold it."""
        self.share = share if RATE in self.names else 0.0

    def score(self, matrix: Matrix) -> Matrix:
        """The probability of a click for each row.

        Args:
            matrix: float32 (B, F), columns as ``names``.

        Returns:
            float32 (B,) in [0, 1].

        Raises:
            DegenerateInput: another number of columns, or a value that is not finite (the column is named).
        """
        return np.asarray(1 / (1 + np.exp(-self.raw(matrix).astype(np.float64))), np.float32)

    def raw(self, matrix: Matrix) -> Matrix:
        """The log-odds of a click for each row: float32 (B,); they order even where probabilities are all 1."""
        check_matrix(matrix, self.names)
        self.net.eval()
        scores = np.empty(len(matrix), np.float32)
        with torch.inference_mode():
            for start in range(0, len(matrix), SCORE_ROWS):
                rows = torch.from_numpy(np.ascontiguousarray(matrix[start : start + SCORE_ROWS]))
                scores[start : start + SCORE_ROWS] = self.logit(rows).numpy()
        return scores

    def logit(self, rows: torch.Tensor) -> torch.Tensor:
        """Raw scores: float32 (B, F) -> (B,), on the device where the model is."""
        standard = ((rows - self.mean) / self.std).clamp(-CLIP, CLIP)
        out: torch.Tensor = self.net(standard).squeeze(1)  # (B, 1) -> (B,)
        return (1 - self.share) * out + self.share * rows[:, self.names.index(RATE)] if self.share else out

    def shift(self, constant: float) -> None:
        """Add a constant to every raw score; no order changes."""
        with torch.no_grad():
            self.net.get_parameter(f"{len(self.net) - 1}.bias").add_(constant / (1 - self.share))

    def to(self, device: str) -> "ClickModel":
        """Move all weights to a device."""
        self.mean, self.std, self.net = self.mean.to(device), self.std.to(device), self.net.to(device)
        return self

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        tensors = {f"net.{name}": value.contiguous() for name, value in self.net.state_dict().items()}
        save_file(tensors | {"mean": self.mean, "std": self.std}, folder / "model.safetensors")
        facts = {"click_rate_share": self.share, "dropout": self.dropout, "hidden": list(self.hidden)}
        facts |= {"drawn": self.drawn and self.drawn._asdict(), "names": list(self.names)}
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
            model.lean(facts["click_rate_share"])
            model.drawn = Drawn(**facts["drawn"]) if facts["drawn"] else None
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


class Drawn(NamedTuple):
    """How candidates were drawn: in proportion to ``exp(column) - 1 + floor``, clicks of an article lately."""

    column: str
    floor: float


class Served:
    """A click model as it ranks whole catalogues, when the candidates it learned from were drawn by their popularity.

    Against candidates drawn in proportion to their clicks, a model learns how much likelier a click is than popularity
    says. Among all articles the popularity has to be put back, or what nobody reads would come first.

    Source: Bengio and Senécal 2008 (importance sampling in a softmax); Yi et al. 2019 (the same for retrieval).
    """

    def __init__(self, model: "Raw", names: Sequence[str], drawn: Drawn | None) -> None:
        self._model, self._drawn = model, drawn
        self._column = None if drawn is None else list(names).index(drawn.column)

    def score(self, matrix: Matrix) -> Matrix:
        """The probability of a click up to one factor, as log-odds: float32 (B, F) -> float32 (B,)."""
        raw = self._model.raw(matrix)
        if self._drawn is None or self._column is None:
            return raw
        return np.asarray(raw + np.log(np.expm1(matrix[:, self._column]) + self._drawn.floor), np.float32)


class Raw(Protocol):
    """Anything that gives log-odds."""

    def raw(self, matrix: Matrix) -> Matrix:
        """float32 (B, F) -> float32 (B,)."""


def _layers(n_in: int, hidden: Sequence[int], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_in, width), nn.ReLU(), nn.Dropout(dropout)]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, 1))


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
