"""Off-policy estimation on two logs of one site, each telling the other's value, and on simulated logs of known value.

    python -m benchmarks.off_policy --logged ../shared/data/bandit/bts_men.csv.gz \
        --random ../shared/data/bandit/random_men.csv.gz [--repetitions 500] [--plot FILE.svg]

The policy of each log is what it showed at each position. Its value is estimated from the other log, and stands beside
its own click rate. Readers are not looked at, because the logs do not tell them. Rewards for the direct method and the
doubly robust are the other half's click rates by position and article; how wrong these are, the interval of the direct
method does not know. The simulated part repeats logs of a world whose click probabilities are known: bias, error, and
how often the interval holds the true value. ``ips_normal`` and the like are the same estimate with other intervals, and
refuse nothing.

Prints tables, and one JSON object on the last line (docs/design.md). Simulated figures stand under "simulated".
"""

import argparse
import json
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.off_policy.chart import draw
from benchmarks.off_policy.data import read_logs, shown_shares
from benchmarks.off_policy.judging import Judged, by_position, judge
from benchmarks.off_policy.simulated import USUAL, simulate
from recsys.errors import InputError
from recsys.metrics.off_policy import MIN_EFFECTIVE_SIZE, ValueEstimate, on_policy

Figures = dict[str, Any]
QUOTED = "far"  # the simulated logging policy whose figures are quoted: far, and yet not refused


def both_ways(files: Sequence[Path], clip: float, seed: int) -> Figures:
    """Each file's policy from the other file's log, by the name of the file."""
    table: Figures = {}
    logs, articles, positions = read_logs(files)
    for own, other, file, source in zip(logs, logs[::-1], files, files[::-1], strict=True):
        policy = shown_shares(own, positions, articles)
        judged = judge(other, by_position(other, policy, np.random.default_rng(seed)), clip)
        truth = on_policy(own)
        table[file.name] = judged.as_json() | {
            "from": source.name,
            "rows": len(other),
            "clicks": int(other.click.sum()),
            "on_policy": list(truth),
            "click_rate_of_the_log": list(on_policy(other)),
        }
        show(file.name, source.name, judged, truth)
    return table


def show(name: str, source: str, judged: Judged, truth: ValueEstimate) -> None:
    """Print one policy's estimates."""
    print(f"the policy of {name}, from the log {source}: clicks per 1,000 articles shown, 95 % interval")
    figures = judged.weights
    print(
        f"  effective size {figures.effective_size:,.1f}, largest weight {figures.largest:,.2f}, mean weight "
        f"{figures.mean:.3f}, {figures.unsupported:.2%} of the policy where the log shows nothing"
    )
    rows: Mapping[str, ValueEstimate | str] = {"its own click rate": truth} | judged.values
    for estimator, value in rows.items():
        if isinstance(value, str):
            print(f"  {estimator:20} refused: {value}")
        else:
            note = "  (of other rows alone, not of other reward estimates)" if estimator == "dm" else ""
            ends = f"[{1000 * value.low:.2f}, {1000 * value.high:.2f}]"
            print(f"  {estimator:20} {1000 * value.value:7.2f}  {ends}{note}")


def simulated(options: argparse.Namespace) -> Figures:
    """Print and return the simulated part."""
    print(f"simulated: {options.repetitions} logs of {options.rows:,} rows each, relative to the true value")
    table: Figures = {}
    for name, row in simulate(options.rows, options.repetitions, options.clip, options.seed):
        table[name] = row
        print(
            f"  logging policy {name}: effective size {row['effective_size']:,.0f}, largest weight "
            f"{row['largest_weight']:,.1f}, refused {row['refused']:.1%}"
        )
        for estimator, figures in row["estimates"].items():
            print(f"    {estimator:16}", "  ".join(f"{figure} {value:+.3f}" for figure, value in figures.items()))
    return table


def split(table: Figures) -> tuple[Figures, Figures]:
    """The simulated figures of our intervals, and those of the usual ones."""

    def part(usual: bool) -> Figures:
        return {
            name: row
            | {"estimates": {key: value for key, value in row["estimates"].items() if (key in USUAL) == usual}}
            for name, row in table.items()
        }

    return part(False), part(True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.off_policy", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--logged", type=Path, required=True, help="CSV: item_id, position, click, propensity_score")
    parser.add_argument("--random", type=Path, required=True, help="the same columns, of another policy")
    parser.add_argument("--clip", type=float, default=10.0, help="the largest weight of the clipped estimates")
    parser.add_argument("--repetitions", type=int, default=500, help="simulated logs of each logging policy")
    parser.add_argument("--rows", type=int, default=10_000, help="of a simulated log")
    parser.add_argument("--plot", type=Path, help="draw the simulated errors and coverage (.svg or .png)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    try:
        real = both_ways((options.logged, options.random), options.clip, options.seed)
    except InputError as error:
        raise SystemExit(str(error)) from error
    ours, usual = split(simulated(options))
    if options.plot:
        draw(ours, usual, options.plot)
    result = {
        "ours": real | {"simulated": ours},
        "baselines": {"simulated": usual},
        "best": {"simulated_coverage": {name: row["coverage"] for name, row in ours[QUOTED]["estimates"].items()}},
        "min_effective_size": MIN_EFFECTIVE_SIZE,
        "clip": options.clip,
        "repetitions": options.repetitions,
        "seed": options.seed,
        "seconds": round(time.monotonic() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
