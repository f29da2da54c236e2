"""Several interests of one reader: Ward's clustering of the clicks of a history.

The two clusters of weighted points are joined whose joining adds least to the weighted squared distance from the
centres. Joining stops when the next step would add more than ``gain`` and no more than ``most`` clusters are left. No
randomness, no start values: the same history gives the same interests.

Source: Ward 1963; Lance and Williams 1967 (the distances after a step); Pal et al. 2020 (PinnerSage: several interests
of one person by Ward's method, and how many there are by the same stop).
"""

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import (
    Interests,
    MeanEncoder,
    ReaderEncoder,
    Rows,
    Times,
    Vectors,
    known_clicks,
    one_interest,
    weights,
)

Labels = npt.NDArray[np.int64]
Costs = npt.NDArray[np.float64]

_MAX_INTERESTS = 4  # of a reader: a list of ten has no room for more
_INTEREST_GAIN = 0.2  # squared distance that an interest must save to stand alone; 0.1 splits too finely (G1)
LEAST_WEIGHT = 1e-6  # of a click: below it, it is too old to count
MAX_CLUSTERED = 100  # clicks that are clustered: with a half-life of 8 clicks an older one weighs below 1/4000


class InterestsEncoder:
    """Several interests: the history's clusters, each the decayed mean of its own clicks.

    An interest's share is that of its clicks' weights, so that what a reader clicked lately counts for more.
    """

    def __init__(self, config: ReadersConfig) -> None:
        self.config = config

    def encode(self, vectors: Vectors, rows: Rows, times: Times) -> Interests:
        """See ``ReaderEncoder``."""
        points = known_clicks(vectors, rows)[-MAX_CLUSTERED:]  # (n, D)
        if not len(points):
            return one_interest(np.full(vectors.shape[1], np.nan, np.float32))
        part = weights(len(points), self.config.half_life_clicks)
        points, part = points[part > LEAST_WEIGHT], part[part > LEAST_WEIGHT]
        label = ward(points, part, _MAX_INTERESTS, _INTEREST_GAIN)
        belongs = np.zeros((int(label.max()) + 1, len(points)), np.float32)
        belongs[label, np.arange(len(points))] = part
        sums = belongs @ points  # (K, D)
        norms = np.sqrt((sums * sums).sum(axis=1))
        shares = belongs.sum(axis=1)
        keep = np.flatnonzero(norms > 1e-6)
        if not len(keep):
            return one_interest(np.full(vectors.shape[1], np.nan, np.float32))
        order = keep[np.argsort(-shares[keep], kind="stable")]
        left = shares[order] / shares[order].sum()  # what is left out has no share
        return Interests((sums[order] / norms[order, None]).astype(np.float32), left.astype(np.float32))


def untrained_encoder(config: ReadersConfig) -> ReaderEncoder:
    """The encoder that needs no training: several interests where the configuration asks for them, else the mean."""
    return InterestsEncoder(config) if config.encoder == "interests" else MeanEncoder(config.half_life_clicks)


def ward(points: Vectors, weights: Vectors, most: int, gain: float) -> Labels:
    """Group the points of one history.

    Args:
        points: float32 (N, D), unit rows, N ≥ 1.
        weights: float32 (N,), positive, sums to 1.
        most: clusters at most.
        gain: what two clusters must be worth to stay two: how much further from its centre a point would lie on
            average, in squared distance, if they were one. Two equal halves with a right angle between them are worth
            0.5, a tenth at a right angle to the rest 0.18.

    Returns:
        int64 (N,): cluster of each point, numbered from 0 in the order of their first points.
    """
    mass = weights.astype(np.float64)
    cosine = (points @ points.T).astype(np.float64)  # (N, N)
    shared = mass[:, None] * mass[None, :] / (mass[:, None] + mass[None, :])
    return _join(shared * np.maximum(2 - 2 * cosine, 0.0), mass, most, gain)


@compiled
def _join(cost: Costs, mass: Costs, most: int, gain: float) -> Labels:
    """Join until it costs too much; ``cost`` (N, N) and ``mass`` (N,) are overwritten."""
    n = len(mass)
    label = np.arange(n)  # a cluster's number is that of its first point
    nearest = np.empty(n, np.int64)  # among the later clusters, so that each step looks at n pairs and not at n²
    for i in range(n):
        nearest[i] = _nearest(cost, label, i)
    left = n
    while left > 1:
        first = -1
        for i in range(n - 1):
            if label[i] == i and nearest[i] >= 0 and (first < 0 or cost[i, nearest[i]] < cost[first, nearest[first]]):
                first = i
        second = nearest[first]
        lowest = cost[first, second]
        if lowest > gain and left <= most:
            break
        for k in range(n):
            if label[k] == k and k != first and k != second:  # Lance and Williams: distances without the points
                whole = mass[first] + mass[second] + mass[k]
                both = (mass[first] + mass[k]) * cost[first, k] + (mass[second] + mass[k]) * cost[second, k]
                cost[first, k] = cost[k, first] = both / whole - mass[k] * lowest / whole
        mass[first] += mass[second]
        label[label == second] = first
        left -= 1
        for i in range(n - 1):  # where one of the two was nearest, or the new cluster is nearer
            if label[i] == i:
                if i == first or nearest[i] == first or nearest[i] == second:
                    nearest[i] = _nearest(cost, label, i)
                elif i < first and cost[i, first] < cost[i, nearest[i]]:
                    nearest[i] = first
    return _numbered(label)


@compiled
def _nearest(cost: Costs, label: Labels, i: int) -> int:
    """The cluster after ``i`` that is cheapest to join with it; -1 for none."""
    best = -1
    for j in range(i + 1, len(label)):
        if label[j] == j and (best < 0 or cost[i, j] < cost[i, best]):
            best = j
    return best


@compiled
def _numbered(label: Labels) -> Labels:
    """Clusters by the order of their first points; a cluster is labelled by its first point."""
    out = np.empty_like(label)
    clusters = 0
    for i in range(len(label)):
        if label[i] == i:
            out[i] = clusters
            clusters += 1
        else:
            out[i] = out[label[i]]
    return out
