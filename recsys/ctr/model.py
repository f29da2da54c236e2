"""The click model: features of candidates -> P(click), by a network, a position tower and a calibration.

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
from recsys.ctr.data import IdEncoder, IdFields, IdVocabulary
from recsys.ctr.network import CandidateBatch, Layout, PositionTower, network
from recsys.errors import CorruptArtefact, DegenerateInput, RecsysError, StaleArtefact
from recsys.features import HISTORY
from recsys.features.rows import CandidateRows

Matrix = npt.NDArray[np.float32]

CLIP = 8.0  # standard deviations: a feature beyond what training saw must not decide alone
CLICK_RATE = "click_rate_total"  # the column that holds the smoothed click rate in log-odds
SCORE_ROWS = 8_192  # rows scored at once: what is between two layers stays in the processor's cache
ROW_ALIGNMENT = 16  # rows: a multiple sums each row in the same order, so that no score depends on its neighbours
FORMAT = 2  # of model.json; raised when a model of before can no longer be read
ARCHITECTURE = (
    "network",
    "fields",
    "embedding_dim",
    "hidden_units",
    "cross_layers",
    "norm",
    "dropout",
    "position_bias",
)
VOCABULARY_FILE = "vocabulary.npy"


class ClickModel:
    """Standardised columns and vectors of ids -> a network -> log-odds -> a probability.

    Attributes:
        parts: ``net`` and, unless ``ctr.position_bias`` is off, ``position``: all that is learned.
        encoder: the id fields that it reads and their rows of the embedding table.
        mean: float32 (F,), of each column.
        std: float32 (F,), standard deviation of each column.
        click_rate_share: part of the log-odds that is the column ``CLICK_RATE`` as it is; 0 without such a column.
        intercept: added to all log-odds.
        calibration: makes them probabilities; None: they are taken as they are.
        sampling: of the candidates that it learned from; None where readers were really shown them.
        learned_until: ms, the last impression that it learned from; 0 for unknown.
    """

    probability = True  # ``score`` gives probabilities

    def __init__(self, names: Sequence[str], config: CtrConfig, vocabulary: IdVocabulary | None = None) -> None:
        self.names, self.config = tuple(names), config
        self.encoder = IdEncoder(IdFields.of(config.fields), vocabulary or IdVocabulary.empty())
        self.mean = torch.zeros(len(self.names))
        self.std = torch.ones(len(self.names))
        self.parts = nn.ModuleDict({"net": self._network()})
        if config.position_bias:
            self.parts["position"] = PositionTower()
        self.click_rate_share = self.intercept = 0.0
        self.calibration: Calibration | None = None
        self.sampling: CandidateSampling | None = None
        self.learned_until = 0

    def _network(self) -> nn.Module:
        """A network whose weights torch's global generator draws."""
        config, fields = self.config, self.encoder.fields
        history = HISTORY if fields.history else 0
        vocabulary = len(self.encoder.vocabulary) if fields.any else 0
        layout = Layout(len(self.names), len(fields.ids) + len(fields.context), history, vocabulary)
        return network(
            config.network,
            layout,
            hidden=config.hidden_units,
            embedding_dim=config.embedding_dim,
            dropout=config.dropout,
            norm=config.norm,
            cross_layers=config.cross_layers,
        )

    def blend_click_rate(self, share: float) -> None:
        """Let the smoothed click rate be ``share`` of the log-odds from now on, where the columns hold it."""
        self.click_rate_share = share if CLICK_RATE in self.names else 0.0

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
                odds, share = self._network_odds(candidates, block), self.click_rate_share
                if share:
                    odds = (1 - share) * odds + share * matrix[block, self.names.index(CLICK_RATE)]
                scores[block] = odds + np.float32(self.intercept)
        return scores

    def _network_odds(self, candidates: CandidateRows, block: slice) -> Matrix:
        """The network's log-odds of some candidates: float32 (B,)."""
        some = CandidateRows(
            candidates.matrix[block],
            candidates.ids[block],
            candidates.context,
            candidates.history,
            candidates.impression[block],
        )
        dense = self.standardised(torch.from_numpy(np.ascontiguousarray(some.matrix)))
        batch = self.encoder.batch(some, dense)
        padding, shared = -len(dense) % ROW_ALIGNMENT, len(batch.history) < len(dense)  # shared: one reader's clicks
        dense, ids, history = (pad(tensor, (0, 0, 0, padding)) for tensor in batch)
        padded = CandidateBatch(dense, ids, batch.history if shared else history)
        odds: Matrix = self.parts["net"](padded)[: len(some)].numpy()
        return odds

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
        facts = {name: getattr(self.config, name) for name in ARCHITECTURE}
        facts |= {
            "format": FORMAT,
            "names": list(self.names),
            "click_rate_share": self.click_rate_share,
            "intercept": self.intercept,
            "calibration": self.calibration and self.calibration._asdict(),
            "sampling": self.sampling and self.sampling._asdict(),
            "learned_until": self.learned_until,
        }
        (folder / "model.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if self.encoder.fields.any:
            self.encoder.vocabulary.save(folder / VOCABULARY_FILE)

    @classmethod
    def load(cls, folder: Path, names: Sequence[str]) -> "ClickModel":
        """Read a model that scores columns ``names``.

        Raises:
            StaleArtefact: it was trained on other columns, or written by an older version of this program.
            CorruptArtefact: the files are not a click model.
        """
        try:
            facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            written = facts.get("format", 1) if "network" in facts else FORMAT
            model = cls._of(facts, folder) if written == FORMAT else None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, ValidationError) as error:
            raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
        except RecsysError as error:
            raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
        if model is None:
            got = f"format {written}, of another version"
            raise StaleArtefact(f"a click model of format {FORMAT} in {folder}", got, "Run: python -m jobs ctr publish")
        check_names(model.names, names)
        model.parts.eval()
        return model

    @classmethod
    def _of(cls, facts: dict[str, Any], folder: Path) -> "ClickModel":
        config = CtrConfig(**{name: facts[name] for name in ARCHITECTURE})
        model = cls(facts["names"], config, IdVocabulary.load(folder / VOCABULARY_FILE) if config.fields else None)
        model.blend_click_rate(facts["click_rate_share"])
        model.calibration = Calibration.of(facts["calibration"]) if facts["calibration"] else None
        model.sampling = CandidateSampling(**facts["sampling"]) if facts["sampling"] else None
        model.intercept, model.learned_until = float(facts["intercept"]), int(facts["learned_until"])
        tensors = load_file(folder / "model.safetensors")
        model.mean, model.std = tensors.pop("mean"), tensors.pop("std")
        empty = {name: value for name, value in model.parts.state_dict().items() if not value.numel()}
        model.parts.load_state_dict(tensors | empty)
        finite = all(bool(value.isfinite().all()) for value in (*tensors.values(), model.mean, model.std))
        if not finite or model.mean.shape != model.std.shape or len(model.mean) != len(model.names):
            raise ValueError("weights that are not finite, or a scale of another number of columns")
        return model


