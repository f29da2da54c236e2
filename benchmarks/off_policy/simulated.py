"""Simulated logs of known value: readers, articles and positions whose click probabilities are known.

Logging policies from near the target to far from it; each is repeated, and every estimate is held against the value
that the target policy truly has.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.off_policy.data import Matrix, cross_fitted_rates
from benchmarks.off_policy.judging import judge
from recsys.metrics.logged_bandit import LoggedBandit, TargetRows, target_rows
from recsys.metrics.off_policy import ValueEstimate, gamma_interval

READERS, ARTICLES = 20, 30  # kinds of readers
EXAMINED = (1.0, 0.7, 0.5)  # click probability at each position, relative to the first
CLICK_RATE = 0.01  # mean over readers and articles at the first position: clicks are rare
SHARPNESS = 2.0  # of a recommender's softmax over a noisy view of the readers' tastes
AWAY = {"near": 0.3, "between": 0.9, "far": 0.97, "too far": 0.9995}  # share of lists that the opposite policy made
PEAKED = "peaked"  # a recommender's log, and a uniform target: weights as unequal as in real logs
SHUNNED = "shunned"  # the same with a log that shows least what readers like best: the clicks that weigh most are rare
BOOTSTRAPS = 500
USUAL = ("ips_normal", "ips_bootstrap", "ips_largest")  # the same estimate with other intervals


class Bandit(NamedTuple):
    """A world, the policy that logs and the one whose value is asked for. C cases: a kind of reader at a position.

    Attributes:
        chance: float64 (C, A), click probabilities.
        logging: float64 (C, A).
        target: float64 (C, A).
    """

    chance: Matrix
    logging: Matrix
    target: Matrix

    @property
    def value(self) -> float:
        """Clicks per article shown that the target truly has."""
        return float((self.target * self.chance).sum(axis=1).mean())


def bandits(rng: np.random.Generator) -> Iterator[tuple[str, Bandit]]:
    """One world, and pairs of policies in it, by name."""
    taste = rng.standard_normal((READERS, ARTICLES))
    view = 0.8 * taste + 0.6 * rng.standard_normal((READERS, ARTICLES))  # what the recommender believes
    first = np.exp(0.7 * taste)
    first = np.clip(first / first.mean() * CLICK_RATE, 0.0, 1.0)
    chance = np.concatenate([first * share for share in EXAMINED])
    recommender, opposite = (_softmax(SHARPNESS * scores) for scores in (view, -taste))
    for name, away in AWAY.items():
        yield name, Bandit(chance, (1 - away) * recommender + away * opposite, recommender)
    uniform = np.full(chance.shape, 1 / ARTICLES)
    yield PEAKED, Bandit(chance, recommender, uniform)
    yield SHUNNED, Bandit(chance, _softmax(-taste), uniform)


def _softmax(scores: Matrix) -> Matrix:
    """Policy at all positions, float64 (C, A), of scores by kind of reader."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.tile(odds / odds.sum(axis=1, keepdims=True), (len(EXAMINED), 1))


def draw_log(bandit: Bandit, rows: int, rng: np.random.Generator) -> tuple[LoggedBandit, TargetRows]:
    """A log, and the target at its rows.

    The reward estimate knows positions and articles and not the readers, so the direct method is wrong here.
    """
    C, P = len(bandit.chance), len(EXAMINED)
    case = rng.integers(C, size=rows)
    ends = (np.arange(C)[:, None] + np.cumsum(bandit.logging, axis=1)).ravel()  # one line for all cases
    article = np.minimum(np.searchsorted(ends, case + rng.random(rows)) - case * ARTICLES, ARTICLES - 1)
    click = (rng.random(rows) < bandit.chance[case, article]).astype(np.int8)
    log = LoggedBandit(article, case // READERS, click, bandit.logging[case, article])
    half = rng.integers(2, size=rows)
    rates = np.repeat(cross_fitted_rates(log, P, ARTICLES, half), READERS, axis=0)  # (2 C, A)
    return log, target_rows(log, np.tile(bandit.target, (2, 1)), half * C + case, rates)


def other_intervals(log: LoggedBandit, target: TargetRows, rng: np.random.Generator) -> dict[str, ValueEstimate]:
    """IPS with other intervals: asymptotic normal, percentiles of a bootstrap over the rows, and Fay and Feuer's own.

    The bootstrap draws how often each clicked row comes, which is all that its mean depends on.
    """
    N, weight = len(log), target.probability / log.propensity
    reward = weight * log.click
    value, reach = float(reward.mean()), float(1.96 * reward.std() / np.sqrt(N))
    clicked = reward[reward > 0]
    shares = np.append(np.full(len(clicked), 1 / N), 1 - len(clicked) / N)
    means = rng.multinomial(N, shares, size=BOOTSTRAPS)[:, :-1] @ clicked / N
    low, high = np.quantile(means, [0.025, 0.975])
    largest = gamma_interval(value, float(reward.var()) / N, float(weight.max()) / N)
    intervals = ((value - reach, value + reach), (float(low), float(high)), largest)
    return {name: ValueEstimate(value, *interval) for name, interval in zip(USUAL, intervals, strict=True)}


def repeat(bandit: Bandit, rows: int, repetitions: int, clip: float, seed: int) -> dict[str, Any]:
    """Figures of every estimate over many logs of one pair of policies.

    Returns:
        "effective_size" and "largest_weight": medians; "refused": share of the logs; "estimates": estimate -> "bias"
        and "rmse" (relative to the true value), "coverage" and "width" (relative) of its interval, over the logs that
        were not refused; of the other intervals, which refuse nothing, over all.
    """
    rng = np.random.default_rng(seed)
    sizes: list[float] = []
    largest: list[float] = []
    found: dict[str, list[ValueEstimate]] = {}
    for _ in range(repetitions):
        log, target = draw_log(bandit, rows, rng)
        judged = judge(log, target, clip)
        sizes.append(judged.weights.effective_size)
        largest.append(judged.weights.largest)
        given = {name: value for name, value in judged.values.items() if not isinstance(value, str)}
        for name, value in (given | other_intervals(log, target, rng)).items():
            found.setdefault(name, []).append(value)
    return {
        "effective_size": round(float(np.median(sizes)), 1),
        "largest_weight": round(float(np.median(largest)), 1),
        "refused": round(1 - len(found.get("ips", [])) / repetitions, 4),
        "estimates": {name: _figures(np.array(values), bandit.value) for name, values in found.items()},
    }


def _figures(values: Matrix, true: float) -> dict[str, float]:
    """Of float64 (repetitions, 3): value, low, high."""
    value, low, high = values.T
    return {
        "bias": round(float(value.mean() / true - 1), 4),
        "rmse": round(float(np.sqrt(((value / true - 1) ** 2).mean())), 4),
        "coverage": round(float(((low <= true) & (true <= high)).mean()), 4),
        "width": round(float((high - low).mean() / true), 4),
    }


def simulate(rows: int, repetitions: int, clip: float, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and figures of ``bandits``, each with logs of its own."""
    for number, (name, bandit) in enumerate(bandits(np.random.default_rng(seed))):
        yield name, repeat(bandit, rows, repetitions, clip, seed + number)
