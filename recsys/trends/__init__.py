"""Trends: the stream of events -> live counts, forgetting at several speeds.

This file holds constants only, so that reading it loads no compiler.

    config.py     the settings
    state.py      the arrays that the stream moves, how they are cut, grown and merged
    decay.py      what time leaves of a count; landmarks that move without a walk over all articles
    counting.py   one event, in constant time: popularity, click rates, positions, shelf life
    company.py    what is clicked together: co-visits of articles, lifts of contexts
    contexts.py   what an event says of its circumstances -> small numbers
    merging.py    two streams of different events -> one
    visits.py     the last clicks of every running visit, in the service
    stream.py     ``Trends``: all of it, as training and service use it
    files.py      ``Trends`` <-> the files of a release
"""

from recsys.events import KINDS

IMPRESSION, CLICK = KINDS.index("impression"), KINDS.index("click")
HOUR_MS = 3_600_000
NEVER = -1
