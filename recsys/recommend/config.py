"""Settings of lists and their reasons."""

from typing import Annotated

from pydantic import Field

from recsys.config import Section

OutcomeWeight = Annotated[float, Field(ge=0, le=4)]


class RecommendConfig(Section):
    """Settings of candidates, of the variety of a list, and of reasons."""

    k: int = Field(
        10,
        ge=1,
        le=1000,
        description="articles: length of a list when the caller does not say; what fits beside a story",
    )
    max_k: int = Field(
        50,
        ge=1,
        le=1000,
        description="articles: the longest list that may be asked for; bounds the work of one request",
    )
    trending: int = Field(
        60,
        ge=0,
        le=10_000,
        description="articles: candidates from what is clicked most now, so that big news reaches every reader",
    )
    fresh: int = Field(
        40,
        ge=0,
        le=10_000,
        description="articles: candidates from the newest, so that a new article is shown before it is clicked",
    )
    fresh_hours: float = Field(
        48.0,
        gt=0,
        le=87_600,
        description=(
            "hours: age up to which an article may be fresh; one that outlives its category's learned shelf life is not"
        ),
    )
    covisits: int = Field(
        60,
        ge=0,
        le=10_000,
        description="articles: candidates from what is opened in the same visits as the reader's last clicks",
    )
    explore_impressions: int = Field(
        100,
        ge=0,
        le=1_000_000,
        description=(
            "impressions: until so many a fresh article may be tried, one in a list of five or more; 0: what nobody has"
            " clicked yet is hardly shown"
        ),
    )
    outcome_weights: tuple[OutcomeWeight, OutcomeWeight] = Field(
        (1.0, 0.5),
        description=(
            "two numbers ≥ 0: powers of an article's reading (30 s or more, over what its category has) and of its"
            " dismissals that multiply its chance of a click in the order of a list; 0, 0: clicks alone decide"
        ),
    )
    max_per_category: int = Field(
        3,
        ge=1,
        description="articles of one category in a list while others are left, so that no list is all football",
    )
