"""Schemas of the calls that join, split and name stories."""

from collections.abc import Iterable
from itertools import groupby
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from recsys.store import Outcome, StoryDecision
from recsys.store.records import MAX_EXACT
from recsys.store.stories import MAX_NAME, MAX_SPLIT
from web.api.schemas import Id

AGAINST = "whether an earlier decision said otherwise: this one holds, for it is the later"


class OnVersion(BaseModel):
    """The version of a story on which an editor decides."""

    version: int | None = Field(
        None,
        ge=0,
        le=MAX_EXACT,
        description="of the story as it was read: 412 when an editor has decided on it since; null: whatever was",
    )


class JoinIn(OnVersion):
    """The story that is joined with another one."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"with": "aq-104"}})

    other: Id = Field(alias="with", description="id of the other story, or of any article of it")


class SplitIn(OnVersion):
    """The articles that leave a story."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"articles": ["aq-104"]}})

    articles: list[Id] = Field(
        min_length=1,
        max_length=MAX_SPLIT,
        description="of the story, not all of it; together they are one of their own",
    )


class NameIn(OnVersion):
    """The name of a story."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"name": "The harbour fire"}})

    name: str = Field(
        max_length=2 * MAX_NAME,
        description=f"1 to {MAX_NAME} characters on one line, blanks around it left out, without control characters",
    )


class StoryEdited(BaseModel):
    """A story as it is now."""

    story: str = Field(description="its id; of a split, that of the articles that left")
    name: str | None = Field(description="by which editors call it")
    articles: int = Field(description="how many there are, hidden ones and all copies of a text among them")
    outcome: Outcome = Field(description="as before: it was so already")


class StoryJoined(StoryEdited):
    """A story that was joined with another one, or split."""

    against: bool = Field(description=AGAINST)


class StoryDecisionOut(BaseModel):
    """A decision of an editor on stories."""

    kind: Literal["join", "split"]
    articles: list[str] = Field(description="of a join, of one story; of a split, those that left it")
    other: str = Field(description="an article of the other story, of the one that they left")
    set_at: int = Field(description="ms UTC")
    set_by: str = Field(description="token NAME, or command USER")

    @classmethod
    def all_of(cls, asked: Iterable[StoryDecision]) -> list[Self]:
        """The decisions that pairs which editors asked for make, the last one first."""
        made = []
        for _, of_one in groupby(asked, key=lambda pair: pair.change):
            pairs = list(of_one)
            kind: Literal["join", "split"] = "join" if pairs[0].together else "split"
            articles = [pair.one for pair in pairs]
            first = pairs[0]
            made.append(cls(kind=kind, articles=articles, other=first.other, set_at=first.set_at, set_by=first.set_by))
        return made[::-1]


class StoryNameOut(BaseModel):
    """A story's name."""

    story: str | None = Field(
        description="id of the story in which the named article stands; null where it is not here"
    )
    article: str = Field(description="the article that the name goes with")
    name: str
    set_at: int = Field(description="ms UTC")
    set_by: str = Field(description="token NAME, or command USER")


class StoryDecisions(BaseModel):
    """The decisions of editors on stories, in their order."""

    decisions: list[StoryDecisionOut] = Field(
        description="the last one first; where two say otherwise, the later holds"
    )
    names: list[StoryNameOut] = Field(description="the last one first; of two of one story, the later holds")
