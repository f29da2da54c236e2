"""STUB: to be written."""

from pydantic import Field

from recsys.config import Section


class EvaluateConfig(Section):
    """STUB."""

    holdout: float = Field(0.2, gt=0, lt=1)
    validation: float = Field(0.15, gt=0, lt=1)
