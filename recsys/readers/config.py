"""Settings of reader vectors."""

from pydantic import Field

from recsys.config import Section

MAX_IMPRESSIONS = 300  # impressions and clicks kept per reader, to tell what they do not open; some days, 4 KB


class ReadersConfig(Section):
    """Settings of reader vectors: the history kept, its half-life, interests, and the training of gru."""

    max_history: int = Field(
        50,
        ge=1,
        le=10_000,
        description="clicks kept per reader: older ones say little about what is opened next",
    )
    half_life_clicks: float = Field(8.0, gt=0, description="clicks after which an older click counts half")
    encoder: str = Field(
        "mean",
        pattern="^(mean|interests|gru)$",
        description=(
            "mean | interests | gru: one vector; several, so that lists hold all of a reader's subjects; a network "
            "that is trained to foresee the next click"
        ),
    )

    sequence_length: int = Field(20, ge=1, le=200, description="clicks that gru reads: visits are shorter")
    epochs: int = Field(12, ge=1, description="passes over the lists at most; early stopping ends sooner")

    @property
    def is_trained(self) -> bool:
        """True where the encoder is learned from a log, by the stage ``readers``."""
        return self.encoder == "gru"
