"""Scores of held-out rows by several seeds -> figures per list, their means, and paired differences."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.bootstrap import paired_interval
from recsys.dataset.training_set import TrainingSet
from recsys.metrics import RANKING_FIGURES, figures_per_impression

Lists = npt.NDArray[np.float64]
PLACES = 4  # digits that are printed: the standard error of an AUC of a thousand lists is .009


class Judged(NamedTuple):
    """One model on one split.

    Attributes:
        lists: figure -> float64 (I,), of each held-out list with both labels, the mean over the seeds.
        by_seed: figure -> the mean over the lists, of each seed.
        seconds: of one seed, with all its fits.
        mib: peak memory beyond the memory before it.
    """

    lists: dict[str, Lists]
    by_seed: dict[str, list[float]]
    seconds: float
    mib: int


def judged(held: TrainingSet, scores: Sequence[npt.NDArray[Any]], seconds: float, mib: int) -> Judged:
    """Judge a model's scores of the held-out rows, an array per seed."""
    each = [figures_per_impression(held.label, one, held.impression) for one in scores]
    lists = {plain(name): np.mean([one[name] for one in each], axis=0) for name in RANKING_FIGURES}
    by_seed = {plain(name): [float(one[name].mean()) for one in each] for name in RANKING_FIGURES}
    return Judged(lists, by_seed, seconds, mib)


def row(one: Judged) -> dict[str, Any]:
    """The row of a table: "auc", "mrr", "ndcg5", "ndcg10", "auc_error", "auc_spread", "seconds", "mib"."""
    means: dict[str, Any] = {name: round(float(values.mean()), PLACES) for name, values in one.lists.items()}
    auc = one.lists["auc"]
    means["auc_error"] = round(float(auc.std() / np.sqrt(len(auc))), PLACES)
    means["auc_spread"] = round(float(np.ptp(one.by_seed["auc"])), PLACES)
    return means | {"seconds": round(one.seconds, 1), "mib": one.mib}


def differences(first: Judged, other: Judged, rng: np.random.Generator) -> dict[str, list[float]]:
    """Paired differences of two models on the same lists: figure -> mean, and the ends of a 95 % interval."""
    return {
        name: [round(value, PLACES) for value in paired_interval(values, other.lists[name], rng)]
        for name, values in first.lists.items()
    }


def plain(name: str) -> str:
    """A figure's name without "@"."""
    return name.replace("@", "")
