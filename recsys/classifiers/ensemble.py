"""Several classifiers as one: their calibrated opinions multiplied, each to the power that its held-out answers earned.

Reads scores; produces an ``Ensemble``. How far each member is trusted is fitted to articles that none of them has
learned from, which also calibrates the whole.
Source: Genest & Zidek 1986 (logarithmic opinion pools); Kivinen & Warmuth 1997 (exponentiated gradient).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.classifiers import Classifier, EncodedDocuments, LabelRows, Vector
from recsys.classifiers.calibration import shares_of
from recsys.words import Matrix
from recsys.workspace import write_json

STEPS = 300  # of the fit of the powers, which is convex in as many numbers as there are members
STEP = 0.5  # share by which a power may change in a step, per nat of slope


@dataclass(frozen=True, eq=False)
class Ensemble:
    """M classifiers of the same categories.

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
        opinions = np.array([opinion(member.scores(documents), temperature) for member, temperature in pairs])
        silent = np.isnan(opinions).all(axis=(0, 2))
        found: Matrix = np.tensordot(np.array(self.powers, np.float32), np.nan_to_num(opinions), axes=1)
        found[silent] = np.nan
        return found

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        for name, member in zip(self.names, self.members, strict=True):
            (folder / name).mkdir()
            member.save(folder / name)
        facts = {"names": self.names, "temperatures": self.temperatures, "powers": self.powers}
        write_json(folder / "ensemble.json", facts)


def opinion(scores: Matrix, temperature: float) -> Matrix:
    """Log-probabilities, float32 (B, C), of scores under a temperature; NaN rows stay NaN."""
    return np.log(np.maximum(shares_of(scores, temperature), np.finfo(np.float32).tiny))


def best_powers(opinions: Sequence[Matrix], label_rows: LabelRows) -> Vector:
    """The powers under which the true categories are likeliest.

    Args:
        opinions: M times float32 (J, C), log-probabilities of articles that no member has learned from.
        label_rows: int64 (J,), their true categories; none leaves the powers equal.

    Returns:
        float32 (M,).
    """
    stacked = np.array(opinions, dtype=np.float64)  # (M, J, C)
    powers = np.full(len(stacked), 1 / len(stacked))
    if not len(label_rows):
        return powers.astype(np.float32)
    told = stacked[:, np.arange(len(label_rows)), label_rows]  # (M, J)
    for _ in range(STEPS):
        fit_ensemble = np.tensordot(powers, stacked, axes=1)
        shares = np.exp(fit_ensemble - fit_ensemble.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        slope = (stacked * shares).sum(axis=2).mean(axis=1) - told.mean(axis=1)
        powers *= np.exp(-STEP * np.clip(slope, -1, 1))
    return powers.astype(np.float32)
