"""Thompson propensities beside Monte Carlo and another way to integrate, by hand, and what is drawn by them."""

import math
import time
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betainc, betaln, expit

from recsys.errors import DegenerateInput
from recsys.recommend.explore import thompson_choice, thompson_propensities

PRIOR = (0.5, 9.5)


def counts(name: str, n: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    impressions = {
        "new": np.zeros(n),
        "seldom": rng.integers(0, 30, n).astype(float),
        "often": np.full(n, 600.0),
        "mixed": np.round(10 ** rng.uniform(0, 5, n)),
        "very often": np.round(10 ** rng.uniform(3, 7, n)),
    }[name]
    return rng.binomial(impressions.astype(np.int64), 0.05).astype(float), impressions


CASES = ["new", "seldom", "often", "mixed", "very often"]


def by_quadrature(clicks: np.ndarray, impressions: np.ndarray, prior: tuple[float, float], place: int) -> float:
    """One propensity by adaptive quadrature and SciPy's incomplete beta functions."""
    a, b = clicks + prior[0], impressions - clicks + prior[1]
    others = np.delete(np.arange(len(a)), place)

    def integrand(odds: float) -> float:
        share = expit(odds)
        density = a[place] * odds - (a[place] + b[place]) * np.logaddexp(0, odds) - betaln(a[place], b[place])
        return float(np.exp(density) * betainc(a[others], b[others], share).prod())

    mode, width = math.log(a[place] / b[place]), math.sqrt(1 / a[place] + 1 / b[place])
    ends = mode + width * np.array([-40.0, -6, -3, -1.5, 0, 1, 2, 3, 4.5, 6, 9, 40])
    parts = (quad(integrand, *span, epsabs=1e-13, epsrel=1e-9, limit=400)[0] for span in pairwise(ends))
    return float(sum(parts))


@pytest.mark.parametrize("prior", [(1.0, 1.0), PRIOR, (0.05, 1.0)])
@pytest.mark.parametrize("name", CASES)
def test_propensities_are_the_shares_of_draws_in_which_a_candidate_is_the_largest(
    name: str, prior: tuple[float, float]
) -> None:
    clicks, impressions = counts(name)
    draws, n = 40_000, len(clicks)
    rng = np.random.default_rng(9)
    largest = rng.beta(clicks + prior[0], impressions - clicks + prior[1], size=(draws, n)).argmax(axis=1)
    share = np.bincount(largest, minlength=n) / draws
    exact = thompson_propensities(clicks, impressions, prior)
    error = np.sqrt(exact * (1 - exact) / draws)  # of the share
    assert exact.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(np.abs(share - exact) <= 4.5 * error + 1 / draws)


@pytest.mark.parametrize("name", CASES)
def test_propensities_agree_with_adaptive_quadrature_to_eight_digits(name: str) -> None:
    clicks, impressions = counts(name)
    found = thompson_propensities(clicks, impressions, PRIOR)
    for place in np.argsort(-found)[[0, 1, 7]]:
        assert found[place] == pytest.approx(by_quadrature(clicks, impressions, PRIOR, int(place)), abs=1e-8)


def test_two_candidates_by_hand() -> None:
    # Beta(2, 1) above Beta(1, 1): the integral of 2x times x
    assert thompson_propensities(np.array([1.0, 0]), np.array([1.0, 0]), (1.0, 1.0)) == pytest.approx([2 / 3, 1 / 3])
    assert thompson_propensities(np.array([3.0]), np.array([9.0]), (1.0, 1.0)).tolist() == [1.0]
    equal = thompson_propensities(np.full(7, 2.0), np.full(7, 40.0), PRIOR)
    assert equal == pytest.approx(np.full(7, 1 / 7), abs=1e-14)


def test_a_candidate_that_is_surely_worse_is_hardly_ever_chosen_and_nan_never_comes() -> None:
    found = thompson_propensities(np.array([5e5, 10.0, 0]), np.array([1e6, 1e6, 0]), PRIOR)
    assert np.isfinite(found).all()
    assert found[1] < 1e-12
    assert found[0] > 0.99
    assert 1e-5 < found[2] < 0.01


def test_order_does_not_matter_and_fading_counts_may_be_fractions() -> None:
    clicks, impressions = counts("mixed")
    clicks, impressions = clicks * 0.37, impressions * 0.37
    turned = np.random.default_rng(1).permutation(len(clicks))
    whole = thompson_propensities(clicks, impressions, PRIOR)
    assert thompson_propensities(clicks[turned], impressions[turned], PRIOR) == pytest.approx(whole[turned], abs=1e-12)


def test_the_choice_is_drawn_as_often_as_it_says_and_a_seed_repeats_it() -> None:
    clicks, impressions = np.array([3.0, 1, 0, 40]), np.array([40.0, 10, 0, 1000])
    exact = thompson_propensities(clicks, impressions, PRIOR)
    rng = np.random.default_rng(3)
    choices = [thompson_choice(clicks, impressions, PRIOR, rng) for _ in range(4_000)]
    assert all(choice.propensity == exact[choice.candidate] for choice in choices[:50])
    share = np.bincount([choice.candidate for choice in choices], minlength=4) / 4_000
    assert np.all(np.abs(share - exact) < 4.5 * np.sqrt(exact * (1 - exact) / 4_000))
    again = np.random.default_rng(3)
    assert [thompson_choice(clicks, impressions, PRIOR, again) for _ in range(20)] == choices[:20]


def test_a_draw_at_the_very_end_gives_a_candidate_that_has_a_chance() -> None:
    class Last:
        def random(self) -> float:
            return 1.0

    clicks, impressions = np.array([50.0, 0]), np.array([60.0, 100_000])
    assert thompson_propensities(clicks, impressions, (1.0, 1.0))[1] == 0.0
    choice = thompson_choice(clicks, impressions, (1.0, 1.0), Last())  # type: ignore[arg-type]
    assert choice == (0, 1.0)


@pytest.mark.parametrize("name", CASES)
def test_fifty_candidates_take_about_a_millisecond(name: str) -> None:
    clicks, impressions = counts(name)
    thompson_propensities(clicks, impressions, PRIOR)
    took = []
    for _ in range(15):
        began = time.thread_time()
        thompson_propensities(clicks, impressions, PRIOR)
        took.append(time.thread_time() - began)
    assert min(took) < 0.002  # 0.2 to 0.7 ms where nothing else runs


@pytest.mark.parametrize(
    ("clicks", "impressions", "prior", "message"),
    [
        ([], [], PRIOR, "of the same candidates; got 0 and 0"),
        ([1.0], [2.0, 3.0], PRIOR, "of the same candidates; got 1 and 2"),
        ([1.0, 3.0], [2.0, 2.0], PRIOR, "from 0 to the impressions; got 3.0 of 2.0 for candidate 1"),
        ([-1.0], [2.0], PRIOR, "from 0 to the impressions"),
        ([np.nan], [2.0], PRIOR, "from 0 to the impressions"),
        ([1.0], [np.nan], PRIOR, "from 0 to the impressions"),
        ([1.0], [np.inf], PRIOR, "from 0 to the impressions"),
        ([1.0], [2.0], (0.0, 1.0), "a prior above 0"),
        ([1.0], [2.0], (1.0, -1.0), "a prior above 0"),
        ([1.0], [2.0], (np.nan, 1.0), "a prior above 0"),
        ([1.0], [2.0], (1.0, np.nan), "a prior above 0"),
    ],
)
def test_counts_that_cannot_be_are_refused(
    clicks: list[float], impressions: list[float], prior: tuple[float, float], message: str
) -> None:
    with pytest.raises(DegenerateInput, match=message):
        thompson_propensities(np.array(clicks), np.array(impressions), prior)
