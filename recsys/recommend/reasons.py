"""Reasons: why an article is in the list, decided by numbers and said in Chinese or English.

Reads the vectors of the reader's clicks and of the candidate; produces a ``Reason``. "Because you read X" is claimed
only when X gave the largest and a substantial part of the similarity; what cannot be claimed falls back to less.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.recommend.catalogue import NONE, Catalogue

Vectors = npt.NDArray[np.float32]


class ReasonKind(enum.StrEnum):
    """What is claimed."""

    BECAUSE_YOU_READ = "because_you_read"
    BECAUSE_YOU_LIKE = "because_you_like"
    TRENDING = "trending"
    FRESH = "fresh"
    POPULAR = "popular"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one article is shown.

    Attributes:
        kind: what is claimed.
        row: the article read, for ``because_you_read`` and ``similar``; -1 otherwise.
        category: the category liked, for ``because_you_like``.
        keywords: what the two articles share.
    """

    kind: ReasonKind
    row: int = NONE
    category: str | None = None
    keywords: tuple[str, ...] = ()


TEXTS = {
    "en": {
        ReasonKind.BECAUSE_YOU_READ: "Because you read “{title}”",
        ReasonKind.BECAUSE_YOU_LIKE: "Because you like {category}",
        ReasonKind.TRENDING: "Trending now",
        ReasonKind.FRESH: "From the latest stories",
        ReasonKind.POPULAR: "Popular with readers",
        ReasonKind.SIMILAR: "Similar to what you read",
    },
    "zh": {
        ReasonKind.BECAUSE_YOU_READ: "因为你读过《{title}》",
        ReasonKind.BECAUSE_YOU_LIKE: "因为你喜欢{category}",
        ReasonKind.TRENDING: "正在热读",
        ReasonKind.FRESH: "最新文章",
        ReasonKind.POPULAR: "读者都在看",
        ReasonKind.SIMILAR: "与你读过的内容相近",
    },
}


def text(reason: Reason, language: str, title: str = "", category: str = "") -> str:
    """Say a reason.

    Args:
        reason: what is claimed.
        language: "zh"; anything else is said in English.
        title: of the article read.
        category: name of the category liked, in that language.
    """
    return TEXTS["zh" if language == "zh" else "en"][reason.kind].format(title=title, category=category)


def contributions(vectors: Vectors, weights: Vectors, candidate: Vectors) -> tuple[Vectors, Vectors]:
    """How much each article read gave to the similarity of a candidate.

    The reader vector is the weighted sum of the articles' unit vectors, so its cosine with the candidate is, up to
    one common factor, the sum of weight times cosine.

    Args:
        vectors: float32 (T, D), unit rows of the articles read, NaN where unknown.
        weights: float32 (T,), of each click.
        candidate: float32 (D,), unit.

    Returns:
        share: float32 (T,), each one's part of all that spoke for the candidate; 0 for those that spoke against it.
        cosine: float32 (T,), each one's own cosine with the candidate; -1 where unknown.
    """
    cosine = np.nan_to_num(vectors @ candidate, nan=-1.0).astype(np.float32)
    parts = np.where(cosine > 0, cosine * weights, 0).astype(np.float32)
    total = float(parts.sum())
    return (parts / total if total > 0 else parts), cosine


def shared_keywords(catalogue: Catalogue, row: int, other: int, n: int) -> tuple[str, ...]:
    """At most ``n`` keywords of an article that another one has too, most telling first."""
    mine, theirs = catalogue.entries[row], catalogue.entries[other]
    if mine is None or theirs is None:
        return ()
    common = {word.casefold() for word in theirs.keywords}
    return tuple(word for word in mine.keywords if word.casefold() in common)[:n]


def most_read(catalogue: Catalogue, rows: Sequence[int], weights: Vectors) -> dict[str, float]:
    """The categories of the articles read, as shares of the clicks' weights, largest first."""
    shares: dict[str, float] = {}
    for row, weight in zip(rows, weights, strict=True):
        category = catalogue.category(row)
        if category:
            shares[category] = shares.get(category, 0.0) + float(weight)
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))
