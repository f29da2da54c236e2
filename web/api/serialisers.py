"""Serialisers: rows of the catalogue -> the items of an answer, with tags, and with reasons in words."""

from functools import lru_cache
from typing import Any

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.errors import UnknownArticle
from recsys.languages import UNKNOWN_LANGUAGE
from recsys.recommend.reasons import Card, reason_texts
from recsys.tags import Tag, TagKind, Tags
from web.api.schemas import Article, Item, Reason, TagOut, TagsOut
from web.texts import category_name, said_in

KEYWORDS = 8  # of an article, in an answer: what fits under a headline
_ARTICLES = 1024  # whose unchanging fields are kept: those that most lists hold, some 10 KB each


def items(catalogue: Catalogue, cards: list[Card], lang: str | None, home: str) -> list[Item]:
    """The items of a list, in one pass.

    Args:
        catalogue: whose rows the cards name.
        cards: the list.
        lang: language in which reasons and categories are said; None: each in its article's own.
        home: the site's language, for articles of no known one.
    """
    fields = [_item_fields(article, lang, home) for article in catalogue.articles_of([card.row for card in cards])]
    read = [catalogue.articles[card.reason.row] if card.reason.row >= 0 else None for card in cards]
    languages = [language for language, _ in fields]
    texts = reason_texts(
        [card.reason for card in cards],
        languages,
        [article.title if article else "" for article in read],
        [category_name(card.reason.category or "", language) for card, language in zip(cards, languages, strict=True)],
    )
    answered = []
    for position, (card, reason_text, (_, of_article)) in enumerate(zip(cards, texts, fields, strict=True)):
        reason = Reason(
            kind=card.reason.kind,
            text=reason_text,
            article=catalogue.ids[card.reason.row] if read[position] else None,
            keywords=list(card.reason.keywords),
        )
        answered.append(
            Item(
                **of_article,
                id=catalogue.ids[card.row],
                score=card.score,
                score_kind=card.kind,
                position=position,
                reason=reason,
            )
        )
    return answered


def article(catalogue: Catalogue, article_id: str, now: int, lang: str | None, home: str) -> Article:
    """One article that may be shown.

    Raises:
        UnknownArticle: there is none by that id, or it is hidden, expired or not yet published.
    """
    row = catalogue.row_of.get(article_id)
    if row is None or not catalogue.eligible(now).showable[row]:
        raise UnknownArticle("an article that may be shown", f"{article_id!r:.80}", "Check the id.")
    stored = catalogue.article(row)
    lang = said_in(lang or _language_of(stored, home))
    return Article(
        id=article_id,
        title=stored.title,
        summary=stored.summary,
        url=stored.url,
        image=stored.image,
        source=stored.source,
        category=stored.category,
        category_name=category_name(stored.category, lang) if stored.category else None,
        given=stored.given,
        language=stored.language,
        published_at=stored.published_at,
        tags=tee(stored.tags, lang),
    )


def tee(tags: Tags, lang: str) -> TagsOut:
    """Tags as they are answered: categories are named in a language."""
    return TagsOut(bar=[tag_out(tag, lang) for tag in tags.bar], stem=[tag_out(tag, lang) for tag in tags.stem])


def tag_out(tag: Tag, lang: str) -> TagOut:
    """One tag as it is answered."""
    name = category_name(tag.name, lang) if tag.kind is TagKind.CATEGORY else tag.name
    return TagOut(tag=tag.name, name=name, kind=tag.kind, task=tag.task, weight=tag.weight)


def _language_of(article: CatalogueArticle, home: str) -> str:
    return home if article.language == UNKNOWN_LANGUAGE else article.language


@lru_cache(_ARTICLES)
def _item_fields(article: CatalogueArticle, lang: str | None, home: str) -> tuple[str, dict[str, Any]]:
    """The language in which an item is said, and those of its fields that are the same in every list."""
    language = said_in(lang or _language_of(article, home))
    return language, {
        "title": article.title,
        "url": article.url,
        "image": article.image,
        "source": article.source,
        "category": article.category,
        "category_name": category_name(article.category, language) if article.category else None,
        "language": article.language,
        "published_at": article.published_at,
        "keywords": list(article.keywords[:KEYWORDS]),
        "tags": tee(article.tags, language),
    }
