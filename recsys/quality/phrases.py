"""Numbers, shares and times as people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from recsys.imports.known import Known


def percent(part: float, whole: float) -> str:
    """A share in whole percent; what is not nothing is never 0 %, and what is not all is never 100 %."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "< 1 %"
    return "> 99 %" if 99 < share < 100 else f"{share:.0f} %"


def several(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 article, 1,204 articles."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def moment(time: int, zone: str) -> str:
    """A time (int ms UTC) on a site's clock, to the minute."""
    return f"{datetime.fromtimestamp(time / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def matched(known: Known) -> str:
    """Which part of the clicks is of known articles, and what would make it larger."""
    text = f"{percent(known.known, known.clicks)} of {several(known.clicks, 'click')} match an article"
    if not known.otherwise:
        return text
    way, count = max(known.otherwise.items(), key=lambda one: one[1])
    return f"{text}; {count:,} would match by {way}"
