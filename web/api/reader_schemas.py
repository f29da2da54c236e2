"""Schemas of a reader's rights: what is known of them, what they choose, and how they are forgotten."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from web.api.schemas import In, Lang, TagOut


class ReaderMade(BaseModel):
    """A reader of an identifier that was made here, and the proof of it."""

    reader: str = Field(description="random; it says nothing of anybody")
    token: str = Field(description="send it as the header Reader-Token, and as reader_token beside events")
    expires_at: int = Field(description="ms UTC since the epoch; POST with the token gives a new one before that")


class KnownQuery(In):
    """The language of what is said."""

    lang: Lang | None = Field(None, description="Chinese for Chinese, English for any other; default: the site's")


class KnownArticle(BaseModel):
    """An article that the reader opened or dismissed."""

    article: str
    title: str | None = Field(description="null for one that is not there any more")
    time: int | None = Field(description="ms UTC since the epoch")


class KnownTag(TagOut):
    """A tag of the reader's last clicks."""

    chosen: float = Field(description="the reader's own weight, in [0, 1]; 1 where they chose nothing, 0: removed")


class KnownTags(BaseModel):
    """Tags in the shape of a T, heaviest first."""

    bar: list[KnownTag]
    stem: list[KnownTag]


class ChosenTag(BaseModel):
    """A tag that the reader weakened or removed."""

    tag: str
    name: str = Field(description="as it was written")
    weight: float


class Known(BaseModel):
    """Everything that is known of a reader, in short; the export has all of it."""

    reader: str
    personalisation: bool
    since: int | None = Field(description="ms UTC: when the first event came; null where none did")
    kept_until: int | None = Field(
        description="ms UTC: when what is kept now will have gone at the latest (events.keep_days); null: no end is set"
    )
    shown: int = Field(description="impressions: articles that were on the screen")
    clicks: int
    dismissed: int
    dwells: int = Field(description="visits to articles whose length is known")
    dwell_ms: int = Field(description="their length in all, ms")
    recent: list[KnownArticle] = Field(description="the articles opened last, newest first")
    dismissed_articles: list[KnownArticle] = Field(description="those dismissed last, newest first")
    tags: KnownTags
    choices: list[ChosenTag]
    forgotten_at: int | None = Field(description="ms UTC: when somebody of this id was forgotten; null: never")
    says: str = Field(description="the same for a person")


class PersonalisationIn(In):
    """The choice about personalisation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    on: bool


class PersonalisationOut(BaseModel):
    """The choice that holds, and what is kept."""

    personalisation: bool
    kept_events: int = Field(description="of before, with the reader; DELETE /api/v1/reader removes them")
    new_events: Literal["with the reader", "without the reader"]
    says: str = Field(description="the same for a person")


class TagWeightIn(In):
    """The choice about a tag."""

    model_config = ConfigDict(extra="forbid", strict=True)

    weight: Annotated[float, Field(ge=0, le=1)] = Field(
        description="share of the clicks on articles with the tag that still count; 0: none; 1 undoes the choice"
    )


class Choices(BaseModel):
    """All tags that the reader weakened or removed."""

    choices: list[ChosenTag]


class Forgotten(BaseModel):
    """State of a reader who is forgotten."""

    reader: str
    events: int = Field(description="removed from the store")
    done: bool = Field(description="true when nothing is left anywhere")
    says: str = Field(description="where something is left, and until when")
