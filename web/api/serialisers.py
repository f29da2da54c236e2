"""Serialisers: rows of the catalogue -> the JSON of an answer, with reasons in words.

What is the same in every list, a card's own fields, is kept as bytes by row; an answer joins them with what differs:
the place, the reason, the score. The models of ``web.api.schemas`` describe the same answers; a test holds them
against what is sent.
"""

from collections.abc import Callable, Sequence
from json import JSONEncoder
from json.encoder import encode_basestring
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.errors import UnknownArticle
from recsys.languages import UNKNOWN_LANGUAGE
from recsys.recommend.reasons import Card, Reason, ReasonKind
from recsys.recommend.wording import SAYS_KEYWORDS, reason_text
from recsys.tags import Tag, TagKind, Tags
from recsys.units import UNKNOWN_ROW
from web.api.schemas import Article, Part, TagOut, TagsOut, parts_of
from web.texts import category_name, said_in

KEYWORDS = 8  # of an article, in an answer: what fits under a headline
FRAGMENTS = 16_384  # cards kept as bytes, about 0.5 KB each, or 3 KB with tags; and as many reasons, about 0.5 KB each

CardKey = tuple[int, str | None, str | None]  # row, language asked for, include
ReasonKey = tuple[ReasonKind, int, str | None, tuple[str, ...], str]  # a reason, with the words that its text says
Key = TypeVar("Key", CardKey, ReasonKey)

dumps: Callable[[Any], str] = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Fragment(NamedTuple):
    """Part of an item as JSON.

    Attributes:
        version: of the catalogue, when it was made or looked at last.
        source: what it was made from, a card that came after the release or a title; None for a card of the release.
            It is made anew when that is another one.
        language: in which it is said.
        json: of the part.
    """

    version: int
    source: bytes | str | None
    language: str
    json: bytes


class Fragments(NamedTuple):
    """Parts of items that are kept."""

    cards: dict[CardKey, Fragment]
    reasons: dict[ReasonKey, Fragment]


_kept: "WeakKeyDictionary[Catalogue, Fragments]" = WeakKeyDictionary()


def document(head: dict[str, Any], items: bytes) -> bytes:
    """The JSON of an object with a list of items behind its other fields, of which there is at least one."""
    return b'%s,"items":%s}' % (dumps(head)[:-1].encode(), items)


def items(
    catalogue: Catalogue,
    cards: Sequence[Card],
    now: int,
    lang: str | None,
    home: str,
    include: str | None,
    clicks: Sequence[int] | None = None,
) -> bytes:
    """The items of a list as a JSON array.

    Args:
        catalogue: whose rows the cards name.
        cards: the list.
        now: ms, the time of the answer.
        lang: language in which reasons and categories are said; None: each in its article's own.
        home: the site's language, for articles of no known one.
        include: parts that are sent only when they are asked for, see ``parts_of``.
        clicks: of each article, for a list that counts them.
    """
    version, with_score = catalogue.eligible(now).version, _wants_score(include)
    kept = _kept.get(catalogue) or _kept.setdefault(catalogue, Fragments({}, {}))
    written = []
    for position, card in enumerate(cards):
        key = (card.row, lang, include)
        fields = kept.cards.get(key)
        if fields is None or fields.version != version:
            fields = _keep(kept.cards, key, _card(catalogue, key, version, home, fields))
        words = card.reason.keywords
        claim = (*card.reason[:3], words if card.reason.kind in SAYS_KEYWORDS else (), fields.language)
        reason = kept.reasons.get(claim)
        if reason is None or reason.version != version:
            reason = _keep(kept.reasons, claim, _reason(catalogue, claim, version, reason))
        named = ",".join(map(encode_basestring, words)).encode()
        score = f',"score":{card.score!r},"score_kind":"{card.kind}"' if with_score else ""
        counted = "" if clicks is None else f',"clicks":{clicks[position]}'
        written.append(
            b'%s%s,"position":%d,"reason":%s[%s]}}'
            % (fields.json, (score + counted).encode(), position, reason.json, named)
        )
    return b"[%s]" % b",".join(written)


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


def _wants_score(include: str | None) -> bool:
    return include is not None and Part.SCORES in parts_of(include)


def _keep(kept: dict[Key, Fragment], key: Key, fragment: Fragment) -> Fragment:
    if len(kept) >= FRAGMENTS:
        kept.clear()
    kept[key] = fragment
    return fragment


def _card(catalogue: Catalogue, key: CardKey, version: int, home: str, before: Fragment | None) -> Fragment:
    """The fields of an article that are the same in every list, as the opening of an object."""
    row, lang, include = key
    source = catalogue.articles.changed(row)
    if before is not None and before.source is source:
        return before._replace(version=version)
    article = catalogue.article(row)
    language = said_in(lang or _language_of(article, home))
    fields: dict[str, Any] = {
        "id": catalogue.ids[row],
        "title": article.title,
        "url": article.url,
        "image": article.image,
        "source": article.source,
        "category": article.category,
        "category_name": category_name(article.category, language) if article.category else None,
        "language": article.language,
        "published_at": article.published_at,
    }
    wanted = parts_of(include or "")
    if Part.KEYWORDS in wanted:
        fields["keywords"] = article.keywords[:KEYWORDS]
    if Part.TAGS in wanted:
        fields["tags"] = tee(article.tags, language).model_dump(mode="json")
    return Fragment(version, source, language, dumps(fields)[:-1].encode())


def _reason(catalogue: Catalogue, key: ReasonKey, version: int, before: Fragment | None) -> Fragment:
    """A reason as the opening of an object, up to its keywords; it names the article read by its title."""
    kind, row, category, words, language = key
    read = catalogue.articles[row] if row != UNKNOWN_ROW else None
    title = read.title if read else ""
    if read and kind is ReasonKind.UPDATE:
        title = catalogue.columns.stories.name_of(row) or title
    if before is not None and before.source == title:
        return before._replace(version=version)
    claim = Reason(kind, row, category, words)
    fields = {
        "kind": kind,
        "text": reason_text(claim, language, title, category_name(category or "", language)),
        "article": catalogue.ids[row] if read else None,
    }
    return Fragment(version, title, language, dumps(fields)[:-1].encode() + b',"keywords":')
