"""Two hosts whose clocks differ: what either writes, the other follows by number within one poll.

The clocks are the test's own: of the store's modules, which note times, and of the live state.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import EditConflict
from recsys.releases import Releases
from recsys.serving.live import LiveState
from recsys.settings import Settings
from recsys.store import ArticleEdit, ArticlePatch, EditOutcome, EditVerb, Event, Kind, Published, Store
from recsys.trends import MAX_FUTURE_MINUTES
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.newsroom import NOW, SITE
from tests.service import article, plain_settings

PUBLISHED = NOW - 5 * HOUR_MS
NOTING = ("articles", "events", "forgetting", "operators", "audit")  # modules of the store that note times
SKEWS = [(-10 * SECOND_MS, 0), (-HOUR_MS, 0), (HOUR_MS, 0), (HOUR_MS, -HOUR_MS)]


class Host:
    """One machine with a clock, a store and a worker of its own, over the same database as others."""

    def __init__(self, settings: Settings, skew: int) -> None:
        self.now = NOW + skew
        self.store = Store.open(settings.database_url)
        self.live = LiveState(settings, self.store, Releases(settings.data_dir / "releases"), lambda: self.now)

    @contextmanager
    def at_work(self) -> Iterator[Store]:
        """The store, as it notes this host's times."""
        with pytest.MonkeyPatch.context() as patch:
            for module in NOTING:
                patch.setattr(f"recsys.store.{module}.now_ms", lambda: self.now)
            yield self.store

    def poll(self) -> None:
        """What the thread that polls does, once."""
        for step in (self.live.forget, self.live.catch_up, self.live.refresh):
            step()

    def listed(self, reader: str | None = None) -> set[str]:
        answer = self.live.recommend(reader, None, article=None, k=50, lang=None)
        return {answer.catalogue.ids[card.row] for card in answer.recommendation.cards}

    def clicks_of(self, clicked: str) -> int:
        state = self.live._frame.state
        return int(state.recommender.trends.state.total[state.catalogue.row_of[clicked], 1])

    def edit(self, title: str, version: int | None) -> Any:
        """Another title of ``a1``, if it is of that version."""
        patch = ArticlePatch("a1", SITE, {"title": title})
        (answer,) = self.store.publish_articles(SITE, [ArticleEdit(EditVerb.PATCH, patch, version.__eq__)], "ann")
        return answer


@pytest.fixture(params=SKEWS, ids=str)
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts with other clocks, over four articles."""
    settings = plain_settings(tmp_path)
    made = Host(settings, request.param[0]), Host(settings, request.param[1])
    made[0].store.put_articles([article(f"a{n}", published_at=PUBLISHED - n) for n in range(1, 5)])
    for host in made:
        host.poll()
    yield made
    for host in made:
        host.live.close()
        host.store.close()


def test_what_one_host_writes_the_other_follows_within_one_poll(hosts: tuple[Host, Host]) -> None:
    for name, (writer, follower) in {"one": hosts, "other": hosts[::-1]}.items():
        shown = follower.listed()
        with writer.at_work() as store:
            store.put_articles([article(name, published_at=PUBLISHED)])
            store.hide_article(SITE, "a2", "ann")
        follower.poll()
        assert follower.listed() == {*shown, name} - {"a2"}
        with writer.at_work() as store:
            store.show_article(SITE, "a2", "ann")
            store.put_articles([article("a1", title=f"Changed by {name}", published_at=PUBLISHED)])
            store.delete_article(SITE, name, "ann")
        follower.poll()
        assert follower.listed() == shown
        first = follower.live.catalogue.articles[follower.live.catalogue.row_of["a1"]]
        assert first is not None
        assert first.title == f"Changed by {name}"
        writer.poll()


def test_what_readers_do_at_one_host_the_other_knows_within_one_poll(hosts: tuple[Host, Host]) -> None:
    for number, (writer, follower) in enumerate((hosts, hosts[::-1])):
        reader, clicked = f"r{number}", f"a{number + 1}"
        assert clicked in follower.listed(reader)
        with writer.at_work():
            writer.live.accept([Event(f"e{number}", SITE, Kind.CLICK, clicked, reader, time=writer.now)])
        follower.poll()
        assert follower.live._frame.state.through == follower.store.last_seq(SITE)
        is_ahead = writer.now > follower.now + MAX_FUTURE_MINUTES * MINUTE_MS  # for this host it is yet to come
        assert (clicked in follower.listed(reader)) == is_ahead
        assert follower.clicks_of(clicked) == (0 if is_ahead else 1)
        with writer.at_work() as store:
            store.forget_reader(SITE, reader, "ann")
        follower.poll()
        assert clicked in follower.listed(reader), "forgotten"
        writer.poll()


def test_of_two_editors_the_later_one_is_turned_away_whatever_their_clocks_say(hosts: tuple[Host, Host]) -> None:
    for early, late in (hosts, hosts[::-1]):
        seen = early.store.article(SITE, "a1")
        assert seen is not None
        with early.at_work():
            done = early.edit(f"by {early.now}", seen.change)
        assert isinstance(done, Published)
        assert (done.outcome, done.version > seen.change) == (EditOutcome.UPDATED, True)
        with late.at_work():
            refused = late.edit("from an old version", seen.change)
            assert isinstance(refused, EditConflict)
            again = late.edit("from the new version", done.version)
        assert isinstance(again, Published)
        assert again.version > done.version


def test_nobody_reads_the_clock_of_the_database() -> None:
    asks = re.compile(
        r"\bnow\(\)|current_timestamp|clock_timestamp|statement_timestamp|func\.now|julianday|unixepoch", re.I
    )
    files = sorted((Path(__file__).parents[1] / "recsys" / "store").rglob("*.py"))
    assert len(files) > 20
    assert [file.name for file in files if asks.search(file.read_text(encoding="utf-8"))] == []
    assert asks.search("SELECT now()"), "it would be seen"
