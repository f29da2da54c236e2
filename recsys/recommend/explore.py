"""Thompson sampling with known propensities: counts of clicks -> the article to try, and how probable that choice was.

Reads clicks and impressions of the candidates of an exploration slot; produces the probability with which each would be
chosen, without which nobody can learn from the log afterwards (``recsys.metrics.off_policy``). Needs no SciPy, which
a service does not load.

Source: Thompson 1933; Chapelle and Li 2011, section 2 (Bernoulli clicks with Beta priors).
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput

NODES = 12  # of Gauss and Legendre in each panel
PANEL = 1.25  # standard deviations of the narrowest density that stands in it
REACH = 8.0  # standard deviations, and
NATS = 32.0  # nats of its tail, beyond which a density is nothing beside float64's rounding
MIN_BELOW = 1e-14  # a share below this is rounding
ROUGH = 0.02  # what the rule of midpoints may be wrong by, and
NOWHERE = 1e-22  # a product of shares, each at least ``ROUGH``, below which no largest one is to be expected

Vector = npt.NDArray[np.float64]


class Choice(NamedTuple):
    """The candidate that was drawn.

    Attributes:
        candidate: its place among the candidates.
        propensity: probability with which it was drawn.
    """

    candidate: int
    propensity: float


def thompson_choice(
    clicks: Vector, impressions: Vector, prior: tuple[float, float], rng: np.random.Generator
) -> Choice:
    """Draw one candidate by Thompson sampling.

    It is drawn from the propensities themselves, so that what is logged is what was done. Arguments and errors: see
    ``thompson_propensities``.
    """
    propensity = thompson_propensities(clicks, impressions, prior)
    index = int(np.searchsorted(np.cumsum(propensity), rng.random() * propensity.sum(), side="right"))
    index = min(index, int(np.flatnonzero(propensity)[-1]))  # a sum that rounds below the draw
    return Choice(index, float(propensity[index]))


def thompson_propensities(clicks: Vector, impressions: Vector, prior: tuple[float, float]) -> Vector:
    """Probability of each candidate to have the largest of the click rates that are drawn from the Beta posteriors.

    That is the integral of its density times the shares of all others below; over the log odds, where Beta densities
    are smooth and know no ends. The grid is as fine as the narrowest density that stands at a place.

    Args:
        clicks: float (N,), at least 0; may be counts that fade.
        impressions: float (N,), at least the clicks.
        prior: clicks and impressions without a click, both above 0, that every candidate begins with.

    Returns:
        float64 (N,), sums to 1. The absolute error is below 1e-8; candidates below 1e-15 may have 0.

    Raises:
        DegenerateInput: no candidates, arrays of different lengths, counts that are negative, not finite, or more
            clicks than impressions, a prior that is not above 0.
    """
    _check(clicks, impressions, prior)
    a, b = np.asarray(clicks, np.float64) + prior[0], impressions - clicks + prior[1]
    mode, width = np.log(a / b), np.sqrt(1 / a + 1 / b)  # of the density of the log odds
    low, high = mode - REACH * width - NATS / a, mode + REACH * width + NATS / b
    near = high > low.max()  # the others lie wholly below some other candidate
    propensity = np.zeros(len(a))
    propensity[near] = _largest(a[near], b[near], width[near], low[near], high[near])
    return np.asarray(propensity / propensity.sum())


def _largest(a: Vector, b: Vector, width: Vector, low: Vector, high: Vector) -> Vector:
    """Unnormalised probabilities of being the largest, float64 (N,), of the posteriors Beta(a, b)."""
    node, weight, above_node = _rule()
    terms = np.stack([a, -(a + b), _log_scale(a, b)], axis=1)
    left, half = _panels(width, low, high)
    matters = _matters(terms, left, half)
    left, half = left[matters, None], half[matters, None]
    density = _density(terms, left + half * (1 + node)) * half  # (N, M, K): K nodes in each of M panels
    below = density @ above_node.T
    below += _further(density @ weight)[:, :, None]
    np.maximum(np.subtract(1, below, out=below), MIN_BELOW, out=below)
    all_below = np.multiply.reduce(below, axis=0) * weight  # (M, K)
    return np.asarray(np.divide(density, below, out=below).reshape(len(a), -1) @ all_below.ravel())


def _log_scale(a: Vector, b: Vector) -> Vector:
    pairs = zip(a.tolist(), b.tolist(), strict=True)
    return np.array([math.lgamma(x + y) - math.lgamma(x) - math.lgamma(y) for x, y in pairs])


def _density(terms: Vector, odds: Vector) -> Vector:
    """Densities of the log odds, float64 (N, *): by each candidate's factors of odds, log(1 + e^odds) and 1."""
    flat = odds.ravel()
    exponent = terms @ np.stack([flat, np.logaddexp(0, flat), np.ones(len(flat))])
    return np.asarray(np.exp(exponent, out=exponent).reshape(-1, *odds.shape))


def _further(inside: Vector) -> Vector:
    """Shares in all panels further right, float64 (N, M), of the shares inside each."""
    return np.asarray(np.cumsum(inside[:, ::-1], axis=1)[:, ::-1] - inside)


def _matters(terms: Vector, left: Vector, half: Vector) -> npt.NDArray[np.bool_]:
    """Panels in which the largest one may lie, bool (M,): of many equal candidates it lies far to the right."""
    below = 1 - _further(_density(terms, left + half) * 2 * half)  # at the right end of each panel
    return np.asarray(np.multiply.reduce(np.maximum(below, ROUGH), axis=0) > NOWHERE)


def _panels(width: Vector, low: Vector, high: Vector) -> tuple[Vector, Vector]:
    """Left ends and half widths of the panels, float64 (M,) each, from where some candidate is surely above."""
    ends = np.unique(np.concatenate([low, high]))
    ends = ends[ends >= low.max()]
    start, stop = ends[:-1], ends[1:]
    stands = (low[:, None] <= start) & (high[:, None] >= stop)  # (N, cells)
    narrowest = np.where(stands, width[:, None], np.inf).min(axis=0)
    parts = np.ceil((stop - start) / (PANEL * narrowest)).astype(np.int64)
    size = np.repeat((stop - start) / np.maximum(parts, 1), parts)
    number = np.arange(len(size)) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.repeat(start, parts) + number * size, size / 2


@cache
def _rule() -> tuple[Vector, Vector, Vector]:
    """Nodes and weights on [-1, 1], and the matrix that integrates what is known at the nodes from each to 1."""
    node, weight = np.polynomial.legendre.leggauss(NODES)
    powers = np.arange(NODES)
    coefficients = np.linalg.inv(np.vander(node, increasing=True))  # of each node's polynomial
    integrals = (1 - node[:, None] ** (powers + 1)) / (powers + 1)
    return node, weight, integrals @ coefficients


def _check(clicks: Vector, impressions: Vector, prior: tuple[float, float]) -> None:
    if not len(clicks) or len(clicks) != len(impressions):
        got = f"{len(clicks)} and {len(impressions)}"
        raise DegenerateInput("clicks and impressions of the same candidates", got, "Give both for each candidate.")
    right = (clicks >= 0) & (impressions >= clicks) & np.isfinite(impressions)  # NaN is neither
    if not right.all():
        first = int(np.argmin(right))
        got = f"{clicks[first]} of {impressions[first]} for candidate {first}"
        raise DegenerateInput("clicks from 0 to the impressions", got, "Count an impression before its click.")
    if not (min(prior) > 0 and math.isfinite(sum(prior))):
        raise DegenerateInput("a prior above 0", str(prior), "Begin with some clicks and some impressions without.")
