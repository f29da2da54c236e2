"""Settings of article vectors."""

from pydantic import Field

from recsys.config import Section


class ArticlesConfig(Section):
    """Settings of article vectors."""

    encoder: str = Field(
        "keywords",
        pattern="^(keywords|idf-mean|doc2vec)$",
        description=(
            "keywords | idf-mean | doc2vec: mean of the top keywords' vectors, of all words' by rarity, or the text's "
            "own (with words.model pv-dm or pv-dbow)"
        ),
    )
