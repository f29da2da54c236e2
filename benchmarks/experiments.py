"""Experiments: do their intervals keep what they promise when one looks every day? 2,000 simulated ones of each kind.

``python -m benchmarks.experiments [--experiments 2000] [--readers 10000] [--looks 20] [--seed 1]``

Readers differ: how much each clicks is drawn from a gamma distribution, and a reader's week before foretells the week
of the experiment. They arrive in equal parts between the looks.

    a/a      nothing differs: of how many experiments is it ever said that something does? (alpha: 5 %)
    effect   the treatment's readers click so much more: in how many is it found, and after how many readers?
    broken   one reader in ten of the treatment is not written down: in how many does the sample ratio say so?

Baselines: the usual interval of 95 % at every look (peeking), and the same sequence without the reader's past. Prints a
table and one JSON object on the last line.
"""

import argparse
import json
import math
import time
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from recsys.experiments.effects import SUSPICIOUS_RATIO, difference, sample_ratio
from recsys.experiments.moments import ArmMoments
from recsys.experiments.sequential import ALPHA

CLICKS = 3.0  # of a reader in a week, on the mean
SHAPE = 0.5  # of the gamma distribution: many hardly click, few click a lot
LOST = 0.1  # of the treatment's readers, where exposure is broken

Values = npt.NDArray[np.float64]


class Readers(NamedTuple):
    """Readers of one experiment, in the order in which they come: arm (1: treatment), value, value before."""

    arm: npt.NDArray[np.bool_]
    value: Values
    before: Values

    def arms(self, start: int, stop: int) -> tuple[ArmMoments, ArmMoments, ArmMoments, ArmMoments]:
        """Sums of the readers start:stop: of the treatment and the control, each also without the past."""
        arm, value, before = self.arm[start:stop], self.value[start:stop], self.before[start:stop]
        treated, control = (value[arm], before[arm]), (value[~arm], before[~arm])
        return (
            ArmMoments.of(*treated),
            ArmMoments.of(*control),
            ArmMoments.of(treated[0]),
            ArmMoments.of(control[0]),
        )


def simulated(n: int, effect: float, lost: float, rng: np.random.Generator) -> Readers:
    """Draw readers; of the treatment's, a share is lost."""
    keen = rng.gamma(SHAPE, CLICKS / SHAPE, n)
    arm = rng.random(n) < 0.5
    readers = Readers(
        arm,
        rng.poisson(keen * np.where(arm, 1 + effect, 1.0)).astype(np.float64),
        rng.poisson(keen).astype(np.float64),
    )
    kept = ~(arm & (rng.random(n) < lost))
    return Readers(readers.arm[kept], readers.value[kept], readers.before[kept])


class Outcome(NamedTuple):
    """One experiment: the look at which each method found an effect first, and the ratio's p."""

    found: dict[str, int | None]
    ratio: float


def experiment(readers: Readers, looks: int) -> Outcome:
    """Look at an experiment again and again."""
    ends = np.linspace(0, len(readers.arm), looks + 1).astype(int).tolist()
    sums = [ArmMoments()] * 4
    found: dict[str, int | None] = dict.fromkeys(("sequence", "without the past", "peeking"))
    for look, (start, stop) in enumerate(pairwise(ends), 1):
        new = readers.arms(start, stop)
        sums = [mine.plus(more) for mine, more in zip(sums, new, strict=True)]
        treated, control, plain_treated, plain_control = sums
        said = {
            "sequence": difference(treated, control).excludes_zero,
            "without the past": difference(plain_treated, plain_control).excludes_zero,
            "peeking": _usual(plain_treated, plain_control),
        }
        for method, effect in said.items():
            if effect and found[method] is None:
                found[method] = look
    return Outcome(found, sample_ratio([int(sums[0].n), int(sums[1].n)], [0.5, 0.5]))


def _usual(treatment: ArmMoments, control: ArmMoments) -> bool:
    """The fixed interval of level 1 - alpha excludes zero."""
    error = math.sqrt(treatment.variance() / treatment.n + control.variance() / control.n)
    return abs(treatment.mean - control.mean) > float(ndtri(1 - ALPHA / 2)) * error


def measured(effect: float, lost: float, options: argparse.Namespace) -> dict[str, Any]:
    """Many experiments of one kind: by method the share in which something was found, and readers until then."""
    rng = np.random.default_rng(options.seed)
    outcomes = [
        experiment(simulated(options.readers, effect, lost, rng), options.looks) for _ in range(options.experiments)
    ]
    figures: dict[str, Any] = {}
    for method in outcomes[0].found:
        looks = [outcome.found[method] for outcome in outcomes]
        when = sorted(look for look in looks if look is not None)
        share = len(when) / len(looks)
        middle = math.nan if 2 * len(when) <= len(looks) else when[len(looks) // 2] * options.readers / options.looks
        figures[method] = {"found": round(share, 4), "median_readers": None if math.isnan(middle) else round(middle)}
    figures["ratio told"] = {"found": sum(o.ratio < SUSPICIOUS_RATIO for o in outcomes) / len(outcomes)}
    return figures


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="benchmarks.experiments")
    parser.add_argument("--experiments", type=int, default=2_000)
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options, began = parser.parse_args(), time.monotonic()
    kinds = {"a/a": (0.0, 0.0), "effect 10 %": (0.1, 0.0), "effect 20 %": (0.2, 0.0), "broken": (0.0, LOST)}
    figures = {kind: measured(*facts, options) for kind, facts in kinds.items()}
    table = pd.DataFrame({kind: {m: f["found"] for m, f in methods.items()} for kind, methods in figures.items()})
    print(table.to_string(float_format="{:.3f}".format))
    ours = {kind: {"sequence": f["sequence"], "ratio told": f["ratio told"]} for kind, f in figures.items()}
    baselines = {kind: {m: f[m] for m in ("without the past", "peeking")} for kind, f in figures.items()}
    best = {
        "false_alarms": figures["a/a"]["sequence"]["found"],
        "false_alarms_peeking": figures["a/a"]["peeking"]["found"],
        "found_10_percent": figures["effect 10 %"]["sequence"]["found"],
        "broken_told": figures["broken"]["ratio told"]["found"],
        "broken_told_in_a_a": figures["a/a"]["ratio told"]["found"],
    }
    facts = {"experiments": options.experiments, "readers": options.readers, "looks": options.looks}
    facts |= {"seed": options.seed, "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps({"ours": ours, "baselines": baselines, "best": best, **facts}))


if __name__ == "__main__":
    main()
