"""Cards: rows of the catalogue -> the items of an answer, with reasons in words."""

from recsys.recommend.catalogue import Catalogue
from recsys.recommend.lists import Card
from recsys.recommend.reasons import text
from web.installation import Installation
from web.schemas import Item, Reason
from web.texts import LANGUAGES, category_name

KEYWORDS = 8  # of an article, in an answer: what fits under a headline


def items(here: Installation, catalogue: Catalogue, cards: list[Card], lang: str | None) -> list[Item]:
    """The items of a list; reasons and categories are named in ``lang``, else in each article's own language."""
    home = here.settings.site.language
    return [
        _item(catalogue, card, position, lang or _spoken(catalogue, card, home)) for position, card in enumerate(cards)
    ]


def _spoken(catalogue: Catalogue, card: Card, home: str) -> str:
    language = catalogue.entry(card.row).language
    return language if language in LANGUAGES else home


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
        score=card.score,
        position=position,
        reason=Reason(
            kind=reason.kind,
            text=said,
            article=catalogue.ids[reason.row] if read else None,
            keywords=list(reason.keywords),
        ),
    )
