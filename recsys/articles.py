"""STUB: to be written."""

from pydantic import Field

from recsys.config import Section


class ArticlesConfig(Section):
    """STUB."""

    top_keywords: int = Field(20, ge=1)
