"""Off-policy estimation: by hand, beside the published formulas summed row by row, and on simulated logs."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from recsys.errors import DegenerateInput
from recsys.metrics.logged_bandit import LoggedBandit, TargetRows, target_rows
from recsys.metrics.off_policy import (
    ValueEstimate,
    direct,
    doubly_robust,
    gamma_interval,
    ips,
    on_policy,
    snips,
    weight_figures,
)

WEIGHTED = {"ips": ips, "snips": snips, "dr": doubly_robust}


def hand_log(**columns: Any) -> LoggedBandit:
    """Four rows, two articles, two positions."""
    rows: dict[str, Any] = {
        "article": np.array([0, 1, 0, 1]),
        "position": np.array([0, 0, 1, 1]),
        "click": np.array([1, 0, 0, 1]),
        "propensity": np.array([0.5, 0.5, 0.8, 0.2]),
    }
    return LoggedBandit(**(rows | columns))


POLICY = np.array([[0.25, 0.75], [0.4, 0.6]])  # by position
REWARD = np.array([[0.2, 0.1], [0.4, 0.3]])


def hand_target(log: LoggedBandit) -> TargetRows:
    return target_rows(log, POLICY, log.position, REWARD)


def test_four_rows_agree_with_the_sums_done_by_hand() -> None:
    log = hand_log()
    target = hand_target(log)
    # the weights: 0.5, 1.5, 0.5, 3, each article's share at its own position over its propensity
    assert weight_figures(log, target) == pytest.approx((5.5**2 / (0.25 + 2.25 + 0.25 + 9), 3.0, 5.5 / 4, 0.0))
    assert ips(log, target, min_effective_size=0).value == pytest.approx((0.5 + 3.0) / 4)
    assert snips(log, target, min_effective_size=0).value == pytest.approx((0.5 + 3.0) / 5.5)
    expected = [0.25 * 0.2 + 0.75 * 0.1, 0.4 * 0.4 + 0.6 * 0.3]  # at either position
    assert direct(log, target).value == pytest.approx(sum(expected) / 2)
    beyond = 0.5 * (1 - 0.2) + 1.5 * (0 - 0.1) + 0.5 * (0 - 0.4) + 3.0 * (1 - 0.3)
    assert doubly_robust(log, target, min_effective_size=0).value == pytest.approx(sum(expected) / 2 + beyond / 4)


def test_a_clip_cuts_the_weights_and_nothing_else() -> None:
    log = hand_log()
    target = hand_target(log)
    assert ips(log, target, clip=2.0, min_effective_size=0).value == pytest.approx((0.5 + 2.0) / 4)
    assert snips(log, target, clip=2.0, min_effective_size=0).value == pytest.approx((0.5 + 2.0) / 4.5)
    beyond = 0.5 * 0.8 - 1.5 * 0.1 - 0.5 * 0.4 + 2.0 * 0.7
    value = doubly_robust(log, target, clip=2.0, min_effective_size=0).value
    assert value == pytest.approx(direct(log, target).value + beyond / 4)


def published(name: str, log: LoggedBandit, dist: np.ndarray, q: np.ndarray, clip: float) -> float:
    """The estimators' formulas, one row after the other; ``dist`` and ``q``: (row, article, position)."""
    above = below = 0.0
    n, articles, _ = dist.shape
    for t in range(n):
        a, k, r, p = (column[t] for column in (log.article, log.position, log.click, log.propensity))
        w = min(dist[t, a, k] / p, clip)
        of_target = math.fsum(dist[t, b, k] * q[t, b, k] for b in range(articles))
        above += {"ips": w * r, "snips": w * r, "dm": of_target, "dr": of_target + w * (r - q[t, a, k])}[name]
        below += w if name == "snips" else 1.0
    return above / below


@pytest.mark.parametrize("clip", [np.inf, 1.5])
@pytest.mark.parametrize("name", ["ips", "snips", "dm", "dr"])
def test_every_estimate_is_the_published_formula_to_nine_digits(name: str, clip: float) -> None:
    rng = np.random.default_rng(5)
    n, articles, positions = 400, 6, 3
    dist = rng.dirichlet(np.ones(articles), size=(n, positions)).transpose(0, 2, 1)
    q = rng.random((n, articles, positions))
    position, article = rng.integers(positions, size=n), rng.integers(articles, size=n)
    log = LoggedBandit(article, position, rng.integers(2, size=n), rng.uniform(0.05, 1.0, n))
    rows = np.arange(n)
    target = target_rows(log, dist[rows, :, position], rows, q[rows, :, position])
    got = direct(log, target) if name == "dm" else WEIGHTED[name](log, target, clip=clip, min_effective_size=0)
    assert got.value == pytest.approx(published(name, log, dist, q, clip), abs=1e-12)
    assert got.low <= got.value <= got.high


