"""Dataset: a log of events -> impressions, their split in time, and training rows as they were known at each moment.

Reads ``recsys.events`` in time order; the log is replayed once, so that nothing is described by its own future.

    impressions.py     what was shown together and what was clicked; what each reader had clicked and seen before
    temporal_split.py  warm-up, fit, validation, holdout; pseudo-impressions for a log of clicks alone
    replay.py          ``LogReplay``: counts, item vectors and readers as of a moment that only moves forward
    training_set.py    the training rows: each list described by what was known before it
    chunks.py          rows in chunks of whole lists, in memory or on disk
    parquet.py         training rows in Parquet
    item_search.py     what each setting of the item vectors is worth on the site's own clicks
"""
