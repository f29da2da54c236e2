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
from recsys.catalogue.cards import Packed, ShownFields
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
        source: what it was made from, a card that came after the release, or the name of a story; None for a card of
            the release. It is made anew when that is another one.
        language: in which it is said.
        json: of the part.
    """

    source: Packed | str | None
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
    lang: str | None,
    home: str,
    include: str | None,
    clicks: Sequence[int] | None = None,
) -> bytes:
    """The items of a list as a JSON array.

    Args:
        catalogue: whose rows the cards name.
        cards: the list.
        lang: language in which reasons and categories are said; None: each in its article's own.
        home: the site's language, for articles of no known one.
        include: parts that are sent only when they are asked for, see ``parts_of``.
        clicks: of each article, for a list that counts them.
    """
    with_score, changed = _wants_score(include), catalogue.articles.changed
    kept = _kept.get(catalogue) or _kept.setdefault(catalogue, Fragments({}, {}))
    written = []
    for position, (row, score, claim, kind) in enumerate(cards):
        key, source = (row, lang, include), changed(row)
        card = kept.cards.get(key)
        if card is None or card.source is not source:
            card = _keep(kept.cards, key, _card(catalogue, key, source, home))
        words = claim.keywords if claim.kind in SAYS_KEYWORDS else ()
        said = (claim.kind, claim.row, claim.category, words, card.language)
        named = _named(catalogue, claim)
        reason = kept.reasons.get(said)
        if reason is None or reason.source is not named:
            reason = _keep(kept.reasons, said, _reason(catalogue, said, named))
        more = b""
        if with_score:
            more = f',"score":{score!r},"score_kind":"{kind}"'.encode()
        if clicks is not None:
            more += b',"clicks":%d' % clicks[position]
        keywords = ",".join(map(encode_basestring, claim.keywords)).encode() if claim.keywords else b""
        written.append(b'%s%s,"position":%d,"reason":%s[%s]}}' % (card.json, more, position, reason.json, keywords))
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


def _language_of(article: CatalogueArticle | ShownFields, home: str) -> str:
    return home if article.language == UNKNOWN_LANGUAGE else article.language


def _wants_score(include: str | None) -> bool:
    return include is not None and Part.SCORES in parts_of(include)


def _keep(kept: dict[Key, Fragment], key: Key, fragment: Fragment) -> Fragment:
    if len(kept) >= FRAGMENTS:
        kept.clear()
    kept[key] = fragment
    return fragment


def _card(catalogue: Catalogue, key: CardKey, source: Packed | None, home: str) -> Fragment:
    """The fields of an article that are the same in every list, as the opening of an object."""
    row, lang, include = key
    shown = catalogue.shown(row)
    language = said_in(lang or _language_of(shown, home))
    fields: dict[str, Any] = {
        "id": catalogue.ids[row],
        "title": shown.title,
        "url": shown.url,
        "image": shown.image,
        "source": shown.source,
        "category": shown.category,
        "category_name": category_name(shown.category, language) if shown.category else None,
        "language": shown.language,
        "published_at": shown.published_at,
    }
    wanted = parts_of(include) if include else ()
    if Part.KEYWORDS in wanted:
        fields["keywords"] = catalogue.article(row).keywords[:KEYWORDS]
    if Part.TAGS in wanted:
        fields["tags"] = tee(catalogue.article(row).tags, language).model_dump(mode="json")
    return Fragment(source, language, dumps(fields)[:-1].encode())


def _named(catalogue: Catalogue, claim: Reason) -> Packed | str | None:
    """The source of a reason's words beside the claim itself: the card that it names, or the name of its story."""
    if claim.row == UNKNOWN_ROW:
        return None
    changed = catalogue.articles.changed(claim.row)
    return changed if claim.kind is not ReasonKind.UPDATE else catalogue.columns.stories.name_of(claim.row) or changed


def _reason(catalogue: Catalogue, key: ReasonKey, source: Packed | str | None) -> Fragment:
    """A reason as the opening of an object, up to its keywords; it names the article read by its title."""
    kind, row, category, words, language = key
    read = catalogue.articles.shown(row) if row != UNKNOWN_ROW else None
    title = "" if read is None else source if isinstance(source, str) else read.title
    claim = Reason(kind, row, category, words)
    fields = {
        "kind": kind,
        "text": reason_text(claim, language, title, category_name(category or "", language)),
        "article": None if read is None else catalogue.ids[row],
    }
    return Fragment(source, language, dumps(fields)[:-1].encode() + b',"keywords":')
