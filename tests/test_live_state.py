"""The edges of live state: freshness to the millisecond, turns and locks by hand, swaps, bounds, retries.

One thread does everything here, with a clock and a store in hand; where two threads must meet, the test says when.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.releases import Releases
from recsys.serving import release_loader
from recsys.serving.checkpoint import LiveCheckpoints
from recsys.serving.feed import StoreFeed
from recsys.serving.live import LiveState
from recsys.serving.reader_memory import ReaderMemory
from recsys.serving.release_loader import RETRY_SECONDS, ReleaseLoader
from recsys.serving.snapshot import ModelSnapshot, PreparedArticle
from recsys.serving.state import SharedState
from recsys.settings import Settings
from recsys.store import Event, Kind, ReaderPast, Store, StoredArticle, StoredEvent
from recsys.units import HOUR_MS
from tests.newsroom import SITE
from tests.service import article, plain_settings

NOW = 1_790_000_000_000


class Site:
    """A live state over a database of its own, with a clock that only the test moves."""

    def __init__(self, folder: Path, **web: Any) -> None:
        self.settings = plain_settings(folder, **web)
        self.now = NOW
        self.store = Store.open(self.settings.database_url, self.settings.store)
        self.store.put_articles([article(f"a{n}", published_at=NOW - n * HOUR_MS) for n in range(1, 5)])
        self.releases = Releases(folder / "releases", self.settings.releases)
        self.live = self.worker()

    def worker(self, settings: Settings | None = None) -> LiveState:
        """One more worker over the same database."""
        return LiveState(settings or self.settings, self.store, self.releases, lambda: self.now)

    def listed(self, reader: str | None = None, session: str | None = None, live: LiveState | None = None) -> list[str]:
        """The ids of a list of everything."""
        answer = (live or self.live).recommend(reader, session, article=None, k=50, lang=None)
        return [answer.catalogue.ids[card.row] for card in answer.recommendation.cards]

    def click(self, name: str, clicked: str, **more: Any) -> None:
        """Store a click as another worker would."""
        self.store.add_events([Event(name, SITE, Kind.CLICK, clicked, **({"time": self.now} | more))])

    def clicks_of(self, clicked: str, live: LiveState | None = None) -> int:
        """The clicks that are counted of an article."""
        state = (live or self.live)._frame.state
        return int(state.recommender.trends.state.total[state.catalogue.row_of[clicked], 1])

    def close(self) -> None:
        self.live.close()
        self.store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def test_an_article_put_now_is_in_the_list_after_the_next_poll_and_not_before(site: Site) -> None:
    site.store.put_articles([article("new", published_at=site.now)])
    assert "new" not in site.listed()
    site.live.refresh()
    assert site.listed()[0] == "new"


def test_a_hidden_article_leaves_at_the_next_poll_and_comes_back_when_it_is_shown(site: Site) -> None:
    site.store.hide_article(SITE, "a2", "ann")
    site.live.refresh()
    assert site.listed() == ["a1", "a3", "a4"]
    site.store.show_article(SITE, "a2", "ann")
    site.live.refresh()
    assert site.listed() == ["a1", "a2", "a3", "a4"]


def test_an_article_expires_exactly_at_its_expiry(site: Site) -> None:
    site.store.put_articles([article("brief", published_at=NOW, expires_at=NOW + 1000)])
    site.live.refresh()
    site.now = NOW + 999
    assert "brief" in site.listed()
    site.now = NOW + 1000
    assert "brief" not in site.listed()


def test_an_embargo_ends_exactly_at_publication(site: Site) -> None:
    site.store.put_articles([article("later", published_at=NOW + 1000)])
    site.live.refresh()
    site.now = NOW + 999
    assert "later" not in site.listed()
    assert not site.live.catalogue.quotable(site.live.catalogue.row_of["later"], site.now)
    site.now = NOW + 1000
    assert site.listed()[0] == "later"


def test_two_changes_within_one_poll_are_both_taken_over(site: Site) -> None:
    site.store.put_articles([article("new", published_at=NOW)])
    site.store.hide_article(SITE, "a1", "ann")
    site.live.refresh()
    assert site.listed() == ["new", "a2", "a3", "a4"]
    assert site.live._frame.state.changed == site.live._frame.state.taken_down == site.store.last_change(SITE)


def test_an_article_that_was_read_before_its_take_down_is_not_put_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = site.store.articles

    def read_then_hidden(*args: Any, **more: Any) -> Any:
        articles = list(read(*args, **more))
        site.store.hide_article(SITE, "a1", "desk")
        site.live.take_down()
        return iter(articles)

    site.store.put_articles([article("a1", title="Another title", published_at=NOW - HOUR_MS)])
    monkeypatch.setattr(site.store, "articles", read_then_hidden)
    site.live.refresh()
    assert site.listed() == ["a2", "a3", "a4"]


def test_a_click_that_is_dated_ahead_does_not_make_a_repeat_of_the_true_one(site: Site) -> None:
    site.click("wrong clock", "a1", reader="ann", time=NOW + 12 * HOUR_MS)
    site.click("right clock", "a1", reader="ann")
    site.live.catch_up()
    assert site.clicks_of("a1") == 1


def test_polling_goes_on_after_a_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, again, calls = Site(tmp_path, poll_seconds=0.01), threading.Event(), []

    def fail_once() -> None:
        calls.append(site.now)
        if len(calls) == 1:
            raise RuntimeError("once")
        again.set()

    monkeypatch.setattr(site.live, "refresh", fail_once)
    try:
        site.live.start()
        assert again.wait(10)
    finally:
        site.close()


def test_nothing_is_read_of_articles_when_nothing_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.store, "articles", lambda *_, **__: pytest.fail("no article has changed"))
    monkeypatch.setattr(site.store, "taken_down", lambda *_, **__: pytest.fail("none was hidden"))
    site.live.refresh()
    site.live.take_down()


def test_each_event_counts_once_whoever_applies_it(site: Site) -> None:
    site.click("e0", "a1", reader="r")
    for _ in range(3):
        site.live.catch_up()
        site.listed(reader="r")
    assert site.clicks_of("a1") == 1
    state = site.live._frame.memory.reader("r")
    assert state is not None
    assert len(state.clicks) == 1


def test_who_sends_events_applies_one_batch_and_leaves_the_rest_to_the_poll(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.serving.feed._EVENTS_AT_ONCE", 2)
    for n in range(5):
        site.click(f"e{n}", "a1", reader=f"r{n}")
    site.listed(session="s")
    assert site.clicks_of("a1") == 0, "an answer applies nothing"
    site.live.accept([Event("e5", SITE, Kind.CLICK, "a1", reader="r5", time=NOW)])
    assert site.clicks_of("a1") == 2
    site.live.catch_up()
    assert site.clicks_of("a1") == 6


def test_of_all_who_wait_for_their_turn_to_apply_one_does_it_for_all(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied, apply, waiting = list[int](), StoreFeed.apply_events, list[bool]()

    class Turn:
        """The live state's lock, which says who waits for it."""

        def __init__(self, lock: threading.Lock) -> None:
            self._lock = lock

        def acquire(self, timeout: float = -1) -> bool:
            waiting.append(True)
            return self._lock.acquire(timeout=10 * timeout)

        def release(self) -> None:
            self._lock.release()

    def counted(feed: StoreFeed, state: SharedState, *rest: Any, **more: Any) -> None:
        apply(feed, state, *rest, **more)
        applied.append(state.through)

    lock = threading.Lock()
    monkeypatch.setattr(site.live, "_turn", Turn(lock))
    monkeypatch.setattr(StoreFeed, "apply_events", counted)
    clicks = [Event(f"e{n}", SITE, Kind.CLICK, "a1", reader=f"r{n}", time=NOW) for n in range(4)]
    threads = [threading.Thread(target=site.live.accept, args=([click],)) for click in clicks]
    with lock:
        for thread in threads:
            thread.start()
        while len(waiting) < len(threads):
            pass
    for thread in threads:
        thread.join()
    assert (applied, site.clicks_of("a1")) == ([4], 4)
    site.live.accept([Event("e4", SITE, Kind.CLICK, "a1", reader="r4", time=NOW)])
    assert (applied, site.clicks_of("a1")) == ([4, 5], 5), "who comes later applies what is theirs"


