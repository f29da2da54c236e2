"""Settings of reader vectors."""

from pydantic import Field

from recsys.config import Section


class ReadersConfig(Section):
    """Settings of reader vectors: the history kept, its half-life, interests, and the training of gru."""

    max_history: int = Field(
        50,
        ge=1,
        le=10_000,
        description="clicks kept per reader: older ones say little about what is opened next",
    )
    max_impressions: int = Field(
        300,
        ge=1,
        le=10_000,
        description="impressions and clicks kept per reader, to tell what they do not open; some days, 4 KB",
    )
    half_life_clicks: float = Field(8.0, gt=0, description="clicks after which an older click counts half")
    max_seen: int = Field(
        5_000,
        ge=1,
        description="articles kept per reader as clicked or dismissed, which are not shown again; bounds memory",
    )
    encoder: str = Field(
        "mean",
        pattern="^(mean|interests|gru)$",
        description=(
            "mean | interests | gru: one vector; several, so that lists hold all of a reader's subjects; a network "
            "that is trained to foresee the next click"
        ),
    )
    max_interests: int = Field(
        4,
        ge=1,
        le=20,
        description="interests of a reader, with interests: a list of ten has no room for more",
    )
    interest_gain: float = Field(
        0.2,
        gt=0,
        lt=1,
        description=(
            "squared distance, averaged over the clicks, that an interest must save to stand alone; 0.1 splits too "
            "finely for the next click (G1)"
        ),
    )

    sequence_length: int = Field(20, ge=1, le=200, description="clicks that gru reads: visits are shorter")
    hidden_size: int = Field(
        64,
        ge=1,
        le=1024,
        description="units of gru's hidden state: 32-dimensional item vectors need no more",
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="share of hidden units left out in each training step of gru")
    negatives: int = Field(
        50,
        ge=1,
        le=1000,
        description="negative samples per next click, different articles drawn from the last clicks of all readers",
    )
    batch_size: int = Field(256, ge=2, description="lists per training step of gru")
    learning_rate: float = Field(
        4e-3,
        gt=0,
        lt=1,
        description="AdamW's step size; half of it needs twice the epochs (G1)",
    )
    epochs: int = Field(12, ge=1, description="passes over the lists at most; early stopping ends sooner")
    max_trained_clicks: int = Field(
        40_000,
        ge=10,
        description="lists learned from, drawn from the whole log; bounds memory (about 9 KB each at 32 dimensions)",
    )

    @property
    def is_trained(self) -> bool:
        """True where the encoder is learned from a log, by the stage ``readers``."""
        return self.encoder == "gru"
