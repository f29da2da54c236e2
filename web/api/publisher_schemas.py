"""Schemas of a publisher's calls: an article as it is sent, and what became of it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from recsys.store import EditOutcome, Outcome
from recsys.store.bounds import MAX_ADDRESS, MAX_BODY, MAX_ENTITIES, MAX_NAME, MAX_TITLE

MAX_BULK_ARTICLES = 10_000  # in one bulk
TIME = "epoch number (s, ms, µs or ns) or ISO 8601 and other common forms, without a zone in the site's"
EXAMPLE: dict[str, Any] = {
    "title": "Harbour bridge opens a week early",
    "body": "The new bridge over the harbour was opened on Monday, a week before the date that was planned.",
    "url": "https://www.example.org/news/bridge",
    "category": "city",
    "language": "en",
    "published_at": "2026-03-02T06:30:00Z",
}
BULK_EXAMPLE = '{"id": "bridge-1", "title": "Harbour bridge opens a week early"}\n{"id": "bridge-2", "title": "…"}\n'


class ArticleFields(BaseModel):
    """An article as its publisher sends it. Values are read as an import reads them: only the title is needed."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    title: str = Field(description=f"cut to {MAX_TITLE} characters; without one, the first line of the body")
    body: str | None = Field(None, description=f"markup is removed; cut to {MAX_BODY:,} characters")
    url: str | None = Field(None, description=f"web address, or a path of the site; at most {MAX_ADDRESS:,} characters")
    image: str | None = Field(None, description=f"address of a picture; at most {MAX_ADDRESS:,} characters")
    source: str | None = Field(None, description=f"cut to {MAX_NAME} characters, as are the two categories")
    language: str | None = Field(None, description="code such as zh or en-GB; null: the text says it")
    category: str | None = Field(None, description="null: the classifier finds one")
    subcategory: str | None = None
    entities: list[str] = Field(
        default_factory=list, description=f"names; at most {MAX_ENTITIES} of {MAX_NAME} characters"
    )
    published_at: int | str | None = Field(None, description=TIME)
    expires_at: int | str | None = Field(None, description="no list shows it from then on")
    hidden: bool | None = Field(
        None, description="not said: as it is; true and false win over an editor's word only when they are newly said"
    )


class BulkArticle(ArticleFields):
    """One line of a bulk: a whole article, with its id."""

    id: str


class StoredFields(ArticleFields):
    """An article as it is stored, in the shape in which it can be sent again."""

    id: str
    hidden: bool = Field(description="whether it is hidden now, whoever said so")
    version: int = Field(description="for If-Match; it grows with each change")
    published_at: int | None = Field(description="ms UTC since the epoch")
    expires_at: int | None = Field(description="ms UTC since the epoch")


class Edited(BaseModel):
    """The outcome of a PUT or a PATCH."""

    article: str
    outcome: EditOutcome
    version: int = Field(description="of the article now, also in the ETag; send it as If-Match with the next change")
    repaired: list[str] = Field(
        description="values that were put right, cut or left out, by field; all others are stored"
    )


class Switched(BaseModel):
    """The outcome of hiding or showing."""

    article: str
    outcome: Outcome = Field(description="as before: it was so already; tombstone lifted: a PUT may bring it back")


class BulkLine(BaseModel):
    """The outcome of one line."""

    line: int = Field(description="number in the body, from 1")
    article: str | None
    outcome: EditOutcome | None = Field(description="null: the line is refused")
    version: int | None
    repaired: list[str] = Field(default_factory=list)
    code: str | None = Field(None, description="of a line that is refused: stable, for programs")
    detail: str | None = None
    remedy: str | None = None


class BulkAnswer(BaseModel):
    """The outcome of a bulk: an answer for each line that is not blank."""

    created: int
    updated: int
    unchanged: int
    refused: int
    lines: list[BulkLine]
