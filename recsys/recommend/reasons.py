"""Reasons of the articles in a list, decided by numbers and said in Chinese or English.

Reads the vectors of the reader's clicks and of the candidate; produces a ``Reason``. "Because you read X" is claimed
only when X gave the largest and a substantial part of the similarity, "readers of X also opened this" only when several
of them did, and more than open it anyway; what cannot be claimed falls back to less.
"""

import enum
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import CatalogueArticle, keyword_forms
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Mask
from recsys.readers.encoders import weights
from recsys.recommend.candidates import CandidateSet
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import ReaderContext
from recsys.recommend.rank import ScoreKind
from recsys.recommend.shared import SharedFeatures
from recsys.tags import alike
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]

_READ_SHARE = 0.15  # part of a similarity that an article must give to be named; below a seventh it is one of many
_READ_COSINE = 0.3  # how near that article must be itself; below it, "because you read" would be a guess
_LIKED_SHARE = 0.25  # weight of the last clicks in a category from which on a reader likes it
_LAST_CLICKS = 20  # in which repeated keywords are looked for: later ones weigh too little


class ReasonKind(enum.StrEnum):
    """The kind of claim."""

    BECAUSE_YOU_READ = "because_you_read"
    BECAUSE_YOU_LIKE = "because_you_like"
    ALSO_OPENED = "also_opened"
    TRENDING = "trending"
    FRESH = "fresh"
    POPULAR = "popular"
    SIMILAR = "similar"
    TAGGED = "tagged"


@dataclass(frozen=True, slots=True)
class Reason:
    """The claim why one article is shown.

    Attributes:
        kind: of the claim.
        row: the article read, for ``because_you_read``, ``also_opened`` and ``similar``; -1 otherwise.
        category: the category liked, for ``because_you_like``; what both are in, for ``similar``.
        keywords: what the two articles share, or the article and the reader's other clicks; the tag, for ``tagged``.
    """

    kind: ReasonKind
    row: int = UNKNOWN_ROW
    category: str | None = None
    keywords: tuple[str, ...] = ()


class Card(NamedTuple):
    """One article of a list: its row, its score in [0, 1], the reason, and the meaning of the score."""

    row: int
    score: float
    reason: Reason
    kind: ScoreKind = ScoreKind.NONE


REASON_TEXTS = {
    "en": {
        ReasonKind.BECAUSE_YOU_READ: "Because you read “{title}”",
        ReasonKind.BECAUSE_YOU_LIKE: "Because you like {category}",
        ReasonKind.ALSO_OPENED: "Readers of “{title}” also opened this",
        ReasonKind.TRENDING: "Trending now",
        ReasonKind.FRESH: "From the latest stories",
        ReasonKind.POPULAR: "Popular with readers",
        ReasonKind.SIMILAR: "Similar to what you read",
        ReasonKind.TAGGED: "Tagged “{keywords}”",
    },
    "zh": {
        ReasonKind.BECAUSE_YOU_READ: "因为你读过《{title}》",
        ReasonKind.BECAUSE_YOU_LIKE: "因为你喜欢{category}",
        ReasonKind.ALSO_OPENED: "读过《{title}》的人也看了",
        ReasonKind.TRENDING: "正在热读",
        ReasonKind.FRESH: "最新文章",
        ReasonKind.POPULAR: "读者都在看",
        ReasonKind.SIMILAR: "与你读过的内容相近",
        ReasonKind.TAGGED: "标签：{keywords}",
    },
}

_BESIDE = {  # where the list stands beside the one article it is like: by keywords, by category, by neither
    "en": ("Also about {keywords}", "Also in {category}", "Similar to this story"),
    "zh": ("同样谈到{keywords}", "同属{category}", "与本文相近"),
}
_WITH_KEYWORDS = {"en": "{said}: {keywords}", "zh": "{said}：{keywords}"}
_SEPARATOR = {"en": ", ", "zh": "、"}


def reason_text(reason: Reason, language: str, title: str = "", category: str = "") -> str:
    """A reason in words.

    Args:
        reason: the claim.
        language: "zh"; anything else is said in English.
        title: of the article read.
        category: name of the category liked, in that language.
    """
    spoken = "zh" if language == "zh" else "en"
    keywords = _SEPARATOR[spoken].join(reason.keywords)
    if reason.kind is ReasonKind.SIMILAR and reason.row != UNKNOWN_ROW:
        form = _BESIDE[spoken][0 if keywords else 1 if category else 2]
        return form.format(keywords=keywords, category=category)
    claim = REASON_TEXTS[spoken][reason.kind].format(title=title, category=category, keywords=keywords)
    named = reason.kind is ReasonKind.BECAUSE_YOU_LIKE and keywords
    return _WITH_KEYWORDS[spoken].format(said=claim, keywords=keywords) if named else claim


