"""A click model's files: weights and what else its scores depend on, written and read without torch.

``model.safetensors`` holds the weights and the columns' scale, ``model.json`` the rest, ``vocabulary.npy`` the owners
of the embedding table's rows where ids are read. Training goes on from them with torch; serving needs none to score.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys.ctr.architecture import Layout
from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import IdEncoder, IdFields, IdVocabulary
from recsys.ctr.inference import Calibration
from recsys.errors import CorruptArtefact, RecsysError, StaleArtefact
from recsys.features import HISTORY

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float32]
ModelT = TypeVar("ModelT")

FORMAT = 2  # of model.json; raised when a model of before can no longer be read
ARCHITECTURE = (
    "network",
    "fields",
    "embedding_dim",
    "hidden_units",
    "norm",
    "dropout",
)
VOCABULARY_FILE = "vocabulary.npy"


class CandidateSampling(NamedTuple):
    """The distribution of sampled candidates: proportional to ``exp(column) - 1 + floor``, an article's late clicks."""

    column: str
    floor: float


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A click model as it is written.

    Attributes:
        names: F columns.
        config: the network; of ``ctr:`` only ``ARCHITECTURE`` is written.
        encoder: the id fields that it reads and their rows of the embedding table.
        weights: those that are not empty by name, ``net.…`` of the network and ``position.…`` of the tower.
        mean: float32 (F,), of each column.
        std: float32 (F,), standard deviation of each column.
        click_rate_share: part of the log-odds that is the column of the smoothed click rate as it is.
        intercept: added to all log-odds.
        calibration: makes them probabilities; None: they are taken as they are.
        sampling: of the candidates that it learned from; None where readers were really shown them.
        learned_until: ms, the last impression that it learned from; 0 for unknown.
        reader_rate_share: weight in the log-odds of the reader's click rate in the category over everyone's.
    """

    names: tuple[str, ...]
    config: CtrConfig
    encoder: IdEncoder
    weights: dict[str, Array]
    mean: Floats
    std: Floats
    click_rate_share: float
    intercept: float
    calibration: Calibration | None
    sampling: CandidateSampling | None
    learned_until: int
    reader_rate_share: float = 0.0

    def write(self, folder: Path) -> None:
        """Write ``model.safetensors``, ``model.json`` and, where it reads ids, ``vocabulary.npy``."""
        arrays = {name: np.ascontiguousarray(value) for name, value in self.weights.items()}
        save_file(arrays | {"mean": self.mean, "std": self.std}, folder / "model.safetensors")
        facts = {name: getattr(self.config, name) for name in ARCHITECTURE}
        facts |= {
            "format": FORMAT,
            "names": list(self.names),
            "click_rate_share": self.click_rate_share,
            "reader_rate_share": self.reader_rate_share,
            "intercept": self.intercept,
            "calibration": self.calibration and self.calibration._asdict(),
            "sampling": self.sampling and self.sampling._asdict(),
            "learned_until": self.learned_until,
        }
        (folder / "model.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if self.encoder.fields.any:
            self.encoder.vocabulary.save(folder / VOCABULARY_FILE)

    @classmethod
    def of(cls, facts: dict[str, Any], folder: Path) -> "SavedModel":
        """Read the rest of what ``model.json`` stands for.

        Raises:
            ValueError: weights that are not finite, or a scale of another number of columns.
        """
        config = CtrConfig(**{name: facts[name] for name in ARCHITECTURE})
        vocabulary = IdVocabulary.load(folder / VOCABULARY_FILE) if config.fields else IdVocabulary.empty()
        weights = load_file(folder / "model.safetensors")
        finite = all(bool(np.isfinite(value).all()) for value in weights.values())
        mean, std = weights.pop("mean"), weights.pop("std")
        if not finite or mean.shape != std.shape or len(mean) != len(facts["names"]):
            raise ValueError("weights that are not finite, or a scale of another number of columns")
        return cls(
            names=tuple(facts["names"]),
            config=config,
            encoder=IdEncoder(IdFields.of(config.fields), vocabulary),
            weights=weights,
            mean=mean,
            std=std,
            click_rate_share=float(facts["click_rate_share"]),
            intercept=float(facts["intercept"]),
            calibration=Calibration.of(facts["calibration"]) if facts["calibration"] else None,
            sampling=CandidateSampling(**facts["sampling"]) if facts["sampling"] else None,
            learned_until=int(facts["learned_until"]),
            reader_rate_share=float(facts.get("reader_rate_share", 0.0)),  # models of 0.10 have none
        )


def layout_of(names: Sequence[str], encoder: IdEncoder) -> Layout:
    """The shape of what a model reads."""
    fields = encoder.fields
    history = HISTORY if fields.history else 0
    return Layout(len(names), len(fields.ids) + len(fields.context), history, len(encoder.vocabulary) * fields.any)


def load_model(folder: Path, names: Sequence[str], build: Callable[[SavedModel], ModelT]) -> ModelT:
    """Read a model that scores columns ``names``.

    Args:
        folder: with its files.
        names: F columns.
        build: makes the model of what stands there.

    Raises:
        StaleArtefact: it was trained on other columns, or written by an older version of this program.
        CorruptArtefact: the files are not a click model.
    """
    try:
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        written = facts.get("format", 1) if "network" in facts else FORMAT
        model = build(SavedModel.of(facts, folder)) if written == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, ValidationError) as error:
        raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
    except RecsysError as error:
        raise CorruptArtefact(f"a click model in {folder}", str(error), "Run: python -m jobs ctr") from None
    if model is None:
        got = f"format {written}, of another version"
        raise StaleArtefact(f"a click model of format {FORMAT} in {folder}", got, "Run: python -m jobs ctr publish")
    check_names(facts["names"], names)
    return model


def check_names(learned: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a model of other columns.

    Raises:
        StaleArtefact: names the columns that one has and the other lacks.
    """
    if tuple(learned) == tuple(names):
        return
    lacking, more = sorted(set(learned) - set(names)), sorted(set(names) - set(learned))
    differences = [f"training had {', '.join(lacking)}, which features lack"] if lacking else []
    differences += [f"features have {', '.join(more)}, which training had not"] if more else []
    got = f"one over {len(learned)}; {'; '.join(differences) or 'they differ in their order'}"
    raise StaleArtefact(f"a click model over today's {len(names)} features", got, "Run: python -m jobs features ctr")
