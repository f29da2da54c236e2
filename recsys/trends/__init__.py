"""Trends: the stream of events -> live counts, forgetting at several speeds.

This file holds constants only, so that reading it loads no compiler.

    config.py     the settings
    state.py      the arrays that the stream moves
    decay.py      forward decay; landmarks that move without a walk over all articles
    counting.py   one event: codes of its context, and its counts: popularity, click rates, positions, shelf life
    covisits.py   running visits, and their co-visits of articles; lifts of contexts
    outcomes.py   how much more often an article is read, or hidden, than others of its category
    audiences.py  the readers who clicked each article, as sums of vectors
    stream.py     ``Trends``: all of it, as training and service use it
    files.py      ``Trends`` <-> the files of a release
"""

from recsys.events import KINDS

IMPRESSION, CLICK = KINDS.index("impression"), KINDS.index("click")
MAX_VISITS = 50_000  # running visits that a worker remembers, for the co-visits of the next click
PRIOR_IMPRESSIONS = 20.0  # impressions that move a click rate half-way from the site's own rate
PRIOR_COVISITS = 5.0  # co-visits that move an article's co-visits half-way from what is popular
LATE_MINUTES = 60.0  # behind the newest event, from which on an event is counted as late
MAX_FUTURE_MINUTES = 10.0  # that an event may be dated after its arrival; beyond, it is held back
