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

from recsys.trends.state import CATEGORIES, EXAMINED, HIDDEN, READ, TIMED, TrendState

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

PRIOR = 10.0  # readings, and dismissals, as expected, that each article begins with: one troll moves nothing
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
        rows: int (B,).
    """
    codes = state.category[rows].astype(np.int64)
    codes[(codes < 0) | (codes >= CATEGORIES)] = CATEGORIES
    own, sums, shown = state.outcomes[rows].astype(np.float64), state.category_outcomes, state.by_category
    read = _rates(sums[:, READ], sums[:, TIMED], PRIOR_READINGS, codes) * own[:, TIMED]
    hidden = _rates(sums[:, HIDDEN], shown[:, 0], PRIOR_EXAMINED, codes) * own[:, EXAMINED]
    return OutcomeRatios(_ratio(own[:, READ], read), _ratio(own[:, HIDDEN], hidden), np.stack([read, hidden], axis=1))


def _rates(part: Array, whole: Array, prior: float, codes: Array) -> Floats:
    """Rates of the categories of some articles, each mixed with the site's own: float64 (B,)."""
    site = part[CATEGORIES] / whole[CATEGORIES] if whole[CATEGORIES] > 0 else 0.0
    return np.asarray((part[codes] + prior * site) / (whole[codes] + prior), np.float64)


def _ratio(observed: Array, expected: Array) -> Floats:
    return np.asarray(np.clip((observed + PRIOR) / (expected + PRIOR), 1 / BOUND, BOUND), np.float64)
