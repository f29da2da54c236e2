"""Ensemble: the calibrated probabilities of several classifiers multiplied, each to a power fitted on held-out scores.

Reads scores; produces an ``Ensemble``. The powers are fitted to documents that no member was trained on, which also
calibrates the whole.
Source: Genest & Zidek 1986 (logarithmic opinion pools); Kivinen & Warmuth 1997 (exponentiated gradient).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.classifiers import Classifier, EncodedDocuments, LabelRows, Vector
from recsys.classifiers.calibration import probabilities
from recsys.words import Matrix
from recsys.workspace import write_json

_STEPS = 300  # of the fit of the powers, which is convex in as many numbers as there are members
_STEP = 0.5  # share by which a power may change in a step, per nat of slope


@dataclass(frozen=True, eq=False)
class Ensemble:
    """M classifiers of the same labels.

    Attributes:
        names: of the kinds of members.
        members: M classifiers.
        temperatures: of each.
        powers: of each, not negative; their sum is below 1 where the members err together.
    """

    names: list[str]
    members: list[Classifier]
    temperatures: list[float]
    powers: list[float]

    @property
    def labels(self) -> list[str]:
        """See ``Classifier``."""
        return self.members[0].labels

    def scores(self, documents: EncodedDocuments) -> Matrix:
        """See ``Classifier``; a member without ground abstains."""
        pairs = zip(self.members, self.temperatures, strict=True)
        opinions = np.array([log_probabilities(member.scores(documents), temperature) for member, temperature in pairs])
        silent = np.isnan(opinions).all(axis=(0, 2))
        pooled: Matrix = np.tensordot(np.array(self.powers, np.float32), np.nan_to_num(opinions), axes=1)
        pooled[silent] = np.nan
        return pooled

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        for name, member in zip(self.names, self.members, strict=True):
            (folder / name).mkdir()
            member.save(folder / name)
        facts = {"names": self.names, "temperatures": self.temperatures, "powers": self.powers}
        write_json(folder / "ensemble.json", facts)


def log_probabilities(scores: Matrix, temperature: float) -> Matrix:
    """Log-probabilities, float32 (B, C), of scores under a temperature; NaN rows stay NaN."""
    return np.log(np.maximum(probabilities(scores, temperature), np.finfo(np.float32).tiny))


def best_powers(opinions: Sequence[Matrix], label_rows: LabelRows) -> Vector:
    """The powers under which the true labels are likeliest.

    Args:
        opinions: M times float32 (J, C), log-probabilities of documents that no member was trained on.
        label_rows: int64 (J,), their true labels; none leaves the powers equal.

    Returns:
        float32 (M,).
    """
    stacked = np.array(opinions, dtype=np.float64)  # (M, J, C)
    powers = np.full(len(stacked), 1 / len(stacked))
    if not len(label_rows):
        return powers.astype(np.float32)
    true = stacked[:, np.arange(len(label_rows)), label_rows]  # (M, J)
    for _ in range(_STEPS):
        fit_ensemble = np.tensordot(powers, stacked, axes=1)
        shares = np.exp(fit_ensemble - fit_ensemble.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        slope = (stacked * shares).sum(axis=2).mean(axis=1) - true.mean(axis=1)
        powers *= np.exp(-_STEP * np.clip(slope, -1, 1))
    return powers.astype(np.float32)
