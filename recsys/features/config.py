"""The features' settings, apart, so that the columns' names and ``rows.py`` can be read where numpy is all there is."""

from pydantic import Field

from recsys.config import Section


class FeaturesConfig(Section):
    """Which impressions of the log become training rows."""

    warmup: float = Field(0.2, ge=0, lt=1)
    refits: int = Field(4, ge=1)
    negatives: int = Field(20, ge=1)
    max_impressions: int = Field(100_000, ge=1)
