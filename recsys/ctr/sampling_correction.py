"""Sampling correction: log-odds learned from candidates sampled by popularity -> scores of whole catalogues."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.features.rows import CandidateRows

Matrix = npt.NDArray[np.float32]


class CandidateSampling(NamedTuple):
    """The distribution of sampled candidates: proportional to ``exp(column) - 1 + floor``, an article's late clicks."""

    column: str
    floor: float


class SamplingCorrection:
    """logQ correction: a click model over whole catalogues that learned from candidates sampled by their popularity.

    Against candidates drawn in proportion to their clicks, a model learns how much likelier a click is than popularity
    says. Among all articles the popularity has to be put back, or what nobody reads would come first.

    Source: Bengio and Senécal 2008 (importance sampling in a softmax); Yi et al. 2019 (the same for retrieval).
    """

    probability = False  # ``score`` orders and gives none

    def __init__(self, model: "LogOddsModel", names: Sequence[str], sampling: CandidateSampling | None) -> None:
        self._model, self._sampling = model, sampling
        self.reads_ids = model.reads_ids
        self._column = None if sampling is None else list(names).index(sampling.column)

    def score(self, candidates: CandidateRows) -> Matrix:
        """The probability of a click up to one factor, as log-odds: N candidates -> float32 (N,)."""
        raw = self._model.raw(candidates)
        if self._sampling is None or self._column is None:
            return raw
        weight = np.expm1(candidates.matrix[:, self._column]) + self._sampling.floor
        return np.asarray(raw + np.log(weight), np.float32)


class LogOddsModel(Protocol):
    """Anything that gives log-odds."""

    @property
    def reads_ids(self) -> bool:
        """True where it reads hashed ids beside columns."""

    def raw(self, candidates: CandidateRows) -> Matrix:
        """N candidates -> float32 (N,)."""
