"""Ranks of the targets -> figures."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

TOP, SHORT = 20, 10


def ranks(scores: Array, size: int, judged: int, seed: int) -> Array:
    """The place of the first candidate of each list, from 0; ties are ordered at random.

    Args:
        scores: float (I · size,), not NaN.
        size: candidates of a list.
        judged: how many of them count, the first.
        seed: of the ties.
    """
    table = scores.reshape(-1, size)[:, :judged]
    rng = np.random.default_rng(seed)
    places = np.empty(len(table), np.int64)
    for start in range(0, len(table), 10_000):  # some MB at once
        part = table[start : start + 10_000]
        luck = rng.random(part.shape, np.float32)
        ahead = (part > part[:, :1]) | ((part == part[:, :1]) & (luck > luck[:, :1]))
        places[start : start + 10_000] = ahead.sum(axis=1)
    return places


def sampled_figures(places: Array, clicked: Array) -> dict[str, float]:
    """HR@10 and MRR@10, and the same for targets that somebody had clicked in the hour before."""
    hit = places < SHORT
    gain = np.where(hit, 1.0 / (places + 1.0), 0.0)
    return {
        "hr@10": float(hit.mean()),
        "mrr@10": float(gain.mean()),
        "hr@10_clicked": float(hit[clicked].mean()),
        "mrr@10_clicked": float(gain[clicked].mean()),
    }


def mean_figures(runs: list[dict[str, float]]) -> dict[str, float]:
    """The mean over seeds, and the spread of each figure where there are several."""
    names = runs[0]
    means = {name: round(float(np.mean([run[name] for run in runs])), 4) for name in names}
    if len(runs) > 1:
        means |= {f"{name}_spread": round(float(np.ptp([run[name] for run in runs])), 4) for name in names}
    return means
