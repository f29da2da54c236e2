"""Dataset: a log of events -> impressions, their split in time, and training rows as they were known at each moment.

Reads ``recsys.events`` in time order; the log is replayed once, so that nothing is described by its own future.

    impressions.py     what was shown together and what was clicked; what each reader had clicked and seen before
    temporal_split.py  warm-up, fit, validation, holdout; pseudo-impressions for a log of clicks alone
    log_arrays.py      the log for compiled code, and the one loop that applies its events
    replay.py          ``LogReplay``: counts, item vectors and readers as of a moment that only moves forward
    log_counts.py      the counts of a whole log, a day after the other, in bounded memory
    counted_past.py    the files from which the next night goes on counting, and when it may
    training_set.py    the training rows: each list described by what was known before it
    block_items.py     the item vectors at the start of each block of time, learned here or in a cluster
    chunks.py          rows in chunks of whole lists, in memory or on disk
    parquet.py         training rows in Parquet
    encoder_lists.py   the lists that an encoder of readers learns from
    item_search.py     what each setting of the item vectors is worth on the site's own clicks
"""
