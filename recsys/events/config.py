"""Settings of the event log."""

from pydantic import Field

from recsys.config import Section


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
