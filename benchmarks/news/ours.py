"""Our click model on a time split: the training, the refit and the scorer of ``python -m jobs ctr``."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmarks.news.data import TimeSplit
from recsys.ctr.config import CtrConfig
from recsys.ctr.losses import resolved_loss
from recsys.ctr.training import evaluated_model
from recsys.features import COLUMN, GROUPS

Scores = npt.NDArray[np.float32]


def ours(split: TimeSplit, config: CtrConfig, seed: int) -> Scores:
    """The probabilities that ``python -m jobs ctr`` gives the held-out rows.

    Args:
        split: rows in three parts.
        config: of the click model.
        seed: of weights, dropout and order.

    Returns:
        float32 (H,).
    """
    config = config.model_copy(update={"loss": resolved_loss(config.loss, sampled=False)})
    return evaluated_model(split.chunks(), config, seed=seed).scores


def without(split: TimeSplit, config: CtrConfig, seed: int, group: str) -> Scores:
    """The same of a model that is told nothing by one group of columns, for ablation: all of them are 0."""
    rows = replace(split.rows, matrix=split.rows.matrix.copy())
    rows.matrix[:, [COLUMN[name] for name in GROUPS[group]]] = 0
    return ours(split._replace(rows=rows), config, seed)
