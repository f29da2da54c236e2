"""A worker that starts again over a release: it answers as one that never stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.readers.packed import pack
from recsys.releases import Releases
from recsys.serving import feed, release_loader
from recsys.serving.artefacts import ReleaseArtefacts, no_artefacts
from recsys.serving.config import ServingSettings
from recsys.serving.live import LiveState
from recsys.store import Event, Kind, Store
from recsys.units import MINUTE_MS, now_ms
from tests.newsroom import SITE
from tests.service import FOUR, fill, plain_settings

NOW = now_ms()


def event(
    name: str, kind: Kind, article: str, minutes_ago: float, session: str = "s", reader: str | None = None
) -> Event:
    when = NOW - int(minutes_ago * MINUTE_MS)
    return Event(name, SITE, kind, article, reader, session, time=when)


EVENTS = [
    event("e0", Kind.CLICK, "a4", 120, "long ago"),
    event("e1", Kind.CLICK, "a1", 50),
    event("e2", Kind.DISMISS, "a2", 30),  # as long ago as a visit may pause
    event("e3", Kind.CLICK, "a4", 31, "just over"),
    event("e4", Kind.CLICK, "unknown", 3),
    event("e5", Kind.CLICK, "a3", 2, "theirs", "ann"),
    event("e6", Kind.IMPRESSION, "a4", 1, "theirs", "bob"),
]


@contextmanager
def two_workers(folder: Path, monkeypatch: pytest.MonkeyPatch, counted: int) -> Iterator[tuple[LiveState, LiveState]]:
    """One that followed everything, and one that starts over a release that has counted the first events."""
    settings = plain_settings(folder)
    fill(settings, *FOUR)
    store = Store.open(settings.database_url, settings.store)
    releases = Releases(settings.data_dir / "releases", settings.releases)

    def released(settings: ServingSettings) -> ReleaseArtefacts:
        return replace(no_artefacts(settings), through=counted)

    first = LiveState(settings, store, releases, lambda: NOW)
    first.accept(EVENTS)
    first.catch_up()
    monkeypatch.setattr(release_loader, "no_artefacts", released)
    yield first, LiveState(settings, store, releases, lambda: NOW)
    store.close()


def sessions(live: LiveState, *visits: tuple[str | None, str]) -> list[bytes | None]:
    states = [live._frame.memory.session(*visit) for visit in visits]
    return [None if state is None else pack(state) for state in states]


@pytest.mark.parametrize("counted", [0, 2, 5, len(EVENTS)])
def test_sessions_that_go_on_are_the_same_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(feed, "_EVENTS_AT_ONCE", 3)
    with two_workers(tmp_path, monkeypatch, counted) as (first, again):
        visits = [(None, "s"), ("ann", "theirs"), ("bob", "theirs"), ("eve", "theirs")]
        assert sessions(again, *visits) == sessions(first, *visits)
        assert sessions(again, (None, "s"))[0] is not None
        answers = [live.recommend(None, "s", article=None, k=4, lang=None) for live in (first, again)]
        shown = [{answer.catalogue.ids[card.row] for card in answer.recommendation.cards} for answer in answers]
        assert shown == [{"a3", "a4"}, {"a3", "a4"}]


def test_sessions_that_are_over_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with two_workers(tmp_path, monkeypatch, len(EVENTS)) as (first, again):
        assert None not in sessions(first, (None, "long ago"), (None, "just over"))
        assert sessions(again, (None, "long ago"), (None, "just over")) == [None, None]
