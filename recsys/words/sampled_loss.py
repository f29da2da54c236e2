"""Loss of a word2vec model on a fixed sample of windows, in nats per prediction.

Gensim's own counter is one thread's share, kept in float32, and stands still after 16 million predictions; this one is
the same sample after every epoch, so that its curve is smooth and two trainings on one corpus can be compared.
Source: Mikolov et al. 2013, equations 3 (hierarchical softmax) and 4 (negative sampling).
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.words.config import WordsConfig
from recsys.words.corpus import NOISE_WORDS

_LINES = 400  # sampled lines of the corpus
_WINDOWS = 1_000  # sampled windows in them
NOISE_POWER = 0.75  # negative samples are drawn in proportion to count ** 0.75, as gensim does

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SampledLoss:
    """Loss of P predictions, always the same: input words -> target word.

    Attributes:
        inputs: int64 (I,), rows of all predictions' input words, one prediction after the other.
        starts: int64 (P,), where each prediction's inputs begin.
        targets: int64 (P,), rows of the words to predict.
        negatives: int64 (P, N), rows of the negative samples; N is 0 with hierarchical softmax.
    """

    inputs: Ints
    starts: Ints
    targets: Ints
    negatives: Ints

    def of(self, model: Any) -> float:
        """Mean loss of the predictions under a gensim Word2Vec model as it is now."""
        if not len(self.targets):
            return 0.0
        sizes = np.diff(np.append(self.starts, len(self.inputs)))
        hidden = np.add.reduceat(model.wv.vectors[self.inputs], self.starts, axis=0) / sizes[:, None]  # (P, D)
        if model.hs:
            rows = np.unique(self.targets).tolist()
            return sum(_path_losses(model, hidden[self.targets == row], row) for row in rows) / len(self.targets)
        outputs = np.concatenate([self.targets[:, None], self.negatives], axis=1)  # (P, 1 + N)
        scores = np.einsum("pd,pnd->pn", hidden, model.syn1neg[outputs]).astype(np.float64)
        scores[:, 1:] *= -1
        return float(np.logaddexp(0, -scores).sum(axis=1).mean())


def _path_losses(model: Any, hidden: npt.NDArray[np.float32], target: int) -> float:
    """Summed loss of one target's predictions along its path in the Huffman tree."""
    points, codes = (model.wv.get_vecattr(target, name) for name in ("point", "code"))
    scores = (hidden @ model.syn1[points].T).astype(np.float64) * (1 - 2 * codes.astype(np.float64))
    return float(np.logaddexp(0, -scores).sum())


def build_sampled_loss(corpus: Path, model: Any, config: WordsConfig, rng: np.random.Generator) -> SampledLoss:
    """Draw the sample.

    Args:
        corpus: the file that the model is trained on.
        model: a gensim Word2Vec model that has its vocabulary.
        config: the window.
        rng: draws lines, windows and negative samples.

    Returns:
        Up to ``_WINDOWS`` windows: one prediction each with CBOW, one for each context word with skip-gram.
    """
    lines = [
        [row for word in line if (row := model.wv.key_to_index.get(word)) is not None] for line in _lines(corpus, rng)
    ]
    places = [(line, place) for line in lines if len(line) > 1 for place in range(len(line))]
    if len(places) > _WINDOWS:
        places = [places[i] for i in np.sort(rng.choice(len(places), _WINDOWS, replace=False))]
    inputs: list[list[int]] = []
    targets: list[int] = []
    for line, place in places:
        context = line[max(0, place - config.window) : place] + line[place + 1 : place + 1 + config.window]
        predictions = [[row] for row in context] if model.sg else [context]
        inputs += predictions
        targets += [line[place]] * len(predictions)
    starts = np.cumsum([0, *map(len, inputs)])[:-1]
    negatives = (
        np.zeros((len(targets), 0), dtype=np.int64) if model.hs else _negatives(model, (len(targets), NOISE_WORDS), rng)
    )
    flat = np.array([row for rows in inputs for row in rows], dtype=np.int64)
    return SampledLoss(flat, starts.astype(np.int64), np.array(targets, dtype=np.int64), negatives)


def _negatives(model: Any, shape: tuple[int, int], rng: np.random.Generator) -> Ints:
    counts = np.array([model.wv.get_vecattr(row, "count") for row in range(len(model.wv))], dtype=np.float64)
    share = counts**NOISE_POWER
    return rng.choice(len(counts), size=shape, p=share / share.sum())


def _lines(corpus: Path, rng: np.random.Generator) -> list[list[str]]:
    """``_LINES`` lines from evenly spread places of the file, or all of them when there are fewer."""
    size = corpus.stat().st_size
    bounds = np.linspace(0, size, _LINES + 1).astype(np.int64)
    kept: dict[int, list[str]] = {}
    with corpus.open("rb") as file:
        for low, high in pairwise(bounds.tolist()):
            file.seek(int(rng.integers(low, max(high, low + 1))))
            file.readline()  # the rest of a line
            start = file.tell() if file.tell() < size else file.seek(0)
            kept.setdefault(start, file.readline().decode("utf-8").split())
    return [kept[start] for start in sorted(kept)]
