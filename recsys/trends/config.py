"""Settings of the live counts."""

from pydantic import Field, PositiveFloat

from recsys.config import Section

Hours = PositiveFloat


class TrendsConfig(Section):
    """Half-lives, priors and bounds of the live counts."""

    half_lives_hours: tuple[Hours, Hours, Hours, Hours, Hours] = Field(
        (0.25, 1.0, 4.0, 16.0, 64.0),
        description="hours until a count has faded to a half: from what is clicked this minute to what lasted the week",
    )
    covisit_half_lives_hours: tuple[Hours, Hours, Hours] = Field(
        (4.0, 48.0, 24.0),
        description="hours: of clicks in one visit (short and long memory), and of clicks right after each other",
    )
    lift_half_life_hours: float = Field(
        24.0,
        gt=0,
        description=(
            "hours: of which contexts (region, device …) click an article more than others do; a day has all hours in "
            "it"
        ),
    )
    shelf_half_life_days: float = Field(
        7.0,
        gt=0,
        description=(
            "days: of the ages at which a category's articles are clicked, and of the positions in a list; a week has "
            "all days in it"
        ),
    )
    prior_impressions: float = Field(
        20.0,
        gt=0,
        description="impressions that move a click rate half-way from the site's own rate",
    )
    context: tuple[str, ...] = Field(
        ("region", "device", "os", "referrer"),
        max_length=4,
        description="names in an event's context, four at most, whose values are counted apart, 62 of each",
    )
    max_live_articles: int = Field(
        16_384,
        ge=1,
        description="articles whose co-visits are kept, the most active ones; bounds memory (about 3.5 KiB each)",
    )
    max_neighbours: int = Field(
        128,
        ge=1,
        le=1_000,
        description="articles kept beside each of them; of more, the weakest makes room",
    )
