"""Cards: rows of the catalogue -> the items of an answer, with tags, and with reasons in words."""

from recsys.errors import UnknownArticle
from recsys.languages import UNKNOWN_LANGUAGE
from recsys.recommend.catalogue import Catalogue
from recsys.recommend.entries import CatalogueArticle
from recsys.recommend.lists import Card
from recsys.recommend.reasons import text
from recsys.tags import Tag, TagKind, Tags
from web.api.schemas import Article, Item, Reason, TagOut, TagsOut
from web.installation import Installation
from web.texts import category_name, said_in

KEYWORDS = 8  # of an article, in an answer: what fits under a headline


def items(here: Installation, catalogue: Catalogue, cards: list[Card], lang: str | None) -> list[Item]:
    """The items of a list; reasons and categories are said to readers of ``lang``, else of the article's language."""
    home = here.settings.site.language
    return [
        _item(catalogue, card, position, said_in(lang or _spoken(catalogue.entry(card.row), home)))
        for position, card in enumerate(cards)
    ]


def article(here: Installation, catalogue: Catalogue, article_id: str, now: int, lang: str | None) -> Article:
    """One article that may be shown.

    Raises:
        UnknownArticle: there is none by that id, or it is hidden, expired or not yet published.
    """
    row = catalogue.row_of.get(article_id)
    if row is None or not catalogue.showable(now)[row]:
        raise UnknownArticle("an article that may be shown", f"{article_id!r:.80}", "Check the id.")
    entry = catalogue.entry(row)
    lang = said_in(lang or _spoken(entry, here.settings.site.language))
    return Article(
        id=article_id,
        title=entry.title,
        summary=entry.summary,
        url=entry.url,
        image=entry.image,
        source=entry.source,
        category=entry.category,
        category_name=category_name(entry.category, lang) if entry.category else None,
        given=entry.given,
        language=entry.language,
        published_at=entry.published_at,
        tags=tee(entry.tags, lang),
    )


def tee(tags: Tags, lang: str) -> TagsOut:
    """Tags as they are answered: categories are named in a language."""
    return TagsOut(bar=[tag_out(tag, lang) for tag in tags.bar], stem=[tag_out(tag, lang) for tag in tags.stem])


def tag_out(tag: Tag, lang: str) -> TagOut:
    """One tag as it is answered."""
    name = category_name(tag.name, lang) if tag.kind is TagKind.CATEGORY else tag.name
    return TagOut(tag=tag.name, name=name, kind=tag.kind, task=tag.task, weight=tag.weight)


def _spoken(entry: CatalogueArticle, home: str) -> str:
    return home if entry.language == UNKNOWN_LANGUAGE else entry.language


def _item(catalogue: Catalogue, card: Card, position: int, lang: str) -> Item:
    entry, reason = catalogue.entry(card.row), card.reason
    read = catalogue.entry(reason.row) if reason.row >= 0 else None
    said = text(reason, lang, read.title if read else "", category_name(reason.category or "", lang))
    return Item(
        id=catalogue.ids[card.row],
        title=entry.title,
        url=entry.url,
        image=entry.image,
        source=entry.source,
        category=entry.category,
        category_name=category_name(entry.category, lang) if entry.category else None,
        language=entry.language,
        published_at=entry.published_at,
        keywords=list(entry.keywords[:KEYWORDS]),
        tags=tee(entry.tags, lang),
        score=card.score,
        score_kind=card.kind,
        position=position,
        reason=Reason(
            kind=reason.kind,
            text=said,
            article=catalogue.ids[reason.row] if read else None,
            keywords=list(reason.keywords),
        ),
    )
