"""One device in a few minutes: training in fp32 and bf16, with recorded steps and without, against its bounds.

    python -m benchmarks.ctr.device [--minutes 7] [--rows 4000000]

Runs with torch and numpy alone. Every way of training learns once from the same synthetic clicks and is judged on the
same rows held out: a way is sound if its AUC is that of fp32 launch by launch, within ``SAME_AUC``. Samples per second
stand beside what the device could do at most, measured bare in the same run: matrix products, memory, launches. What
does not run is said and counted, and the others go on. Without a GPU it says so and measures the CPU, where no step is
recorded. Ways that would begin after --minutes are left out. Prints one JSON object on the last line.
"""

import argparse
import json
import time
from typing import Any, NamedTuple

import torch

from benchmarks.ctr.columns import Columns
from benchmarks.ctr.synthetic import HELD, Shape, auc, clicks, limits, scores, train

FIELDS, VOCABULARY, EMBEDDING_DIM = 30, 1_000_000 // 30 * 30, 16
SHAPES = (("deepfm", (256, 128, 64)), ("dnn", (400, 400, 400)))
GPU_SIZES, CPU_SIZES = (65_536, 8_192), (8_192,)  # rows per step
GPU_ROWS, CPU_ROWS = 4_000_000, 100_000
SAME_AUC = 0.002  # twice the standard error of a difference on the rows held out


class Way(NamedTuple):
    """One way of training.

    Attributes:
        bf16: matrix products in bfloat16.
        graphs: steps are recorded as CUDA graphs.
    """

    bf16: bool
    graphs: bool

    @property
    def name(self) -> str:
        """The name in the results."""
        return f"{'bf16' if self.bf16 else 'fp32'} {'recorded' if self.graphs else 'launched'}"


def ways(device: torch.device) -> list[Way]:
    """All ways on a device, the one that judges the others first."""
    recorded = (False, True) if device.type == "cuda" else (False,)
    return [Way(bf16, graphs) for bf16 in (False, True) for graphs in recorded]


def measured(learn: Columns, held: Columns, shape: Shape, way: Way, seed: int) -> dict[str, Any]:
    """Train one way: "samples_per_second", "auc", the bounds and the share of each that was reached."""
    engine, rate = train(learn, shape, bf16=way.bf16, seed=seed, graphs=way.graphs)
    found: dict[str, Any] = {
        "samples_per_second": round(rate),
        "auc": round(auc(scores(engine, held), held.label.cpu()), 4),
    }
    return found | limits(learn, shape, bf16=way.bf16, rate=rate)


def tried(learn: Columns, held: Columns, shape: Shape, way: Way, seed: int) -> dict[str, Any]:
    """The same, or "failed" with the first line of the reason: a way that does not run says something of the device."""
    try:
        return measured(learn, held, shape, way, seed)
    except (RuntimeError, NotImplementedError) as error:  # of CUDA, of torch: all are RuntimeErrors
        return {"failed": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"}


def judge(rows: dict[str, dict[str, Any]]) -> None:
    """Say of each way if its AUC is that of the first one of the same shape."""
    firsts: dict[str, float] = {}
    for name, row in rows.items():
        if "auc" in row:
            first = firsts.setdefault(name.rpartition(": ")[0], row["auc"])
            row["same_auc"] = abs(row["auc"] - first) <= SAME_AUC


def all_ways(device: torch.device, rows: int, until: float, seed: int) -> tuple[dict[str, dict[str, Any]], int]:
    """Every shape, size and way that begins before ``until`` (seconds of ``time.monotonic``).

    Returns:
        The rows by name, and how many were left out.
    """
    data = clicks(rows + HELD, FIELDS, VOCABULARY, seed, device)
    learn, held = (
        Columns(*(part[some] if len(part) > 1 else part for part in data)) for some in (slice(rows), slice(rows, None))
    )
    found: dict[str, dict[str, Any]] = {}
    left = 0
    for kind, hidden in SHAPES:
        for size in GPU_SIZES if device.type == "cuda" else CPU_SIZES:
            shape = Shape(kind, FIELDS, VOCABULARY, EMBEDDING_DIM, hidden, size)
            for way in ways(device):
                if time.monotonic() > until:
                    left += 1
                    continue
                name = f"{shape.name} × {size}: {way.name}"
                found[name] = tried(learn, held, shape, way, seed)
                print(f"{name:44} {found[name]}", flush=True)
    judge(found)
    return found, left


def main() -> None:
    """Measure the device at hand."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ctr.device", description=about)
    parser.add_argument("--minutes", type=float, default=7.0, help="no way begins after so long")
    parser.add_argument("--rows", type=int, help=f"to learn from: {GPU_ROWS} on a GPU, {CPU_ROWS} without")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        torch.set_num_threads(1)
        print("No GPU is here: the path of the CPU is measured, on one thread; nothing is said of CUDA graphs.")
    rows = options.rows or (GPU_ROWS if device.type == "cuda" else CPU_ROWS)
    found, left = all_ways(device, rows, began + 60 * options.minutes, options.seed)
    ran = {name: row for name, row in found.items() if "auc" in row}
    sound = {name: row for name, row in ran.items() if row["same_auc"]}
    best = max(sound, key=lambda name: float(sound[name]["samples_per_second"]), default=None)
    result: dict[str, Any] = {
        "ours": found,
        "baselines": {},
        "best": {} if best is None else {"way": best} | sound[best],
    }
    result |= {"failed": len(found) - len(ran), "other_auc": len(ran) - len(sound), "left_out": left, "rows": rows}
    result["device"] = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    print(json.dumps(result | {"seconds": round(time.monotonic() - began, 1), "seed": options.seed}))


if __name__ == "__main__":
    main()
