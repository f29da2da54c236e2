"""Settings of the evaluation."""

from pydantic import Field

from recsys.config import Section


class EvaluateConfig(Section):
    """Split of the log: impressions that judge, and impressions that stop the training."""

    holdout_share: float = Field(
        0.2, gt=0, lt=1, description="share of the lists, last in time, that judges the models"
    )
    validation_share: float = Field(
        0.15,
        gt=0,
        lt=1,
        description="share of the lists, before the held-out part, that stops the training early",
    )
