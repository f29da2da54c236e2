"""The settings of trained classifiers, light: the classifiers themselves, with torch, are in files of their own."""

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Section

ModelName = Annotated[str, Field(pattern="^(nearest-mean|linear|bag|text-cnn|bilstm|gru)$")]


class TrainedConfig(Section):
    """How the classifiers are trained that need training."""

    compare: tuple[ModelName | Literal["ensemble"], ...] = ("linear",)
    max_evaluated: int = Field(4000, ge=10)
    max_tokens: int = Field(1000, ge=1)
    hinge_cost: float = Field(1.0, gt=0)
    class_weights: float = Field(0.0, ge=0, le=1)
    members: int = Field(3, ge=1, le=20)
    epochs: int = Field(12, ge=1)
    patience: int = Field(2, ge=1)
    validation: float = Field(0.1, gt=0, lt=1)
    batch_size: int = Field(128, ge=1)
    learning_rate: float = Field(5e-3, gt=0, lt=1)
    weight_decay: float = Field(1e-4, ge=0)
    dropout: float = Field(0.3, ge=0, lt=1)
    device: str = Field("auto", pattern="^(auto|cpu|cuda)$")
