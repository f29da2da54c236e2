"""Trends: the stream of events -> live counts, forgetting at several speeds.

This file holds the configuration only, so that reading it loads no compiler.

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

from pydantic import Field, PositiveFloat

from recsys.config import Section
from recsys.events import KINDS

IMPRESSION, CLICK = KINDS.index("impression"), KINDS.index("click")
HOUR_MS = 3_600_000
NEVER = -1
Hours = PositiveFloat


class TrendsConfig(Section):
    """How fast the counts forget, how much evidence moves them, and how much is kept."""

    half_lives_hours: tuple[Hours, Hours, Hours, Hours, Hours] = (0.25, 1.0, 4.0, 16.0, 64.0)
    covisit_half_lives_hours: tuple[Hours, Hours, Hours] = (4.0, 48.0, 24.0)
    lift_half_life_hours: float = Field(24.0, gt=0)
    shelf_half_life_days: float = Field(7.0, gt=0)
    shelf_share: float = Field(0.9, gt=0, lt=1)
    prior_impressions: float = Field(20.0, gt=0)
    prior_company: float = Field(5.0, gt=0)
    context: tuple[str, ...] = Field(("region", "device", "os", "referrer"), max_length=4)
    live_articles: int = Field(16_384, ge=1)
    neighbours: int = Field(128, ge=1, le=1_000)
    max_visits: int = Field(50_000, ge=1)
    late_minutes: float = Field(60.0, gt=0)
    ahead_minutes: float = Field(10.0, ge=0)
