"""A fitted encoder in numpy: one reader's clicks -> one interest, without torch.

Reads and writes ``encoder.safetensors`` and ``encoder.json``. The sums are those of ``recsys.readers.gru``.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recsys.errors import CorruptArtefact
from recsys.readers.encoders import Interests, Rows, Times, Vectors, known_rows, minutes_of, one_interest
from recsys.workspace import load_arrays, read_json, same_space, save_arrays, write_json

LONG_PAUSE = 5.0  # as in recsys.readers.gru
_KIND = "gru"  # the only network; the file says it, so that another one is refused
SEARCHED = 10  # times ``sequence_length``: clicks among which the last ones with a vector are looked for


class TrainedEncoder:
    """A network that foresees the next click; see ``ReaderEncoder`` for the contract.

    Attributes:
        arrays: the network's weights by their names in torch.
        sequence_length: clicks that it reads.
        space: id of the item vectors that it was trained on.
    """

    def __init__(self, arrays: Mapping[str, Vectors], sequence_length: int, space: str = "") -> None:
        self.arrays, self.sequence_length, self.space = dict(arrays), sequence_length, space

    @property
    def embedding_dim(self) -> int:
        """D of the vectors that it reads and gives."""
        return len(self.arrays["extra.out.bias"])

    def encode(self, vectors: Vectors, rows: Rows, times: Times) -> Interests:
        """See ``ReaderEncoder``."""
        recent, T = slice(-SEARCHED * self.sequence_length, None), self.sequence_length
        clicked, places = known_rows(vectors, rows[recent])
        if not len(clicked):
            return one_interest(np.full(vectors.shape[1], np.nan, np.float32))
        when = np.asarray(times[recent], np.int64)[places][-T:]
        wanted = self._foresee(vectors[clicked[-T:]], minutes_of(when))
        norm = float(np.linalg.norm(wanted))
        return one_interest((wanted / norm if norm > 1e-6 else np.full_like(wanted, np.nan)).astype(np.float32))

    def _foresee(self, clicks: Vectors, minutes: Vectors) -> Vectors:
        pause = np.log1p(np.maximum(np.diff(minutes, prepend=minutes[:1]), 0)) / LONG_PAUSE
        before = np.vstack([np.zeros_like(clicks[:1]), clicks[:-1]])  # (T, D)
        mean_before = np.cumsum(before, axis=0)
        mean_before /= np.maximum(np.linalg.norm(mean_before, axis=1, keepdims=True), 1e-12)
        seen = np.column_stack([pause, (clicks * before).sum(axis=1), (clicks * mean_before).sum(axis=1)])  # (T, 3)
        gates = self._states("base.gru", seen) @ self.arrays["base.gate.weight"][0] + self.arrays["base.gate.bias"]
        part = 1 / (1 + np.exp(-gates - self.arrays["base.offset"][: len(clicks)]))
        part[0] = 1  # the first click is all there is
        left = np.append(np.cumprod((1 - part)[:0:-1])[::-1], 1)  # what the clicks after it leave of each
        state = self._states("extra.gru", np.column_stack([clicks, pause]))[-1]
        return _unit((part * left) @ clicks) + self._added(state)

    def _states(self, name: str, inputs: Vectors) -> Vectors:
        """The states of a GRU after each input: float32 (T, F) -> (T, H)."""
        a = self.arrays
        steps = inputs.astype(np.float32) @ a[f"{name}.weight_ih_l0"].T + a[f"{name}.bias_ih_l0"]  # (T, 3 H)
        weight, bias = a[f"{name}.weight_hh_l0"], a[f"{name}.bias_hh_l0"]
        H = weight.shape[1]
        states = np.zeros((len(steps) + 1, H), np.float32)
        for t, step in enumerate(steps):
            held = weight @ states[t] + bias
            gates = 1 / (1 + np.exp(-(step[: 2 * H] + held[: 2 * H])))
            fresh = np.tanh(step[2 * H :] + gates[:H] * held[2 * H :])
            states[t + 1] = fresh + gates[H:] * (states[t] - fresh)
        return states[1:]

    def _added(self, hidden: Vectors) -> Vectors:
        return np.asarray(self.arrays["extra.out.weight"] @ hidden + self.arrays["extra.out.bias"], np.float32)

    def save(self, folder: Path) -> None:
        """Write ``encoder.safetensors`` and ``encoder.json``."""
        save_arrays(folder / "encoder.safetensors", self.arrays)
        facts = {"kind": _KIND, "sequence_length": self.sequence_length, "space": self.space}
        write_json(folder / "encoder.json", facts)

    @classmethod
    def load(cls, folder: Path, space: str) -> "TrainedEncoder":
        """Read what ``save`` wrote.

        Args:
            folder: of the stage.
            space: id of the item vectors that it will be asked about.

        Raises:
            CorruptArtefact: the files are not an encoder.
            SpaceMismatch: it was trained on other vectors.
        """
        facts = read_json(folder / "encoder.json")
        try:
            if facts["kind"] != _KIND:
                raise ValueError(f"a {facts['kind']}")
            encoder = cls(load_arrays(folder / "encoder.safetensors"), facts["sequence_length"], facts["space"])
            encoder.encode(np.eye(1, encoder.embedding_dim, dtype=np.float32), [0], [0])  # fails if an array is missing
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptArtefact(f"an encoder in {folder}", str(error), "Run: python -m jobs readers") from None
        same_space(("readers", encoder.space), ("items", space))
        return encoder


def _unit(vector: Vectors) -> Vectors:
    """A vector scaled to length 1, as torch's normalize does it."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)
