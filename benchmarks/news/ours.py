"""Our click model on a time split: the training, the refit and the scorer of ``python -m jobs ctr``."""

import numpy as np
import numpy.typing as npt

from benchmarks.news.data import TimeSplit
from recsys.ctr.config import CtrConfig
from recsys.ctr.losses import resolved_loss
from recsys.ctr.training import evaluated_model

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
