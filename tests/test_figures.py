"""Figures at ``/metrics`` that no request has: tiers of lists, age of the release, lag, runs that wait."""

import math
from pathlib import Path

import pytest

from recsys.errors import StoreError
from recsys.store import Run
from recsys.units import now_ms
from tests.newsroom import SITE
from tests.service import four
from web.figures import Figures, release_age


def sample(text: str, name: str) -> float:
    """The value of a sample of ``/metrics``."""
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name + " "))


def test_the_age_of_a_release_is_in_its_name() -> None:
    assert release_age("20260301T120000Z-ab12", 1_772_366_400_000 + 90_000) == 90.0
    assert math.isnan(release_age(None, 1))
    assert math.isnan(release_age("mine", 1))


def test_tiers_lag_and_runs_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with four(tmp_path) as service:
        before = sample(service.client.get("/metrics").text, 'recsys_lists_total{tier="fresh"}')
        service.ids()
        service.store.queue_run(Run.asked(SITE, "all", {}, "x", now_ms()))
        figures: Figures = service.client.application.extensions["figures"]
        monkeypatch.setattr(type(service.live), "behind_seconds", 7.5)
        figures.look()
        text = service.client.get("/metrics").text
        assert sample(text, 'recsys_lists_total{tier="fresh"}') == before + 1
        assert sample(text, "recsys_feed_behind_seconds") == 7.5
        assert sample(text, 'recsys_runs{state="queued"}') == 1
        assert sample(text, 'recsys_runs{state="running"}') == 0
        assert math.isnan(sample(text, "recsys_release_age_seconds"))

        def lost(*_: object) -> list[Run]:
            raise StoreError("a database", "none", "Wait.")

        monkeypatch.setattr(service.store, "active_runs", lost)
        figures.look()
        assert sample(service.client.get("/metrics").text, 'recsys_runs{state="queued"}') == 1