def test_an_article_weighs_by_the_propensity_at_its_own_position() -> None:
    log = hand_log()
    moved = hand_log(position=np.array([1, 0, 0, 1]))
    assert hand_target(log).probability.tolist() == [0.25, 0.75, 0.4, 0.6]
    assert hand_target(moved).probability.tolist() == [0.4, 0.75, 0.25, 0.6]


def test_the_policy_of_the_log_itself_has_the_click_rate_as_its_value() -> None:
    rng = np.random.default_rng(2)
    article, position, click = rng.integers(2, size=(3, 500))
    log = LoggedBandit(article, position, click, np.full(500, 0.5))
    target = target_rows(log, np.full((2, 2), 0.5), log.position)
    for estimator in (ips, snips):
        assert estimator(log, target) == pytest.approx(on_policy(log), rel=0.02)
        assert estimator(log, target).value == pytest.approx(log.click.mean())
    assert weight_figures(log, target)[:3] == pytest.approx((500, 1, 1))


def test_with_equal_weights_the_interval_is_the_exact_one_of_a_count() -> None:
    for clicks in (1, 4, 30):
        low, high = gamma_interval(clicks, clicks, 1.0)
        assert low == pytest.approx(chi2.ppf(0.025, 2 * clicks) / 2)
        assert high == pytest.approx(chi2.ppf(0.975, 2 * clicks + 2) / 2)


def test_no_click_at_all_still_leaves_an_upper_end() -> None:
    log = hand_log(article=np.zeros(300, int), position=np.zeros(300, int), click=np.zeros(300, int),
                   propensity=np.full(300, 0.5))  # fmt: skip
    found = ips(log, target_rows(log, np.ones((1, 1)), log.position))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(-2 * math.log(0.025) / 300)


def test_the_click_that_was_not_drawn_has_the_root_mean_square_weight_of_what_the_target_shows() -> None:
    article = np.array([0, 1] * 200)
    log = LoggedBandit(article, np.zeros(400, int), np.zeros(400, int), np.where(article == 0, 0.75, 0.25))
    target = target_rows(log, np.array([[0.25, 0.75]]), log.position)  # weights 1 / 3 and 3
    weight = math.sqrt((1 / 27 + 27) / (1 / 3 + 3))
    assert ips(log, target).high == pytest.approx(-math.log(0.025) * weight / 400)
    assert snips(log, target).high == pytest.approx(-math.log(0.025) * weight / (200 * (1 / 3 + 3)))


def test_an_estimate_below_the_least_effective_size_is_refused_whatever_the_clip() -> None:
    n = 20_000
    propensity = np.full(n, 0.9)
    propensity[0] = 1 / 21_739 / 2
    log = LoggedBandit(np.zeros(n, int), np.zeros(n, int), np.ones(n, int), propensity)
    target = target_rows(log, np.array([[0.5, 0.5]]), np.zeros(n, int))
    assert weight_figures(log, target).largest == pytest.approx(21_739)
    for estimator in WEIGHTED.values():
        for clip in (np.inf, 1.0):
            with pytest.raises(
                DegenerateInput, match=r"effective size of at least 100 rows; got 2\.\d .*21,739"
            ) as refusal:
                estimator(log, target, clip=clip)
            assert "nearer to the logged" in refusal.value.remedy
    assert direct(log, target).value == 0.0  # uses no weight


def test_the_edge_of_the_effective_size() -> None:
    log = LoggedBandit(np.zeros(100, int), np.zeros(100, int), np.ones(100, int), np.full(100, 1.0))
    target = target_rows(log, np.ones((1, 1)), log.position)
    assert ips(log, target).value == 1.0
    with pytest.raises(DegenerateInput, match=r"at least 100\.5 rows; got 100\.0"):
        ips(log, target, min_effective_size=100.5)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"propensity": np.array([0.5, 0.0, 0.8, 0.2])}, "propensities above 0 and at most 1; got 1 of 4.*0.0 in"),
        ({"propensity": np.array([0.5, 0.5, np.nan, 0.2])}, "propensities above 0.*nan in row 2"),
        ({"propensity": np.array([-0.5, 0.5, 0.8, 0.2])}, r"propensities above 0.*-0.5 in row 0"),
        ({"propensity": np.array([0.5, 0.5, 0.8, 1.0001])}, r"propensities above 0.*1.0001 in row 3"),
        ({"propensity": np.full(4, np.nan)}, "propensities above 0.*got 4 of 4"),
        ({"propensity": np.array([])}, "columns of one length; got 4 and 4 and 4 and 0"),
        (dict.fromkeys(("article", "position", "click", "propensity"), np.array([])), "a log with rows; got an empty"),
        ({"click": np.array([1, 0, 2, 0])}, "clicks of 0 and 1; got 1 of 4 otherwise, the first 2 in row 2"),
        ({"click": np.array([1, 0, np.nan, 0])}, "clicks of 0 and 1"),
        ({"position": np.array([0, -1, 1, 1])}, "positions as whole numbers from 0; got 1 of 4.*-1 in row 1"),
        ({"position": np.array([0, np.nan, 1, 1])}, "positions as whole numbers from 0"),
        ({"article": np.array([0, -1, 1, 1])}, "articles as whole numbers from 0"),
    ],
)  # fmt: skip
def test_a_log_that_cannot_be_weighted_is_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DegenerateInput, match=message) as refusal:
        hand_log(**columns)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("policy", "case", "reward", "message"),
    [
        (np.array([[0.5, 0.4], [0.4, 0.6]]), None, None, "sum to 1; got 1 of 2 otherwise, the first 0.9 in row 0"),
        (np.array([[1.5, -0.5], [0.4, 0.6]]), None, None, "sum to 1"),
        (np.array([[np.nan, 0.5], [0.4, 0.6]]), None, None, "sum to 1"),
        (POLICY[:, :1], None, None, "a row per case and a column per article"),
        (POLICY[:1], None, None, "a row per case"),
        (POLICY, np.array([0, 0, 1]), None, "for 3 cases"),
        (POLICY, np.array([0, 0, 1, -1]), None, "a row per case"),
        (POLICY, None, REWARD[:1], r"\(2, 2\) and \(1, 2\)"),
        (POLICY, None, np.array([[0.1, np.inf], [0.2, 0.3]]), "finite reward estimates"),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    policy: np.ndarray, case: np.ndarray | None, reward: np.ndarray | None, message: str
) -> None:
    log = hand_log()
    with pytest.raises(DegenerateInput, match=message):
        target_rows(log, policy, log.position if case is None else case, reward)


