"""Similar articles: the list beside one article.

Reads the catalogue, the vectors and the indexes; produces cards in the article's language. Words of two languages are
learned apart, so that across languages nearness says nothing. What is not alike is not shown, however short the list:
an article must be of its category, which is said then, show a tag that this one shows (two where their categories
differ), or be much nearer to it than articles of its language are. The newest of the category fill the rest.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import AllowedRows
from recsys.recommend.context import VectorTable
from recsys.recommend.rank import ScoreKind
from recsys.recommend.reasons import TAGS_APART, Card, similar_reason
from recsys.tags.index import Rows

Vectors = npt.NDArray[np.float32]

_SAMPLE = 500  # articles by which it is known how near articles are to each other
_DEVIATIONS = 3.0  # standard deviations above their mean: one in some hundreds of unrelated articles stands there


def similar_to(
    catalogue: Catalogue, tables: Sequence[VectorTable], row: int, k: int, now: int, n_keywords: int
) -> list[Card]:
    """The articles nearest to one in the first space that knows any, then the newest of its category and language.

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
    cards: list[Card] = []
    for table in tables:
        if not cards and not np.isnan(table.vectors[row]).any():
            near = table.index.search(table.vectors[row], k, spoken.bits)
            cards = _alike(catalogue, table, row, near, spoken, n_keywords)
    stories = catalogue.columns.stories
    if article.category is None:
        return cards
    left = spoken.without(np.array([card.row for card in cards], np.int32))
    newest = left.among(eligible.newest)
    same = newest[np.isin(catalogue.columns.category[newest], catalogue.category_codes([article.category]))]
    rest = stories.one_of_each(same, np.array([card.row for card in cards], np.int32))
    for other in rest[: k - len(cards)].tolist():  # like it only in category and language, and said to be
        cards.append(Card(other, 0.0, similar_reason(catalogue, row, other, n_keywords)))
    return cards


def _alike(
    catalogue: Catalogue,
    table: VectorTable,
    row: int,
    near: tuple[Rows, Vectors],
    spoken: AllowedRows,
    n_keywords: int,
) -> list[Card]:
    """Those of the nearest that a reader can see, or numbers can say, to be like an article."""
    cards, least = [], _clearly_near(table, row, spoken)
    codes = catalogue.columns.category
    cosines = dict(zip(near[0].tolist(), near[1].tolist(), strict=True))
    for other in catalogue.columns.stories.one_of_each(near[0], near[0][:0]).tolist():
        cosine = cosines[other]
        reason = similar_reason(catalogue, row, other, n_keywords)
        needed = 1 if codes[other] == codes[row] else min(TAGS_APART, n_keywords)
        if reason.category or len(reason.keywords) >= needed or cosine >= least:
            cards.append(Card(other, min(1.0, max(0.0, cosine)), reason, ScoreKind.SIMILARITY))
    return cards


def _clearly_near(table: VectorTable, row: int, spoken: AllowedRows) -> float:
    """The cosine from which on an article is much nearer than others of the language are, by some hundreds of these."""
    others = np.flatnonzero(spoken.mask())
    cosines = table.vectors[others[:: 1 + len(others) // _SAMPLE]] @ table.vectors[row]
    cosines = cosines[np.isfinite(cosines)]
    return float(cosines.mean() + _DEVIATIONS * cosines.std()) if len(cosines) else 1.0
