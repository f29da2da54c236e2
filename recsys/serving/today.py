"""Today: the articles that most people clicked since midnight in the site's time zone (今日点击).

Reads the clicks of the day and the catalogue; produces rows with their readers, only of articles that may be shown. Of
copies of one text the best one stands there, with the readers of the one that was clicked most, and of a story the
article that most people clicked. No database is asked.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.serving.day_clicks import DayClicks
from recsys.units import UNKNOWN_ROW


@dataclass(frozen=True, slots=True)
class TodaysClicks:
    """The list of today.

    Attributes:
        date: YYYY-MM-DD in the site's time zone.
        ranked: (row, people who clicked it, each once), most first, then by article id.
        catalogue: whose rows they are.
    """

    date: str
    ranked: list[tuple[int, int]]
    catalogue: Catalogue


def todays_clicks(clicks: DayClicks, catalogue: Catalogue, k: int, now: int, lang: str | None) -> TodaysClicks:
    """The most clicked articles of today.

    Args:
        clicks: of the day.
        catalogue: whose rows they are.
        k: articles at most.
        now: ms.
        lang: articles in this language first, then the rest.
    """
    date, people = clicks.at(now)
    standing = catalogue.eligible(now).quoted
    rows = np.flatnonzero(people[: len(standing)])
    rows = rows[standing[rows] != UNKNOWN_ROW]
    most = np.zeros(len(standing), np.int32)
    np.maximum.at(most, standing[rows], people[rows])
    shown = np.unique(standing[rows])
    by_people = shown[np.lexsort((shown, -most[shown]))]
    shown = np.sort(catalogue.columns.stories.one_of_each(by_people, by_people[:0]))
    if lang is None:
        return TodaysClicks(date, _most(catalogue, shown, most, k), catalogue)
    spoken = catalogue.columns.language[shown] == catalogue.language_code(lang)
    first, rest = (_most(catalogue, part, most, k) for part in (shown[spoken], shown[~spoken]))
    return TodaysClicks(date, (first + rest)[:k], catalogue)


def _most(
    catalogue: Catalogue, rows: npt.NDArray[np.int32], people: npt.NDArray[np.int32], k: int
) -> list[tuple[int, int]]:
    """The ``k`` rows with the most people, with those."""
    if len(rows) > k:
        counts = people[rows]
        rows = rows[counts >= np.partition(counts, len(rows) - k)[len(rows) - k]]
    pairs = zip(rows.tolist(), people[rows].tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], catalogue.ids[pair[0]]))[:k]
