"""STUB: to be written."""

from pydantic import Field

from recsys.config import Section


class StoreConfig(Section):
    """STUB."""

    url: str = ""
    busy_timeout_ms: int = Field(10_000, ge=0)
    synchronous: str = Field("full", pattern="^(full|normal)$")
