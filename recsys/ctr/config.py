"""The click model's settings: the network, how it is trained, and what makes its log-odds probabilities."""

from typing import Self

from pydantic import Field, model_validator

from recsys.config import Section
from recsys.features import CANDIDATE_FIELDS, LIST_FIELDS

HISTORY_FIELD = "history"  # the name by which ``fields`` asks for the reader's last clicks
ID_FIELDS = (*CANDIDATE_FIELDS, *LIST_FIELDS, HISTORY_FIELD)


class CtrConfig(Section):
    """Settings of the click model and its training."""

    network: str = Field(
        "dnn",
        pattern="^(logistic|fm|dnn|deepfm|dcn|din)$",
        description=(
            "logistic | fm | dnn | deepfm | dcn | din: on columns they rank alike on small logs; dnn scores fastest "
            "of those that find what no sum of columns says"
        ),
    )
    fields: tuple[str, ...] = Field(
        (),
        description=(
            "ids that get vectors: article, category, reader, region, device, os, referrer, hour, weekday, slot, "
            "history (last clicks); on small news logs they gained nothing: articles expire before much is learned"
        ),
    )
    embedding_dim: int = Field(8, ge=1, description="dimensions of an id's vector")
    hidden_units: tuple[int, ...] = Field(
        (64, 32),
        description="units of the hidden layers; more gained nothing on logs of this size",
    )
    norm: str = Field(
        "none",
        pattern="^(none|batch|layer)$",
        description="none | batch | layer: normalises each hidden layer; the columns are standardised already",
    )
    dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of hidden units left out in each step; 0.3 ranks no better on few lists, and worse on many",
    )
    loss: str = Field(
        "auto",
        pattern="^(auto|joint|softmax|bce)$",
        description=(
            "auto | softmax | bce | joint: which card of a list is clicked, cross-entropy of each card (lists without "
            "a click too), or both; auto: joint, but softmax where candidates are negative samples, because the log "
            "has clicks alone"
        ),
    )
    negative_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description=(
            "share of the candidates without a click that are learned from; less is faster on large logs, the "
            "intercept is corrected"
        ),
    )
    optimiser: str = Field(
        "adamw",
        pattern="^(sgd|momentum|rmsprop|adam|adamw)$",
        description="sgd | momentum | rmsprop | adam | adamw",
    )
    learning_rate: float = Field(
        2e-3,
        gt=0,
        description="the optimiser's step size; half of it needs twice the epochs and ranks no better",
    )
    l1: float = Field(
        0.0,
        ge=0,
        description=(
            "L1 of the network's weights, not of biases and ids: 1.0e-3 leaves two in five at zero and ranks as well, "
            "1.0e-2 ranks worse; 0: none"
        ),
    )
    l2: float = Field(
        1e-4,
        ge=0,
        description=(
            "L2 of the network's weights, adamw's weight decay: nothing up to 1 gained on logs of this size; 0: none"
        ),
    )
    batch_size: int = Field(
        1024,
        ge=1,
        description="rows per training step: larger batches are faster on a GPU and need a larger learning_rate",
    )
    epochs: int = Field(30, ge=1, description="passes over the rows at most; early stopping ends sooner")
    patience: int = Field(
        3,
        ge=1,
        description="epochs without a lower loss on the validation part after which training stops",
    )
    click_rate_share: float = Field(
        0.1,
        ge=0,
        lt=1,
        description=(
            "share of a score, in log-odds, that is the article's smoothed click rate: holds a model up; after few "
            "clicks it is more, and the reader's own rate in its category comes with it"
        ),
    )
    calibration: str = Field(
        "isotonic",
        pattern="^(none|platt|isotonic)$",
        description=(
            "none | platt | isotonic: a line, or pools, learned on the validation part; the order never changes"
        ),
    )
    start: str = Field(
        "random",
        pattern="^(random|last)$",
        description=(
            "random | last: the same bytes for the same rows; or on from the last released model and its vocabulary "
            "(what is judged then starts at random, if that model has seen the lists that judge)"
        ),
    )
    max_rows_gib: float = Field(
        4.0,
        gt=0,
        description=(
            "GiB of rows that training holds at once, on the device; more are read from Parquet in each epoch, ahead "
            "of their use"
        ),
    )
    device: str = Field(
        "auto",
        pattern="^(auto|cpu|cuda)$",
        description="auto | cpu | cuda: auto is the GPU where there is one",
    )

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        """Refuse ids that no row has, and attention without what it attends to."""
        if unknown := sorted(set(self.fields) - set(ID_FIELDS)):
            raise ValueError(f"fields hold {', '.join(unknown)}; valid names: {', '.join(ID_FIELDS)}")
        if self.network == "din" and not {"article", HISTORY_FIELD} <= set(self.fields):
            raise ValueError("din compares an article with the last clicks: fields must hold article and history")
        return self