class CandidateSampling(NamedTuple):
    """The distribution of sampled candidates: proportional to ``exp(column) - 1 + floor``, an article's late clicks."""

    column: str
    floor: float


class SamplingCorrection:
    """logQ correction: a click model over whole catalogues that learned from candidates sampled by their popularity.

    Against candidates drawn in proportion to their clicks, a model learns how much likelier a click is than popularity
    says. Among all articles the popularity has to be put back, or what nobody reads would come first.

    Source: Bengio and Senécal 2008 (importance sampling in a softmax); Yi et al. 2019 (the same for retrieval).
    """

    probability = False  # ``score`` orders and gives none

    def __init__(self, model: "LogOddsModel", names: Sequence[str], sampling: CandidateSampling | None) -> None:
        self._model, self._sampling = model, sampling
        self._column = None if sampling is None else list(names).index(sampling.column)

    def score(self, candidates: CandidateRows) -> Matrix:
        """The probability of a click up to one factor, as log-odds: N candidates -> float32 (N,)."""
        raw = self._model.raw(candidates)
        if self._sampling is None or self._column is None:
            return raw
        weight = np.expm1(candidates.matrix[:, self._column]) + self._sampling.floor
        return np.asarray(raw + np.log(weight), np.float32)


class LogOddsModel(Protocol):
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
    differences = [f"training had {', '.join(lacking)}, which features lack"] if lacking else []
    differences += [f"features have {', '.join(more)}, which training had not"] if more else []
    got = f"one over {len(learned)}; {'; '.join(differences) or 'they differ in their order'}"
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
