"""The public API: answers, fallback tiers, events, freshness within one worker, and every way to ask wrongly."""

import gzip
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import StoreError
from recsys.recommend.recommender import Recommender
from recsys.store import Event, Kind, Written
from tests.newsroom import HOUR, NOW, SITE, Toy
from tests.service import Service, article, copy_of, fill, plain_settings, serving
from web import live
from web.live import now_ms

FOUR = [article(f"a{n}", category="x" if n % 2 else "y", published_at=now_ms() - n * 3_600_000) for n in range(1, 5)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, no click, no release."""
    settings = plain_settings(tmp_path)
    fill(settings, *FOUR)
    with serving(settings) as service:
        yield service


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same for tests that leave it as it is."""
    settings = plain_settings(tmp_path_factory.mktemp("quiet"))
    fill(settings, *FOUR)
    with serving(settings) as service:
        yield service


@pytest.fixture(scope="module")
def trained(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The trained toy newsroom; tests here only read, or act as readers of their own."""
    with serving(copy_of(toy, tmp_path_factory.mktemp("trained"))) as service:
        yield service


def problem(answer: Any, status: int, code: str) -> str:
    """Check that an answer is a problem; returns its detail."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert set(answer.json) >= {"type", "title", "status", "code", "detail", "remedy"}
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert "Traceback" not in answer.text
    return str(answer.json["detail"])


def test_a_fresh_installation_lists_the_newest_and_says_so(quiet: Service) -> None:
    made = quiet.get("/api/v1/recommendations", k=3)
    assert (made["tier"], made["release"], made["reader"]) == ("fresh", None, None)
    assert [item["id"] for item in made["items"]] == ["a1", "a2", "a3"]
    assert [item["position"] for item in made["items"]] == [0, 1, 2]
    assert len(made["impression_id"]) == 32


def test_an_empty_catalogue_gives_an_honest_nothing(tmp_path: Path) -> None:
    with serving(plain_settings(tmp_path)) as service:
        made = service.get("/api/v1/recommendations", reader="r", article="nobody-knows")
        assert (made["tier"], made["items"]) == ("empty", [])
        assert service.get("/api/v1/today")["items"] == []


def test_a_click_changes_the_readers_next_list(site: Service) -> None:
    assert site.ids(reader="r") == ["a1", "a2", "a3", "a4"]
    site.click("a1", reader="r")
    made = site.get("/api/v1/recommendations", reader="r", k=2)
    assert (made["tier"], [item["id"] for item in made["items"]]) == ("category-popular", ["a3", "a2"])
    assert made["items"][0]["reason"]["text"] == "Because you like X"
    assert site.ids() == ["a1", "a2", "a3", "a4"]


def test_a_dismissed_article_does_not_come_back(site: Service) -> None:
    site.client.post("/api/v1/events", json={"event_id": "d", "kind": "dismiss", "article": "a2", "session": "s"})
    assert site.ids(session="s") == ["a1", "a3", "a4"]


def test_a_withheld_article_is_recommended_because_of_what_was_read(trained: Service, toy: Toy) -> None:
    for reader, withheld in list(toy.withheld.items())[::6]:
        made = trained.get("/api/v1/recommendations", reader=reader, k=3)
        assert (made["tier"], made["release"]) == ("personal", toy.release().name)
        first = made["items"][0]
        assert first["id"] == withheld
        assert first["reason"]["kind"] == "because_you_read"
        assert toy.topic[first["reason"]["article"]] == toy.topic[withheld]


def test_the_open_article_stands_for_a_stranger(trained: Service, toy: Toy) -> None:
    made = trained.get("/api/v1/recommendations", article="markets-3", k=4)
    assert made["tier"] == "session"
    assert "markets-3" not in [item["id"] for item in made["items"]]
    assert toy.topic[made["items"][0]["id"]] == "markets"


def test_similar_articles_are_of_the_same_topic(trained: Service, toy: Toy) -> None:
    made = trained.get("/api/v1/articles/football-2/similar", k=5)
    assert {toy.topic[item["id"]] for item in made["items"]} == {"football"}
    assert {item["reason"]["kind"] for item in made["items"]} == {"similar"}


def test_a_new_article_is_understood_and_recommended_within_a_poll(
    trained: Service, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "striker penalty goal keeper coach league referee stadium defender midfield"
    monkeypatch.setattr("web.live.now_ms", lambda: NOW + HOUR)  # an hour after the toy's last day, not months
    trained.store.put_articles([article("late-goal", title="Goal", body=words, published_at=NOW)])
    trained.live.refresh()
    entry = trained.live.catalogue.entry(trained.live.catalogue.row_of["late-goal"])
    assert entry.category == "football"
    assert {word for keyword in entry.keywords for word in keyword.split()} <= set(words.split())
    similar = trained.get("/api/v1/articles/late-goal/similar", k=3)["items"]
    assert {toy.topic[item["id"]] for item in similar} == {"football"}
    assert "late-goal" in trained.ids(reader="football-fan-03", k=3)


def test_a_hidden_article_is_gone_at_the_next_poll(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path, poll_seconds=0.05)
    fill(settings, *FOUR)
    with serving(settings) as service:
        assert "a2" in service.ids()
        service.store.hide(SITE, "a2", True)
        deadline = time.monotonic() + 1.0
        while "a2" in service.ids():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert service.client.get("/article/a2").status_code == 404


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


def test_only_the_newest_articles_are_served_when_there_are_too_many(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path, max_articles=2)
    fill(settings, *FOUR)
    with serving(settings) as service:
        assert service.ids() == ["a1", "a2"]


def test_today_counts_clicks_since_midnight(site: Service) -> None:
    for number in range(3):
        site.click("a3", reader=f"r{number}")
    site.click("a1", reader="r1")
    site.click("a4", reader="r1", time=now_ms() - 48 * 3_600_000)
    site.click("not-in-the-catalogue", reader="r1")
    made = site.get("/api/v1/today")
    assert [(item["id"], item["clicks"]) for item in made["items"]] == [("a3", 3), ("a1", 1)]
    assert made["timezone"] == "UTC"


def test_events_are_taken_once(site: Service) -> None:
    event = {"event_id": "e1", "kind": "click", "article": "a1", "reader": "r", "context": {"b": 1, "a": "猫"}}
    both = {"events": [event, event | {"event_id": "e2", "kind": "dwell", "dwell_ms": 5}]}
    assert site.client.post("/api/v1/events", json=both).json == {"accepted": 2, "duplicate": 0, "rejected": []}
    beacon = site.client.post("/api/v1/events", data=json.dumps(event), content_type="text/plain;charset=UTF-8")
    assert beacon.json == {"accepted": 0, "duplicate": 1, "rejected": []}
    stored = site.store.events_after(SITE, 0, 10)
    assert stored[0].context == '{"a":"猫","b":1}'
    assert abs((stored[0].time or 0) - now_ms()) < 10_000


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"kind": "like"}, "invalid", "kind"),
        ({"article": ""}, "invalid", "article"),
        ({"article": "a\u0000b"}, "invalid", "article"),
        ({"reader": "x" * 257}, "invalid", "reader"),
        ({"reader": 7}, "invalid", "reader"),
        ({"position": -1}, "invalid", "position"),
        ({"position": True}, "invalid", "position"),
        ({"time": "now"}, "invalid", "time"),
        ({"time": now_ms() + 10**7}, "time-in-the-future", "time"),
        ({"dwell_ms": 10**12}, "invalid", "dwell_ms"),
        ({"context": []}, "invalid", "context"),
        ({"context": {"a": "x" * 3000}}, "context-too-large", "context"),
        ({"article": "a\n"}, "invalid", "article: Expected no control character"),
        ({"color": "red"}, "invalid", "color"),
    ],
)
def test_one_bad_event_is_rejected_and_the_others_are_kept(
    site: Service, change: dict[str, Any], code: str, named: str
) -> None:
    good = {"event_id": "good", "kind": "click", "article": "a1"}
    body = {"events": [good | {"event_id": "bad"} | change, good]}
    made: Any = site.client.post("/api/v1/events", json=body).json
    assert made["accepted"] == 1
    assert [(one["index"], one["code"]) for one in made["rejected"]] == [(0, code)]
    assert named in made["rejected"][0]["detail"]


