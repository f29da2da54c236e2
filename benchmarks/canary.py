"""Canary: is a worse release taken back, after how many readers, and is an equal one left alone? 2,000 simulated ones.

``python -m benchmarks.canary [--canaries 2000] [--readers 200000] [--share 0.05] [--looks 100] [--worse 0.1]``

Readers differ: how often each clicks a card is drawn from a beta distribution with the mean and spread that visits of a
news site have, and a visit shows ten to forty cards. They come one after the other; the canary's share of them sees the
other release. The rule is the one that ``python -m jobs canary`` asks (``recsys.gate.canary``), at every look.

    equal    as good as the live release: taken back in how many? (alpha: 5 %, over all looks together)
    worse    so much worse: taken back in how many, after how many readers, and how many of them saw it?
    better   better by as much

Prints a table and one JSON object on the last line.
"""

import argparse
import json
import time
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.experiments.effects import difference, variance_kept
from recsys.experiments.moments import ArmMoments
from recsys.experiments.report import ExperimentReport, MeasureEffect
from recsys.experiments.sequential import ALPHA
from recsys.gate.canary import CANARY_MARGIN, CANARY_MEASURE, CanaryMove, canary_verdict
from recsys.serving.challenger import ChallengerFigures

CLICK_RATE = 0.08  # of a card, on the mean
SPREAD = 6.0  # of the beta distribution, a + b: the standard deviation between readers is as large as the mean
CARDS = (10, 40)  # of a visit

Values = npt.NDArray[np.float64]


class Ending(NamedTuple):
    """The end of one canary: the move, the readers until then, and those of them who saw it."""

    move: CanaryMove
    readers: int
    seen_by: int


def click_rates(n: int, effect: float, rng: np.random.Generator) -> Values:
    """Click rates of n visits, with lists that are so much better (negative: worse)."""
    keen = rng.beta(CLICK_RATE * SPREAD, (1 - CLICK_RATE) * SPREAD, n)
    cards = rng.integers(*CARDS, n)
    return rng.binomial(cards, np.minimum(keen * (1 + effect), 1.0)) / cards


def canary(effect: float, options: argparse.Namespace, rng: np.random.Generator) -> Ending:
    """Watch one canary until the rule decides, or nobody comes any more."""
    ends = np.linspace(0, options.readers, options.looks + 1).astype(int).tolist()
    live, other = ArmMoments(), ArmMoments()
    for start, stop in pairwise(ends):
        mine = int(rng.binomial(stop - start, options.share))
        other = other.plus(ArmMoments.of(click_rates(mine, effect, rng)))
        live = live.plus(ArmMoments.of(click_rates(stop - start - mine, 0.0, rng)))
        verdict = canary_verdict(_report(other, live), ChallengerFigures(), CANARY_MARGIN)
        if verdict.move is not CanaryMove.GO_ON:
            return Ending(verdict.move, stop, int(other.n))
    return Ending(CanaryMove.GO_ON, options.readers, int(other.n))


def _report(other: ArmMoments, live: ArmMoments) -> ExperimentReport:
    found, kept = difference(other, live), variance_kept(other, live)
    effect = MeasureEffect(CANARY_MEASURE, "canary", live.mean, other.mean, found, kept, breach=False)
    return ExperimentReport({}, {}, 1.0, "", [effect], {})


def measured(effect: float, options: argparse.Namespace) -> dict[str, Any]:
    """Many canaries of one kind."""
    rng = np.random.default_rng(options.seed)
    endings = [canary(effect, options, rng) for _ in range(options.canaries)]
    back = [one for one in endings if one.move is CanaryMove.TAKE_BACK]
    shares = {move.name.lower(): sum(one.move is move for one in endings) / len(endings) for move in CanaryMove}
    figures: dict[str, Any] = {name: round(share, 4) for name, share in shares.items()}
    figures["readers"] = round(float(np.median([one.readers for one in back]))) if back else None
    figures["seen_by"] = round(float(np.median([one.seen_by for one in back]))) if back else None
    return figures


def main() -> None:
    """Read the command line, simulate, and print a table and one JSON object on the last line."""
    parser = argparse.ArgumentParser(
        description="Canaries, simulated: false alarms, and readers until one is taken back."
    )
    parser.add_argument("--canaries", type=int, default=2000, help="simulated, of each kind")
    parser.add_argument("--readers", type=int, default=200_000, help="who come at most")
    parser.add_argument("--share", type=float, default=0.05, help="of the readers who see the canary")
    parser.add_argument("--looks", type=int, default=100, help="at the figures so far")
    parser.add_argument("--worse", type=float, default=0.1, help="relative effect of the worse one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.process_time()
    kinds = {"equal": 0.0, "worse": -options.worse, "better": options.worse}
    table = {kind: measured(effect, options) for kind, effect in kinds.items()}
    print(pd.DataFrame(table).T.to_string(), "\n")
    best = {
        "false_alarms": table["equal"]["take_back"],
        "taken_back": table["worse"]["take_back"],
        "seen_by": table["worse"]["seen_by"],
    }
    facts = {"alpha": ALPHA, "margin": CANARY_MARGIN, **vars(options)}
    seconds = round(time.process_time() - began, 1)
    print(
        json.dumps(
            {
                "task": "canary",
                "simulated": True,
                "best": best,
                "ours": table,
                "settings": facts,
                "cpu_seconds": seconds,
            }
        )
    )


if __name__ == "__main__":
    main()
