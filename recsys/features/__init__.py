"""Features: a reader, candidate articles and a moment -> one matrix, by one code path for training and for serving.

This file names the columns and loads nothing.

    config.py     which impressions become training rows
    rows.py       what a click model reads, as arrays
    ids.py        values of a field -> numbers that are the same everywhere
    list_ids.py   a reader, a context, a moment, a slot, the last clicks -> such numbers
    company.py    what is clicked beside the articles that a reader clicked
    likeness.py   how near the candidates are to them
    tags.py       how much they are about what its clicks were about
    looks.py      how often the reader opens what they are shown of a category
    describe.py   the compiled kernel: what is known of candidates, for one list
    matrix.py     the same for the service: ``Tables``, ``matrix``, ``candidates``
    lists.py      the lists in a log: what was shown together and what was clicked
    timeline.py   warm-up, fit, validation, holdout; pseudo-impressions
    walk.py       the walk through a log: counts, item vectors and readers as of a moment that only moves forward
    blocks.py     rows in pieces of whole lists
    training.py   the training rows: the log is walked once, each list described by what was known before it
    stored.py     the same on disk, in Parquet
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
    "covisits": ("last_short", "last_long", "last_count", "last_evidence"),
    "visit": ("visit_company", "visit_company_max"),
    "next": ("last_next", "last_next_count"),
    "second": ("second_company",),
    "earlier": ("earlier_company", "earlier_company_max", "earlier_item", "read_before"),
    "lifts": tuple(f"lift_{name}" for name in CONTEXTS),
    "items": ("item_cosine", "item_last", "item_visit", "item_max", "item_affinity", "item_known"),
    "content": ("content_cosine", "content_max", "content_known"),
    "category": ("category_share", "category_known", "category_rate", "category_looks"),
    "tags": ("tag_match", "tag_known"),
    "reader": ("history", "visit_clicks", "pause"),
}
NAMES = tuple(name for names in GROUPS.values() for name in names)
COLUMN = {name: column for column, name in enumerate(NAMES)}

CANDIDATE_FIELDS = ("article", "category")  # hashed ids of a candidate
LIST_FIELDS = ("reader", "region", "device", "os", "referrer", "hour", "weekday", "slot")  # hashed ids of a list
HISTORY = 20  # last clicks of the reader that go with a list, as hashed ids of the field "article"
