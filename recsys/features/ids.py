"""Ids of a candidate, of a list and of its reader's last clicks, as a click model reads them.

The ids of a list say who asks, from where, when, where on the page and after which articles, by one function for
training and for serving. The context is that of the reader's last click before the list, as it is for the lifts: what a
log says of a click may be made up after it, and the list's own is not known when it is made. Hour and weekday are UTC,
of the time at which it is shown.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.features import HISTORY, LIST_FIELDS
from recsys.hashing import hashed, hashed_all
from recsys.trends.counting import values_of
from recsys.units import HOUR_MS, NO_ID

Ids = npt.NDArray[np.int64]

SITE_ATTRIBUTES = 4  # of LIST_FIELDS: region, device, os, referrer
FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday, and the week begins on Monday


def hashed_article_ids(
    articles: Sequence[str], category: npt.NDArray[np.int16], names: Sequence[str]
) -> npt.NDArray[np.int64]:
    """The ids of articles, by row.

    Args:
        articles: A identifiers.
        category: int16 (A,), codes; -1 for none.
        names: of the categories, by code.

    Returns:
        int64 (A, S), fields as ``CANDIDATE_FIELDS``; ``NO_ID`` for no category.
    """
    sorts = np.append(hashed_all("category", names), NO_ID)  # the last one is for code -1
    return np.column_stack([hashed_all("article", articles), sorts[category]])


def list_ids(reader: str | None, context: str | None, names: Sequence[str], now: int, slot: str | None) -> Ids:
    """The ids of one list.

    Args:
        reader: id of the reader; None for a session without one.
        context: of the reader's last click, the text of a JSON object; None where unknown.
        names: of the site's own attributes, at most four; the first is the field "region", whatever it is called.
        now: ms since the epoch.
        slot: name of the place on the page; None where unknown.

    Returns:
        int64 (C,), fields as ``LIST_FIELDS``; 0 for what is unknown.
    """
    hours = now // HOUR_MS
    moment = (str(hours % 24), str((hours // 24 + FIRST_WEEKDAY) % 7))
    said = values_of(context, names[:SITE_ATTRIBUTES])
    values = (reader, *said, *(None,) * (SITE_ATTRIBUTES - len(said)), *moment, slot)
    return np.array(
        [NO_ID if value is None else hashed(field, value) for field, value in zip(LIST_FIELDS, values, strict=True)],
        np.int64,
    )


def history_ids(clicked: Ids) -> Ids:
    """The last clicks of a reader.

    Args:
        clicked: int64 (n,), hashed ids of the field "article", oldest first.

    Returns:
        int64 (T,), newest first, 0 after the oldest.
    """
    out = np.zeros(HISTORY, np.int64)
    last = clicked[: -HISTORY - 1 : -1]
    out[: len(last)] = last
    return out
