"""The settings of the readers."""

from pydantic import Field

from recsys.config import Section


class EncoderTraining(Section):
    """How the encoders are fitted that need it: gru and attention."""

    last: int = Field(20, ge=1, le=200)
    hidden: int = Field(64, ge=1, le=1024)
    heads: int = Field(4, ge=1, le=16)
    dropout: float = Field(0.1, ge=0, lt=1)
    negatives: int = Field(50, ge=1, le=1000)
    batch_size: int = Field(256, ge=2)
    learning_rate: float = Field(4e-3, gt=0, lt=1)
    weight_decay: float = Field(1e-4, ge=0)
    epochs: int = Field(12, ge=1)
    patience: int = Field(2, ge=1)
    validation: float = Field(0.25, gt=0, lt=1)
    max_lists: int = Field(40_000, ge=10)


class ReadersConfig(EncoderTraining):
    """What is remembered of a reader, how fast an old click stops to matter, and how clicks become interests."""

    history: int = Field(50, ge=1, le=10_000)
    looks: int = Field(300, ge=1, le=10_000)
    half_life_clicks: float = Field(8.0, gt=0)
    remembered: int = Field(5_000, ge=1)
    encoder: str = Field("mean", pattern="^(mean|interests|gru|attention)$")
    max_interests: int = Field(4, ge=1, le=20)
    interest_gain: float = Field(0.2, gt=0, lt=1)

    @property
    def is_trained(self) -> bool:
        """Whether the encoder is learned from a log, by the stage ``readers``."""
        return self.encoder in ("gru", "attention")
