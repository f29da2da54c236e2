"""The admin API's front: the list that a newcomer gets now with its figures, and articles found for it.

Reads the live state and the store; produces answers under ``/admin/api``. Nothing is recorded: no reader asked.
"""

import json

import numpy as np
import numpy.typing as npt
from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.catalogue.catalogue import Catalogue
from recsys.recommend.pin_cost import pin_cost
from recsys.recommend.reasons import ReasonKind
from recsys.store import StoredArticle
from recsys.trends.state import CATEGORIES
from recsys.units import HOUR_MS, NEVER_MS, now_ms
from web.admin.handlers import never_stored
from web.api.direct import list_length
from web.api.schemas import In, Lang, Slot
from web.api.serialisers import items
from web.installation import installation

MAX_FOUND = 200
Floats = npt.NDArray[np.float64]

blueprint = APIBlueprint("front", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class FrontQuery(In):
    """The list that is asked for."""

    lang: Lang | None = None
    slot: Slot | None = None


class FrontItem(BaseModel):
    """A card of the list with its figures."""

    id: str
    title: str
    language: str
    category: str | None
    category_name: str | None
    published_at: int | None = Field(description="ms UTC")
    place: int = Field(description="from 1")
    pinned: bool
    reason: str = Field(description="in words, as a reader sees it")
    usual_rate: float | None = Field(description="clicks per impression at that place so far; null: nobody knows")
    own_rate: float | None = Field(description="the article's smoothed click rate at that place")
    shelf_hours_left: float | None = Field(
        description="until nine tenths of the clicks on its category have usually come; below 0: that is past"
    )


class Front(BaseModel):
    """The list of a newcomer."""

    tier: str
    k: int
    items: list[FrontItem]


class ArticlesQuery(In):
    """The articles that are asked for."""

    q: str = Field("", max_length=200, description="words of the title, or an id; empty: the newest that may be shown")
    category: str = Field("", max_length=200, description="only of this one; empty: of all")
    lang: Lang | None = None
    last: int = Field(50, ge=1, le=MAX_FOUND, description="articles at most")


class ArticleFound(BaseModel):
    """An article in a list of editors, hidden ones among them."""

    id: str
    title: str
    language: str | None
    category: str | None
    published_at: int | None
    hidden: bool
    shown: bool = Field(description="whether it may stand in a list now")
    shelf_hours_left: float | None = Field(description="as of the front")


class ArticlesFound(BaseModel):
    """Articles, newest first."""

    articles: list[ArticleFound]


@blueprint.get("/front")
@blueprint.input(FrontQuery, location="query", arg_name="query")
@blueprint.output(Front)
@blueprint.doc(security="bearer")
def read_front(query: FrontQuery) -> Front:
    """The list that a newcomer gets now, each card with its click rate beside the usual one of its place."""
    here, now = installation(), now_ms()
    k = list_length(here, None)
    answer = here.live.recommend(None, None, article=None, k=k, lang=query.lang, slot=query.slot)
    catalogue, trends, cards = answer.catalogue, here.live.trends, answer.recommendation.cards
    written = json.loads(items(catalogue, cards, query.lang, here.settings.site.language, None))
    shelf = trends.shelf()
    told = []
    for place, (card, item) in enumerate(zip(cards, written, strict=True), 1):
        rates = pin_cost(trends, card.row, place, now)
        facts = {name: item[name] for name in ("id", "title", "language", "category", "category_name", "published_at")}
        told.append(
            FrontItem(
                **facts,
                place=place,
                pinned=card.reason.kind is ReasonKind.EDITORS_CHOICE,
                reason=item["reason"]["text"],
                usual_rate=None if rates is None else round(rates.usual_rate, 5),
                own_rate=None if rates is None else round(rates.own_rate, 5),
                shelf_hours_left=_hours_left(catalogue, card.row, shelf, now),
            )
        )
    return Front(tier=answer.recommendation.tier, k=k, items=told)


@blueprint.get("/articles")
@blueprint.input(ArticlesQuery, location="query", arg_name="query")
@blueprint.output(ArticlesFound)
@blueprint.doc(security="bearer")
def find_articles(query: ArticlesQuery) -> ArticlesFound:
    """Articles by words of the title or by id, hidden ones as well; without, the newest that may be shown."""
    here, now = installation(), now_ms()
    site, catalogue, wanted = here.live.site, here.live.catalogue, query.q.strip()
    if wanted:
        stored = here.store.find_articles(site, wanted, query.last)
    else:
        rows = catalogue.of_category(query.category, now) if query.category else None
        newest = catalogue.latest(now, query.last, query.lang) if rows is None else catalogue.newest(rows, query.last)
        order = {catalogue.ids[row]: place for place, row in enumerate(newest.tolist())}
        stored = sorted(here.store.articles_named(site, list(order)), key=lambda one: order[one.id])
    shelf = here.live.trends.shelf()
    found = [_found(catalogue, one, shelf, now) for one in stored]
    return ArticlesFound(articles=[one for one in found if query.category in ("", one.category)])


def _found(catalogue: Catalogue, article: StoredArticle, shelf: Floats, now: int) -> ArticleFound:
    row = catalogue.row_of.get(article.id)
    showable = row is not None and bool(catalogue.eligible(now).showable[row])
    return ArticleFound(
        id=article.id,
        title=article.title,
        language=article.language,
        category=article.category if article.category or row is None else catalogue.category(row),
        published_at=article.published_at,
        hidden=article.hidden,
        shown=showable and not article.hidden,
        shelf_hours_left=None if row is None else _hours_left(catalogue, row, shelf, now),
    )


def _hours_left(catalogue: Catalogue, row: int, shelf: Floats, now: int) -> float | None:
    published, code = int(catalogue.published[row]), int(catalogue.columns.category[row])
    if published == NEVER_MS:
        return None
    hours = float(shelf[code if 0 <= code < CATEGORIES else CATEGORIES])
    return round(hours - (now - published) / HOUR_MS, 1)
