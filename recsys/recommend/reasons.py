"""Reasons: why an article is in the list, decided by numbers and said in Chinese or English.

Reads the vectors of the reader's clicks and of the candidate; produces a ``Reason``. "Because you read X" is claimed
only when X gave the largest and a substantial part of the similarity, "readers of X also opened this" only when several
of them did, and more than open it anyway; what cannot be claimed falls back to less.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.readers import weights
from recsys.recommend.catalogue import NONE, Catalogue, Mask
from recsys.recommend.config import RecommendConfig
from recsys.tags import alike

Vectors = npt.NDArray[np.float32]


class ReasonKind(enum.StrEnum):
    """What is claimed."""

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
    """Why one article is shown.

    Attributes:
        kind: what is claimed.
        row: the article read, for ``because_you_read``, ``also_opened`` and ``similar``; -1 otherwise.
        category: the category liked, for ``because_you_like``; what both are in, for ``similar``.
        keywords: what the two articles share, or the article and the reader's other clicks; the tag, for ``tagged``.
    """

    kind: ReasonKind
    row: int = NONE
    category: str | None = None
    keywords: tuple[str, ...] = ()


TEXTS = {
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

BESIDE = {  # where the list stands beside the one article it is like: by keywords, by category, by neither
    "en": ("Also about {keywords}", "Also in {category}", "Similar to this story"),
    "zh": ("同样谈到{keywords}", "同属{category}", "与本文相近"),
}
AND_MORE = {"en": "{said}: {keywords}", "zh": "{said}：{keywords}"}
BETWEEN = {"en": ", ", "zh": "、"}


def text(reason: Reason, language: str, title: str = "", category: str = "") -> str:
    """Say a reason.

    Args:
        reason: what is claimed.
        language: "zh"; anything else is said in English.
        title: of the article read.
        category: name of the category liked, in that language.
    """
    spoken = "zh" if language == "zh" else "en"
    keywords = BETWEEN[spoken].join(reason.keywords)
    if reason.kind is ReasonKind.SIMILAR and reason.row != NONE:
        form = BESIDE[spoken][0 if keywords else 1 if category else 2]
        return form.format(keywords=keywords, category=category)
    said = TEXTS[spoken][reason.kind].format(title=title, category=category, keywords=keywords)
    more = reason.kind is ReasonKind.BECAUSE_YOU_LIKE and keywords
    return AND_MORE[spoken].format(said=said, keywords=keywords) if more else said


def contributions(vectors: Vectors, parts: Vectors, candidate: Vectors) -> tuple[Vectors, Vectors]:
    """How much each article read gave to the similarity of a candidate.

    The reader vector is the weighted sum of the articles' unit vectors, so its cosine with the candidate is, up to
    one common factor, the sum of weight times cosine. Give vectors that are ``centred``.

    Args:
        vectors: float32 (T, D), unit rows of the articles read, NaN where unknown.
        parts: float32 (T,), weight of each in the reader vector.
        candidate: float32 (D,), unit.

    Returns:
        share: float32 (T,), each one's part of all that spoke for the candidate; 0 for those that spoke against it.
        cosine: float32 (T,), each one's own cosine with the candidate; -1 where unknown.
    """
    cosine = np.nan_to_num(vectors @ candidate, nan=-1.0).astype(np.float32)
    given = np.where(cosine > 0, cosine * parts, 0).astype(np.float32)
    total = float(given.sum())
    return (given / total if total > 0 else given), cosine


def middle(table: Vectors) -> Vectors:
    """The mean of the known rows: float32 (A, D) -> float32 (D,); zero when none is known."""
    known = table[~np.isnan(table).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.zeros(table.shape[1], np.float32)


def centred(vectors: Vectors, mean: Vectors) -> Vectors:
    """Unit vectors without what all articles have in common, which speaks for no article more than for another.

    Args:
        vectors: float32 (N, D), unit or NaN rows.
        mean: float32 (D,), see ``middle``.

    Returns:
        float32 (N, D), unit or NaN rows; a row that is the mean itself becomes zero.
    """
    apart = vectors - mean
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.asarray(apart / np.maximum(length, 1e-6), np.float32)


def shared_keywords(catalogue: Catalogue, row: int, other: int, n: int) -> tuple[str, ...]:
    """At most ``n`` keywords of an article or of another that both have, if only as a piece; most telling first."""
    mine, theirs = catalogue.entries[row], catalogue.entries[other]
    if mine is None or theirs is None:
        return ()
    whole = mine.wholes | theirs.wholes
    return among(catalogue, row, {piece for piece in theirs.pieces if piece in whole}, n)


def among(catalogue: Catalogue, row: int, tags: Collection[str], n: int) -> tuple[str, ...]:
    """At most ``n`` pieces of an article's keywords that are among some folded tags, most telling first.

    Of two that share a word, only the first is taken: "rate" says nothing beside "interest rate".
    """
    mine, taken = catalogue.entries[row], dict[str, str]()
    for piece, written in mine.pieces.items() if mine else ():
        if piece in tags and len(taken) < n and not any(alike(piece, other) for other in taken):
            taken[piece] = written
    return tuple(taken.values())


def beside(catalogue: Catalogue, row: int, other: int, n: int) -> Reason:
    """Why an article stands beside another: at most ``n`` keywords that both have, the category that both are in."""
    category = catalogue.category(row)
    same = category if category == catalogue.category(other) else None
    return Reason(ReasonKind.SIMILAR, row, same, shared_keywords(catalogue, other, row, n))


def most_read(catalogue: Catalogue, rows: Sequence[int], half_life_clicks: float) -> dict[str, float]:
    """The categories of the articles read, as shares of the clicks' weights, largest first."""
    shares: dict[str, float] = {}
    for row, weight in zip(rows, weights(len(rows), half_life_clicks), strict=True):
        category = catalogue.category(row)
        if category:
            shares[category] = shares.get(category, 0.0) + float(weight)
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def because_you_read(
    catalogue: Catalogue,
    table: Vectors,
    mean: Vectors,
    clicks: Sequence[int],
    half_life_clicks: float,
    row: int,
    nameable: Mask,
    config: RecommendConfig,
) -> Reason | None:
    """The article read that spoke most for a candidate, if it really did and can be named.

    Args:
        catalogue: titles and keywords.
        table: float32 (A, D), unit or NaN rows, the vectors that the reader vector was made from.
        mean: float32 (D,), the ``middle`` of those in the candidate's language.
        clicks: rows read, oldest first.
        half_life_clicks: how the reader vector forgets.
        row: the candidate.
        nameable: bool (A,): articles whose title may be shown; one that was taken down is not quoted.
        config: what is substantial.
    """
    read = np.array(clicks, np.int64)
    known = read[~np.isnan(table[read, 0])]
    if np.isnan(table[row]).any() or not len(known):
        return None
    rows, where = np.unique(known, return_inverse=True)  # an article clicked twice speaks once, with both weights
    parts = np.bincount(where, weights(len(known), half_life_clicks)).astype(np.float32)
    share, cosine = contributions(centred(table[rows], mean), parts, centred(table[[row]], mean)[0])
    best = int(np.argmax(share))
    other = int(rows[best])
    if not nameable[other] or share[best] < config.read_share or cosine[best] < config.read_cosine:
        return None
    words = shared_keywords(catalogue, other, row, config.reason_keywords)
    alike = bool(words) or catalogue.category(other) == catalogue.category(row)  # what a reader can see for themselves
    return Reason(ReasonKind.BECAUSE_YOU_READ, other, keywords=words) if alike else None
