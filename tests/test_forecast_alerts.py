"""Alerts: the chance of counts."""

import pytest
from scipy.special import pdtr

from recsys.forecast.alerts import at_most


@pytest.mark.parametrize(("count", "mean"), [(0, 0.5), (3, 20.0), (40, 25.0), (900, 1000.0), (5000, 4000.0)])
def test_the_chance_of_counts_is_poissons(count: int, mean: float) -> None:
    assert at_most(count, mean) == pytest.approx(float(pdtr(count, mean)), rel=1e-6)
