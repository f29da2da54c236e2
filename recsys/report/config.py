"""Settings of the report."""

from pydantic import Field

from recsys.config import Section


class ReportConfig(Section):
    """Sizes of the report's pictures and tables."""

    map_articles: int = Field(
        1500,
        ge=10,
        description="articles: points of the vector map; more make the page heavy and the picture no clearer",
    )
    map_words: int = Field(
        300,
        ge=10,
        le=1000,
        description="words on a map of the words; of more the names would hide each other",
    )
    examples: int = Field(
        12,
        ge=1,
        description="articles: examples of keywords on the page, shared out between the languages",
    )
    max_new_words: int = Field(
        40,
        ge=1,
        description="entries: new words and collocations shown per language, the most frequent",
    )