def reason_texts(
    reasons: Sequence[Reason], languages: Sequence[str], titles: Sequence[str], categories: Sequence[str]
) -> list[str]:
    """The reasons of one list in words; see ``reason_text``."""
    return [reason_text(*card) for card in zip(reasons, languages, titles, categories, strict=True)]


def explain(
    context: ReaderContext,
    candidates: CandidateSet,
    rows: Sequence[int],
    liked: Mapping[int, float],
    nameable: Mask,
    catalogue: Catalogue,
    trends: Trends,
    shared: SharedFeatures,
    half_life_clicks: float,
    config: RecommendConfig,
    now: int,
) -> list[Reason]:
    """The strongest claim that is true of each article of a list.

    Args:
        context: the reader.
        candidates: the evidence.
        rows: k articles shown.
        liked: categories, by their codes, as shares of the clicks' weights.
        nameable: bool (A,): articles whose title may be shown; one that was taken down is not quoted.
        catalogue: titles, categories and keywords.
        trends: live counts.
        shared: mean vectors.
        half_life_clicks: fading of clicks in the reader vector.
        config: thresholds.
        now: ms.
    """
    articles = catalogue.articles_of(rows)
    because_read = _because_you_read(
        context, rows, articles, nameable, catalogue, shared, half_life_clicks, config, now
    )
    shown = np.array(rows, np.int32)
    clicks_ever, fresh = trends.total_clicks(shown).tolist(), shared.is_fresh(shown, now).tolist()
    codes = catalogue.columns.category[shown].tolist()
    repeated: frozenset[str] | None = None
    reasons = []
    for place, (row, article, read) in enumerate(zip(rows, articles, because_read, strict=True)):
        beside = candidates.covisited.get(row, UNKNOWN_ROW)
        if read is not None:
            reason = read
        elif liked.get(codes[place], 0.0) >= _LIKED_SHARE:
            if repeated is None:
                repeated = repeated_keywords(catalogue.articles, context.state.clicks.tolist())
            words = _named_keywords(article, repeated, config.reason_keywords)
            reason = Reason(ReasonKind.BECAUSE_YOU_LIKE, category=article.category, keywords=words)
        elif beside != UNKNOWN_ROW and nameable[beside]:
            reason = Reason(ReasonKind.ALSO_OPENED, beside)
        elif row in candidates.trending:
            reason = Reason(ReasonKind.TRENDING)
        elif fresh[place]:
            reason = Reason(ReasonKind.FRESH)
        else:
            reason = Reason(ReasonKind.POPULAR if clicks_ever[place] else ReasonKind.SIMILAR)
        reasons.append(reason)
    return reasons


def plain_reasons(
    catalogue: Catalogue, popular: Collection[int], rows: Sequence[int], liked: Collection[int]
) -> list[Reason]:
    """Reasons of a list that no vector helped to make: the category liked, else popular, else fresh.

    Args:
        catalogue: categories.
        popular: rows.
        rows: shown.
        liked: codes of categories.
    """
    reasons = []
    for row, code in zip(rows, catalogue.columns.category[rows].tolist(), strict=True):
        if code in liked:
            reasons.append(Reason(ReasonKind.BECAUSE_YOU_LIKE, category=catalogue.category(row)))
        else:
            reasons.append(Reason(ReasonKind.POPULAR if row in popular else ReasonKind.FRESH))
    return reasons


def _because_you_read(
    context: ReaderContext,
    rows: Sequence[int],
    articles: Sequence[CatalogueArticle],
    nameable: Mask,
    catalogue: Catalogue,
    shared: SharedFeatures,
    half_life_clicks: float,
    config: RecommendConfig,
    now: int,
) -> list[Reason | None]:
    """For each of k articles the one read that spoke most for it, if it really did and can be named."""
    vectors = context.table.vectors
    reasons: list[Reason | None] = [None] * len(rows)
    clicked = context.state.clicks
    clicked = clicked[~np.isnan(vectors[clicked, 0])]
    if not len(clicked):
        return reasons
    read_rows, where = np.unique(clicked, return_inverse=True)  # one clicked twice speaks once, with both weights
    parts = np.bincount(where, weights(len(clicked), half_life_clicks)).astype(np.float32)
    for language in dict.fromkeys(article.language for article in articles):
        mean = shared.mean_vector(context.table, language, now)
        places = [place for place, article in enumerate(articles) if article.language == language]
        shown = vectors[[rows[place] for place in places]]
        share, cosine = contributions(centred(vectors[read_rows], mean), parts, centred(shown, mean))
        best = share.argmax(axis=0)
        for column, place in enumerate(places):
            top, other = int(best[column]), int(read_rows[best[column]])
            enough = share[top, column] >= _READ_SHARE and cosine[top, column] >= _READ_COSINE
            if enough and nameable[other] and not np.isnan(shown[column]).any():
                reasons[place] = _read_reason(catalogue, other, articles[place], config.reason_keywords)
    return reasons


