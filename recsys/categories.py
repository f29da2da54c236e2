"""STUB: to be written."""

from pydantic import Field

from recsys.config import Section


class CategoriesConfig(Section):
    """STUB."""

    min_articles: int = Field(2, ge=1)
    uncertain_below: float = Field(0.3, ge=0, le=1)
