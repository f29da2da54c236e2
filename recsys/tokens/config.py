"""Settings of the tokeniser."""

from pathlib import Path

from pydantic import Field, model_validator

from recsys.config import Section
from recsys.tokens.dictionary import read_dictionary, user_entries


class TokensConfig(Section):
    """Settings of the tokeniser."""

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

    @model_validator(mode="after")
    def _take_dictionary_in(self) -> "TokensConfig":
        """Read the file now: a change of it is a change of the settings then, and a release has its words."""
        lines = read_dictionary(Path(self.user_dictionary)) if self.user_dictionary else []
        self.__dict__ |= {"user_dictionary": "", "user_words": (*self.user_words, *lines)}
        user_entries(self.user_words)
        return self
