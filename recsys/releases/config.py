"""Settings of past releases."""

from pydantic import Field

from recsys.config import Section


class ReleasesConfig(Section):
    """Settings of past releases."""

    url: str = Field(
        "",
        description=(
            "address: s3://bucket/folder, gs://…, file:///… or one of fsspec's, through which hosts share releases; "
            "empty: this machine's folder alone"
        ),
    )
    keep: int = Field(
        5,
        ge=1,
        description="releases: older ones are removed at the next publish; five are five nights to roll back to",
    )
    keep_days: int = Field(
        30,
        ge=0,
        description=(
            "days: older ones are removed too, but for the live one and the one before it; 0: by their count alone"
        ),
    )
