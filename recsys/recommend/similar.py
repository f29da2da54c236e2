"""Similar articles: the list beside one article.

Reads the catalogue, the vectors and the indexes; produces cards, first of all in the article's language. Words of two
languages are learned apart, so that across languages nearness says nothing.
"""

from collections.abc import Sequence

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import AllowedRows
from recsys.recommend.context import VectorTable
from recsys.recommend.rank import ScoreKind
from recsys.recommend.reasons import Card, Reason, ReasonKind, similar_reason
from recsys.recommend.rerank import liked_first
from recsys.tags.index import Rows


def similar_to(
    catalogue: Catalogue, tables: Sequence[VectorTable], row: int, k: int, now: int, n_keywords: int
) -> list[Card]:
    """The articles nearest to one in the first space that knows any, then the newest: of its category, of its language.

    Args:
        catalogue: the articles.
        tables: the spaces, the most telling first.
        row: the article.
        k: cards at most.
        now: ms.
        n_keywords: keywords of a reason at most.
    """
    article = catalogue.article(row)
    eligible = catalogue.eligible(now)
    code = catalogue.language_code(article.language)
    allowed = eligible.listed.without(eligible.listed_copies([row]))
    spoken = allowed if code is None else allowed.both(eligible.spoken(code)[0])
    near: list[tuple[int, float]] = []
    for table in tables:
        if not near and not np.isnan(table.vectors[row]).any():
            rows, cosines = table.index.search(table.vectors[row], k, spoken.bits)
            near = list(zip(rows.tolist(), cosines.tolist(), strict=True))
    left = allowed.without(np.array([other for other, _ in near], np.int32))
    liked = catalogue.category_codes([article.category or ""])
    newest = (
        liked_first(rows, catalogue.columns.category, liked) for rows in _newest_first(catalogue, left, spoken, now)
    )
    rest = np.concatenate(list(newest))[: k - len(near)].tolist()
    cards = []
    for other, cosine in near:
        reason = similar_reason(catalogue, row, other, n_keywords)
        cards.append(Card(other, min(1.0, max(0.0, cosine)), reason, ScoreKind.SIMILARITY))
    for other, filler in zip(rest, catalogue.articles_of(rest), strict=True):  # like it only in category and language
        alike = article.category is not None
        alike = alike and (article.category, article.language) == (filler.category, filler.language)
        reason = similar_reason(catalogue, row, other, n_keywords) if alike else Reason(ReasonKind.FRESH)
        cards.append(Card(other, 0.0, reason))
    return cards


def _newest_first(catalogue: Catalogue, left: AllowedRows, spoken: AllowedRows, now: int) -> list[Rows]:
    """The newest of what is left, those in the article's language, then the others: twice int32 rows."""
    newest = left.among(catalogue.eligible(now).newest)
    same = spoken.has(newest)
    return [newest[same], newest[~same]]
