"""Settings of the classifiers, apart from the classifiers themselves, which load torch."""

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Section

ModelName = Annotated[str, Field(pattern="^(nearest-mean|linear|bag|text-cnn|bilstm|gru)$")]


ENSEMBLE = ("nearest-mean", "linear", "bag")  # averaged, each by how right it was; on headlines these beat any two


class ClassifiersConfig(Section):
    """Settings of the classifiers, of their training and evaluation."""

    model: ModelName | Literal["ensemble"] = Field(
        "nearest-mean",
        description=(
            "nearest-mean | linear | bag | text-cnn | bilstm | gru | ensemble: the first two are learned in seconds, "
            "the others in minutes"
        ),
    )
    min_confidence: float = Field(
        0.5,
        ge=0,
        le=1,
        description=(
            "share in [0, 1]: a less confident best guess is kept beside the article, but not shown as its category; "
            "below 0.5 it is more likely wrong than right"
        ),
    )
    compare: tuple[ModelName | Literal["ensemble"], ...] = Field(
        ("linear",),
        description="models judged beside it for the report; each costs about five times its training",
    )
    epochs: int = Field(
        12,
        ge=1,
        description=(
            "passes over the articles at most, while the learning rate falls to 0; over very many articles fewer, "
            "three at least"
        ),
    )
    learning_rate: float = Field(
        5e-3,
        gt=0,
        lt=1,
        description="AdamW's step size at the start; vectors take AdaGrad steps 5 (bag: 20) times as large",
    )
    device: str = Field(
        "auto",
        pattern="^(auto|cpu|cuda)$",
        description="auto | cpu | cuda: auto is the GPU where there is one",
    )
