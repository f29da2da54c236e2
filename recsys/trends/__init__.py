"""Trends: the stream of events -> live counts, forgetting at several speeds.

This file holds constants only, so that reading it loads no compiler.

    config.py     the settings
    state.py      the arrays that the stream moves
    decay.py      forward decay; landmarks that move without a walk over all articles
    counting.py   one event, in constant time: popularity, click rates, positions, shelf life
    covisits.py   running visits, and their co-visits of articles; lifts of contexts
    contexts.py   an event's context -> small numbers
    stream.py     ``Trends``: all of it, as training and service use it
    files.py      ``Trends`` <-> the files of a release
"""

from recsys.events import KINDS

IMPRESSION, CLICK = KINDS.index("impression"), KINDS.index("click")
