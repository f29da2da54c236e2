"""Schemas of experiments: as they are asked for, and as they are."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from recsys.experiments.arms import ARM_SETTINGS, MAX_WINDOW_DAYS
from web.api.schemas import In

EXAMPLE: dict[str, Any] = {
    "name": "fewer-alike",
    "arms": [{"name": "control", "share": 0.5}, {"name": "two", "share": 0.5, "settings": {"max_per_category": 2}}],
}


class ArmIn(BaseModel):
    """An arm."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64)
    share: float = Field(description="of the readers; the shares of all arms sum to at most 1")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description=f"that differ from the site's own: {', '.join(ARM_SETTINGS)}; none: the control",
    )


class ExperimentIn(BaseModel):
    """An experiment to begin."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})

    name: str = Field(max_length=64, description="a new one: a name that has been is not taken again")
    arms: list[ArmIn] = Field(description="the control first")
    window_days: int = Field(7, description=f"over which a reader's outcome is taken, at most {MAX_WINDOW_DAYS}")


class ExperimentStop(In):
    """The end of an experiment."""

    reason: str = Field("", max_length=500, description="why, for the audit")


class ExperimentOut(BaseModel):
    """An experiment. Times are ms UTC."""

    name: str
    arms: list[ArmIn]
    window_days: int
    started_at: int
    started_by: str
    stopped_at: int | None = Field(description="null while it runs")
    stopped_by: str | None


class ExperimentsOut(BaseModel):
    """All experiments."""

    experiments: list[ExperimentOut]


class ExperimentRead(ExperimentOut):
    """An experiment with its report."""

    report: dict[str, Any] = Field(
        description=(
            "exposed, measured and shown by arm; sample_ratio (p); broken: the reason for which there are no figures,"
            " empty otherwise; effects: measure, arm, control, treatment, effect (mean, low, high, at every look),"
            " variance_kept, breach of a guardrail"
        )
    )


class LookOut(BaseModel):
    """A report as it stood."""

    at: int = Field(description="ms UTC")
    report: dict[str, Any] = Field(description="as the experiment's own, of the readers whose window was over by then")


class ExperimentLooks(BaseModel):
    """Reports over time; none before a window was over."""

    looks: list[LookOut]
