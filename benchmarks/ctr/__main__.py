"""The click model beside DeepCTR-Torch: speed on synthetic clicks, quality on real ones.

    python -m benchmarks.ctr --synthetic 1000000 [--device cuda] [--hidden 400,400,400] [--batch-size 8192]
    python -m benchmarks.ctr --train ../shared/data/bing_news/train.tsv [--folds 5]
    python -m benchmarks.ctr --request
    python -m benchmarks.ctr --stream 2000000 [--gib 0.25]
    python -m benchmarks.ctr --features data/work/features/features.parquet [--seeds 1,2,3]

--synthetic: samples per second at equal model, rows and batch, beside the bare matrix products of the same layers,
measured in the same run; on a GPU beside memory and launches as well. Runs with torch and numpy alone. --request: 200
candidates of one reader, described and scored on one core. --train: titles with clicks, in folds by rows. --features: a
workspace's training rows, split by time. --stream: simulated rows from memory, from Parquet with little memory, and in
two processes. DeepCTR-Torch (optional extra ``benchmarks``) is left out where it is not
installed. Prints one JSON object on the last line.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.ctr.beside import missing
from benchmarks.ctr.synthetic import Shape, compare, scoring

try:
    from benchmarks.ctr.quality import of_features, of_titles
    from benchmarks.ctr.request import request
    from benchmarks.ctr.streamed import stream
    from recsys.settings import load_settings
except ImportError as absent:  # a bare GPU machine: only --synthetic runs there
    ABSENT: str | None = str(absent)
else:
    ABSENT = None

LARGE = 65_536  # rows per step on a GPU: it has to be filled
SHAPES = ("400,400,400", "256,128,64")


def arguments() -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ctr", description=(__doc__ or "").split("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--synthetic", type=int, metavar="N", help="train on N synthetic rows")
    what.add_argument("--train", type=Path, metavar="FILE", help="tab-separated: reader, title, label, entities")
    what.add_argument("--features", type=Path, metavar="FILE", help="features.parquet of a workspace")
    what.add_argument("--request", action="store_true", help="how long a request's candidates take")
    what.add_argument("--stream", type=int, metavar="N", help="train on N simulated rows that need not be held")
    parser.add_argument("--gib", type=float, default=0.25, help="of rows that --stream may hold")
    parser.add_argument("--fields", type=int, default=30)
    parser.add_argument("--vocabulary", type=int, default=1_000_000, help="ids of all fields together")
    parser.add_argument("--embedding-dim", type=int, default=16)
    parser.add_argument("--kind", default="deepfm")
    parser.add_argument("--hidden", action="append", help="widths with commas; may be given several times")
    parser.add_argument("--batch-size", type=int, help="8192; 65536 on a GPU")
    parser.add_argument("--beside-rows", type=int, default=200_000, help="rows that DeepCTR-Torch learns from")
    parser.add_argument("--precision", choices=("fp32", "bf16", "both"), default="both")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", default="1", help="with commas; titles and synthetic clicks take the first one")
    return parser.parse_args()


def speed(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """The figures of --synthetic."""
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    size = options.batch_size or (LARGE if device.type == "cuda" else 8192)
    vocabulary = options.vocabulary // options.fields * options.fields
    shapes = [
        Shape(options.kind, options.fields, vocabulary, options.embedding_dim, tuple(map(int, text.split(","))), size)
        for text in options.hidden or SHAPES
    ]
    precisions = {"fp32": [False], "bf16": [True], "both": [False, True]}[options.precision]
    given = {"rows": options.synthetic, "beside_rows": options.beside_rows, "precisions": precisions}
    found = compare(given | {"threads": options.threads, "seed": seed}, shapes, device)
    found |= {"scoring_200_ms_p50": scoring((256, 128, 64), options.embedding_dim), "rows": options.synthetic}
    if device.type == "cuda":
        found["peak_device_mib"] = torch.cuda.max_memory_allocated(device) >> 20
    return found | {"device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"}


def quality(options: argparse.Namespace, seeds: list[int]) -> dict[str, Any]:
    """The figures of --train and --features."""
    if ABSENT is not None:
        sys.exit(f"real clicks need the whole project: {ABSENT}. Run: make setup")
    if options.request:
        torch.set_num_threads(1)
        return requested(request(seeds[0]))
    if options.stream:
        return stream(options.stream, options.gib, seeds[0], (options.hidden or ["64,32"])[0])
    if options.train:
        return of_titles(options.train, load_settings(), options.folds, seeds[0])
    return of_features(options.features, load_settings(), seeds)


def requested(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The figures of --request, printed as a table as well."""
    for name, times in found.items():
        print(f"{name:14} " + "  ".join(f"{figure} {value:.3f}" for figure, value in times.items()))
    return {"ours": found, "baselines": {}, "best": found["dnn"]}


def main() -> None:
    """Run the benchmark."""
    options, began = arguments(), time.perf_counter()
    if absent := missing():
        print(f"DeepCTR-Torch is left out: {', '.join(absent)} not installed; pip install '.[benchmarks]'", flush=True)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    result = speed(options, seeds[0]) if options.synthetic else quality(options, seeds)
    result |= {"seconds": round(time.perf_counter() - began, 1), "seed": seeds[0]}
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
