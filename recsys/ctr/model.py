"""The click model in training: a network and a position tower in torch, and all else that its scores depend on.

Writes ``model.safetensors``, ``model.json`` and, where it reads ids, ``vocabulary.npy``; ``recsys.ctr.scoring`` scores.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recsys.ctr.architecture import CROSS_LAYERS
from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import IdEncoder, IdFields, IdVocabulary
from recsys.ctr.inference import Calibration
from recsys.ctr.network import PositionTower, network
from recsys.ctr.saved import CandidateSampling, SavedModel, layout_of, load_model
from recsys.ctr.scoring import CLICK_RATE, CLIP, READER_RATE, ClickScorer
from recsys.features.rows import CandidateRows

Matrix = npt.NDArray[np.float32]


class ClickModel:
    """Standardised columns and vectors of ids -> a network -> log-odds -> a probability.

    Attributes:
        parts: ``net`` and ``position``: all that is learned.
        encoder: the id fields that it reads and their rows of the embedding table.
        mean: float32 (F,), of each column.
        std: float32 (F,), standard deviation of each column.
        click_rate_share: part of the log-odds that is the column ``CLICK_RATE`` as it is; 0 without such a column.
        reader_rate_share: weight of the column ``READER_RATE`` in them; 0 without such a column.
        intercept: added to all log-odds.
        calibration: makes them probabilities; None: they are taken as they are.
        sampling: of the candidates that it learned from; None where readers were really shown them.
        learned_until: ms, the last impression that it learned from; 0 for unknown.
    """

    def __init__(self, names: Sequence[str], config: CtrConfig, vocabulary: IdVocabulary | None = None) -> None:
        self.names, self.config = tuple(names), config
        self.encoder = IdEncoder(IdFields.of(config.fields), vocabulary or IdVocabulary.empty())
        self.mean = torch.zeros(len(self.names))
        self.std = torch.ones(len(self.names))
        self.parts = nn.ModuleDict({"net": self._network(), "position": PositionTower()})
        self.click_rate_share = self.reader_rate_share = self.intercept = 0.0
        self.calibration: Calibration | None = None
        self.sampling: CandidateSampling | None = None
        self.learned_until = 0

    @property
    def reads_ids(self) -> bool:
        """True where it reads hashed ids beside columns."""
        return self.encoder.fields.any

    def _network(self) -> nn.Module:
        """A network whose weights torch's global generator draws."""
        config = self.config
        return network(
            config.network,
            layout_of(self.names, self.encoder),
            hidden=config.hidden_units,
            embedding_dim=config.embedding_dim,
            dropout=config.dropout,
            norm=config.norm,
            cross_layers=CROSS_LAYERS,
        )

    def blend_click_rate(self, share: float, reader_share: float = 0.0) -> None:
        """Let the smoothed click rate be ``share`` of the log-odds from now on, where the columns hold it.

        ``reader_share`` is the weight of the reader's own click rate in the category, likewise.
        """
        self.click_rate_share = share if CLICK_RATE in self.names else 0.0
        self.reader_rate_share = reader_share if READER_RATE in self.names else 0.0

    def saved(self) -> SavedModel:
        """The model as it is written; its arrays are the weights themselves where they are on the CPU."""
        return SavedModel(
            names=self.names,
            config=self.config,
            encoder=self.encoder,
            weights={name: value.cpu().numpy() for name, value in self.parts.state_dict().items() if value.numel()},
            mean=self.mean.cpu().numpy(),
            std=self.std.cpu().numpy(),
            click_rate_share=self.click_rate_share,
            intercept=self.intercept,
            calibration=self.calibration,
            sampling=self.sampling,
            learned_until=self.learned_until,
            reader_rate_share=self.reader_rate_share,
        )

    def scorer(self) -> ClickScorer:
        """The scorer of the weights as they are now."""
        return ClickScorer(self.saved())

    def score(self, candidates: CandidateRows) -> Matrix:
        """See ``ClickScorer.score``."""
        return self.scorer().score(candidates)

    def raw(self, candidates: CandidateRows) -> Matrix:
        """See ``ClickScorer.raw``."""
        return self.scorer().raw(candidates)

    def standardised(self, dense: torch.Tensor) -> torch.Tensor:
        """Columns in standard deviations from their mean: float32 (B, F), clipped at ``CLIP``."""
        return ((dense - self.mean) / self.std).clamp(-CLIP, CLIP)

    def to(self, device: str) -> "ClickModel":
        """Move all weights to a device."""
        self.mean, self.std, self.parts = self.mean.to(device), self.std.to(device), self.parts.to(device)
        return self

    def save(self, folder: Path) -> None:
        """See ``SavedModel.write``."""
        self.saved().write(folder)

    @classmethod
    def load(cls, folder: Path, names: Sequence[str]) -> "ClickModel":
        """Read a model that scores columns ``names``; see ``load_model``."""
        return load_model(folder, names, cls.of)

    @classmethod
    def of(cls, saved: SavedModel) -> "ClickModel":
        """The model of what was written, to go on from.

        Raises:
            RuntimeError: weights of another network.
        """
        model = cls(saved.names, saved.config, saved.encoder.vocabulary)
        model.blend_click_rate(saved.click_rate_share, saved.reader_rate_share)
        model.calibration, model.sampling = saved.calibration, saved.sampling
        model.intercept, model.learned_until = saved.intercept, saved.learned_until
        model.mean, model.std = torch.from_numpy(saved.mean), torch.from_numpy(saved.std)
        weights = {name: torch.from_numpy(value) for name, value in saved.weights.items()}
        empty = {name: value for name, value in model.parts.state_dict().items() if not value.numel()}
        model.parts.load_state_dict(weights | empty)
        model.parts.eval()
        return model
