"""Settings of the gate."""

from pydantic import Field

from recsys.config import Section


class GateConfig(Section):
    """Settings of the gate between a candidate and the readers."""

    margin: float = Field(
        0.01,
        ge=0,
        le=0.5,
        description=(
            "AUC of a list, 0 to 1: a candidate is refused unless its lists exclude that it ranks worse than the live "
            "release by more; some 300 lists of a night can tell so much"
        ),
    )
