"""Features: a reader, candidate articles and a moment -> one matrix, by one code path for training and for serving.

This file names the columns and loads nothing.

    config.py          the settings: which impressions become training rows
    rows.py            rows as a click model reads them, as arrays
    ids.py             values of a field -> numbers that are the same everywhere; the ids of a list
    covisits.py        co-visits of the candidates with the articles that a reader clicked
    similarity.py      cosines and next-item scores of the candidates and what a reader clicked
    tags.py            tags of articles, and those that the candidates share with what a reader clicked
    category_rates.py  a reader's click rate by category
    describe.py        the compiled kernel: all columns of the candidates of one list
    matrix.py          the same for the service: ``ArticleTables``, ``feature_matrix``, ``candidate_rows``
"""

VERSION = 5  # raised when a column changes its meaning without changing its name
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
    "covisits": ("last_covisits_short", "last_covisits_long", "last_covisits_count", "last_covisits_total"),
    "visit": ("visit_covisits", "visit_covisits_max"),
    "next": ("last_next", "last_next_count"),
    "second": ("second_order_covisits",),
    "earlier": ("earlier_covisits", "earlier_covisits_max", "earlier_item", "read_before"),
    "lifts": tuple(f"lift_{name}" for name in CONTEXTS),
    "items": ("item_cosine", "item_last", "item_visit", "item_max", "next_item_score", "item_known"),
    "content": ("content_cosine", "content_max", "content_known"),
    "words": ("words_cosine",),
    "audience": ("audience",),
    "category": ("category_share", "category_known", "category_rate", "category_impressions"),
    "tags": ("tag_match", "tag_known"),
    "reader": ("history", "visit_clicks", "pause"),
}
NAMES = tuple(name for names in GROUPS.values() for name in names)
COLUMN = {name: column for column, name in enumerate(NAMES)}

CANDIDATE_FIELDS = ("article", "category")  # hashed ids of a candidate
LIST_FIELDS = ("reader", "region", "device", "os", "referrer", "hour", "weekday", "slot")  # hashed ids of a list
HISTORY = 20  # last clicks of the reader that go with a list, as hashed ids of the field "article"
