"""Outcomes of some articles, compared with what their categories lead one to expect.

Reads the live counts; produces for each article how much more often, once opened, it is read, and once looked at
hidden, than articles of its category are. Of an article of which nothing is known both are 1. Comparing within the
category leaves to the reader's taste what is their taste: a match report is read in ten seconds, whoever wrote it.

Source: the ratio of observed to expected counts under a gamma prior, as in DuMouchel 1999, "Bayesian data mining in
large frequency tables", with one prior whose mean is 1.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.trends.state import CATEGORIES, DISMISSALS, EXAMINED, FULL_READINGS, TIMED_READINGS, TrendState

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

PRIOR_OUTCOMES = 10.0  # readings, and dismissals, as expected, that each article begins with: one troll moves nothing
PRIOR_READINGS = 50.0  # of the whole site, that are mixed into each category's share that is read
PRIOR_EXAMINED = 2_000.0  # impressions, likewise, into its share that is hidden, which is some hundred times smaller
BOUND = 4.0  # times more, or less, that an outcome says at most


class OutcomeRatios(NamedTuple):
    """Outcomes of B articles.

    Attributes:
        read: float64 (B,), readings of half a minute over those expected, within ``BOUND``; 1 where nothing is known.
        hidden: float64 (B,), dismissals over those expected, likewise.
        expected: float64 (B, 2), readings and dismissals of an article of that category that was opened and looked at
            as often.
    """

    read: Floats
    hidden: Floats
    expected: Floats


def outcome_ratios(state: TrendState, rows: Array) -> OutcomeRatios:
    """Outcomes of some articles.

    Args:
        state: live counts. Those of categories stand at the landmark, hours ago, which their half-life of a week
            hardly sees.
        rows: int32 (B,).
    """
    out = np.empty((4, len(rows)))
    _fill_ratios(state.category, state.outcomes, state.category_outcomes, state.by_category, rows, out)
    return OutcomeRatios(out[0], out[1], out[2:].T)


@compiled
def _fill_ratios(category: Array, outcomes: Array, sums: Array, shown: Array, rows: Array, out: Array) -> None:
    """Write the ratios, and what they are over: float64 (4, B). Numpy takes six times as long for two hundred rows."""
    site_read = sums[CATEGORIES, FULL_READINGS] / max(sums[CATEGORIES, TIMED_READINGS], 1.0)
    site_hidden = sums[CATEGORIES, DISMISSALS] / max(shown[CATEGORIES, 0], 1.0)
    for b in range(len(rows)):
        row, code = rows[b], category[rows[b]]
        if code < 0 or code >= CATEGORIES:
            code = CATEGORIES
        read = (sums[code, FULL_READINGS] + PRIOR_READINGS * site_read) / (sums[code, TIMED_READINGS] + PRIOR_READINGS)
        hidden = (sums[code, DISMISSALS] + PRIOR_EXAMINED * site_hidden) / (shown[code, 0] + PRIOR_EXAMINED)
        out[2, b], out[3, b] = read * outcomes[row, TIMED_READINGS], hidden * outcomes[row, EXAMINED]
        read, hidden = (
            (outcomes[row, FULL_READINGS] + PRIOR_OUTCOMES) / (out[2, b] + PRIOR_OUTCOMES),
            (outcomes[row, DISMISSALS] + PRIOR_OUTCOMES) / (out[3, b] + PRIOR_OUTCOMES),
        )
        out[0, b], out[1, b] = min(max(read, 1 / BOUND), BOUND), min(max(hidden, 1 / BOUND), BOUND)
