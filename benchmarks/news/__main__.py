"""News that readers were shown: our click model beside models of clicks, of text and of both, on the same lists.

    python -m benchmarks.news --mind ../shared/data/mind_zh [--seeds 3] [--workspace DIR]
    python -m benchmarks.news --mind ../shared/data/mind_zh --models nrms naml lstur gru
    python -m benchmarks.news --mind ../shared/data/mind_zh --models without_audience without_content

A folder in MIND's format is imported and goes through the project's own stages of text; its lists are split by time
into those to fit (the first ones among them only fill the counts, ``features.warmup_share``), to validate and to judge.
Every model reads the same log, learns from the parts before the held-out one, and ranks the same held-out lists.
A second split judges on the lists before those, with the log cut there. Figures are means over lists with both labels
and over seeds of the models (the vectors are of one seed); differences are paired over lists, with 95 % bootstrap
intervals. Seconds and MiB are of one training with its refit. With ``--unaware`` no model can tell which articles have
a text. Prints a table per split, and one JSON object on the last line.
"""

import argparse
import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.news.data import TimeSplit, newsroom, settings_of, sizes, time_splits
from benchmarks.news.judging import Judged, differences, judged, row
from benchmarks.news.networks import NETWORKS
from benchmarks.news.neural import AUTOENCODED, neural_rivals
from benchmarks.news.ours import ours, without
from benchmarks.news.rivals import CHEAP, Rival, missing
from jobs.terminal import peak_mib, reset_peak_memory
from recsys.ctr.config import CtrConfig
from recsys.dataset.impressions import HOLDOUT
from recsys.features import GROUPS

WITHOUT = {f"without_{group}": group for group in GROUPS}
NAMES = (
    *CHEAP,
    *NETWORKS,
    *AUTOENCODED,
    *WITHOUT,
)  # a minute or more for each seed of a network: by default the others run
SAME = {"click_rate", "content", "content_and_rate", "autoencoder"}  # draw nothing at random: one seed says all


def options() -> argparse.Namespace:
    """The command line's options."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.news", description=about)
    parser.add_argument("--mind", type=Path, required=True, help="folder with behaviors.tsv and news.tsv")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 1")
    parser.add_argument("--models", nargs="+", choices=NAMES, default=list(CHEAP), help="rivals that run")
    parser.add_argument("--unaware", action="store_true", help="no model can tell which articles have a text")
    parser.add_argument("--workspace", type=Path, help="keeps the stages of text for the next run")
    return parser.parse_args()


def measured(split: TimeSplit, model: Rival, seeds: range) -> Judged:
    """Train and judge one model with every seed."""
    reset_peak_memory()
    before, began = peak_mib(), time.perf_counter()
    scores = [model(split, seed) for seed in seeds]
    seconds = (time.perf_counter() - began) / len(seeds)
    return judged(split.part(HOLDOUT), scores, seconds, peak_mib() - before)


def compared(split: TimeSplit, config: CtrConfig, rivals: Mapping[str, Rival], seeds: range) -> dict[str, Any]:
    """Every model on one split, printed as soon as it is known.

    Returns:
        "ours", "baselines", "over": rival -> differences of ours to it, and "lists".
    """
    print(f"lists: {sizes(split)}", flush=True)
    first = measured(split, partial(ours_of, config=config), seeds)
    show("ours", first)
    result: dict[str, Any] = {"ours": {"ours": row(first)}, "baselines": {}, "over": {}, "lists": sizes(split)}
    for name, model in rivals.items():
        rival = measured(split, model, seeds[:1] if name in SAME else seeds)
        result["baselines"][name] = row(rival)
        result["over"][name] = over = differences(first, rival, np.random.default_rng(seeds[0]))
        show(name, rival, over["auc"])
    return result


def ours_of(split: TimeSplit, seed: int, config: CtrConfig) -> Any:
    """Our click model as a rival is called."""
    return ours(split, config, seed)


def without_group(split: TimeSplit, seed: int, config: CtrConfig, group: str) -> Any:
    """Our click model without a group of columns, as a rival is called."""
    return without(split, config, seed, group)


def show(name: str, one: Judged, over: list[float] | None = None) -> None:
    """Print a row of the table."""
    cells = "  ".join(f"{figure} {value}" for figure, value in row(one).items())
    paired = "" if over is None else f"  ours over it {over[0]:+.4f} [{over[1]:+.4f}, {over[2]:+.4f}]"
    print(f"{name:18} {cells}{paired}", flush=True)


def main() -> None:
    """Run the benchmark."""
    asked, began = options(), time.perf_counter()
    seeds = range(1, asked.seeds + 1)
    names = list(dict.fromkeys(asked.models))
    if absent := missing(names):
        print(absent, flush=True)
        names.remove("lambdarank")
    results = {}
    with newsroom(asked.mind, asked.workspace, seeds[0]) as room:
        ctr = settings_of(room).ctr
        parts = {name: partial(without_group, config=ctr, group=group) for name, group in WITHOUT.items()}
        known = CHEAP | neural_rivals(room, names) | parts
        rivals = {name: known[name] for name in names}
        for which, split in time_splits(room):
            print(f"\n{which}", end="  ")
            results[which] = compared(split.unaware() if asked.unaware else split, ctr, rivals, seeds)
    last = results["last"]
    best = {name: last["ours"]["ours"][name] for name in ("auc", "mrr", "ndcg5", "ndcg10")}
    about = {"best": best, "second": results["before"], "unaware": asked.unaware}
    about |= {"seeds": asked.seeds, "seed": seeds[0]}
    print(json.dumps(last | about | {"seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
