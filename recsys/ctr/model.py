"""The click model: features of candidates -> P(click), a network, a position tower and a calibration.

Reads ``CandidateRows``; produces scores, and ``model.safetensors``, ``model.json`` and, where it reads ids,
``vocabulary.npy``.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import pad

from recsys.ctr.calibration import Calibration
from recsys.ctr.config import CtrConfig
from recsys.ctr.inputs import Reads, batch_of
from recsys.ctr.networks import Batch, Layout, network
from recsys.ctr.position import Position
from recsys.ctr.vocabulary import Vocabulary
from recsys.errors import CorruptArtefact, DegenerateInput, RecsysError, StaleArtefact
from recsys.features import HISTORY
from recsys.features.rows import CandidateRows

Matrix = npt.NDArray[np.float32]

CLIP = 8.0  # standard deviations: a feature beyond what training saw must not decide alone
RATE = "click_rate_total"  # the column that holds the smoothed click rate in log-odds
SCORE_ROWS = 8_192  # rows scored at once: what is between two layers stays in the processor's cache
ALIGNED = 16  # rows: of a multiple, each row is summed in the same order, so that no score depends on its neighbours
SHAPE = ("network", "fields", "embedding_dim", "hidden", "cross_layers", "members", "norm", "dropout", "position")
VOCABULARY = "vocabulary.npy"


class ClickModel:
    """Standardised columns and vectors of ids -> a network -> log-odds -> a probability.

    Attributes:
        parts: ``net`` and, unless ``ctr.position`` is off, ``position``: all that is learned.
        share: part of the log-odds that is the column ``RATE`` as it is; 0 without such a column.
        constant: added to all log-odds.
        calibration: what makes them probabilities; None: they are taken as they are.
        drawn: how the candidates were drawn that it learned from; None where readers were really shown them.
        through: ms, the last list that it learned from; 0 for unknown.
    """

    probability = True  # what ``score`` gives

    def __init__(self, names: Sequence[str], config: CtrConfig, vocabulary: Vocabulary | None = None) -> None:
        self.names, self.config = tuple(names), config
        self.reads, self.vocabulary = Reads.of(config.fields), vocabulary or Vocabulary.empty()
        self.mean = torch.zeros(len(self.names))
        self.std = torch.ones(len(self.names))
        self.parts = nn.ModuleDict({"net": self._network()})
        if config.position:
            self.parts["position"] = Position()
        self.share = self.constant = 0.0
        self.calibration: Calibration | None = None
        self.drawn: Drawn | None = None
        self.through = 0

    def _network(self) -> nn.Module:
        """A network whose weights torch's global generator draws."""
        config, reads = self.config, self.reads
        fields, history = len(reads.ids) + len(reads.context), HISTORY if reads.history else 0
        layout = Layout(len(self.names), fields, history, len(self.vocabulary) if reads.any else 0)
        return network(
            config.network,
            layout,
            hidden=config.hidden,
            embedding_dim=config.embedding_dim,
            dropout=config.dropout,
            norm=config.norm,
            cross_layers=config.cross_layers,
            members=config.members,
        )

    def lean(self, share: float) -> None:
        """Let the smoothed click rate be ``share`` of the log-odds from now on, where the columns hold it."""
        self.share = share if RATE in self.names else 0.0

    def score(self, candidates: CandidateRows) -> Matrix:
        """The calibrated probability of a click on each candidate.

        Args:
            candidates: N candidates, columns as ``names``.

        Returns:
            float32 (N,) in [0, 1].

        Raises:
            DegenerateInput: another number of columns, a value that is not finite (the column is named), or no ids
                where the model reads them.
        """
        raw = self.raw(candidates)
        odds = raw.astype(np.float64) if self.calibration is None else self.calibration.apply(raw)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def raw(self, candidates: CandidateRows) -> Matrix:
        """The log-odds of a click on each candidate if it stood first, not calibrated: float32 (N,).

        They order even where probabilities are all 1.
        """
        matrix = candidates.matrix
        check_matrix(matrix, self.names)
        self.parts.eval()
        scores = np.empty(len(matrix), np.float32)
        with torch.inference_mode():
            for start in range(0, len(matrix), SCORE_ROWS):
                block = slice(start, start + SCORE_ROWS)
                out = self._read(candidates, block)
                if self.share:
                    out = (1 - self.share) * out + self.share * matrix[block, self.names.index(RATE)]
                scores[block] = out + np.float32(self.constant)
        return scores

    def _read(self, candidates: CandidateRows, block: slice) -> Matrix:
        """What the network makes of some candidates: float32 (B,)."""
        few = CandidateRows(
            candidates.matrix[block],
            candidates.ids[block],
            candidates.context,
            candidates.history,
            candidates.impression[block],
        )
        dense = self.standardised(torch.from_numpy(np.ascontiguousarray(few.matrix)))
        batch = batch_of(few, self.reads, self.vocabulary, dense)
        more, one = -len(dense) % ALIGNED, len(batch.history) < len(dense)
        dense, ids, history = (pad(part, (0, 0, 0, more)) for part in batch)
        out: Matrix = self.parts["net"](Batch(dense, ids, batch.history if one else history))[: len(few)].numpy()
        return out

    def standardised(self, dense: torch.Tensor) -> torch.Tensor:
        """Columns in standard deviations from their mean: float32 (B, F), clipped at ``CLIP``."""
        return ((dense - self.mean) / self.std).clamp(-CLIP, CLIP)

    def to(self, device: str) -> "ClickModel":
        """Move all weights to a device."""
        self.mean, self.std, self.parts = self.mean.to(device), self.std.to(device), self.parts.to(device)
        return self

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors``, ``model.json`` and, where it reads ids, ``vocabulary.npy``."""
        tensors = {name: value.contiguous() for name, value in self.parts.state_dict().items() if value.numel()}
        save_file(tensors | {"mean": self.mean, "std": self.std}, folder / "model.safetensors")
        facts = {name: getattr(self.config, name) for name in SHAPE} | {"names": list(self.names)}
        facts |= {"calibration": self.calibration and self.calibration._asdict(), "click_rate_share": self.share}
        facts |= {"constant": self.constant, "drawn": self.drawn and self.drawn._asdict(), "through": self.through}
        (folder / "model.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if self.reads.any:
            self.vocabulary.save(folder / VOCABULARY)

    @classmethod
    def load(cls, folder: Path, names: Sequence[str]) -> "ClickModel":
        """Read a model that scores columns ``names``.

        Raises:
            StaleArtefact: it was trained on other columns.
            CorruptArtefact: the files are not a click model.
        """
        try:
            facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            model = cls._of(facts, folder)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, ValidationError) as error:
            raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
        except RecsysError as error:
            raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
        check_names(model.names, names)
        model.parts.eval()
        return model

    @classmethod
    def _of(cls, facts: dict[str, Any], folder: Path) -> "ClickModel":
        facts = {"members": 1} | facts  # before 0.5 there was one
        config = CtrConfig(**{name: facts[name] for name in SHAPE})
        model = cls(facts["names"], config, Vocabulary.load(folder / VOCABULARY) if config.fields else None)
        model.lean(facts["click_rate_share"])
        model.calibration = Calibration.of(facts["calibration"]) if facts["calibration"] else None
        model.drawn = Drawn(**facts["drawn"]) if facts["drawn"] else None
        model.constant, model.through = float(facts["constant"]), int(facts["through"])
        tensors = load_file(folder / "model.safetensors")
        model.mean, model.std = tensors.pop("mean"), tensors.pop("std")
        empty = {name: value for name, value in model.parts.state_dict().items() if not value.numel()}
        model.parts.load_state_dict(tensors | empty)
        finite = all(bool(value.isfinite().all()) for value in (*tensors.values(), model.mean, model.std))
        if not finite or model.mean.shape != model.std.shape or len(model.mean) != len(model.names):
            raise ValueError("weights that are not finite, or a scale of another number of columns")
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

    probability = False  # what ``score`` gives: it orders

    def __init__(self, model: "Raw", names: Sequence[str], drawn: Drawn | None) -> None:
        self._model, self._drawn = model, drawn
        self._column = None if drawn is None else list(names).index(drawn.column)

    def score(self, candidates: CandidateRows) -> Matrix:
        """The probability of a click up to one factor, as log-odds: N candidates -> float32 (N,)."""
        raw = self._model.raw(candidates)
        if self._drawn is None or self._column is None:
            return raw
        return np.asarray(raw + np.log(np.expm1(candidates.matrix[:, self._column]) + self._drawn.floor), np.float32)


class Raw(Protocol):
    """Anything that gives log-odds."""

    def raw(self, candidates: CandidateRows) -> Matrix:
        """N candidates -> float32 (N,)."""


def check_names(learned: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a model of other columns.

    Raises:
        StaleArtefact: names the columns that one has and the other lacks.
    """
    if tuple(learned) == tuple(names):
        return
    lacking, more = sorted(set(learned) - set(names)), sorted(set(names) - set(learned))
    told = [f"training had {', '.join(lacking)}, which features lack"] if lacking else []
    told += [f"features have {', '.join(more)}, which training had not"] if more else []
    got = f"one over {len(learned)}; {'; '.join(told) or 'they differ in their order'}"
    raise StaleArtefact(f"a click model over today's {len(names)} features", got, "Run: python -m jobs features ctr")


def check_matrix(matrix: Matrix, names: Sequence[str], *, first: int = 0) -> None:
    """Refuse a matrix of other columns, or with a value that is not finite.

    Raises:
        DegenerateInput: names the first bad column and row, counted from ``first``.
    """
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise DegenerateInput(
            f"a matrix of {len(names)} features", f"shape {matrix.shape}", "Run: python -m jobs features"
        )
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        got = f"{matrix[row, column]} in column {names[column]!r}, row {first + row}"
        raise DegenerateInput("finite features", got, "Correct that feature, then run: python -m jobs features")
