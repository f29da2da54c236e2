"""Settings of the tokeniser."""

from pathlib import Path

from pydantic import Field, model_validator

from recsys.config import Section
from recsys.tokens.dictionary import read_dictionary, user_entries


class TokensConfig(Section):
    """Settings of the tokeniser."""

    max_body_chars: int = Field(
        1_000_000,
        ge=100,
        description=(
            "characters: read of a title or body, about 170,000 words, more than any article has; what is cut off is "
            "counted"
        ),
    )
    simplify: bool = Field(
        True,
        description="true: traditional Chinese becomes simplified, so that one word has one vector; false: it stays",
    )
    user_dictionary: str = Field(
        "",
        description=(
            'file: a word per line, "word [freq] [tag]" as jieba reads it; the words of a phrase are joined; empty: '
            "none"
        ),
    )
    user_words: tuple[str, ...] = Field(
        (),
        description="lines: of the same form as in user_dictionary, for a few words that need no file",
    )
    new_words: bool = Field(
        True,
        description=(
            "true: words that often stand together become one token (the lexicon); false: words of the dictionary only"
        ),
    )
    min_count: int = Field(
        10,
        ge=2,
        description="occurrences: fewer of two neighbours in the corpus say nothing about whether they are one word",
    )
    min_articles: int = Field(
        5,
        ge=1,
        description="articles: two neighbours that stand in fewer are no word but what one text repeats",
    )
    min_npmi: float = Field(
        0.5,
        ge=-1,
        le=1,
        description="normalised pointwise mutual information (NPMI), from -1 to 1: phrases below it are merely common",
    )
    min_branching_entropy: float = Field(
        1.0,
        ge=0,
        description=(
            "nats: entropy of what stands left and right of a new word; less means that it is part of a longer one"
        ),
    )
    workers: int = Field(
        0,
        ge=0,
        description="processes that cut; 0: one per core, since the result is the same with any number",
    )

    @model_validator(mode="after")
    def _take_dictionary_in(self) -> "TokensConfig":
        """Read the file now: a change of it is a change of the settings then, and a release has its words."""
        lines = read_dictionary(Path(self.user_dictionary)) if self.user_dictionary else []
        self.__dict__ |= {"user_dictionary": "", "user_words": (*self.user_words, *lines)}
        user_entries(self.user_words)
        return self
