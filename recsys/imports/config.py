"""Limits of an import."""

from pydantic import Field

from recsys.config import Section


class ImportsConfig(Section):
    """Limits of an import: memory, and what is taken for an error."""

    cache_mib: int = Field(
        256,
        ge=2,
        le=65_536,
        description=(
            "MiB: SQLite pages in memory during an import; its indexes are filled at random places, and reading them "
            "back costs a quarter of the time"
        ),
    )
    max_future_minutes: float = Field(
        10.0,
        ge=0,
        description="minutes: a time further ahead of this machine's clock is taken for an error",
    )
