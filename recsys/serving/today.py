"""Today: the articles that most people clicked since midnight in the site's time zone (今日点击).

Reads the store's clicks and the catalogue; produces rows with their readers, only of articles that may be shown. Of
copies of one text the best one stands there, with the readers of the one that was clicked most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import Eligibility
from recsys.serving.live import LiveState
from recsys.trends import MAX_FUTURE_MINUTES
from recsys.units import MINUTE_MS, UNKNOWN_ROW, now_ms

_DEPTH = 4  # how much further each try looks, when what was found may not be shown


@dataclass(frozen=True, slots=True)
class TodaysClicks:
    """The list of today.

    Attributes:
        date: YYYY-MM-DD in the site's time zone.
        ranked: (row, readers who clicked it, each once), most first.
        catalogue: whose rows they are.
    """

    date: str
    ranked: list[tuple[int, int]]
    catalogue: Catalogue


def todays_clicks(live: LiveState, k: int, lang: str | None) -> TodaysClicks:
    """Count who clicked what today.

    Args:
        live: catalogue, store and settings.
        k: how many articles at most.
        lang: articles in this language first, then the rest.

    Raises:
        StoreError: the database is out of reach.
    """
    now, catalogue = now_ms(), live.catalogue
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(live.settings.site.timezone))
    midnight = int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    eligible, code = catalogue.eligible(now), catalogue.language_code(lang)
    limit, until = _DEPTH * k, now + int(MAX_FUTURE_MINUTES * MINUTE_MS)
    while True:
        clicked = live.store.clicks_today(live.settings.site.id, midnight, limit, until, live.odd_readers)
        ranked = _by_text(catalogue, clicked, eligible)
        first = [pair for pair in ranked if lang is None or catalogue.columns.language[pair[0]] == code]
        if len(first) >= k or len(clicked) < limit:
            rest = [pair for pair in ranked if pair not in first]
            return TodaysClicks(f"{local:%Y-%m-%d}", (first + rest)[:k], catalogue)
        limit *= _DEPTH


def _by_text(catalogue: Catalogue, clicked: Sequence[tuple[str, int]], eligible: Eligibility) -> list[tuple[int, int]]:
    """Articles and their clicks, most first -> the row that stands for each text, with its most clicked copy's."""
    clicked_rows = [(catalogue.row_of[article], clicks) for article, clicks in clicked if article in catalogue.row_of]
    most: dict[int, int] = {}
    for row, clicks in clicked_rows:
        if (standing := int(eligible.standing[row])) != UNKNOWN_ROW:
            most.setdefault(standing, clicks)
    return list(most.items())
