"""Schemas: what the service accepts and answers, as pydantic models; ``/openapi.json`` is made from them."""

import enum
import re
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from recsys.errors import BadReader
from recsys.languages import language_code
from recsys.missing import is_missing
from recsys.recommend.context import Tier
from recsys.recommend.impressions import MAX_LIST_TOKEN
from recsys.recommend.rank import ScoreKind
from recsys.recommend.reasons import ReasonKind
from recsys.serving.reader_tokens import TokenState
from recsys.store import Kind, normal_id
from recsys.store.addresses import address_id, looks_like_address
from recsys.store.records import MAX_IDENTIFIER
from recsys.tags import TagKind

SCORE_KINDS = (
    "click: P(click), the probability of a click if the article stands first. next-click: the click model learned from"
    " clicks alone, so that nobody knows what was shown and not clicked; the probability that of all candidates of this"
    " list this one is opened next. similarity: no click model, or a list beside an article; the cosine, 0 where it is"
    " negative. tag: the weight of the tag in the article. none: ordered by clicks, by time or by an editor. Compare"
    " only scores of one kind"
)
MAX_EVENTS = 1000  # in one request
NO_CONTROL = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"


def _printable(text: str) -> str:
    if re.fullmatch(NO_CONTROL, text) is None:
        raise PydanticCustomError("control_character", "Expected no control character or line break")
    return text


def _in_normal_form(text: str) -> str:
    try:
        id = normal_id(text)
    except BadReader as error:
        said = {"expected": error.expected, "got": error.got}
        raise PydanticCustomError("identifier", "Expected {expected}; got {got}", said) from None
    if id is None:
        raise PydanticCustomError("nothing", "Expected an identifier, and no word that stands for nothing")
    return id


def _none_for_nothing(value: Any) -> Any:
    return None if value and is_missing(value) else value  # an empty text stays the mistake that it is


PRINTABLE = (AfterValidator(_printable), Field(json_schema_extra={"pattern": f"^{NO_CONTROL}$"}))
Id = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_IDENTIFIER), *PRINTABLE, AfterValidator(_in_normal_form)
]
OptionalId = Annotated[Id | None, BeforeValidator(_none_for_nothing)]
ListName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LIST_TOKEN), *PRINTABLE]
Slot = Annotated[str, StringConstraints(min_length=1, max_length=64), *PRINTABLE]
LANGUAGE_TAG = r"^[A-Za-z]{2,8}([-_.@][A-Za-z0-9_.@-]*)?$"


def _language(tag: str) -> str:
    """The code of a language; a tag that names none stays as it is, and nothing is written in it."""
    if re.fullmatch(LANGUAGE_TAG, tag) is None:
        raise PydanticCustomError("language", "Expected a language code such as zh, en-GB or dan")
    return language_code(tag) or tag.lower()


Lang = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_language),
    Field(json_schema_extra={"pattern": LANGUAGE_TAG}),
]


class Part(enum.StrEnum):
    """A part of the items of a list that is sent only when it is asked for."""

    TAGS = "tags"
    KEYWORDS = "keywords"
    SCORES = "scores"


@lru_cache(256)
def parts_of(include: str) -> frozenset[Part]:
    """The parts that a checked value of ``include`` names."""
    return frozenset(map(Part, filter(None, include.split(","))))


def _included(text: str) -> str:
    if not {*text.split(",")} <= {*Part}:
        raise PydanticCustomError("include", f"Expected any of {', '.join(Part)}, separated by commas")
    return text


Include = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_included),
    Field(json_schema_extra={"pattern": f"^({'|'.join(Part)})(,({'|'.join(Part)}))*$"}),
]
MAX_EXCLUDED = 100  # articles that a page may say it shows; more are not looked at
Exclude = Annotated[str, StringConstraints(max_length=16_384), *PRINTABLE]


def named(text: str | None, most: int = MAX_EXCLUDED) -> list[str]:
    """The identifiers in a checked value of ``exclude`` or ``recent``; of an address the one that is made from it."""
    if not text:
        return []
    names = [unquote(name).strip() for name in text.split(",")[:most]]
    return [address_id(name) if looks_like_address(name) else name for name in names if name]


INCLUDE = Field(None, description=f"what the items bear beside what a card shows: any of {', '.join(Part)}, by commas")
Length = Annotated[int | None, Field(ge=1)]  # how long a list; web.api.docs adds this site's bounds


