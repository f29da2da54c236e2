"""STUB: to be written."""

from pydantic import Field

from recsys.config import Section


class ImportsConfig(Section):
    """STUB."""

    batch_rows: int = Field(20_000, ge=1)
    max_line_bytes: int = Field(4_000_000, ge=1_000)
    max_future_minutes: int = Field(10, ge=0)
