"""Settings of the event log."""

import enum

from pydantic import Field

from recsys.config import Section


class Unsigned(enum.StrEnum):
    """Treatment of an event without an impression token and without a key."""

    COUNT = "count"
    TRUST = "trust"
    IGNORE = "ignore"


class EventsConfig(Section):
    """Settings of the event log and of sessions."""

    session_gap_minutes: int = Field(
        30,
        ge=1,
        le=10_080,
        description=(
            "minutes: after so long without a click a reader's next click begins a new session; the usual value of "
            "web analytics"
        ),
    )
    keep_days: int = Field(
        0,
        ge=0,
        le=3_650,
        description=(
            "days: older events go, from the store and the log, when the log is written at night; undated ones stay; "
            "0: kept until their reader has them forgotten"
        ),
    )
    unsigned: str = Field(
        "count",
        pattern="^(count|trust|ignore)$",
        description=(
            "count | trust | ignore: an event without an impression token or a write key. count: within bounds, and "
            "in full for a reader whom a token vouches for; trust: in full, where only your systems can post; ignore: "
            "never"
        ),
    )
