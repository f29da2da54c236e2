"""Articles of the catalogue: the fields that a card shows, and the annotations of the models.

Reads an article of the store and its annotations; produces all that a card shows, with its tags. Nothing of the body is
kept but its opening, so that 200,000 articles fit in memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

from recsys.entities import ArticleNames
from recsys.keywords import TagRanks, editors_tags
from recsys.store import Article
from recsys.tags import STEM, Tag, TagKind, Tags, fold, pieces_of
from recsys.tags.named import named_tags
from recsys.tags.written_form import written_keywords

SUMMARY_CHARS = 200  # the opening of the body, for the lines under a headline
_KEYWORD_FORMS = 1 << 10  # articles whose forms are kept: what tags are taken from; some 3 KB each

NO_NAMES = ArticleNames()

Guesses = tuple[tuple[str, float], ...]
Labels = tuple[tuple[str, str, float], ...]


class ArticleAnnotations(NamedTuple):
    """The models' annotations of one article.

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

    def tagged(self, tags: tuple[str, ...]) -> Self:
        """The same with the tags that an editor gave in the place of the keywords."""
        said = editors_tags(tags, TagRanks(self.keywords, self.weights, self.parts))
        return self._replace(keywords=said.names, weights=said.weights, parts=said.parts)


@dataclass(frozen=True, slots=True)
class CatalogueArticle:
    """One article of the catalogue: all that a card shows, without the body.

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
        keywords: most telling first, at most ``STEM``, and names that are none (``named_tags``).
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
    def of(
        cls, article: Article, annotations: ArticleAnnotations, names: ArticleNames = NO_NAMES
    ) -> "CatalogueArticle":
        """An article of the store with its annotations; a category that it came with goes before any guess.

        Args:
            article: as stored.
            annotations: of the models.
            names: by which its tags are called; none where an editor gave it tags.
        """
        given = bool(article.category)
        written = written_keywords(article.title, article.body, annotations.keywords[:STEM])
        ranked = TagRanks(written, annotations.weights[: len(written)], annotations.parts[: len(written)])
        tags = named_tags(ranked, names, f"{article.title}\n{article.body}")
        return cls(
            title=article.title,
            summary=opening(article.body),
            length=len(article.body),
            url=article.url,
            image=article.image,
            source=article.source,
            language=annotations.language,
            category=article.category or annotations.category,
            given=given,
            bar=((article.category or "", 1.0),) if given else annotations.bar,
            topic=annotations.topic and not given,
            labels=annotations.labels,
            published_at=article.published_at,
            expires_at=article.expires_at,
            hidden=article.hidden,
            keywords=tags.names,
            weights=tags.weights,
            parts=tags.parts,
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
    def pieces(self) -> Mapping[str, str]:
        """The keywords with their words and pairs of words, folded, each as it is written; most telling first."""
        return keyword_forms(self.keywords, self.parts).pieces

    @property
    def wholes(self) -> frozenset[str]:
        """The keywords, folded."""
        return keyword_forms(self.keywords, self.parts).wholes


class KeywordForms(NamedTuple):
    """The folded forms of an article's keywords.

    Attributes:
        pieces: keywords, their words and pairs of words -> as each is written; most telling first.
        wholes: the keywords alone.
    """

    pieces: Mapping[str, str]
    wholes: frozenset[str]


@lru_cache(_KEYWORD_FORMS)
def keyword_forms(keywords: tuple[str, ...], parts: tuple[str, ...]) -> KeywordForms:
    """Folded forms of some keywords.

    Args:
        keywords: as they are shown.
        parts: of each, the tokens separated by blanks.
    """
    forms: dict[str, str] = {}
    for keyword, tokens in zip(keywords, parts, strict=True):
        forms.setdefault(fold(keyword), keyword)
        of_word = {word.lower(): word for word in keyword.split()}
        for folded, written in pieces_of(keyword, tokens):
            forms.setdefault(folded, " ".join(of_word.get(word, word) for word in written.split(" ")))
    return KeywordForms(forms, frozenset(map(fold, keywords)))


NO_KEYWORDS = keyword_forms((), ())


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