@pytest.mark.parametrize("bad", [b'{"event_id":"e","kind":"click","article":"a","context":{"a":1e999}}', b"7", b"[]"])
def test_what_only_just_is_json_is_rejected_alone(site: Service, bad: bytes) -> None:
    body = b'{"events":[' + bad + b',{"event_id":"good","kind":"click","article":"a1"}]}'
    made: Any = site.client.post("/api/v1/events", data=body, content_type="application/json").json
    assert made["accepted"] == 1
    assert [(one["index"], one["code"]) for one in made["rejected"]] == [(0, "invalid")]


def test_a_compressed_body_is_refused_by_its_name(quiet: Service) -> None:
    answer = quiet.client.post(
        "/api/v1/events", data=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}, content_type="text/plain"
    )
    assert "gzip" in problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed-json"),
        (b"", "application/json", 400, "malformed-json"),
        (b"\xff\xfe", "application/json", 400, "malformed-json"),
        (b'{"event_id": "\\ud800"}', "application/json", 400, "malformed-json"),
        (b"[" * 50_000, "application/json", 400, "malformed-json"),
        (b'{"time": NaN}', "application/json", 400, "malformed-json"),
        (b"{}", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"{}", "application/json; charset=latin-1", 415, "unsupported-media-type"),
        (b'{"events": [], "more": 1}', "application/json", 422, "invalid"),
        (b'{"events": {}}', "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"7", "application/json", 422, "invalid"),
        (b'{"events": [' + b",".join([b"{}"] * 1001) + b"]}", "application/json", 422, "too-many-events"),
        (b" " * 70_000, "application/json", 413, "body-too-large"),
    ],
)
def test_a_body_that_is_no_list_of_events_is_a_clear_problem(
    quiet: Service, body: bytes, content_type: str, status: int, code: str
) -> None:
    problem(quiet.client.post("/api/v1/events", data=body, content_type=content_type), status, code)
    assert quiet.store.last_seq(SITE) == 0


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/v1/recommendations?k=0", "k"),
        ("/api/v1/recommendations?k=51", "k"),
        ("/api/v1/recommendations?k=ten", "k"),
        ("/api/v1/recommendations?lang=fr", "lang"),
        ("/api/v1/recommendations?reader=", "reader"),
        ("/api/v1/recommendations?reader=a%00b", "reader"),
        ("/api/v1/recommendations?session=" + "x" * 257, "session"),
        ("/api/v1/recommendations?raeder=r", "raeder"),
        ("/api/v1/articles/a1/similar?k=-1", "k"),
        ("/api/v1/today?lang=%F0%9F", "lang"),
    ],
)
def test_a_wrong_parameter_is_named(quiet: Service, path: str, named: str) -> None:
    assert named in problem(quiet.client.get(path), 422, "invalid")


