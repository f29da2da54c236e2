"""One worker under change: what others wrote, robots and wrong clocks, and what every click teaches it at once."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.errors import StoreError
from recsys.recommend import exploration
from recsys.recommend.context import Tier
from recsys.releases import Releases
from recsys.serving.encoder import LiveArticle, LiveEncoder
from recsys.serving.live import LiveState
from recsys.serving.live_stories import LiveStories
from recsys.store import Article, Event, Kind, Store, Written, event_writer
from recsys.stories.decisions import PairDecision
from recsys.stories.story_files import load_story_index
from recsys.stories.story_index import StoryIndex
from recsys.units import HOUR_MS, now_ms
from tests.newsroom import NOW, SITE, TOPICS, Toy
from tests.service import FOUR, Service, article, copy_of, fill, four, plain_settings, problem, serving
from tests.stores import watched


def row_of(service: Service, name: str) -> int:
    return service.live.catalogue.row_of[name]


def test_the_list_after_a_click_is_another_and_after_two_says_because_of_what(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        before = service.get("/api/v1/recommendations", session="visit", k=6)
        opened = before["items"][0]
        service.click(opened["id"], session="visit", position=0)
        after = service.get("/api/v1/recommendations", session="visit", k=6)
        assert (before["tier"], after["tier"]) == ("popular", "session")
        assert opened["id"] not in [item["id"] for item in after["items"]]
        assert [item["id"] for item in after["items"]] != [item["id"] for item in before["items"]]
        another = next(item for item in after["items"] if item["category"] == opened["category"])
        service.click(another["id"], session="visit", position=0)
        after = service.get("/api/v1/recommendations", session="visit", k=6)
        reasons = [item["reason"] for item in after["items"]]
        assert any(reason["kind"] in ("because_you_read", "because_you_like") for reason in reasons)
        assert all(reason["article"] in (None, opened["id"], another["id"]) for reason in reasons)
        assert not any(reason["article"] for reason in (item["reason"] for item in before["items"]))


def test_a_fresh_article_is_offered_to_those_whom_it_suits_after_its_first_click(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exploration, "SHARE", 0.0)  # in one minute of five it would be tried on anybody
    with serving(copy_of(toy, tmp_path)) as service:
        body = TOPICS["markets"]
        service.store.put_articles([article("brand-new", title=body[:30], body=body, published_at=now_ms() - 60_000)])
        service.live.refresh()
        service.click("markets-3", reader="first", time=now_ms() - 30_000)
        service.click("brand-new", reader="first")
        assert "brand-new" in service.ids(session="stranger", k=17)
        places = []
        for fan in ("markets-fan-01", "markets-fan-02", "football-fan-01"):
            made = service.get("/api/v1/recommendations", reader=fan, k=17)
            assert made["tier"] == "personal"
            places.append([item["id"] for item in made["items"]].index("brand-new"))
        assert max(places[:2]) < min(5, places[2])


def test_item_vectors_learn_every_click_and_the_index_follows(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        recommender = service.live._frame.state.recommender
        vectors, index = recommender.tables.item_vectors, recommender.index
        one, other = row_of(service, "football-0"), row_of(service, "markets-0")
        released = vectors[[one, other]].copy()
        for number in range(12):
            service.click("football-0", session=f"s{number}", time=now_ms() - 2_000)
            service.click("markets-0", session=f"s{number}", time=now_ms() - 1_000)
        assert float(vectors[one] @ vectors[other]) > float(released[0] @ released[1]) + 0.05
        allowed = np.ones(len(vectors), bool)
        assert index is not None
        for row in (one, other):
            rows, scores = index.search(vectors[row], 1, allowed)
            assert rows.tolist() == [row]
            assert scores[0] == pytest.approx(1, abs=1e-5)


def test_an_impression_and_an_undated_click_teach_no_vector(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        items = service.live._frame.state.recommender.tables.items
        assert items is not None
        before = (items.vectors.copy(), items.state.copy())
        event = {"event_id": "i", "kind": "impression", "article": "markets-0", "session": "s"}
        assert service.client.post("/api/v1/events", json=event).status_code == 202
        np.testing.assert_array_equal(items.vectors, before[0])
        np.testing.assert_array_equal(items.state, before[1])
        service.click("markets-0", session="s")
        assert not np.array_equal(items.state, before[1])


def test_a_visit_goes_on_over_a_restart(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        service.click("football-0", session="visit")
    with serving(settings) as service:
        service.click("markets-0", session="visit")
        trends = service.live._frame.state.recommender.trends
        rows, _ = trends.covisits(row_of(service, "markets-0"), now_ms(), 3)
        assert row_of(service, "football-0") in rows.tolist()


def test_a_reader_and_a_session_of_one_name_are_two_visitors(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        service.click("football-0", session="same")
        service.click("markets-0", reader="same")
        trends = service.live._frame.state.recommender.trends
        rows, strength = trends.covisits(row_of(service, "markets-0"), now_ms(), 9)
        beside = dict(zip(rows.tolist(), strength.tolist(), strict=True))
        assert beside.get(row_of(service, "football-0"), 0.0) < 0.5


def test_the_context_of_the_last_click_is_remembered_and_loaded_again(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        service.get("/api/v1/recommendations", reader="r")
        service.click("markets-0", reader="r", context={"device": "phone"})
        state = service.live._frame.memory.reader("r")
        assert state is not None
        assert state.context == '{"device":"phone"}'
        trends = service.live._frame.state.recommender.trends
        assert trends.codes(state.context)[trends.config.context.index("device")] > 0
    with serving(settings) as service:
        assert service.live.recommend("r", None, article=None, k=1, lang=None).recommendation.tier is Tier.PERSONAL
        state = service.live._frame.memory.reader("r")
        assert state is not None
        assert state.context == '{"device":"phone"}'


def test_a_click_dated_ahead_counts_as_of_now(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        trends, now = service.live._frame.state.recommender.trends, now_ms()
        service.click("markets-0", reader="r", time=now + 60_000)  # a minute fast
        assert trends.odd["ahead"] == 0
        monkeypatch.setattr(
            "recsys.serving.live.now_ms", lambda: now - 3_600_000
        )  # this worker's clock is an hour behind
        service.click("markets-0", reader="r", time=now)
        assert trends.odd["ahead"] == 1


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, no click, no release."""
    with four(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same for tests that leave it as it is."""
    with four(tmp_path_factory.mktemp("quiet")) as service:
        yield service


def test_a_hidden_article_is_gone_at_the_next_poll(tmp_path: Path) -> None:
    with four(tmp_path, poll_seconds=0.05) as service:
        assert "a2" in service.ids()
        service.store.hide_article(SITE, "a2", "ann")
        deadline = time.monotonic() + 1.0
        while "a2" in service.ids():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert service.client.get("/article/a2").status_code == 404


def test_what_the_first_article_needs_is_read_before_it_comes(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    load, encode = load_story_index, LiveEncoder.encode

    def loading(folder: Path) -> StoryIndex:
        read.append("stories")
        return load(folder)

    def encoding(encoder: LiveEncoder, one: Article) -> LiveArticle:
        read.append(one.id)
        return encode(encoder, one)

    monkeypatch.setattr("recsys.serving.artefacts.load_story_index", loading)
    monkeypatch.setattr(LiveEncoder, "encode", encoding)
    with serving(copy_of(toy, tmp_path)) as service:
        service.live._ahead_reader.join(60)
        assert read == ["stories", ""], "a text of nobody's"
        service.store.put_articles([article("later", title="Goals at last", body=TOPICS["football"])])
        service.live.refresh()
        assert read == ["stories", "", "later"]


def test_stories_are_read_once_whoever_asks_and_a_decision_meanwhile_is_not_lost() -> None:
    began, go_on, loaded = threading.Event(), threading.Event(), list[StoryIndex]()

    def load() -> StoryIndex:
        began.set()
        assert go_on.wait(10)
        loaded.append(StoryIndex())
        return loaded[-1]

    stories = LiveStories(load)
    readers = [threading.Thread(target=stories.read_ahead) for _ in range(3)]
    for reader in readers:
        reader.start()
    assert began.wait(10)
    decision = PairDecision("a", "b", True)
    deciding = threading.Thread(target=stories.decide, args=([decision],))
    deciding.start()
    go_on.set()
    for thread in (*readers, deciding):
        thread.join(10)
    assert len(loaded) == 1
    for name, title in (("a", "Harbour closed"), ("b", "Goals at last")):
        stories.join(name, title, "", 1, name)
    assert loaded[0].story_of("a") == loaded[0].story_of("b") is not None


def test_an_article_changed_twice_within_a_moment_shows_its_last_title(site: Service) -> None:
    for title in ("First", "Second"):
        site.store.put_articles([article("a1", category="x", title=title)])
        site.live.refresh()
    assert site.get("/api/v1/recommendations", k=1)["items"][0]["title"] == "Second"


def test_more_new_articles_than_there_is_room_for_are_laid_out_anew(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = site.live.catalogue.room
    site.store.put_articles([article(f"n{n}") for n in range(room + 3)])
    site.live.refresh()
    assert site.live._builder is not None
    site.live._builder.join()
    assert len(site.live.catalogue.ids) == room + 7


def test_a_database_out_of_reach_is_503_for_events_and_no_history_for_readers(
    quiet: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StoreError("a database that answers", "host db.internal is down", "Check it.")

    for name in ("add_events", "history_of", "last_seq"):
        monkeypatch.setattr(quiet.store, name, fail)
    event = {"event_id": "e", "kind": "click", "article": "a1"}
    assert "db.internal" not in problem(quiet.client.post("/api/v1/events", json=event), 503, "store-unavailable")
    assert quiet.get("/readyz")["database"] == "out of reach"
    assert quiet.client.get("/healthz").status_code == 200
    assert len(quiet.ids(reader="r")) == 4


def test_without_its_database_file_a_service_takes_no_events_and_says_so(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    event = {"event_id": "e", "kind": "click", "article": "a1"}
    with serving(settings) as service:
        file = next(tmp_path.glob("*.db"))
        away = file.rename(tmp_path / "away")
        problem(service.client.post("/api/v1/events", json=event), 503, "store-unavailable")
        assert service.get("/readyz")["database"] == "out of reach"
        assert service.client.get("/api/v1/recommendations?reader=r").status_code == 200
        away.rename(file)
        assert service.client.post("/api/v1/events", json=event).get_json()["accepted"] == 1
        assert service.get("/readyz")["database"] == "in reach"


def test_a_database_that_stays_locked_holds_up_one_thread_and_not_all(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_writer, "WRITE_SECONDS", 0.05)
    free, entered = threading.Event(), threading.Event()
    add_events = site.store.add_events

    def slow(events: Sequence[Event]) -> Written:
        entered.set()
        assert free.wait(10)
        return add_events(events)

    monkeypatch.setattr(site.store, "add_events", slow)
    first = threading.Thread(target=site.live.accept, args=([Event("e0", SITE, Kind.CLICK, "a1", time=now_ms())],))
    first.start()
    try:
        assert entered.wait(10)
        answer = site.client.post("/api/v1/events", json={"event_id": "e1", "kind": "click", "article": "a1"})
        problem(answer, 503, "store-unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert site.ids(reader="r")
    finally:
        free.set()
        first.join()
    assert [event.event_id for event in site.store.events_after(SITE, 0, 10)] == ["e0"]


def test_a_reader_is_loaded_once_and_then_follows_the_events(site: Service) -> None:
    site.store.add_events([Event("e0", SITE, Kind.CLICK, "a1", reader="r", time=now_ms())])
    assert "a1" not in site.ids(reader="r")  # loaded from the database before the events were followed
    site.live.catch_up()
    site.store.add_events([Event("e1", SITE, Kind.CLICK, "a2", reader="r", time=now_ms())])
    site.live.catch_up()
    assert site.ids(reader="r") == ["a3", "a4"]
    state = site.live._frame.memory.reader("r")
    assert state is not None
    assert len(state.clicks) == 2


def test_what_another_worker_took_counts_after_the_next_poll(site: Service) -> None:
    assert "a1" in site.ids(reader="r", session="s")
    site.store.add_events([Event("e0", SITE, Kind.CLICK, "a1", reader="r", time=now_ms())])
    site.store.add_events([Event("e1", SITE, Kind.DISMISS, "a2", session="s", time=now_ms())])
    site.live.catch_up()
    assert {"a1", "a2"}.isdisjoint(site.ids(reader="r", session="s"))


def test_the_reader_not_seen_for_longest_is_forgotten_and_comes_back(tmp_path: Path) -> None:
    with four(tmp_path, max_readers=2) as service:
        service.click("a1", reader="r0")
        for reader in ("r0", "r1", "r2"):
            service.ids(reader=reader)
        assert "r0" not in service.live._frame.memory
        assert "a1" not in service.ids(reader="r0")


DAY = 24 * 3_600_000
YEAR = 365 * DAY


def test_a_robot_of_four_hundred_clicks_and_a_reader_who_reloads_move_nothing(tmp_path: Path) -> None:
    with four(tmp_path) as service:
        for n in range(3):
            service.click("a3", reader=f"r{n}")
        service.click("a2", reader="r1")
        before = service.ids(k=4)
        for n in range(5):
            service.click("a4", reader="reloads", event_id=f"f{n}")
        robot = [{"event_id": f"b{n}", "kind": "click", "article": "a1", "reader": "robot"} for n in range(400)]
        for start in range(0, 400, 100):
            sent = service.client.post("/api/v1/events", json={"events": robot[start : start + 100]})
            assert sent.status_code == 202
        assert list(service.live._frame.state.visitors.odd) == ["rrobot"]
        today = [(item["id"], item["clicks"]) for item in service.get("/api/v1/today")["items"]]
        assert today == [("a3", 3), ("a2", 1), ("a4", 1)]
        assert before[:2] == ["a3", "a2"]
        assert service.ids(k=4)[0] == "a3"
        assert service.ids(k=4)[-1] == "a1"


def test_what_was_imported_with_a_time_ahead_is_neither_popular_nor_today_s(tmp_path: Path) -> None:
    with four(tmp_path) as service:
        ahead = [Event(f"e{n}", SITE, Kind.CLICK, "a4", f"r{n}", time=now_ms() + YEAR) for n in range(9)]
        service.store.add_events(ahead)
        service.click("a3", reader="r1")
        service.live.catch_up()
        assert service.live._frame.state.recommender.trends.odd["ahead"] == 9
        assert [item["id"] for item in service.get("/api/v1/today")["items"]] == ["a3"]
        assert service.ids(k=1, reader="stranger") == ["a3"]
        assert "a4" in service.ids(k=4, reader="r2")  # who has not opened it yet, as far as is known


def test_a_clock_that_was_a_year_ahead_for_a_night_leaves_no_damage(tmp_path: Path) -> None:
    settings, now = plain_settings(tmp_path), [now_ms()]
    fill(settings, *FOUR)
    store = Store.open(settings.database_url, settings.store)
    live = LiveState(settings, store, Releases(settings.data_dir / "releases", settings.releases), lambda: now[0])

    def click(name: str, article: str) -> None:
        live.accept([Event(name, SITE, Kind.CLICK, article, name, time=now[0])])

    def popular() -> list[int]:
        trends = live._frame.state.recommender.trends
        clicks = trends.clicks(np.arange(len(trends), dtype=np.int32), now[0])
        return [int(count) for count in clicks[:, 1].round()]

    try:
        for n in range(5):
            click(f"before{n}", "a1")
        right = popular()
        now[0] += YEAR
        click("night", "a2")
        assert sum(popular()) == 1
        now[0] -= YEAR
        live._mend_counts()
        assert live._builder is not None
        live._builder.join()
        assert popular() == right
        assert live._frame.state.recommender.trends.odd["ahead"] == 1
        builder = live._builder
        live._mend_counts()  # there is nothing left to mend
        assert live._builder is builder
        click("after", "a1")
        assert sum(popular()) == 6
    finally:
        live.close()
        store.close()


def test_by_a_clock_by_which_nothing_is_out_yet_it_is_as_late_as_the_last_click_counted(
    toy: Toy, tmp_path: Path
) -> None:
    copied = copy_of(toy, tmp_path)
    store, now = Store.open(copied.database_url, copied.store), [NOW]
    live = LiveState(copied, store, Releases(copied.data_dir / "releases", copied.releases), lambda: now[0])

    def listed() -> list[str]:
        answer = live.recommend("somebody-new", None, article=None, k=5, lang=None)
        return [answer.catalogue.ids[card.row] for card in answer.recommendation.cards]

    try:
        right, counted = listed(), live._frame.state.snapshot.counted_until
        assert len(right) == 5
        now[0] = NOW - YEAR
        assert counted > now[0]
        assert len(listed()) == 5
        now[0] = NOW - 47 * HOUR_MS  # by which two of each topic are out: what is dated ahead waits
        assert {name.rpartition("-")[2] for name in listed()} == {"0", "1"}
        now[0] = NOW
        assert listed() == right
    finally:
        live.close()
        store.close()


def test_an_answer_asks_the_database_only_for_a_reader_who_is_new_to_the_worker(tmp_path: Path) -> None:
    paths = [
        "articles/a1",
        "articles/a1/similar",
        "today",
        "tags/x",
        "recommendations",
        "recommendations?reader=ann&k=3",
    ]
    with four(tmp_path) as service, watched(service.store) as statements:
        assert service.client.get("/api/v1/recommendations?reader=ann&session=s").status_code == 200
        assert len(statements) == 1, "their history"
        statements.clear()
        for path in (*paths, "recommendations?reader=ann&session=s&article=a1"):
            assert service.client.get(f"/api/v1/{path}").status_code == 200, path
            assert statements == [], path
        token = service.proof("ann")
        assert service.client.get("/api/v1/recommendations?reader=ann", headers=token).status_code == 200
        assert statements == [], "a token is checked without the database"


def test_a_replaced_state_goes_without_a_collection(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        service.click("football-0", reader="r", session="s")
        for query in ({"reader": "r"}, {"session": "s", "include": "tags,keywords,scores"}, {}):
            service.get("/api/v1/recommendations", k=6, **query)
        frame = service.live._frame
        old = [weakref.ref(one) for one in (frame.state, frame.memory, frame.state.catalogue, frame.state.recommender)]
        del frame
        gc.collect()
        gc.disable()
        try:
            monkeypatch.setattr("recsys.serving.live.give_back", lambda: None)  # which collects
            service.live._take_over(service.live.release)
            assert [one() for one in old] == [None] * len(old)
        finally:
            gc.enable()
