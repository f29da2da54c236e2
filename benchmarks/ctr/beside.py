"""Other packages' models, each run in a process of its own.

Imports numpy only: the benchmark runs where the other packages are not.
"""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NEEDS = ("deepctr_torch", "requests", "sklearn", "tqdm")  # the package imports them all, and declares all but requests


class Outcome(NamedTuple):
    """Seconds of training per epoch, and scores of the rows held out, float32 (N,)."""

    seconds: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32]


def missing() -> list[str]:
    """The packages that DeepCTR-Torch needs and that are not installed."""
    return [name for name in NEEDS if find_spec(name) is None]


def deepctr(arrays: dict[str, npt.NDArray[Any]], facts: dict[str, Any]) -> Outcome:
    """Train and score with DeepCTR-Torch; see ``benchmarks.ctr.deepctr`` for arrays and facts."""
    environment = os.environ | {"OMP_NUM_THREADS": str(facts["threads"])}
    with tempfile.TemporaryDirectory() as folder:
        job, out = Path(folder) / "job.npz", Path(folder) / "out.npz"
        np.savez(job, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]  # as in deepctr.py
        command = [sys.executable, "-m", "benchmarks.ctr.deepctr", str(job), str(out)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"DeepCTR-Torch failed: {done.stderr.strip()[-2000:]}")
        with np.load(out, allow_pickle=False) as found:
            return Outcome(found["seconds"], found["scores"])