class In(BaseModel):
    """A request: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


MAX_RECENT = 20  # articles that a browser may say its reader opened last
RECENT = (
    f"articles that the reader opened last, newest first, at most {MAX_RECENT}, written as those of exclude: the list"
    " is made from them, and nothing of them is stored. Not looked at beside a reader or a session"
)


class RecommendationsQuery(In):
    """The query of a list: reader, place and length."""

    reader: OptionalId = Field(None, description="the reader's id, as in the events; none: a reader without history")
    session: OptionalId = Field(None, description="the session's id, as in the events")
    article: OptionalId = Field(None, description="the article that the list stands beside; never in the list")
    slot: Slot | None = Field(None, description="name of the place on the page, as in the events")
    k: Length = None
    lang: Lang | None = Field(
        None,
        description="code of the language whose articles come first, such as zh, en-GB or dan; default: the one that is"
        " read. Reasons are said in Chinese for Chinese, in English for any other",
    )
    include: Include | None = INCLUDE
    exclude: Exclude | None = Field(
        None,
        description=f"articles that the page shows already, at most {MAX_EXCLUDED}: ids or addresses, by commas; one"
        " that holds a comma is percent-encoded once more",
    )
    recent: Exclude | None = Field(None, description=RECENT)


class ListQuery(In):
    """The length and the language of a list."""

    k: Length = None
    lang: Lang | None = Field(None, description="language whose articles come first, and of the reasons")
    include: Include | None = INCLUDE


class LangQuery(In):
    """Said in which language."""

    lang: Lang | None = Field(None, description="language of the categories' names; default: the article's own")


class SimilarQuery(In):
    """For how much, said in which language; first come articles in the language of the one that they are like."""

    k: Length = None
    lang: Lang | None = Field(None, description="language of the reasons and of the categories' names")
    include: Include | None = INCLUDE


class Reason(BaseModel):
    """The reason why an article is in the list."""

    kind: ReasonKind
    text: str = Field(description="the reason in words")
    article: str | None = Field(description="id of the article read")
    keywords: list[str] = Field(description="what the two articles share")


class TagOut(BaseModel):
    """One tag; ``GET /api/v1/tags/{tag}`` lists the articles that bear it."""

    tag: str
    name: str = Field(description="for readers: of a category its name in their language")
    kind: TagKind
    task: str | None = Field(description="of a label, what was asked, such as sentiment")
    weight: float = Field(
        description="in [0, 1]: of an article, a category's confidence or a keyword's weight; of a reader, the share of"
        " the last clicks; of a related tag, how often the two go together"
    )


class TagsOut(BaseModel):
    """Tags in the shape of a T, heaviest first."""

    bar: list[TagOut] = Field(description="across: categories or topics, then labels; 1 for a category given")
    stem: list[TagOut] = Field(description="down: keywords")


def _when_included(part: Part, said: str, **bounds: Any) -> Any:
    """A field that an answer has only where ``include`` names a part."""

    def without_default(schema: dict[str, Any]) -> None:
        schema.pop("default", None)

    return Field(None, description=f"{said}; with include={part}", json_schema_extra=without_default, **bounds)


class Item(BaseModel):
    """One article of a list: what a card shows, and what was asked for beside it."""

    id: str
    title: str
    url: str | None
    image: str | None
    source: str | None
    category: str | None
    category_name: str | None = Field(description="the category's name for readers")
    language: str
    published_at: int | None = Field(description="ms UTC since the epoch")
    keywords: list[str] = _when_included(Part.KEYWORDS, "most telling first")
    tags: TagsOut = _when_included(Part.TAGS, "the article's T")
    score: float = _when_included(
        Part.SCORES, "what it says is in score_kind; higher is better; 0 where that is none", ge=0, le=1
    )
    score_kind: ScoreKind = _when_included(Part.SCORES, SCORE_KINDS)
    position: int = Field(description="from 0")
    reason: Reason


class Recommendations(BaseModel):
    """A list for one reader."""

    impression_id: str = Field(
        description="a signed token of this list: send it back as impression in the events about it, within 48 hours"
    )
    tier: Tier = Field(description="what the list was made from")
    degraded: bool = Field(
        description="true where the worker had no time for the click model: the nearest, or the most read, as they come"
    )
    release: str | None = Field(description="the release that served it; null before the first one")
    reader: str | None = Field(description="whose list it is; null: a stranger's")
    token: TokenState | Literal["missing"] | None = Field(
        description="what became of the reader's token; missing: one was needed; null: none was needed, and none came"
    )
    personalisation: bool = Field(description="false where the reader switched it off: then it is a stranger's list")
    generated_at: int = Field(description="ms UTC since the epoch")
    items: list[Item]


class Similar(BaseModel):
    """The articles nearest to one."""

    article: str
    release: str | None
    impression_id: str = Field(description="a token of this list, the same for everybody: see /api/v1/events")
    items: list[Item]


class Article(BaseModel):
    """One article, as far as the catalogue holds it; its text stays with its publisher."""

    id: str
    title: str
    summary: str = Field(description="the opening of the text")
    url: str | None
    image: str | None
    source: str | None
    category: str | None = Field(description="null when no category is likely enough")
    category_name: str | None
    given: bool = Field(description="whether the category came with the article")
    language: str
    published_at: int | None = Field(description="ms UTC since the epoch")
    tags: TagsOut


class TaggedQuery(In):
    """The part of a tag's articles that is asked for."""

    k: Length = None
    offset: int = Field(0, ge=0, le=100_000, description="articles to skip, the newest")
    lang: Lang | None = Field(None, description="language whose articles come first, and of the categories' names")
    include: Include | None = INCLUDE


