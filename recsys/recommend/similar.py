"""Similar: the articles to show beside one.

Reads the catalogue, the vectors and the indexes; produces cards, first of all in the article's language. Words of two
languages are learned apart, so that across languages nearness says nothing.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.index import Index
from recsys.recommend.catalogue import Catalogue
from recsys.recommend.lists import Card, ScoreKind
from recsys.recommend.reasons import Reason, ReasonKind, beside

Vectors = npt.NDArray[np.float32]


def similar_to(
    catalogue: Catalogue, spaces: Sequence[tuple[Vectors, Index]], row: int, k: int, now: int, n_keywords: int
) -> list[Card]:
    """The articles nearest to one in the first space that knows any, then the newest: of its category, of its language.

    Args:
        catalogue: the articles.
        spaces: float32 (A, D), unit or NaN rows, and the index of each table.
        row: the article.
        k: how many at most.
        now: ms.
        n_keywords: how many a reason names at most.
    """
    entry = catalogue.entry(row)
    allowed = catalogue.showable(now)
    allowed[catalogue.stories.of([row])] = False
    allowed = catalogue.stories.one_of_each(allowed)
    spoken = allowed & catalogue.in_language(entry.language)
    near: list[tuple[int, float]] = []
    for table, index in spaces:
        if not near and not np.isnan(table[row]).any():
            found, cosines = index.search(table[row], k, spoken)
            near = list(zip(found.tolist(), cosines.tolist(), strict=True))
    allowed[[other for other, _ in near]] = False
    liked = [entry.category or ""]
    rest = catalogue.newest(allowed, k - len(near), liked=liked, language=entry.language).tolist()
    kind = ScoreKind.SIMILARITY
    cards = [
        Card(other, min(1.0, max(0.0, cosine)), beside(catalogue, row, other, n_keywords), kind)
        for other, cosine in near
    ]
    return cards + [Card(other, 0.0, _newest(catalogue, row, other, n_keywords)) for other in rest]


def _newest(catalogue: Catalogue, row: int, other: int, n_keywords: int) -> Reason:
    """Why an article fills the list: it is like the other one only if both are of one category and language."""
    mine, theirs = catalogue.entry(row), catalogue.entry(other)
    alike = mine.category is not None and (mine.category, mine.language) == (theirs.category, theirs.language)
    return beside(catalogue, row, other, n_keywords) if alike else Reason(ReasonKind.FRESH)
