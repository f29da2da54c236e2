"""Document vectors of doc2vec under a trained space, inferred for any text at any time.

Numpy only, since the web service infers too: words and output vectors stand still, and only the text's vector moves. In
PV-DBOW it predicts each of the text's words, in PV-DM it does so together with the mean of the words around. That is a
logistic regression, which has one best answer: noise words are drawn with a fixed seed and the steps are many enough to
come close to it, so that the same text always gets the same vector, alone or in a batch.

    inference = load_inference(folder of the words artefact)
    vector = inference.infer(inference.words.rows(tokens.title + tokens.body))

Source: Le & Mikolov 2014, "Distributed Representations of Sentences and Documents", section 2.3.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.errors import MissingArtefact
from recsys.words import Matrix, Rows, WordVectors, load_words
from recsys.workspace import load_npy, read_json

_STEPS = 25  # of gradient descent with momentum
_RIDGE = 1.0  # pull towards 0, in words: a text of one word goes half-way
_MAX_WORDS = 2_000  # of a text that are looked at: a subject does not change later, and time is bounded
_SEED = 1  # of the noise words

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DocumentInference:
    """Inference of document vectors.

    Attributes:
        words: the word space.
        outputs: float32 (V, D), the output vectors of negative sampling.
        window: words on each side that predict with the text's vector; 0 in PV-DBOW.
        negative: noise words per word of the text.
        noise: int64 (_MAX_WORDS, negative), rows of the noise words by the word's place in the text.
    """

    words: WordVectors
    outputs: Matrix
    window: int
    negative: int
    noise: npt.NDArray[np.int64]

    def infer(self, rows: Rows) -> Vector:
        """The vector of one text.

        Args:
            rows: int32 (T,), the rows of the text's words in order; -1, an unknown word, is passed over.

        Returns:
            float32 (D,), not of unit length; NaN for a text without a known word.
        """
        in_vocabulary = rows[rows >= 0][:_MAX_WORDS].astype(np.int64)
        if not len(in_vocabulary):
            return np.full(self.words.embedding_dim, np.nan, dtype=np.float32)
        offsets, shares = self._context(in_vocabulary)
        targets = np.concatenate([in_vocabulary[:, None], self.noise[: len(in_vocabulary)]], axis=1)  # (T, 1 + N)
        outputs = self.outputs[targets]  # (T, 1 + N, D)
        fixed = np.einsum("tnd,td->tn", outputs, offsets)
        scaled = (outputs * shares[:, None, None]).reshape(-1, outputs.shape[2])  # (T × (1 + N), D)
        truth = np.zeros(targets.shape, dtype=np.float32)
        truth[:, 0] = 1
        return _regression(scaled, fixed.ravel(), truth.ravel())

    def _context(self, rows: npt.NDArray[np.int64]) -> tuple[Matrix, Vector]:
        """The context words' part of each prediction, and the share that the text's vector has in it.

        Returns:
            float32 (T, D), the sum of the words' part of the mean; float32 (T,), 1 / (words around + 1).
        """
        if not self.window:
            return np.zeros((len(rows), self.words.embedding_dim), np.float32), np.ones(len(rows), np.float32)
        vectors = self.words.vectors[rows]
        sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0, dtype=np.float64)])
        place = np.arange(len(rows))
        low, high = np.maximum(place - self.window, 0), np.minimum(place + self.window + 1, len(rows))
        shares = (1 / (high - low)).astype(np.float32)  # the word itself is not among them, the text's vector is
        around = (sums[high] - sums[low] - vectors).astype(np.float32)
        return around * shares[:, None], shares


def _regression(inputs: Matrix, fixed: Vector, truth: Vector) -> Vector:
    """Logistic regression without intercept by Nesterov's accelerated gradient.

    Args:
        inputs: float32 (N, D).
        fixed: float32 (N,), what is added to each score.
        truth: float32 (N,), 0 or 1.

    Returns:
        float32 (D,).
    """
    ridge = np.float32(_RIDGE)
    squares = (inputs.T @ inputs).astype(np.float64)
    curvature = np.float32(np.linalg.eigvalsh(squares)[-1] / 4) + ridge  # the largest there can be
    solution = ahead = np.zeros(inputs.shape[1], dtype=np.float32)
    for step in range(_STEPS):
        error = 1 / (1 + np.exp(-(inputs @ ahead + fixed))) - truth
        improved = ahead - (error @ inputs + ridge * ahead) / curvature
        ahead = improved + np.float32(step / (step + 3)) * (improved - solution)  # Nesterov's momentum
        solution = improved
    return solution.astype(np.float32)


def load_inference(folder: Path) -> DocumentInference:
    """Read a words artefact for inference.

    Raises:
        MissingArtefact: the space was not trained as doc2vec with negative sampling.
    """
    training, words = read_json(folder / "training.json"), load_words(folder)
    untrained = not words.words  # a site without texts: no text has a vector, whatever the model
    if training["model"] not in ("pv-dm", "pv-dbow") or not (untrained or (folder / "outputs.npy").is_file()):
        raise MissingArtefact(
            f"a space of doc2vec with negative sampling in {folder}",
            f"one of {training['model']}",
            "Set words.model to pv-dm or pv-dbow, words.output to negative-sampling, and run: python -m jobs all",
        )
    window = training["window"] if training["model"] == "pv-dm" else 0
    if untrained:
        return DocumentInference(words, words.vectors, window, 0, np.empty((_MAX_WORDS, 0), dtype=np.int64))
    share = words.counts.astype(np.float64) ** 0.75  # as in training
    rng = np.random.default_rng(_SEED)
    noise = rng.choice(len(share), size=(_MAX_WORDS, training["negatives"]), p=share / share.sum())
    return DocumentInference(words, load_npy(folder / "outputs.npy"), window, training["negatives"], noise)