class Tagged(BaseModel):
    """The articles that bear a tag, newest first."""

    tag: str = Field(description="as most of the newest articles write it")
    name: str
    kind: TagKind
    articles: int = Field(description="how many bear it, in this answer or not")
    related: list[TagOut] = Field(description="keywords that go with it")
    items: list[Item]


class StoryQuery(In):
    """The length of a story and the language of its words."""

    k: Length = None
    lang: Lang | None = Field(None, description="language of the reasons and of the categories' names")
    include: Include | None = INCLUDE


class Story(BaseModel):
    """The articles of one event, newest first, of copies of one text one."""

    id: str = Field(description="that of the article that began the story")
    title: str = Field(description="the editors' name of it, else the headline of its newest article")
    name: str | None = Field(description="by which editors call it; null where they have not")
    tags: list[TagOut] = Field(description="keywords that most of its articles show; the weight is their share")
    first_published_at: int | None = Field(description="ms UTC since the epoch; of all its articles")
    last_published_at: int | None = Field(description="the same, of the newest one")
    articles: int = Field(description="how many there are, in this answer or not")
    items: list[Item]


class ProfileQuery(In):
    """The session, and the language of names."""

    session: OptionalId = Field(None, description="the session's id, for a reader without history")
    lang: Lang | None = Field(None, description="language of the categories' names; default: the site's")


class Profile(BaseModel):
    """The tags of a reader's last clicks, in the shape of an article's tags."""

    reader: str
    clicks: int = Field(description="how many clicks it was made from; 0 for a reader without history")
    tags: TagsOut


class TodayItem(Item):
    """One of today's most clicked articles."""

    clicks: int = Field(description="readers who clicked it since midnight in the site's time zone, each once")


class Today(BaseModel):
    """The most clicked articles of today (今日点击)."""

    date: str = Field(description="YYYY-MM-DD in the site's time zone")
    timezone: str
    impression_id: str = Field(description="a token of this list, the same for everybody: see /api/v1/events")
    items: list[TodayItem]


class EventIn(In):
    """Something that a reader did."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event_id: Id = Field(description="made by the client; the same id of the same reader and session counts once")
    kind: Annotated[Kind, Field(strict=False)]
    article: Id
    reader: OptionalId = None
    session: OptionalId = None
    time: int | float | str | None = Field(
        None,
        description="epoch number (s, ms, µs or ns) or ISO 8601 and other common forms, without a zone in the site's;"
        " default: now",
    )
    slot: Slot | None = None
    position: int | None = Field(None, ge=0, le=32_767, description="in the list, from 0")
    impression: Annotated[ListName | None, BeforeValidator(_none_for_nothing)] = Field(
        None, description="impression_id of the list: a token by which the event counts; docs/trust.md"
    )
    dwell_ms: int | None = Field(None, ge=0, le=86_400_000, description="for dwell: how long, in ms")
    context: dict[str, Any] | None = Field(None, description="anything else, as a small JSON object")


class EventsIn(In):
    """Several events at once."""

    events: list[EventIn] = Field(max_length=MAX_EVENTS)
    reader_token: str | None = Field(None, description="of the reader whom the events name, where that is protected")


class Rejected(BaseModel):
    """One event that was not stored."""

    index: int = Field(description="its place in the request, from 0")
    code: str
    detail: str


class Accepted(BaseModel):
    """The outcome of some events."""

    accepted: int
    duplicate: int = Field(description="were there already, or lie before their reader was forgotten")
    rejected: list[Rejected]
    ignored: list[Rejected] = Field(
        description="could be read, and count for nothing: forged, expired, other-article, other-reader, unsigned,"
        " too-old, too-many or strangers; they are not stored, and nothing is gained by sending them again"
    )
    unknown: list[int] = Field(
        description="places in the request, from 0, of events whose article the catalogue lacks: they are kept, and"
        " count when it comes"
    )
    unproven: list[int] = Field(
        description="places in the request, from 0, of events that named a protected reader without their token: they"
        " are taken as of nobody"
    )


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    """The service can answer."""

    status: Literal["ready"]
    database: Literal["in reach", "out of reach"] = Field(
        description="out of reach: lists come from memory, and events and changes are refused with 503 until it is back"
    )
    release: str | None
    articles: int = Field(description="in this worker's catalogue")
    behind_seconds: float = Field(description="since all events and articles of the store had been taken over")
    set_aside: list[str] = Field(description="rows of the store that could not be applied; the log says why")
