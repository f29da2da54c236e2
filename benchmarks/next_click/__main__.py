"""Next click: what does a reader open next? The click model and its item vectors against seven known methods.

``python -m benchmarks.next_click --clicks ../shared/data/g1/clicks.parquet [--from-hour 72] [--to-hour 240]``

Every click after the first of its session is a target. Timing is strict: the state is what was known when the previous
click of the session happened, because that is when the list is shown; the target's own time and context are never read.
The target stands against 50 others drawn in proportion to the clicks of the hour before, none of the session's own; all
methods rank the same draws. ``…_clicked`` leaves out targets that nobody clicked in that hour, which rarity alone gives
away. The click model learns on every hour of log time. In some stretches of time the recommender itself serves every
list from all live articles, and so do the baselines: recall@20, mrr@20, coverage, novelty, share of new articles
recommended within ten minutes. Prints one JSON object on the last line.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np

from benchmarks.next_click.ablation import ablate
from benchmarks.next_click.data import load
from benchmarks.next_click.figures import mean_figures
from benchmarks.next_click.runs import Options, Run, run


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clicks", type=Path, required=True, help="Parquet file in G1's format")
    parser.add_argument("--from-hour", type=float, default=72)
    parser.add_argument("--to-hour", type=float, default=10_000, help="lists shown before it are judged")
    parser.add_argument("--sample", type=float, default=1.0, help="share of the readers")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of draws, weights and order")
    parser.add_argument("--serve-minutes", type=float, default=60, help="of log time in which lists are served, in all")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--ablation", type=Path, help="only measure what each part is worth, into this folder")
    parser.add_argument(
        "--scaling", action="store_true", help="replay 0.25, 0.5 and 1 of the readers and compare times"
    )
    values = parser.parse_args()
    began = time.monotonic()
    options = Options(values.from_hour, values.to_hour, values.serve_minutes, not values.no_baselines)
    if values.ablation:
        told = ablate(load(values.clicks, values.sample, values.seeds[0]), options, values.seeds[0], values.ablation)
        print(json.dumps(told | {"seconds": round(time.monotonic() - began, 1)}))
        return
    if values.scaling:
        for share in (0.25, 0.5, 1.0):
            events = load(values.clicks, share * values.sample, values.seeds[0])
            alone = run(events, Options(values.from_hour, values.to_hour, 0, baselines=False), values.seeds[0])
            print(f"{share:5.2f} of the readers: {len(events):,} clicks replayed in {alone.seconds:.1f} s")
    runs = [run(load(values.clicks, values.sample, seed), options, seed) for seed in values.seeds]
    outcome = summary(runs) | {"seed": values.seeds[0], "seeds": values.seeds}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(outcome | {"seconds": round(time.monotonic() - began, 1), "peak_mib": peak}))


def summary(runs: list[Run]) -> dict[str, object]:
    """All figures, as means over the seeds; printed as a table, too."""
    tables = [
        {name: mean_figures([getattr(run, part)[name] for run in runs]) for name in getattr(runs[0], part)}
        for part in ("ours", "baselines")
    ]
    for table in tables:
        for name, figures in table.items():
            shown = (f"{key} {value:.4f}" for key, value in figures.items() if not key.endswith("_spread"))
            print(f"{name:20}", "  ".join(shown))
    rates = [run.predictions / run.seconds for run in runs]
    print(f"replay: {np.mean([run.seconds for run in runs]):.1f} s, {np.mean(rates):,.0f} predictions/s")
    return {
        "ours": tables[0],
        "baselines": tables[1],
        "best": tables[0]["click_model"],
        "targets": runs[0].predictions,
        "replay_seconds": round(float(np.mean([run.seconds for run in runs])), 1),
        "predictions_per_second": round(float(np.mean(rates))),
    }


if __name__ == "__main__":
    main()