def test_unknown_addresses_and_articles_are_problems(quiet: Service) -> None:
    assert "nobody-knows" in problem(quiet.client.get("/api/v1/articles/nobody-knows/similar"), 404, "unknown-article")
    problem(quiet.client.get("/api/v2/recommendations"), 404, "not-found")
    assert "GET" in quiet.client.delete("/api/v1/recommendations").headers["Allow"]
    problem(quiet.client.delete("/api/v1/recommendations"), 405, "method-not-allowed")


def test_an_id_may_hold_anything_that_can_be_printed(site: Service) -> None:
    name = "en/a b?#&=%25é猫"
    site.store.put_articles([article(name)])
    site.live.refresh()
    site.click(name, reader=name)
    assert name not in site.ids(reader=name)
    path = "/api/v1/articles/en/a%20b%3F%23%26%3D%2525%C3%A9%E7%8C%AB/similar"
    assert site.client.get(path).json == {"article": name, "release": None, "items": []}


def test_without_a_language_a_reason_is_said_in_the_articles_own(site: Service) -> None:
    chinese = [article(name, title="标题", language="zh", category="sports") for name in ("z1", "z2")]
    site.store.put_articles(chinese)
    site.live.refresh()
    site.click("z1", reader="mei")
    (item,) = site.get("/api/v1/recommendations", reader="mei", k=1)["items"]
    assert (item["id"], item["category_name"]) == ("z2", "体育")
    assert not item["reason"]["text"].isascii()


def test_similar_articles_are_in_the_articles_language_whatever_the_page_speaks(site: Service) -> None:
    chinese = [article(name, title="标题", language="zh", category="sports") for name in ("z1", "z2")]
    site.store.put_articles([*chinese, article("e1", category="sports"), article("e2", category="sports")])
    site.live.refresh()
    found = [site.get("/api/v1/articles/z1/similar", lang=lang)["items"] for lang in ("zh", "en")]
    assert [[item["id"] for item in items] for items in found] == [["z2"], ["z2"]]
    assert found[0][0]["reason"]["text"] != found[1][0]["reason"]["text"]


def test_an_unexpected_error_shows_nothing_but_an_id(
    quiet: Service, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Recommender, "recommend", fail)
    answer = quiet.client.get("/api/v1/recommendations")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert json.loads(answer.text)["request_id"] in capsys.readouterr().out


