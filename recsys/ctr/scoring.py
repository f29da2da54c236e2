"""Scoring: candidates -> log-odds and probabilities of a click, without torch.

Reads ``CandidateRows`` and a saved model. There is no other code that scores: the service, the evaluation and the
held-out scores of a training all come through ``ClickScorer``, so that what was judged is what is served. Training
computes the same networks in torch, where it needs their gradients.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.ctr.inference import NetworkInference, Weights
from recsys.ctr.saved import CandidateSampling, SavedModel, layout_of, load_model
from recsys.errors import DegenerateInput
from recsys.features.rows import CandidateRows

Matrix = npt.NDArray[np.float32]

CLIP = 8.0  # standard deviations: a feature beyond what training saw must not decide alone
CLICK_RATE = "click_rate_total"  # the column that holds the smoothed click rate in log-odds
READER_RATE = "category_rate"  # that of the reader's click rate in a category over everyone's, its logarithm
SCORE_ROWS = 8_192  # rows scored at once: what is between two layers stays in the processor's cache


class ClickScorer:
    """A click model that scores and learns no more.

    Attributes:
        names: F columns.
        reads_ids: whether it reads hashed ids beside columns; without, candidates need none.
        saved: what it was made of, without the weights.
    """

    probability = True  # ``score`` gives probabilities

    def __init__(self, saved: SavedModel) -> None:
        """Make the scorer.

        Raises:
            ValueError: a weight is missing, has another shape, or nobody reads it.
            DegenerateInput: there is nothing to read.
        """
        self.names, self.saved = saved.names, replace(saved, weights={})
        self.reads_ids = saved.encoder.fields.any
        weights = Weights(
            {name.removeprefix("net."): value for name, value in saved.weights.items() if name.startswith("net.")}
        )
        self._network = NetworkInference(layout_of(saved.names, saved.encoder), saved.config, weights)
        if unread := sorted(name for name in weights.left if not name.endswith("num_batches_tracked")):
            raise ValueError(f"weights that this network has not: {', '.join(unread)}")
        self._mean, self._std = (np.array(column, np.float32) for column in (saved.mean, saved.std))
        self._click_rate = saved.names.index(CLICK_RATE) if saved.click_rate_share else None
        self._reader_rate = saved.names.index(READER_RATE) if saved.reader_rate_share else None

    @classmethod
    def load(cls, folder: Path, names: Sequence[str]) -> "ClickScorer":
        """Read a model that scores columns ``names``; see ``load_model``."""
        return load_model(folder, names, cls)

    def score(self, candidates: CandidateRows) -> Matrix:
        """The calibrated probability of a click on each candidate.

        Args:
            candidates: N candidates, columns as ``names``.

        Returns:
            float32 (N,) in [0, 1].

        Raises:
            DegenerateInput: another number of columns, a value that is not finite (the column is named), or no ids
                where the model reads them.
        """
        raw, calibration = self.raw(candidates), self.saved.calibration
        odds = raw.astype(np.float64) if calibration is None else calibration.apply(raw)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def raw(self, candidates: CandidateRows) -> Matrix:
        """The log-odds of a click on each candidate if it stood first, not calibrated: float32 (N,).

        They order even where probabilities are all 1.
        """
        matrix, share = candidates.matrix, np.float32(self.saved.click_rate_share)
        check_matrix(matrix, self.names)
        odds = np.empty(len(matrix), np.float32)
        for start in range(0, len(matrix), SCORE_ROWS):
            block = slice(start, start + SCORE_ROWS)
            odds[block] = self._network_odds(candidates, block)
        if self._click_rate is not None:
            odds *= 1 - share
            odds += share * matrix[:, self._click_rate]
        if self._reader_rate is not None:
            odds += np.float32(self.saved.reader_rate_share) * matrix[:, self._reader_rate]
        odds += np.float32(self.saved.intercept)
        return odds

    def _network_odds(self, candidates: CandidateRows, block: slice) -> Matrix:
        """The network's log-odds of some candidates: float32 (B,)."""
        matrix, saved = candidates.matrix[block], self.saved
        dense = standardised(matrix, self._mean, self._std)
        if not self.reads_ids:
            return self._network(dense, None)
        ids, impression = candidates.ids[block], candidates.impression[block]
        some = CandidateRows(matrix, ids, candidates.context, candidates.history, impression)
        return self._network(dense, saved.encoder.rows(some))


class LogOddsModel(Protocol):
    """Anything that gives log-odds."""

    @property
    def reads_ids(self) -> bool:
        """True where it reads hashed ids beside columns."""

    def raw(self, candidates: CandidateRows) -> Matrix:
        """N candidates -> float32 (N,)."""


class SamplingCorrection:
    """logQ correction: a click model over whole catalogues that learned from candidates sampled by their popularity.

    Against candidates drawn in proportion to their clicks, a model learns how much likelier a click is than popularity
    says. Among all articles the popularity has to be put back, or what nobody reads would come first.

    Source: Bengio and Senécal 2008 (importance sampling in a softmax); Yi et al. 2019 (the same for retrieval).
    """

    probability = False  # ``score`` orders and gives none

    def __init__(self, model: LogOddsModel, names: Sequence[str], sampling: CandidateSampling | None) -> None:
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


@compiled
def standardised(matrix: Matrix, mean: Matrix, std: Matrix) -> Matrix:
    """Columns in standard deviations from their means, at most ``CLIP`` of them: float32 (B, F), (F,), (F,)."""
    out = np.empty(matrix.shape, np.float32)
    for b in range(len(matrix)):
        for f in range(len(mean)):
            out[b, f] = min(max((matrix[b, f] - mean[f]) / std[f], np.float32(-CLIP)), np.float32(CLIP))
    return out


def check_matrix(matrix: Matrix, names: Sequence[str], *, first: int = 0) -> None:
    """Refuse a matrix of other columns, or with a value that is not finite.

    Raises:
        DegenerateInput: names the first bad column and row, counted from ``first``.
    """
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise DegenerateInput(
            f"a matrix of {len(names)} features", f"shape {matrix.shape}", "Run: python -m jobs features"
        )
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        got = f"{matrix[row, column]} in column {names[column]!r}, row {first + row}"
        raise DegenerateInput("finite features", got, "Correct that feature, then run: python -m jobs features")
