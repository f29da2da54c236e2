"""Entries: what the catalogue keeps of one article, and what the models say of it.

Reads an article of the store and its annotations; produces all that a card shows, with its tags.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from recsys.store import Article
from recsys.tags import STEM, Tag, TagKind, Tags, fold, pieces

SUMMARY_CHARS = 200  # the opening of the body, for the lines under a headline

Guesses = tuple[tuple[str, float], ...]
Labels = tuple[tuple[str, str, float], ...]


class ArticleAnnotations(NamedTuple):
    """What the models say of one article.

    Attributes:
        language: its code, "und" when nobody can tell.
        keywords: most telling first.
        weights: of the keywords.
        parts: of the keywords, the tokens separated by blanks.
        category: the likeliest one, None when none is likely enough to be shown.
        bar: the likeliest categories with their confidences, best first; none without any ground.
        topic: whether the categories are topics, found in articles that came without any category.
        labels: task, label and confidence, of every task that was learned.
    """

    language: str
    keywords: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    parts: tuple[str, ...] = ()
    category: str | None = None
    bar: Guesses = ()
    topic: bool = False
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class CatalogueArticle:
    """What the catalogue keeps of one article: all that a card shows, without the body.

    Attributes:
        summary: the beginning of the body.
        length: of the body, in characters.
        language: its code, given or detected; "und" when nobody can tell.
        category: given, or told from the content.
        given: whether the category came with the article.
        bar: the category given, else the likeliest ones, with confidences; see ``ArticleAnnotations``.
        topic: whether the categories are topics.
        labels: of other tasks; see ``ArticleAnnotations``.
        published_at: ms, None when unknown.
        expires_at: ms, None for never.
        keywords: most telling first, at most ``STEM``.
        weights: of the keywords.
        parts: of the keywords, the tokens separated by blanks.
    """

    title: str
    summary: str = ""
    length: int = 0
    url: str | None = None
    image: str | None = None
    source: str | None = None
    language: str = "und"
    category: str | None = None
    given: bool = False
    bar: Guesses = ()
    topic: bool = False
    labels: Labels = ()
    published_at: int | None = None
    expires_at: int | None = None
    hidden: bool = False
    keywords: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, article: Article, traits: ArticleAnnotations) -> "CatalogueArticle":
        """Take what a card needs from an article of the store and what was found out about it."""
        given = bool(article.category)
        return cls(
            title=article.title,
            summary=opening(article.body),
            length=len(article.body),
            url=article.url,
            image=article.image,
            source=article.source,
            language=traits.language,
            category=article.category or traits.category,
            given=given,
            bar=((article.category or "", 1.0),) if given else traits.bar,
            topic=traits.topic and not given,
            labels=traits.labels,
            published_at=article.published_at,
            expires_at=article.expires_at,
            hidden=article.hidden,
            keywords=traits.keywords[:STEM],
            weights=traits.weights[:STEM],
            parts=traits.parts[:STEM],
        )

    @property
    def tags(self) -> Tags:
        """The article's T: categories, then labels, across; keywords down."""
        kind = TagKind.TOPIC if self.topic else TagKind.CATEGORY
        categories = tuple(Tag(name, weight, kind) for name, weight in self.bar)
        labels = tuple(Tag(label, weight, TagKind.LABEL, task) for task, label, weight in self.labels)
        pairs = zip(self.keywords, self.weights, strict=True)
        return Tags(categories + labels, tuple(Tag(word, weight, TagKind.KEYWORD) for word, weight in pairs))

    @property
    def found_under(self) -> set[str]:
        """The folded tags that lead to the article: keywords and their pieces, labels, category; no guess not taken."""
        names = [fold(name) for name in (*(label for _, label, _ in self.labels), self.category or "")]
        return {*names, *self.pieces}

    @property
    def pieces(self) -> dict[str, str]:
        """The keywords with their words and pairs of words, folded, each as it is written; most telling first."""
        found: dict[str, str] = {}
        for parts in self.parts:
            for folded, written in pieces(parts):
                found.setdefault(folded, written)
        return found

    @property
    def wholes(self) -> set[str]:
        """The keywords, folded."""
        return {pieces(parts)[0][0] for parts in self.parts}


def guesses(bar: Iterable[tuple[str, float]]) -> Guesses:
    """Categories with their confidences to the percent, as a page shows them."""
    return tuple((category, round(confidence, 2)) for category, confidence in bar)


def opening(body: str) -> str:
    """The first ``SUMMARY_CHARS`` characters of a body; a text that goes on ends with an ellipsis, at a word's end."""
    if len(body) <= SUMMARY_CHARS:
        return body.strip()
    head = body[:SUMMARY_CHARS]
    cut = head.rfind(" ") if body[SUMMARY_CHARS - 1].isascii() else -1
    return (head[:cut] if cut > SUMMARY_CHARS // 2 else head).rstrip(" ,;:，；、") + "…"
