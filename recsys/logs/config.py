"""Settings of the log."""

from typing import Literal

from pydantic import Field

from recsys.config import Section


class LogsConfig(Section):
    """Settings of the log, which every process writes to stderr."""

    form: Literal["text", "json"] = Field(
        "text",
        description=(
            "text | json: key=value for people, laid out on a terminal; or a JSON object a line, for a collector"
        ),
    )
