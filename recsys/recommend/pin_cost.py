"""The cost of a pin: the clicks an hour that a place is estimated to lose by an article that is put there by hand.

Reads the live counts; produces an estimate, or None where nothing is known of the place.
"""

import math
from typing import NamedTuple

import numpy as np

from recsys.trends.counting import position_propensity
from recsys.trends.decay import faded
from recsys.trends.state import LANDMARK, LIST_POSITIONS, NEWEST, SHELF_HALF_LIFE_DAYS
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, UNKNOWN_ROW

_HALF_LIFE_HOURS = SHELF_HALF_LIFE_DAYS * 24  # of the counts by position
_LEAST_SHOWN = 1.0  # faded impressions: a place that was shown less often is one that nobody knows
SHELF = 1  # of the slow half-lives, that of positions


class PinCost(NamedTuple):
    """An estimate for one place.

    Attributes:
        impressions_an_hour: at the place, in lists of all slots together, on the average of the last week.
        usual_rate: clicks per impression at the place so far, which is what would stand there otherwise.
        own_rate: the article's smoothed click rate, as it would be at the place; the site's for one never shown.
        clicks_an_hour: what is lost; 0 where the article is clicked more than what stands there.
    """

    impressions_an_hour: float
    usual_rate: float
    own_rate: float
    clicks_an_hour: float


def pin_cost(trends: Trends, row: int, place: int, now: int) -> PinCost | None:
    """The estimated cost of an article at a place.

    Args:
        trends: live counts.
        row: of the article; -1 for one that has none yet.
        place: from 1.
        now: ms.

    Returns:
        None where the place was never shown, or so long ago that it has faded.
    """
    state, position = trends.state, min(place, LIST_POSITIONS) - 1
    fade = faded(int(state.clock[LANDMARK]), max(now, int(state.clock[NEWEST])), float(state.slow_per_ms[SHELF]))
    shown, clicked = (state.positions[position] * fade).tolist()
    if shown < _LEAST_SHOWN:
        return None
    first = int(state.first[state.first >= 0].min(initial=now))
    hours = max(1.0, (now - first) / HOUR_MS)
    an_hour = shown * math.log(2) / _HALF_LIFE_HOURS / (1 - 2 ** (-hours / _HALF_LIFE_HOURS))
    usual = float(trends.rate(np.array(shown), np.array(clicked)))
    nothing = np.zeros(1)
    own = trends.rate(nothing, nothing) if row == UNKNOWN_ROW else trends.click_rate(np.array([row], np.int32), now)[0]
    at_place = min(1.0, float(own[-1]) * position_propensity(state, position))
    return PinCost(an_hour, usual, at_place, an_hour * max(0.0, usual - at_place))
