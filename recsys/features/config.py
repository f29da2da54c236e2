"""Settings of the training rows, apart from the code that needs more than numpy."""

from pydantic import Field

from recsys.config import Section


class FeaturesConfig(Section):
    """Settings of the training rows made from the log's impressions."""

    warmup_share: float = Field(
        0.2, ge=0, lt=1, description="share of the lists, first in time, that only fills the counts"
    )
    refits: int = Field(
        4,
        ge=1,
        description=(
            "times at most that item vectors are learned anew along the training part, each from the past alone"
        ),
    )
    max_trained_impressions: int = Field(
        100_000,
        ge=1,
        description="lists used, the newest; bounds training time and disk (about 300 bytes × candidates each)",
    )
