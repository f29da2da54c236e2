"""Settings of the categories, and of the classifiers that give them."""

from pydantic import Field

from recsys.classifiers.config import ClassifiersConfig

MIN_ARTICLES = 2  # that a category needs in a language before others are put into it


class CategoriesConfig(ClassifiersConfig):
    """Settings of the training set, and of the topics of a language without categories."""

    topics: str = Field(
        "auto",
        pattern="^(auto|off)$",
        description=(
            "auto | off: auto finds topics, and names them by keywords, in a language in which no article came with a "
            "category"
        ),
    )
    max_topics: int = Field(
        12,
        ge=2,
        description="topics of a language at most, one per 25 articles: what fits on a menu",
    )
