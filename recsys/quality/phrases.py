"""Numbers, shares and times as people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from recsys.imports.matching import CatalogueMatch


def percent(part: float, whole: float) -> str:
    """A share in whole percent; what is not nothing is never 0 %, and what is not all is never 100 %."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "< 1 %"
    return "> 99 %" if 99 < share < 100 else f"{share:.0f} %"


def several(number: int, noun: str, many: str = "") -> str:
    """A number with its noun: 1 article, 1,204 articles."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def moment(time: int, zone: str) -> str:
    """A time (int ms UTC) on a site's clock, to the minute."""
    return f"{datetime.fromtimestamp(time / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def matched(match: CatalogueMatch) -> str:
    """Share of the clicks that match an article, and the key by which more would."""
    text = f"{percent(match.matched, match.clicks)} of {several(match.clicks, 'click')} match an article"
    if not match.by_other_key:
        return text
    way, count = max(match.by_other_key.items(), key=lambda item: item[1])
    return f"{text}; {count:,} would match by {way}"
