"""Settings of the classifiers, apart from the classifiers themselves, which load torch."""

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Section

ModelName = Annotated[str, Field(pattern="^(nearest-mean|linear|bag|text-cnn|bilstm|gru)$")]


class ClassifiersConfig(Section):
    """Settings of the classifiers, of their training and evaluation."""

    model: ModelName | Literal["ensemble"] = Field(
        "nearest-mean",
        description=(
            "nearest-mean | linear | bag | text-cnn | bilstm | gru | ensemble: the first two are learned in seconds, "
            "the others in minutes"
        ),
    )
    ensemble: tuple[ModelName, ...] = Field(
        ("nearest-mean", "linear", "bag"),
        min_length=1,
        description=(
            "models that are averaged when model is ensemble, each weighted by how right it was about held-out "
            "articles; on headlines these three beat any two"
        ),
    )
    min_confidence: float = Field(
        0.4,
        ge=0,
        le=1,
        description=(
            "share in [0, 1]: a less confident best guess is kept beside the article, but not shown as its category"
        ),
    )
    compare: tuple[ModelName | Literal["ensemble"], ...] = Field(
        ("linear",),
        description="models judged beside it for the report; each costs about five times its training",
    )
    max_evaluated: int = Field(4000, ge=10, description="articles of a language by which those are judged")
    epochs: int = Field(
        12,
        ge=1,
        description=(
            "passes over the articles at most, while the learning rate falls to 0; over very many articles fewer, "
            "three at least"
        ),
    )
    patience: int = Field(
        2,
        ge=1,
        description="epochs without a lower loss on the held-out part after which training stops",
    )
    validation_share: float = Field(0.1, gt=0, lt=1, description="share of the articles held out to tell when to stop")
    batch_size: int = Field(
        128,
        ge=1,
        description="articles per training step: larger batches take fewer steps and need a larger learning_rate",
    )
    learning_rate: float = Field(
        5e-3,
        gt=0,
        lt=1,
        description="AdamW's step size at the start; vectors take AdaGrad steps 5 (bag: 20) times as large",
    )
    weight_decay: float = Field(
        1e-4,
        ge=0,
        description="AdamW's pull of the weights towards 0, per unit of learning rate",
    )
    dropout: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="share of an article's n-grams, and of hidden units, left out in each step",
    )
    device: str = Field(
        "auto",
        pattern="^(auto|cpu|cuda)$",
        description="auto | cpu | cuda: auto is the GPU where there is one",
    )
