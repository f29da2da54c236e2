"""Settings of the live counts."""

from pydantic import Field

from recsys.config import Section


class TrendsConfig(Section):
    """Contexts and bounds of the live counts."""

    context: tuple[str, ...] = Field(
        ("region", "device", "os", "referrer"),
        max_length=4,
        description="names in an event's context, four at most, whose values are counted apart, 62 of each",
    )
    max_live_articles: int = Field(
        16_384,
        ge=1,
        description=(
            "articles whose co-visits and audiences are kept, the most active ones; bounds memory (about 4 KiB each)"
        ),
    )
    max_neighbours: int = Field(
        128,
        ge=1,
        le=1_000,
        description="articles kept beside each of them; of more, the weakest makes room",
    )
