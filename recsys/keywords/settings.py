"""How keywords are ranked."""

from pydantic import Field

from recsys.config import Section


class KeywordsConfig(Section):
    """How keywords are ranked; config.yaml names the value that switches each lever off."""

    style: str = Field("phrases", pattern="^(phrases|words)$")
    k: int = Field(40, ge=1)
    max_words: int = Field(5, ge=1, le=10)
    word_classes: bool = True
    merge_forms: bool = True
    drop_contained: bool = True
    max_article_share: float = Field(0.5, gt=0, le=1)
    max_candidates: int = Field(300, ge=2)
    rarity: float = Field(1.0, ge=0, le=4)
    position: float = Field(1.0, ge=0, le=4)
    frequency: float = Field(0.5, ge=0, le=4)
    length_discount: float = Field(0.25, ge=0, le=1)
    word_chars: float = Field(0.5, ge=0, le=4)
    single_word: float = Field(0.3, gt=0, le=1)
    before_of: float = Field(0.5, gt=0, le=1)
    damping: float = Field(0.5, ge=0, lt=1)
    voters: float = Field(5.0, ge=0)
    top_edges: int = Field(0, ge=0)
    centred: bool = True
    distinct_votes: bool = True
