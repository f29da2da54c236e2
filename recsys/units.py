"""Units of time and the sentinels: each value stands here once, and every room takes it from here.

Times are int64 milliseconds since 1970-01-01 UTC, everywhere.
"""

import time

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

UNKNOWN_ROW = -1  # the row of what has none: an article that is not in the catalogue, a category that nobody gave
NO_ID = 0  # the hashed id of what is not known
NEVER_MS = -1  # the time of what has not happened
UNDATED: int = -(2**62)  # the time of an event of which only the order is known: before every other
FOREVER_MS = (1 << 63) - 1  # the time of what is not going to happen: of an article that does not expire


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC, by this machine's clock."""
    return time.time_ns() // 1_000_000
