"""Training from memory, from Parquet with little memory, and in two processes: speed, memory and what comes of it.

Simulated rows with a known answer are written once; each way trains on them in processes of its own. Peaks are those of
the kernel's count of resident memory, over what the process held before it opened the rows.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from jobs.terminal import peak_mib, reset_peak_memory
from recsys.ctr.config import CtrConfig
from recsys.ctr.distributed import processes
from recsys.ctr.training import fit, scored
from recsys.dataset.impressions import FIT, HOLDOUT
from recsys.dataset.parquet import open_training_set, training_set_writer
from recsys.dataset.training_set import TrainingSet
from recsys.features import CANDIDATE_FIELDS, COLUMN, HISTORY, LIST_FIELDS, NAMES
from recsys.metrics import auc

LIST, STRETCH = 20, 65_536 // 20 * 20  # cards of a list; rows that are drawn at once
HELD_ROWS = 100_000
EPOCHS = 2
TELLING = ("item_cosine", "click_rate_total", "category_share", "age")


def simulated(rows: int, first: int, part: int, rng: np.random.Generator) -> TrainingSet:
    """Lists of twenty, one click each, drawn by a sum and a product of columns: that is the known answer."""
    matrix = rng.standard_normal((rows, len(NAMES)), np.float32)
    a, b, c, d = (matrix[:, COLUMN[name]] for name in TELLING)
    odds = (a + b + a * c - np.abs(d)).reshape(-1, LIST)
    clicked = np.argmax(odds + rng.gumbel(size=odds.shape), axis=1)
    lists = rows // LIST
    number = np.repeat(np.arange(lists, dtype=np.int32), LIST)
    return TrainingSet(
        matrix=matrix,
        ids=rng.integers(1, 10_000, (rows, len(CANDIDATE_FIELDS))),
        context=rng.integers(1, 10_000, (lists, len(LIST_FIELDS))),
        history=rng.integers(1, 10_000, (lists, HISTORY)),
        impression=number,
        label=(np.arange(LIST) == clicked[:, None]).astype(np.int8).ravel(),
        position=np.full(rows, -1, np.int16),
        time=(first + number).astype(np.int64),
        part=np.full(rows, part, np.int8),
    )


def write(file: Path, rows: int, seed: int) -> None:
    """Write rows to learn from and ``HELD_ROWS`` to judge by."""
    rng, first = np.random.default_rng(seed), 1
    with training_set_writer(file) as writer:
        for part, left in ((FIT, rows), (HOLDOUT, HELD_ROWS)):
            while left > 0:
                piece = simulated(min(STRETCH, left // LIST * LIST or LIST), first, part, rng)
                writer.write(piece)
                first, left = first + len(piece.context), left - len(piece)


def trained(file: Path, gib: float, seed: int, hidden: str) -> dict[str, float]:
    """Train in this process, or in those that torchrun started: rows per second, MiB, AUC of the held rows."""
    widths = tuple(map(int, hidden.split(",")))
    config = CtrConfig(epochs=EPOCHS, max_rows_gib=gib, device="cpu", batch_size=4096, hidden_units=widths)
    made = open_training_set(file)
    with processes() as group:
        reset_peak_memory()
        before, began = peak_mib(), time.perf_counter()
        model, training = fit(NAMES, made.of_parts(FIT), None, config, seed=seed, group=group)
        seconds, peak = time.perf_counter() - began, peak_mib() - before
        held = made.of_parts(HOLDOUT)
        label = np.concatenate([block.label for block in held])
        found = {"rows_per_second": round(training.rows / training.seconds), "seconds": round(seconds, 1)}
        found |= {"peak_mib": peak, "auc": round(auc(label, scored(model.score, held)), 4)}
        if group is None or group.leads:
            print(json.dumps(found))
    return found


def stream(rows: int, gib: float, seed: int, hidden: str) -> dict[str, Any]:
    """The figures of --stream."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "features.parquet"
        write(file, rows, seed)
        blocks = open_training_set(file).of_parts(FIT)
        found: dict[str, Any] = {
            "rows": len(blocks),
            "rows_mib": blocks.bytes >> 20,
            "file_mib": file.stat().st_size >> 20,
        }
        print("  ".join(f"{name} {value:,}" for name, value in found.items()), flush=True)
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        ways = {"held": ([], 1e3), "streamed": ([], gib), "held, two processes": (torchrun, 1e3)}
        ways |= {"streamed, two processes": (torchrun, gib)}
        for name, (launcher, room) in ways.items():
            command = [
                sys.executable,
                *launcher,
                "-m",
                "benchmarks.ctr.streamed",
                str(file),
                str(room),
                str(seed),
                hidden,
            ]
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            found[name] = json.loads(ended.stdout.strip().splitlines()[-1])
            print(f"{name:24} " + "  ".join(f"{key} {value:,}" for key, value in found[name].items()), flush=True)
    return found


if __name__ == "__main__":
    trained(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
