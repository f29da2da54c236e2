"""What an engineer hears of a training that ended well, and what is refused."""

import numpy as np
import pytest

from recsys.ctr.config import CtrConfig
from recsys.ctr.course import Training
from recsys.ctr.model import ClickModel
from recsys.ctr.release import Judged, doubts

CONFIG = CtrConfig(epochs=5)
LABEL = np.array([1, 0, 0, 0], np.int8)


def judged(scores: tuple[float, ...] = (0.4, 0.2, 0.2, 0.2), **training: object) -> Judged:
    facts = {"best_epoch": 3} | training
    return Judged(ClickModel(("age",), CONFIG), np.array(scores, np.float32), Training(**facts))  # type: ignore[arg-type]


def test_a_good_training_leaves_no_doubt() -> None:
    assert doubts(judged(), LABEL, CONFIG) == []
    assert doubts(judged(scores=()), LABEL[:0], CONFIG) == []  # nothing was held out
    assert doubts(judged(best_epoch=5), LABEL, CONFIG) == []  # no validation lists: no epoch was better than another


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (judged(best_epoch=5, validation_loss=[0.5] * 5), "raise ctr.epochs"),
        (judged(resumed=2), "after epoch 2"),
        (judged(scores=(0.1, 0.2, 0.3, 0.6)), "worse than always saying"),
    ],
)
def test_a_doubt_is_said(made: Judged, said: str) -> None:
    (doubt,) = doubts(made, LABEL, CONFIG)
    assert said in doubt