def test_a_database_out_of_reach_is_503_for_events_and_no_history_for_readers(
    quiet: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StoreError("a database that answers", "host db.internal is down", "Check it.")

    for name in ("add_events", "clicks_of", "last_seq"):
        monkeypatch.setattr(quiet.store, name, fail)
    event = {"event_id": "e", "kind": "click", "article": "a1"}
    assert "db.internal" not in problem(quiet.client.post("/api/v1/events", json=event), 503, "store-unavailable")
    problem(quiet.client.get("/readyz"), 503, "store-unavailable")
    assert quiet.client.get("/healthz").status_code == 200
    assert len(quiet.ids(reader="r")) == 4


def test_a_database_file_that_was_taken_away_takes_no_events_and_is_not_ready(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    event = {"event_id": "e", "kind": "click", "article": "a1"}
    with serving(settings) as service:
        file = next(tmp_path.glob("*.db"))
        away = file.rename(tmp_path / "away")
        problem(service.client.post("/api/v1/events", json=event), 503, "store-unavailable")
        problem(service.client.get("/readyz"), 503, "store-unavailable")
        assert service.client.get("/api/v1/recommendations?reader=r").status_code == 200
        away.rename(file)
        assert service.client.post("/api/v1/events", json=event).json == {"accepted": 1, "duplicate": 0, "rejected": []}


def test_a_database_that_stays_locked_holds_up_one_thread_and_not_all(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "WRITE_SECONDS", 0.05)
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


def test_liveness_and_readiness(quiet: Service) -> None:
    assert quiet.get("/healthz")["status"] == "ok"
    assert quiet.get("/readyz") == {"status": "ready", "release": None, "articles": 4}


def test_personal_answers_are_never_cached_and_any_site_may_ask(quiet: Service) -> None:
    answer = quiet.client.get("/api/v1/recommendations?reader=r", headers={"Origin": "https://news.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    before = quiet.client.options("/api/v1/events", headers={"Origin": "https://news.example"})
    assert before.headers["Access-Control-Allow-Headers"] == "Content-Type"
    wrong = quiet.client.get("/api/v1/recommendations?k=0")
    assert wrong.headers["Access-Control-Allow-Origin"] == "*"


def test_openapi_describes_every_call_and_the_page_needs_nobody_else(quiet: Service) -> None:
    spec = quiet.get("/openapi.json")
    calls = {(method, path) for path, methods in spec["paths"].items() for method in methods}
    assert calls >= {
        ("get", "/api/v1/recommendations"),
        ("get", "/api/v1/articles/{article_id}/similar"),
        ("get", "/api/v1/articles/{article_id}"),
        ("get", "/api/v1/tags/{tag}"),
        ("get", "/api/v1/readers/{reader}/tags"),
        ("get", "/api/v1/today"),
        ("post", "/api/v1/events"),
        ("post", "/admin/api/jobs"),
        ("get", "/admin/api/jobs/{run_id}"),
        ("post", "/admin/api/releases/{name}/activate"),
        ("get", "/readyz"),
    }
    text = json.dumps(spec)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        assert reference.rsplit("/", 1)[-1] in spec["components"]["schemas"], reference
    k = next(one for one in spec["paths"]["/api/v1/today"]["get"]["parameters"] if one["name"] == "k")
    assert (k["schema"]["default"], k["schema"]["anyOf"][0]) == (10, {"type": "integer", "minimum": 1, "maximum": 50})
    assert set(spec["paths"]["/api/v1/events"]["post"]["responses"]) >= {"202", "400", "413", "415", "422", "503"}
    page = quiet.client.get("/docs").text
    assert "integer ≥ 1 and ≤ 50" in page
    assert "string of 1 to 256 characters" in page
    assert all(path in page for _, path in calls)
    assert "http://" not in page
    assert "https://" not in page


def test_a_reader_is_loaded_once_and_then_follows_the_events(site: Service) -> None:
    site.store.add_events([Event("e0", SITE, Kind.CLICK, "a1", reader="r", time=now_ms())])
    assert "a1" not in site.ids(reader="r")  # loaded from the database before the events were followed
    site.live.catch_up()
    site.store.add_events([Event("e1", SITE, Kind.CLICK, "a2", reader="r", time=now_ms())])
    site.live.catch_up()
    assert site.ids(reader="r") == ["a3", "a4"]
    state = site.live._memory.reader("r")
    assert state is not None
    assert len(state.clicks) == 2


def test_what_another_worker_took_counts_in_the_readers_very_next_list(site: Service) -> None:
    assert "a1" in site.ids(reader="r", session="s")
    site.store.add_events([Event("e0", SITE, Kind.CLICK, "a1", reader="r", time=now_ms())])
    site.store.add_events([Event("e1", SITE, Kind.DISMISS, "a2", session="s", time=now_ms())])
    assert {"a1", "a2"}.isdisjoint(site.ids(reader="r", session="s"))


def test_the_reader_not_seen_for_longest_is_forgotten_and_comes_back(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path, max_readers=2)
    fill(settings, *FOUR)
    with serving(settings) as service:
        service.click("a1", reader="r0")
        for reader in ("r0", "r1", "r2"):
            service.ids(reader=reader)
        assert "r0" not in service.live._memory
        assert "a1" not in service.ids(reader="r0")
