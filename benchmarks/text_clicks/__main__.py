"""Text plus clicks: which of the titles would a reader click? Likes and dislikes in titles, beside single baselines.

    python -m benchmarks.text_clicks --data ../shared/data/bing_news/train.tsv [--folds 5] [--seeds 1,2,3]

Lines hold reader, title, label and entities, no times. Folds are drawn by lines: a reader's other lines make the
profile. Word vectors and word counts are learned from all titles, without labels; all that is made of labels is made of
a fold's training lines. The AUC is pooled over all held-out lines of a fold, as a site ranks for all its readers with
one score; ``per_reader`` is the mean over the readers that have both labels in the fold, where a reader's own share of
likes is worth nothing. The best baseline is the best single one by its mean over the folds. Prints every fold, and one
JSON object on the last line.
"""

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.text_clicks.data import Judgements, folds_of, read_judgements, spaces_of
from benchmarks.text_clicks.methods import OURS, Method, baselines, ours
from recsys.metrics import impression_metrics
from recsys.settings import load_settings


def over_folds(log: Judgements, method: Method, folds: int, seeds: Sequence[int]) -> dict[str, Any]:
    """Judge a method on every fold of every seed.

    Returns:
        "auc", the mean over folds, "spread", the largest less the smallest, "per_reader", and "folds", each one's AUC.
    """
    pooled, single = [], []
    for seed in seeds:
        fold = folds_of(len(log.liked), folds, seed)
        for held in range(folds):
            test = np.flatnonzero(fold == held)
            scores = method(np.flatnonzero(fold != held), test)
            everybody = np.zeros(len(test), np.int64)
            pooled.append(impression_metrics(log.liked[test], scores, everybody)["auc"])
            single.append(impression_metrics(log.liked[test], scores, log.reader[test])["auc"])
    return {
        "auc": round(float(np.mean(pooled)), 4),
        "spread": round(max(pooled) - min(pooled), 4),
        "per_reader": round(float(np.mean(single)), 4),
        "folds": [round(value, 4) for value in pooled],
    }


def measure(log: Judgements, methods: dict[str, Method], folds: int, seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Judge every method on the same folds, and print each as soon as it is known."""
    table = {}
    for name, method in methods.items():
        table[name] = one = over_folds(log, method, folds, seeds)
        listed = " ".join(f"{value:.4f}" for value in one["folds"])
        print(f"{name:35} {one['auc']:.4f}  per reader {one['per_reader']:.4f}  folds {listed}", flush=True)
    return table


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.text_clicks", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="tab-separated: reader, title, label, entities")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", default="1", help="with commas: of the folds, everything once for each")
    options = parser.parse_args()
    began, seeds = time.perf_counter(), [int(seed) for seed in options.seeds.split(",")]
    log = read_judgements(options.data)
    spaces = spaces_of(log, load_settings(), seeds[0])
    beside = measure(log, baselines(log, spaces), options.folds, seeds)
    table = measure(log, {name: ours(log, spaces, form) for name, form in OURS.items()}, options.folds, seeds)
    best = max(beside, key=lambda name: float(beside[name]["auc"]))
    gains = np.subtract(table["ours"]["folds"], beside[best]["folds"])
    result = {
        "ours": table,
        "baselines": beside,
        "best": table["ours"],
        "best_baseline": best,
        "gain": round(float(gains.mean()), 4),
        "gain_smallest": round(float(gains.min()), 4),
        "judgements": len(log.liked),
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": seeds[0],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
