"""Similar: the articles to show beside one.

Reads the catalogue, the vectors and the indexes; produces cards in the article's language. Words of two languages are
learned apart, so that across languages nearness says nothing.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.index import Index
from recsys.recommend.catalogue import Catalogue
from recsys.recommend.lists import Card
from recsys.recommend.reasons import beside

Vectors = npt.NDArray[np.float32]


def similar_to(
    catalogue: Catalogue, spaces: Sequence[tuple[Vectors, Index]], row: int, k: int, now: int, n_keywords: int
) -> list[Card]:
    """The articles nearest to one in the first space that knows any, then the newest of its category.

    Args:
        catalogue: the articles.
        spaces: float32 (A, D), unit or NaN rows, and the index of each table.
        row: the article.
        k: how many at most.
        now: ms.
        n_keywords: how many a reason names at most.
    """
    entry = catalogue.entry(row)
    allowed = catalogue.showable(now, entry.language)
    allowed &= catalogue.in_language(entry.language)
    allowed[row] = False
    near: list[tuple[int, float]] = []
    for table, index in spaces:
        if not near and not np.isnan(table[row]).any():
            found, scores = index.search(table[row], k, allowed)
            near = list(zip(found.tolist(), scores.tolist(), strict=True))
    allowed[[other for other, _ in near]] = False
    rest = catalogue.newest(allowed, k - len(near), liked=[entry.category or ""]).tolist()
    near += [(other, 0.0) for other in rest if entry.category and catalogue.category(other) == entry.category]
    return [Card(other, score, beside(catalogue, row, other, n_keywords)) for other, score in near]
