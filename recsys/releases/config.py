"""Settings of past releases."""

from pydantic import Field

from recsys.config import Section


class ReleasesConfig(Section):
    """Settings of past releases."""

    keep: int = Field(
        5,
        ge=1,
        description="releases: older ones are removed at the next publish; five are five nights to roll back to",
    )