def test_what_the_target_shows_and_the_log_never_does_is_told_by_its_share() -> None:
    log = hand_log(article=np.array([0, 1, 0, 0]), click=np.array([1, 1, 1, 1]), propensity=np.array([0.5, 0.5, 1, 1]))
    target = target_rows(log, POLICY, log.position)
    assert target.unsupported == pytest.approx((0 + 0.6) / 2)  # article 1 never stands at position 1
    assert weight_figures(log, target).unsupported == target.unsupported
    only = hand_log(article=np.zeros(4, int))
    nothing = target_rows(only, np.array([[0.0, 1.0], [0.0, 1.0]]), only.position)
    assert weight_figures(only, nothing) == (0.0, 0.0, 0.0, 1.0)
    for estimator in WEIGHTED.values():
        with pytest.raises(DegenerateInput, match=r"got 0\.0 .* and 100\.0% of the target on what the log never shows"):
            estimator(only, nothing)


def simulated_estimates(
    estimator: Callable[..., ValueEstimate], logging: np.ndarray, chance: np.ndarray, policy: np.ndarray, repeats: int
) -> np.ndarray:
    """float64 (repeats, 3): value, low and high, of logs of 3,000 rows at one position."""
    rng = np.random.default_rng(17)
    found = []
    for _ in range(repeats):
        article = rng.choice(len(logging), 3_000, p=logging)
        click = (rng.random(3_000) < chance[article]).astype(int)
        log = LoggedBandit(article, np.zeros(3_000, int), click, logging[article])
        target = target_rows(log, policy[None], log.position, np.full((1, len(policy)), 0.02))
        found.append(estimator(log, target))
    return np.array(found)


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_simulated_clicks_are_rare_and_the_interval_holds_the_true_value_as_often_as_it_says(name: str) -> None:
    logging, policy = np.array([0.9, 0.05, 0.04, 0.01]), np.array([0.1, 0.3, 0.3, 0.3])
    chance = np.array([0.01, 0.02, 0.005, 0.03])
    true = float(policy @ chance)
    values, low, high = simulated_estimates(WEIGHTED[name], logging, chance, policy, 800).T
    noise = values.std() / math.sqrt(800)
    assert values.mean() == pytest.approx(true, abs=4 * noise)
    assert 0.93 <= np.mean((low <= true) & (true <= high)) <= 0.995
    reach = 1.96 * values.std()  # what an interval of the usual kind would have on both sides, if it knew the spread
    assert np.mean(high - low) < 4 * reach


def test_simulated_a_bad_reward_estimate_widens_the_interval_and_leaves_it_true() -> None:
    logging, policy, chance = np.array([0.9, 0.1]), np.array([0.2, 0.8]), np.array([0.01, 0.02])
    rng, found = np.random.default_rng(23), []
    for _ in range(400):
        article = rng.choice(2, 2_000, p=logging)
        click = (rng.random(2_000) < chance[article]).astype(int)
        log = LoggedBandit(article, np.zeros(2_000, int), click, logging[article])
        found.append(doubly_robust(log, target_rows(log, policy[None], log.position, np.array([[0.1, 0.9]]))))
    value, low, high = np.array(found).T
    assert np.all((low < value) & (value < high))
    assert 0.93 <= np.mean((low <= policy @ chance) & (policy @ chance <= high)) <= 0.98