def test_a_click_on_an_article_that_was_put_since_the_last_poll_counts(site: Site) -> None:
    assert "new" not in site.listed(reader="r")
    site.store.put_articles([article("new", published_at=NOW)])
    site.click("e0", "new", reader="r")
    site.live.accept([Event("e1", SITE, Kind.CLICK, "a1", reader="other", time=NOW)])  # who applies what is new
    assert site.clicks_of("new") == 1
    site.live.refresh()
    assert ("new" in site.listed(), "new" in site.listed(reader="r")) == (True, False)
    assert dict(site.live.today(9, None).ranked)[site.live.catalogue.row_of["new"]] == 1


def test_an_article_that_a_click_brings_is_never_older_than_the_last_poll(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = site.store.articles_named

    def slow(*asked: Any) -> list[StoredArticle]:
        read = named(*asked)
        site.store.put_articles([article("new", title="Changed", published_at=NOW)])
        site.store.hide_article(SITE, "hidden", "ann")
        site.live.refresh()
        return read

    monkeypatch.setattr(site.store, "articles_named", slow)
    site.store.put_articles([article(name, title="As it was", published_at=NOW) for name in ("new", "hidden")])
    site.click("e0", "new", reader="r")
    site.click("e1", "hidden", reader="r")
    site.live.catch_up()
    card = site.live.catalogue.articles[site.live.catalogue.row_of["new"]]
    assert card is not None
    assert (card.title, site.clicks_of("new")) == ("Changed", 1)
    assert site.listed() == ["new", "a1", "a2", "a3", "a4"]


def test_clicks_on_what_nobody_has_put_ask_for_no_article(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.store, "articles_named", lambda *_: pytest.fail("no article has changed"))
    site.click("e0", "elsewhere", reader="r")
    site.live.catch_up()


def test_an_article_without_a_row_that_a_click_brings_asks_for_more_room(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.store.put_articles([article(f"n{n}", published_at=NOW) for n in range(site.live.catalogue.room)])
    site.live.refresh()
    site.store.put_articles([article("one-more", published_at=NOW)])
    site.click("e0", "one-more", reader="r")
    site.live.catch_up()
    built: list[str | None] = []
    monkeypatch.setattr(site.live, "_build_aside", built.append)
    site.live.refresh()
    assert built == [None]


def test_an_answer_to_nobody_and_to_whoever_is_remembered_asks_the_database_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.listed(reader="r")
    for name in ("last_seq", "events_after", "history_of"):
        monkeypatch.setattr(site.store, name, lambda *_, **__: pytest.fail("asked the database"))
    assert site.listed() == ["a1", "a2", "a3", "a4"]
    assert site.listed(reader="r", session="s") == ["a1", "a2", "a3", "a4"]


def test_an_answer_goes_out_while_another_thread_applies_events(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.serving.live.PATIENCE_SECONDS", 0.01)
    site.click("e0", "a1", reader="r")
    with site.live._turn:  # as the poll holds it
        assert "a1" not in site.listed(reader="r"), "their own history is read from the database"
        assert site.clicks_of("a1") == 0
    site.live.catch_up()
    assert site.clicks_of("a1") == 1


def test_a_reader_met_while_their_click_is_applied_has_made_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history was read, then a click was committed and applied, then the reader is to be remembered."""
    history_of, read = site.store.history_of, []

    def slow(*arguments: Any) -> ReaderPast:
        events = history_of(*arguments)
        read.append(len(events.seqs))
        if len(read) == 1:
            site.click("e0", "a1", reader="r")
            site.live.catch_up()
        return events

    monkeypatch.setattr(site.store, "history_of", slow)
    assert "a1" not in site.listed(reader="r")
    assert read == [0], "it is loaded once"


def test_a_reader_forgotten_while_their_history_is_read_is_not_remembered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.click("e0", "a1", reader="r")
    site.live.catch_up()
    history_of, read = site.store.history_of, []

    def slow(*arguments: Any) -> ReaderPast:
        events = history_of(*arguments)
        read.append(len(events.seqs))
        if len(read) == 1:
            site.store.forget_reader(SITE, "r", "ann")
            site.live.forget()
        return events

    monkeypatch.setattr(site.store, "history_of", slow)
    assert "a1" in site.listed(reader="r")
    assert (read[0], sum(read)) == (1, 1), "what was read before is not kept, and there is nothing after"


def test_events_that_come_during_a_swap_are_neither_lost_nor_counted_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One click before the new state is laid out, one while it is, one after its replay, one after the swap."""
    site.click("before", "a1", reader="r0")
    site.live.catch_up()
    old = site.live._frame.state
    load, replay = ReleaseLoader.load, StoreFeed.replay

    def slow_load(loader: ReleaseLoader, name: str | None) -> Any:
        state = load(loader, name)
        site.click("meanwhile", "a1", reader="r1")
        return state

    def slow_replay(feed: StoreFeed, state: Any, until: int) -> None:
        replay(feed, state, until)
        if state.through == until and not site.live._turn.locked():
            site.click("late", "a1", reader="r2")

    monkeypatch.setattr(ReleaseLoader, "load", slow_load)
    monkeypatch.setattr(StoreFeed, "replay", slow_replay)
    site.live._take_over(None)
    assert site.live._frame.state is not old
    assert site.clicks_of("a1") == 3
    site.click("after", "a1", reader="r3")
    site.live.catch_up()
    assert site.clicks_of("a1") == 4
    assert site.live._frame.state.through == site.store.last_seq(SITE)


def test_an_article_hidden_during_a_swap_is_not_shown_after_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = StoreFeed.replay

    def slow(feed: StoreFeed, state: Any, until: int) -> None:
        replay(feed, state, until)
        if site.live._turn.locked():
            site.store.hide_article(SITE, "a2", "ann")

    monkeypatch.setattr(StoreFeed, "replay", slow)
    site.live._take_over(None)
    assert site.listed() == ["a1", "a3", "a4"]


def test_articles_that_are_put_and_changed_during_a_swap_are_served_after_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One before the new state is replayed, which the old one shows already, and a change after it."""
    load, replay = ReleaseLoader.load, StoreFeed.replay

    def slow_load(loader: ReleaseLoader, name: str | None) -> Any:
        state = load(loader, name)
        site.store.put_articles([article("new", published_at=NOW)])
        site.live.refresh()
        assert "new" in site.listed()
        return state

    def slow_replay(feed: StoreFeed, state: Any, until: int) -> None:
        replay(feed, state, until)
        if site.live._turn.locked():
            site.store.put_articles([article("a1", title="Changed", published_at=NOW - HOUR_MS)])

    monkeypatch.setattr(ReleaseLoader, "load", slow_load)
    monkeypatch.setattr(StoreFeed, "replay", slow_replay)
    old = site.live._frame.state
    site.live._take_over(None)
    assert site.live._frame.state is not old
    assert site.listed()[0] == "new"
    card = site.live.catalogue.articles[site.live.catalogue.row_of["a1"]]
    assert card is not None
    assert card.title == "Changed"


def test_a_reader_forgotten_during_a_swap_stays_forgotten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.click("e0", "a1", reader="r", session="s")
    site.live.catch_up()
    replay = StoreFeed.replay

    def slow(feed: StoreFeed, state: Any, until: int) -> None:
        replay(feed, state, until)
        if not site.live._turn.locked():
            site.store.forget_reader(SITE, "r", "ann")
            site.live.forget()

    monkeypatch.setattr(StoreFeed, "replay", slow)
    site.live._take_over(None)
    assert len(site.live._frame.state.recommender.trends.visits) == 0
    assert "a1" in site.listed(reader="r", session="s")


def test_readers_keep_their_clicks_over_a_swap_that_gives_articles_other_rows(site: Site) -> None:
    site.click("e0", "a3", reader="r", session="s")
    site.live.catch_up()
    assert "a3" not in site.listed(reader="r")
    row = site.live.catalogue.row_of["a3"]
    site.store.put_articles([article("a0", published_at=NOW)])
    site.live._take_over(None)
    moved = site.live._frame.memory.reader("r")
    assert moved is not None
    assert [site.live.catalogue.ids[clicked] for clicked in moved.clicks] == ["a3"]
    assert site.live.catalogue.row_of["a3"] == moved.clicks[0]
    assert row >= 0
    assert "a3" not in site.listed(reader="r")
    assert "a3" not in site.listed(session="s", reader="r")


def test_one_release_is_laid_out_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go_on, loaded = threading.Event(), threading.Event(), []
    load = ReleaseLoader.load

    def slow(loader: ReleaseLoader, name: str | None) -> Any:
        loaded.append(name)
        entered.set()
        assert go_on.wait(10)
        return load(loader, name)

    monkeypatch.setattr(ReleaseLoader, "load", slow)
    site.live._build_aside(None)
    assert entered.wait(10)
    site.live._build_aside(None)
    go_on.set()
    assert site.live._builder is not None
    site.live._builder.join()
    assert loaded == [None]


def test_a_new_article_takes_the_last_free_row_and_the_next_one_does_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str | None] = []
    monkeypatch.setattr(site.live, "_build_aside", built.append)
    room = site.live.catalogue.room
    site.store.put_articles([article(f"n{n}", published_at=NOW) for n in range(room)])
    site.live.refresh()
    assert (site.live.catalogue.room, built) == (0, [])
    site.store.put_articles([article("a1", title="Changed", published_at=NOW)])
    site.live.refresh()
    assert built == [], "a change needs no row"
    site.store.put_articles([article("one-more", published_at=NOW)])
    site.live.refresh()
    assert built == [None]


def test_a_new_worker_counts_every_event(site: Site) -> None:
    for n in range(3):
        site.click(f"e{n}", "a1", reader=f"r{n}")
    other = site.worker(site.settings)
    assert site.clicks_of("a1", other) == 3
    assert other._frame.state.through == site.store.last_seq(SITE)


class Timer:
    """A clock of seconds that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def loader_of(site: Site, current: Callable[[], str | None], timer: Timer) -> ReleaseLoader:
    loader = ReleaseLoader(
        site.settings, site.store, site.releases, site.live._feed, LiveCheckpoints(site.settings.data_dir), timer
    )
    site.releases.current = current  # type: ignore[method-assign]
    return loader


def test_a_refused_release_is_tried_again_exactly_after_the_delay(site: Site) -> None:
    timer = Timer()
    loader = loader_of(site, lambda: "broken", timer)
    assert loader.newer(None) == "broken"
    loader.refuse("broken", ValueError("a flipped bit"))
    timer.seconds += RETRY_SECONDS - 0.001
    assert loader.newer(None) is None
    timer.seconds += 0.001
    assert loader.newer(None) == "broken"


def test_another_release_does_not_wait_for_the_one_that_was_refused(site: Site) -> None:
    live = ["broken"]
    loader = loader_of(site, lambda: live[0], Timer())
    loader.refuse("broken", ValueError("a flipped bit"))
    live[0] = "repaired"
    assert loader.newer(None) == "repaired"
    assert loader.newer("repaired") is None


def test_a_start_whose_live_release_is_broken_serves_without_one(site: Site) -> None:
    loader = loader_of(site, lambda: "broken", Timer())
    state = loader.first()
    assert state.recommender.release is None
    assert set(state.catalogue.ids) == {"a1", "a2", "a3", "a4"}
    assert loader.newer(None) is None, "not tried again at once"


def test_without_a_live_release_there_is_none_to_take_over(site: Site) -> None:
    assert loader_of(site, lambda: None, Timer()).newer(None) is None


def test_a_swap_that_fails_leaves_the_old_state_and_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = site.live._frame.state
    site.releases.current = lambda: "broken"  # type: ignore[method-assign]
    monkeypatch.setattr(release_loader, "load_artefacts", lambda *_: pytest.fail("must not come so far"))
    site.live._look_for_release()
    assert site.live._builder is not None
    site.live._builder.join()
    assert site.live._frame.state is old
    assert site.listed() == ["a1", "a2", "a3", "a4"]
    builder = site.live._builder
    site.live._look_for_release()
    assert site.live._builder is builder, "not tried again at once"


def test_a_row_that_cannot_be_applied_is_set_aside_and_what_comes_after_it_is_followed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, prepare = ReaderMemory.learn, ModelSnapshot.prepare

    def learn_but_one(memory: ReaderMemory, event: StoredEvent, row: int) -> None:
        if event.event_id == "bad":
            raise ValueError("no such thing")
        learn(memory, event, row)

    def prepare_but_one(snapshot: ModelSnapshot, article: StoredArticle) -> PreparedArticle:
        if article.id == "bad":
            raise KeyError("no such word")
        return prepare(snapshot, article)

    monkeypatch.setattr(ReaderMemory, "learn", learn_but_one)
    monkeypatch.setattr(ModelSnapshot, "prepare", prepare_but_one)
    site.listed(reader="r")
    site.click("bad", "a1", reader="r")
    site.click("good", "a2", reader="r")
    site.live.catch_up()
    assert "a2" not in site.listed(reader="r")
    site.store.put_articles([article("bad", published_at=NOW), article("good", published_at=NOW)])
    site.live.refresh()
    assert "good" in site.listed()
    assert "bad" not in site.listed()
    event, row = site.live.set_aside
    assert (event.partition(" ")[0], row) == ("event", "article 'bad'")


@pytest.mark.parametrize("current", ["", "no-such-release", None, "\x00\ufffd"])
def test_a_release_is_served_whatever_is_in_the_file_that_names_the_live_one(
    site: Site, current: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = loader_of(site, lambda: current, Timer())
    monkeypatch.setattr(site.releases, "names", lambda: ["old", "new"])
    asked: list[str | None] = []

    def load(name: str | None) -> SharedState:
        asked.append(name)
        if name != "old":
            raise ValueError("a flipped bit")
        return site.live._frame.state

    monkeypatch.setattr(loader, "load", load)
    assert loader.first() is site.live._frame.state
    assert asked == [*([current] if current else []), "new", "old"]
