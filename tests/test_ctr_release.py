"""What an engineer hears of a training that ended well, and what is refused."""

import numpy as np
import pytest

from recsys.ctr.config import CtrConfig
from recsys.ctr.loop import TrainingHistory
from recsys.ctr.model import ClickModel
from recsys.ctr.training import EvaluatedModel, training_warnings

CONFIG = CtrConfig(epochs=5)
LABEL = np.array([1, 0, 0, 0], np.int8)


def judged(scores: tuple[float, ...] = (0.4, 0.2, 0.2, 0.2), **training: object) -> EvaluatedModel:
    facts = {"best_epoch": 3} | training
    return EvaluatedModel(ClickModel(("age",), CONFIG), np.array(scores, np.float32), TrainingHistory(**facts))  # type: ignore[arg-type]


def test_a_good_training_leaves_no_doubt() -> None:
    assert training_warnings(judged(), LABEL, CONFIG) == []
    assert training_warnings(judged(scores=()), LABEL[:0], CONFIG) == []  # nothing was held out
    assert (
        training_warnings(judged(best_epoch=5), LABEL, CONFIG) == []
    )  # no validation lists: no epoch was better than another


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (judged(best_epoch=5, validation_loss=[0.5] * 5), "raise ctr.epochs"),
        (judged(resumed=2), "after epoch 2"),
        (judged(scores=(0.1, 0.2, 0.3, 0.6)), "worse than always saying"),
    ],
)
def test_a_doubt_is_said(made: EvaluatedModel, said: str) -> None:
    (doubt,) = training_warnings(made, LABEL, CONFIG)
    assert said in doubt
