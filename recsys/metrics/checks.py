"""Requirements of every metric on labels and scores."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput

Array = npt.NDArray[Any]


def check_scores(label: Array, score: Array, *others: Array) -> None:
    """Refuse what cannot be judged.

    Raises:
        DegenerateInput: arrays of different lengths, a score that is NaN, or a label other than 0 and 1.
    """
    lengths = [len(array) for array in (label, score, *others)]
    if len(set(lengths)) != 1:
        got = " and ".join(map(str, lengths))
        raise DegenerateInput("as many labels as scores and impressions", got, "Judge rows of one matrix.")
    if np.isnan(score).any() or not np.isin(label, (0, 1)).all():
        raise DegenerateInput("labels of 0 and 1, and scores", "another label, or NaN", "Correct the model's scores.")


def check_probabilities(label: Array, probability: Array) -> None:
    """Refuse what cannot be judged as probabilities of a click.

    Raises:
        DegenerateInput: see ``check_scores``, or a value outside [0, 1].
    """
    check_scores(label, probability)
    if len(probability) and not 0.0 <= probability.min() <= probability.max() <= 1.0:
        got = f"{probability.min():.4g} to {probability.max():.4g}"
        raise DegenerateInput("probabilities in [0, 1]", got, "Judge score(), not raw(), of a click model.")
