"""The click model's settings: the network, how it is trained, and what makes its log-odds probabilities."""

from typing import Self

from pydantic import Field, model_validator

from recsys.config import Section
from recsys.features import CANDIDATE_FIELDS, LIST_FIELDS

CLICKED = "history"  # the name by which ``fields`` asks for the reader's last clicks
FIELDS = (*CANDIDATE_FIELDS, *LIST_FIELDS, CLICKED)


class CtrConfig(Section):
    """The network and how it is trained."""

    network: str = Field("dnn", pattern="^(logistic|fm|dnn|deepfm|dcn|din)$")
    fields: tuple[str, ...] = ()
    embedding_dim: int = Field(8, ge=1)
    min_seen: int = Field(5, ge=1)
    expire_days: int = Field(30, ge=1)
    hidden: tuple[int, ...] = (64, 32)
    cross_layers: int = Field(2, ge=1)
    members: int = Field(1, ge=1)
    norm: str = Field("none", pattern="^(none|batch|layer)$")
    dropout: float = Field(0.1, ge=0, lt=1)
    loss: str = Field("auto", pattern="^(auto|joint|softmax|bce)$")
    negatives: float = Field(1.0, gt=0, le=1)
    position: bool = True
    optimiser: str = Field("adamw", pattern="^(sgd|momentum|rmsprop|adam|adamw)$")
    learning_rate: float = Field(2e-3, gt=0)
    warmup_steps: int = Field(0, ge=0)
    weight_decay: float = Field(1e-4, ge=0)
    embedding_decay: float = Field(1e-4, ge=0)
    clip_norm: float = Field(0.0, ge=0)
    batch_size: int = Field(1024, ge=1)
    epochs: int = Field(30, ge=1)
    stop_on: str = Field("loss", pattern="^(loss|auc)$")
    patience: int = Field(3, ge=1)
    drops: int = Field(0, ge=0)
    click_rate_share: float = Field(0.33, ge=0, lt=1)
    calibration: str = Field("isotonic", pattern="^(none|platt|isotonic)$")
    start: str = Field("random", pattern="^(random|last)$")
    checkpoint_minutes: float = Field(5.0, ge=0)
    rows_gib: float = Field(4.0, gt=0)
    device: str = Field("auto", pattern="^(auto|cpu|cuda)$")

    def resolved(self, *, drawn: bool) -> Self:
        """The same with the loss that ``auto`` stands for.

        Args:
            drawn: whether the candidates beside a click were drawn. Each list then has one click, so that nothing is to
                be learned of a list as a whole; of lists that were shown there is.
        """
        return self if self.loss != "auto" else self.model_copy(update={"loss": "softmax" if drawn else "joint"})

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        """Refuse ids that no row has, and attention without what it attends to."""
        if unknown := sorted(set(self.fields) - set(FIELDS)):
            raise ValueError(f"fields hold {', '.join(unknown)}; valid names: {', '.join(FIELDS)}")
        if self.network == "din" and not {"article", CLICKED} <= set(self.fields):
            raise ValueError("din compares an article with the last clicks: fields must hold article and history")
        return self
