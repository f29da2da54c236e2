"""Checkpoints: what a training needs to go on, as if nothing had happened, after its process was killed.

One safetensors file, replaced as a whole: tensors (weights, averages, the optimiser's memory, the generators' states)
and, in its header, JSON (counters and curves). A file of another training (other rows, settings, seed or version of
this program) is not read.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from recsys import __version__
from recsys.ctr.config import CtrConfig

Tensors = dict[str, torch.Tensor]


class Checkpoints:
    """The one file of one training.

    Args:
        file: where it stands; its folder is made.
        minutes: between two of them; 0 for one after every step.
    """

    def __init__(self, file: Path, minutes: float) -> None:
        self.file, self.minutes = file, minutes
        self._fingerprint, self._saved = "", time.monotonic()

    def belong_to(self, fingerprint: str) -> None:
        """Set the training that is saved and gone on with, see ``fingerprint_of``."""
        self._fingerprint = fingerprint

    @property
    def due(self) -> bool:
        """True when it is time for the next one."""
        return time.monotonic() - self._saved >= 60 * self.minutes

    def save(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Replace the file: a crash leaves the last one or this one."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_name(f".{self.file.name}.tmp")
        kept = {name: value.detach().cpu().clone() for name, value in tensors.items() if value.numel()}
        save_file(kept, fresh, metadata={"fingerprint": self._fingerprint, "facts": json.dumps(facts)})
        with fresh.open("rb") as handle:
            os.fsync(handle.fileno())
        fresh.replace(self.file)
        self._saved = time.monotonic()

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The last checkpoint; None without a file, or with one of another training or with broken bytes."""
        if not self.file.is_file():
            return None
        try:
            with safe_open(self.file, "pt") as handle:
                metadata = handle.metadata()
                if metadata["fingerprint"] != self._fingerprint:
                    return None
                return {name: handle.get_tensor(name) for name in handle.keys()}, json.loads(metadata["facts"])  # noqa: SIM118  # no mapping
        except (SafetensorError, ValueError, KeyError, TypeError):
            return None


def fingerprint_of(*facts: object, config: CtrConfig) -> str:
    """SHA-256 over all that decides a training's result: settings, digests of the rows, and other facts."""
    text = json.dumps([__version__, config.model_dump(mode="json"), facts], default=str)
    return hashlib.sha256(text.encode()).hexdigest()
