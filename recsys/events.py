"""STUB: to be written."""

from pydantic import Field

from recsys.config import Section


class EventsConfig(Section):
    """STUB."""

    batch_rows: int = Field(200_000, ge=1)
    session_gap_minutes: int = Field(30, ge=1)
