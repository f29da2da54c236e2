"""Settings of the nearest-neighbour search."""

from pydantic import Field

from recsys.config import Section


class IndexConfig(Section):
    """Settings of the nearest-neighbour search."""

    candidates: int = Field(
        100,
        ge=1,
        le=10_000,
        description="articles that the nearest-neighbour search brings to the click model",
    )
