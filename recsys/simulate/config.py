"""Settings of the simulation."""

from pydantic import Field

from recsys.config import Section


class SimulateConfig(Section):
    """Numbers of simulated readers and days."""

    readers: int = Field(
        600,
        ge=1,
        description="simulated readers: enough clicks to learn from, few enough for a minute of training",
    )
    days: int = Field(5, ge=1, description="days of visits before now")
