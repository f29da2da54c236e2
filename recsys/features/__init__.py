"""Features: a reader, candidate articles and a moment -> one matrix, by one code path for training and for serving.

This file names the columns and holds the configuration, so that reading it loads no compiler.

    describe.py   the compiled kernel: what is known of candidates, for one list
    company.py    what is clicked beside the articles that a reader clicked
    likeness.py   how near the candidates are to them
    walk.py       the walk through a log: counts, item vectors and readers as of a moment that only moves forward
    matrix.py     the same for the service: ``Tables``, ``matrix``
    lists.py      the lists in a log: what was shown together and what was clicked
    training.py   the training rows: the log is walked once, each list described by what was known before it
"""

from pydantic import Field

from recsys.config import Section

VERSION = 3  # raised when a column changes its meaning without changing its name
SPEEDS = ("quarter", "short", "middle", "long", "longest")  # the half-lives of trends
CONTEXTS = ("region", "device", "os", "referrer", "hour", "before")  # four of the site's own, in their order in config

GROUPS: dict[str, tuple[str, ...]] = {
    "popularity": (*(f"clicks_{speed}" for speed in SPEEDS), "clicks_total"),
    "slope": (*(f"slope_{speed}" for speed in SPEEDS[1:]), "since_click"),
    "impressions": (
        *(f"impressions_{speed}" for speed in SPEEDS),
        "impressions_total",
        *(f"click_rate_{speed}" for speed in SPEEDS),
        "click_rate_total",
    ),
    "age": ("age", "age_published", "age_known", "age_shelf"),
    "covisits": ("last_short", "last_long", "last_count", "last_evidence"),
    "visit": ("visit_company", "visit_company_max"),
    "next": ("last_next", "last_next_count"),
    "second": ("second_company",),
    "earlier": ("earlier_company", "earlier_company_max", "earlier_item", "read_before"),
    "lifts": tuple(f"lift_{name}" for name in CONTEXTS),
    "items": ("item_cosine", "item_last", "item_visit", "item_max", "item_affinity", "item_known"),
    "content": ("content_cosine", "content_max", "content_known"),
    "category": ("category_share", "category_known"),
    "reader": ("history", "visit_clicks", "pause"),
}
NAMES = tuple(name for names in GROUPS.values() for name in names)
COLUMN = {name: column for column, name in enumerate(NAMES)}


class FeaturesConfig(Section):
    """Which impressions of the log become training rows."""

    warmup: float = Field(0.2, ge=0, lt=1)
    refits: int = Field(4, ge=1)
    negatives: int = Field(20, ge=1)
    max_impressions: int = Field(100_000, ge=1)
