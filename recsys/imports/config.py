"""Limits of an import."""

from pydantic import Field

from recsys.config import Section


class ImportsConfig(Section):
    """Limits of an import: memory, and what is taken for an error."""

    batch_rows: int = Field(
        50_000,
        ge=1,
        description=(
            "records per transaction: larger batches gain nothing, and an import that was killed repeats at most so "
            "many"
        ),
    )
    cache_mib: int = Field(
        256,
        ge=2,
        le=65_536,
        description=(
            "MiB: SQLite pages in memory during an import; its indexes are filled at random places, and reading them "
            "back costs a quarter of the time"
        ),
    )
    batch_bytes: int = Field(
        16_000_000,
        ge=1_000,
        description="bytes of text per transaction: bounds memory where records are whole articles",
    )
    max_line_bytes: int = Field(
        4_000_000,
        ge=1_000,
        description="bytes: a longer line of a text file is rejected without ever being in memory",
    )
    max_future_minutes: int = Field(
        10,
        ge=0,
        description="minutes: a time further ahead of this machine's clock is taken for an error",
    )