def _read_reason(catalogue: Catalogue, other: int, article: CatalogueArticle, n: int) -> Reason | None:
    """The claim that an article is like one read, if a reader can see for themselves that they have something alike."""
    words = shared_keywords(catalogue.articles[other], article, n)
    alike_to_see = bool(words) or catalogue.category(other) == article.category
    return Reason(ReasonKind.BECAUSE_YOU_READ, other, keywords=words) if alike_to_see else None


def contributions(vectors: Vectors, parts: Vectors, candidates: Vectors) -> tuple[Vectors, Vectors]:
    """The part of each article read in the similarity of each candidate.

    The reader vector is the weighted sum of the articles' unit vectors, so its cosine with a candidate is, up to one
    common factor, the sum of weight times cosine. Give vectors that are ``centred``.

    Args:
        vectors: float32 (T, D), unit rows of the articles read, NaN where unknown.
        parts: float32 (T,), weight of each in the reader vector.
        candidates: float32 (B, D), unit rows.

    Returns:
        share: float32 (T, B), each one's part of all that spoke for the candidate; 0 where it spoke against it.
        cosine: float32 (T, B), each one's own cosine with the candidate; -1 where unknown.
    """
    cosine = np.nan_to_num(vectors @ candidates.T, nan=-1.0).astype(np.float32)  # (T, B)
    given = np.where(cosine > 0, cosine * parts[:, None], 0).astype(np.float32)
    total = given.sum(axis=0)
    return np.where(total > 0, given / np.where(total > 0, total, 1), given).astype(np.float32), cosine


def centred(vectors: Vectors, mean: Vectors) -> Vectors:
    """Unit vectors without what all articles have in common, which speaks for no article more than for another.

    Args:
        vectors: float32 (N, D), unit or NaN rows.
        mean: float32 (D,), of the vectors in one language.

    Returns:
        float32 (N, D), unit or NaN rows; a row that is the mean itself becomes zero.
    """
    apart = vectors - mean
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.asarray(apart / np.maximum(length, 1e-6), np.float32)


def repeated_keywords(articles: Sequence[CatalogueArticle | None], clicks: Sequence[int]) -> frozenset[str]:
    """Folded keywords that two of the last articles clicked have in common, one of them perhaps as a piece.

    Args:
        articles: by row; None for one that is known only from clicks.
        clicks: rows, oldest first.
    """
    last = dict.fromkeys(clicks[-_LAST_CLICKS:])
    clicked = [keyword_forms(article.parts) for row in last if (article := articles[row])]
    counts = Counter(piece for forms in clicked for piece in forms.pieces)
    return frozenset(whole for forms in clicked for whole in forms.wholes if counts[whole] > 1)


def similar_reason(catalogue: Catalogue, row: int, other: int, n: int) -> Reason:
    """The claim that an article is like another one: at most ``n`` keywords that both have, the category of both."""
    category = catalogue.category(row)
    same = category if category == catalogue.category(other) else None
    return Reason(ReasonKind.SIMILAR, row, same, shared_keywords(catalogue.articles[other], catalogue.articles[row], n))


def shared_keywords(article: CatalogueArticle | None, other: CatalogueArticle | None, n: int) -> tuple[str, ...]:
    """At most ``n`` keywords of either article that both have, if only as a piece; as the first one writes them."""
    if article is None or other is None:
        return ()
    own, others = keyword_forms(article.parts), keyword_forms(other.parts)
    wholes = own.wholes | others.wholes
    return _named_keywords(article, {piece for piece in others.pieces if piece in wholes}, n)


def _named_keywords(article: CatalogueArticle, tags: Collection[str], n: int) -> tuple[str, ...]:
    """At most ``n`` pieces of an article's keywords that are among some folded tags, most telling first.

    Of two that share a word, only the first is taken: "rate" says nothing beside "interest rate".
    """
    taken: dict[str, str] = {}
    for piece, written in keyword_forms(article.parts).pieces.items():
        if len(taken) == n:
            break
        if piece in tags and not any(alike(piece, other) for other in taken):
            taken[piece] = written
    return tuple(taken.values())
