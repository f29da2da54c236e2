"""Experiments: readers keep their arm, intervals hold at every look, and broken exposure is told."""

import math
from argparse import Namespace

import numpy as np
import pytest

from benchmarks.experiments import measured
from recsys.experiments.assignment import BUCKETS, arm_of, bucket_of
from recsys.experiments.effects import difference, past_weight, sample_ratio, variance_kept
from recsys.experiments.moments import ArmMoments
from recsys.experiments.sequential import boundary, mean_sequence, tightest_at

READERS = [f"reader-{number}" for number in range(20_000)]


def test_a_reader_keeps_the_arm_and_the_shares_are_those_asked_for() -> None:
    arms = np.array([arm_of("headline", reader, [0.1, 0.1, 0.3]) for reader in READERS])
    assert arm_of("headline", READERS[7], [0.1, 0.1, 0.3]) == arms[7]
    counts = np.bincount(arms + 1)
    assert counts / len(READERS) == pytest.approx([0.5, 0.1, 0.1, 0.3], abs=0.01)
    assert bucket_of("headline", "reader-0") == 9532, "the same in every process and version"


def test_a_larger_share_takes_readers_from_nobodys_arm() -> None:
    small, large = ([arm_of("ramp", reader, [share]) for reader in READERS[:2_000]] for share in (0.1, 0.4))
    assert all(after == 0 for before, after in zip(small, large, strict=True) if before == 0)
    assert all(arm_of("all", reader, [0.5, 0.5]) >= 0 for reader in READERS)


def test_two_experiments_divide_the_readers_independently() -> None:
    first, second = (np.array([arm_of(salt, reader, [0.5, 0.5]) for reader in READERS]) for salt in ("a", "b"))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=0.02)


def test_the_edge_of_a_share_belongs_to_the_next_arm() -> None:
    buckets = {bucket_of("edge", reader): reader for reader in READERS}
    at = next(bucket for bucket in sorted(buckets) if 0 < bucket < BUCKETS)
    assert arm_of("edge", buckets[at], [at / BUCKETS]) == -1
    assert arm_of("edge", buckets[at], [(at + 1) / BUCKETS]) == 0


def test_the_boundary_is_that_of_the_paper() -> None:
    # eq. 9 by hand: t = 100, sigma = 2, rho = 0.5, alpha = 0.05: sqrt(2 * 26 / (10,000 * 0.25) * log(sqrt(26) / 0.05))
    by_hand = 2 * math.sqrt(2 * 26 / 2_500 * math.log(math.sqrt(26) / 0.05))
    assert boundary(100, 2.0, 0.5) == pytest.approx(by_hand)
    assert mean_sequence(100, 1.0, 2.0, 0.5).low == pytest.approx(1 - by_hand)
    assert boundary(0, 1.0, 0.5) == math.inf


def test_the_boundary_is_nearly_tightest_where_it_is_planned_to_be() -> None:
    rho = tightest_at(1_000)
    assert boundary(1_000, 1.0, rho) <= 1.01 * min(boundary(1_000, 1.0, rho * scale) for scale in (0.5, 0.8, 1.25, 2.0))
    assert boundary(1_000, 1.0, rho) > 1.96 / math.sqrt(1_000), "who looks always pays for it"


def arms(shift: float, n: int = 4_000) -> tuple[ArmMoments, ArmMoments, ArmMoments, ArmMoments]:
    """Treatment and control of keen and less keen readers, with their past and without it."""
    rng = np.random.default_rng(4)
    keen = rng.gamma(0.5, 6.0, 2 * n)
    before, value = rng.poisson(keen).astype(float), rng.poisson(keen).astype(float)
    treated, control = value[:n] + shift, value[n:]
    with_past = ArmMoments.of(treated, before[:n]), ArmMoments.of(control, before[n:])
    return *with_past, ArmMoments.of(treated), ArmMoments.of(control)


def test_the_readers_past_narrows_the_interval_and_leaves_the_effect() -> None:
    treated, control, plain_treated, plain_control = arms(0.6)
    narrow, wide = difference(treated, control), difference(plain_treated, plain_control)
    kept = variance_kept(treated, control)
    assert 0.2 < kept < 0.45
    assert (narrow.high - narrow.low) / (wide.high - wide.low) == pytest.approx(math.sqrt(kept), rel=0.02)
    assert narrow.low < 0.6 < narrow.high
    assert abs(narrow.mean - 0.6) < abs(wide.mean - 0.6)
    assert (past_weight(plain_treated, plain_control), variance_kept(plain_treated, plain_control)) == (0.0, 1.0)


def test_sums_of_two_days_are_those_of_both() -> None:
    values, before = np.array([1.0, 2.0, 4.0, 0.0]), np.array([0.0, 1.0, 3.0, 1.0])
    whole = ArmMoments.of(values, before)
    assert ArmMoments.of(values[:1], before[:1]).plus(ArmMoments.of(values[1:], before[1:])) == whole
    assert whole.variance() == pytest.approx(np.var(values, ddof=1))
    assert whole.variance(0.5) == pytest.approx(np.var(values - 0.5 * before, ddof=1))


def test_a_handful_of_readers_decides_nothing() -> None:
    rng = np.random.default_rng(1)
    few, many = ArmMoments.of(rng.normal(5, 1, 49)), ArmMoments.of(rng.normal(0, 1, 500))
    assert not difference(few, many).excludes_zero
    assert difference(ArmMoments.of(rng.normal(5, 1, 50)), many).excludes_zero
    assert math.isnan(difference(ArmMoments(), many).mean)


@pytest.mark.parametrize(
    ("readers", "shares", "p"),
    [
        ([500, 500], [0.5, 0.5], 1.0),
        ([550, 450], [0.5, 0.5], 0.00157),
        ([900, 100], [9, 1], 1.0),
        ([0, 0], [1, 1], 1.0),
    ],
)
def test_the_sample_ratio_is_pearsons_chi_square(readers: list[int], shares: list[float], p: float) -> None:
    assert sample_ratio(readers, shares) == pytest.approx(p, abs=5e-5)


def test_simulated_experiments_hold_alpha_at_every_look_and_tell_effects_and_broken_exposure() -> None:
    options = Namespace(experiments=60, readers=6_000, looks=10, seed=1)
    nothing, effect, broken = (measured(*facts, options) for facts in ((0.0, 0.0), (0.2, 0.0), (0.0, 0.1)))
    assert nothing["sequence"]["found"] <= 0.05
    assert nothing["peeking"]["found"] > 0.1
    assert effect["sequence"]["found"] > 0.95
    assert effect["sequence"]["median_readers"] < (effect["without the past"]["median_readers"] or math.inf)
    assert (nothing["ratio told"]["found"], broken["ratio told"]["found"] > 0.5) == (0.0, True)
